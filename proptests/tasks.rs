//! Looping calls against counting on one's fingers, and cooperators against a list that goes round.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::task::{CooperativeTask, Cooperator, LoopingCall};
use selvedge::{Deferred, Reactor, Resolver, testing::VirtualClock};

use crate::regressions;

/// What happens to a loop, in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Time {
    Passes(u64),
    /// From now on each call takes this.
    CallsTake(u64),
    Reset,
    /// Stopped, and started again.
    Again {
        at_once: bool,
    },
}

fn times() -> impl Strategy<Value = Vec<Time>> {
    let time = prop_oneof![
        6 => (0u64..40).prop_map(Time::Passes),
        2 => (0u64..30).prop_map(Time::CallsTake),
        1 => Just(Time::Reset),
        1 => any::<bool>().prop_map(|at_once| Time::Again { at_once }),
    ];
    vec(time, 0..30)
}

/// A loop by arithmetic: when it is called, and how many ticks it counts.
struct Fingers {
    interval: u64,
    now: u64,
    takes: u64,
    start: u64,
    /// Ticks up to here were counted.
    counted: Option<u64>,
    at_once: bool,
    next: u64,
    calls: Vec<(u64, u64)>,
}

impl Fingers {
    fn start(&mut self, at_once: bool) {
        (self.start, self.counted, self.at_once) = (self.now, None, at_once);
        if at_once { self.call() } else { self.next = self.tick_after(self.now) }
    }

    fn tick_after(&self, time: u64) -> u64 {
        (0..).map(|n| self.start + n * self.interval).find(|tick| *tick > time).unwrap()
    }

    fn call(&mut self) {
        let first = if self.at_once { self.start } else { self.start + self.interval };
        let from = self.counted.map_or(first, |counted| counted + 1);
        let ticks = (from..=self.now).filter(|tick| (tick - self.start).is_multiple_of(self.interval)).count();
        self.counted = Some(self.now);
        self.calls.push((self.now, ticks as u64));
        self.now += self.takes;
        self.next = self.tick_after(self.now);
    }

    fn perform(&mut self, time: Time) {
        match time {
            Time::Passes(time) => {
                self.now += time;
                while self.next <= self.now {
                    self.call();
                }
            }
            Time::CallsTake(takes) => self.takes = takes,
            Time::Reset => {
                (self.start, self.counted) = (self.now, Some(self.now));
                self.next = self.tick_after(self.now);
            }
            Time::Again { at_once } => self.start(at_once),
        }
    }
}

/// What happens to the tasks of a cooperator. Numbers choose among them.
#[derive(Debug, Clone, Copy)]
enum Order {
    Turn,
    Add(u8),
    /// A task whose second step waits to be fired.
    AddOneThatWaits,
    Fire,
    Pause(usize),
    Resume(usize),
    Stop(usize),
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    let order = prop_oneof![
        6 => Just(Order::Turn),
        3 => (0u8..5).prop_map(Order::Add),
        1 => Just(Order::AddOneThatWaits),
        1 => Just(Order::Fire),
        2 => (0usize..5).prop_map(Order::Pause),
        2 => (0usize..5).prop_map(Order::Resume),
        1 => (0usize..5).prop_map(Order::Stop),
    ];
    vec(order, 0..40)
}

#[derive(Default)]
struct Job {
    steps: u8,
    made: u8,
    waits_in_second: bool,
    waits: bool,
    pauses: usize,
    over: bool,
}

/// A cooperator as a list that goes round.
#[derive(Default)]
struct Round {
    jobs: Vec<Job>,
    ready: VecDeque<usize>,
    waiting: VecDeque<usize>,
    trace: Vec<String>,
}

impl Round {
    fn perform(&mut self, order: Order, slice: usize) {
        match order {
            Order::Turn => {
                for _ in 0..slice {
                    match self.ready.pop_front() {
                        Some(job) => self.step(job),
                        None => break,
                    }
                }
            }
            Order::Add(steps) => self.add(Job { steps, ..Job::default() }),
            Order::AddOneThatWaits => self.add(Job { steps: 3, waits_in_second: true, ..Job::default() }),
            Order::Fire => {
                if let Some(id) = self.waiting.pop_front() {
                    let job = &mut self.jobs[id];
                    job.waits = false;
                    if !job.over && job.pauses == 0 {
                        self.ready.push_back(id);
                    }
                }
            }
            Order::Pause(number) if !self.jobs.is_empty() => {
                let id = number % self.jobs.len();
                if self.jobs[id].over {
                    return self.trace.push(format!("{id} is over"));
                }
                self.jobs[id].pauses += 1;
                self.ready.retain(|ready| *ready != id);
            }
            Order::Resume(number) if !self.jobs.is_empty() => {
                let id = number % self.jobs.len();
                let job = &mut self.jobs[id];
                if job.pauses == 0 {
                    return self.trace.push(format!("{id} is not paused"));
                }
                job.pauses -= 1;
                if job.pauses == 0 && !job.waits && !job.over {
                    self.ready.push_back(id);
                }
            }
            Order::Stop(number) if !self.jobs.is_empty() => {
                let id = number % self.jobs.len();
                if self.jobs[id].over {
                    return self.trace.push(format!("{id} is over"));
                }
                self.jobs[id].over = true;
                self.ready.retain(|ready| *ready != id);
                self.trace.push(format!("{id} ends: false"));
            }
            Order::Pause(_) | Order::Resume(_) | Order::Stop(_) => {}
        }
    }

    fn add(&mut self, job: Job) {
        self.ready.push_back(self.jobs.len());
        self.jobs.push(job);
    }

    fn step(&mut self, id: usize) {
        let job = &mut self.jobs[id];
        if job.made == job.steps {
            job.over = true;
            return self.trace.push(format!("{id} ends: true"));
        }
        job.made += 1;
        self.trace.push(format!("{id} steps"));
        if job.waits_in_second && job.made == 2 {
            job.waits = true;
            self.waiting.push_back(id);
        } else {
            self.ready.push_back(id);
        }
    }
}

/// The cooperator itself.
struct Office {
    reactor: Reactor,
    cooperator: Cooperator,
    tasks: Vec<CooperativeTask>,
    fire: Rc<RefCell<VecDeque<Resolver<()>>>>,
    trace: Rc<RefCell<Vec<String>>>,
}

impl Office {
    fn new(slice: usize) -> Self {
        let reactor = Reactor::builder().clock(VirtualClock::new()).build().unwrap();
        let cooperator = Cooperator::new(&reactor).with_termination(move || {
            let mut steps = 0;
            move || {
                steps += 1;
                steps == slice
            }
        });
        Self { reactor, cooperator, tasks: Vec::new(), fire: Rc::default(), trace: Rc::default() }
    }

    fn perform(&mut self, order: Order) {
        match order {
            Order::Turn => drop(self.reactor.turn()),
            Order::Add(steps) => self.add(steps, false),
            Order::AddOneThatWaits => self.add(3, true),
            Order::Fire => {
                let fire = self.fire.borrow_mut().pop_front();
                fire.into_iter().for_each(|resolver| resolver.callback(()));
            }
            Order::Pause(number) => self.to(number, |id, task| task.pause().err().map(|_| format!("{id} is over"))),
            Order::Resume(number) => {
                self.to(number, |id, task| task.resume().err().map(|_| format!("{id} is not paused")));
            }
            Order::Stop(number) => self.to(number, |id, task| task.stop().err().map(|_| format!("{id} is over"))),
        }
    }

    fn add(&mut self, steps: u8, waits_in_second: bool) {
        let (id, trace, fire) = (self.tasks.len(), Rc::clone(&self.trace), Rc::clone(&self.fire));
        let task = self.cooperator.cooperate((1..=steps).map(move |made| {
            trace.borrow_mut().push(format!("{id} steps"));
            if !(waits_in_second && made == 2) {
                return Deferred::succeed(());
            }
            let (waits, resolver) = Deferred::new();
            fire.borrow_mut().push_back(resolver);
            waits
        }));
        let trace = Rc::clone(&self.trace);
        task.when_done().add_both(move |end| trace.borrow_mut().push(format!("{id} ends: {}", end.is_ok())));
        self.tasks.push(task);
    }

    fn to(&self, number: usize, act: impl FnOnce(usize, &CooperativeTask) -> Option<String>) {
        if !self.tasks.is_empty() {
            let id = number % self.tasks.len();
            let said = act(id, &self.tasks[id]);
            self.trace.borrow_mut().extend(said);
        }
    }
}

proptest! {
    #![proptest_config(regressions::config("tasks", 1000))]

    // Checks: B65, B67
    #[test]
    fn a_loop_is_called_when_arithmetic_says(interval in 1u64..25, at_once in any::<bool>(), times in times()) {
        let mut fingers = Fingers {
            interval, now: 0, takes: 0, start: 0, counted: None, at_once, next: 0, calls: Vec::new(),
        };
        fingers.start(at_once);

        let clock = VirtualClock::new();
        let reactor = Reactor::builder().clock(clock.clone()).build().unwrap();
        let (calls, takes): (Rc<RefCell<Vec<_>>>, Rc<Cell<u64>>) = Default::default();
        let (notes, hands, lasts) = (Rc::clone(&calls), clock, Rc::clone(&takes));
        let looping = LoopingCall::with_count(move |tick, count| {
            notes.borrow_mut().push((tick.reactor().now().as_millis() as u64, count));
            hands.advance(Duration::from_millis(lasts.get()));
        });
        let start = |at_once| {
            let interval = Duration::from_millis(interval);
            if at_once { looping.start(&reactor, interval) } else { looping.start_later(&reactor, interval) }
        };
        let mut ended = start(at_once).unwrap();
        for time in times {
            fingers.perform(time);
            match time {
                Time::Passes(time) => drop(reactor.advance(Duration::from_millis(time))),
                Time::CallsTake(time) => takes.set(time),
                Time::Reset => looping.reset().unwrap(),
                Time::Again { at_once } => {
                    looping.stop().unwrap();
                    prop_assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
                    ended = start(at_once).unwrap();
                }
            }
            prop_assert_eq!(&*calls.borrow(), &fingers.calls);
        }
        prop_assert_eq!(reactor.now(), Duration::from_millis(fingers.now));
        looping.stop().unwrap();
        prop_assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
        prop_assert_eq!(reactor.delayed_calls(), 0);
    }

    // Checks: B68, P34
    #[test]
    fn a_cooperator_goes_round_as_a_list_does(slice in 1usize..5, orders in orders()) {
        let (mut round, mut office) = (Round::default(), Office::new(slice));
        for order in orders {
            round.perform(order, slice);
            office.perform(order);
            prop_assert_eq!(&*office.trace.borrow(), &round.trace);
        }
    }
}
