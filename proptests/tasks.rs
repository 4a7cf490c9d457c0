//! Looping calls against counting ticks one by one, and cooperators against a round-robin list.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::task::{CooperativeTask, Cooperator, LoopingCall};
use selvedge::{Deferred, Reactor, Resolver, testing::VirtualClock};

use crate::regressions;

/// An operation on a loop. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
enum LoopOp {
    Passes(u64),
    /// Sets how long each later call takes.
    CallsTake(u64),
    Reset,
    /// Stops it, and starts it again.
    Restart {
        at_once: bool,
    },
}

fn loop_ops() -> impl Strategy<Value = Vec<LoopOp>> {
    let op = prop_oneof![
        6 => (0u64..40).prop_map(LoopOp::Passes),
        2 => (0u64..30).prop_map(LoopOp::CallsTake),
        1 => Just(LoopOp::Reset),
        1 => any::<bool>().prop_map(|at_once| LoopOp::Restart { at_once }),
    ];
    vec(op, 0..30)
}

/// The naive loop: computes when it is called, and counts ticks one by one.
struct NaiveLoop {
    interval: u64,
    now: u64,
    takes: u64,
    start: u64,
    /// Ticks up to this time were counted.
    counted: Option<u64>,
    at_once: bool,
    next: u64,
    calls: Vec<(u64, u64)>,
}

impl NaiveLoop {
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

    fn perform(&mut self, op: LoopOp) {
        match op {
            LoopOp::Passes(time) => {
                self.now += time;
                while self.next <= self.now {
                    self.call();
                }
            }
            LoopOp::CallsTake(takes) => self.takes = takes,
            LoopOp::Reset => {
                (self.start, self.counted) = (self.now, Some(self.now));
                self.next = self.tick_after(self.now);
            }
            LoopOp::Restart { at_once } => self.start(at_once),
        }
    }
}

/// An operation on the tasks of a cooperator. Numbers choose among them.
#[derive(Debug, Clone, Copy)]
enum TaskOp {
    Turn,
    Add(u8),
    /// Adds a task whose second step waits for a Deferred.
    AddWaiting,
    /// Fires the oldest of those Deferreds.
    Fire,
    Pause(usize),
    Resume(usize),
    Stop(usize),
}

fn task_ops() -> impl Strategy<Value = Vec<TaskOp>> {
    let op = prop_oneof![
        6 => Just(TaskOp::Turn),
        3 => (0u8..5).prop_map(TaskOp::Add),
        1 => Just(TaskOp::AddWaiting),
        1 => Just(TaskOp::Fire),
        2 => (0usize..5).prop_map(TaskOp::Pause),
        2 => (0usize..5).prop_map(TaskOp::Resume),
        1 => (0usize..5).prop_map(TaskOp::Stop),
    ];
    vec(op, 0..40)
}

#[derive(Default)]
struct NaiveTask {
    steps: u8,
    made: u8,
    waits_in_second: bool,
    waiting: bool,
    pauses: usize,
    ended: bool,
}

/// The naive cooperator: a round-robin list.
#[derive(Default)]
struct NaiveCooperator {
    tasks: Vec<NaiveTask>,
    ready: VecDeque<usize>,
    waiting: VecDeque<usize>,
    trace: Vec<String>,
}

impl NaiveCooperator {
    fn perform(&mut self, op: TaskOp, slice: usize) {
        match op {
            TaskOp::Turn => {
                for _ in 0..slice {
                    match self.ready.pop_front() {
                        Some(task) => self.step(task),
                        None => break,
                    }
                }
            }
            TaskOp::Add(steps) => self.add(NaiveTask { steps, ..NaiveTask::default() }),
            TaskOp::AddWaiting => self.add(NaiveTask { steps: 3, waits_in_second: true, ..NaiveTask::default() }),
            TaskOp::Fire => {
                if let Some(id) = self.waiting.pop_front() {
                    let task = &mut self.tasks[id];
                    task.waiting = false;
                    if !task.ended && task.pauses == 0 {
                        self.ready.push_back(id);
                    }
                }
            }
            TaskOp::Pause(number) if !self.tasks.is_empty() => {
                let id = number % self.tasks.len();
                if self.tasks[id].ended {
                    return self.trace.push(format!("{id} has ended"));
                }
                self.tasks[id].pauses += 1;
                self.ready.retain(|ready| *ready != id);
            }
            TaskOp::Resume(number) if !self.tasks.is_empty() => {
                let id = number % self.tasks.len();
                let task = &mut self.tasks[id];
                if task.pauses == 0 {
                    return self.trace.push(format!("{id} is not paused"));
                }
                task.pauses -= 1;
                if task.pauses == 0 && !task.waiting && !task.ended {
                    self.ready.push_back(id);
                }
            }
            TaskOp::Stop(number) if !self.tasks.is_empty() => {
                let id = number % self.tasks.len();
                if self.tasks[id].ended {
                    return self.trace.push(format!("{id} has ended"));
                }
                self.tasks[id].ended = true;
                self.ready.retain(|ready| *ready != id);
                self.trace.push(format!("{id} ends: false"));
            }
            TaskOp::Pause(_) | TaskOp::Resume(_) | TaskOp::Stop(_) => {}
        }
    }

    fn add(&mut self, task: NaiveTask) {
        self.ready.push_back(self.tasks.len());
        self.tasks.push(task);
    }

    fn step(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.made == task.steps {
            task.ended = true;
            return self.trace.push(format!("{id} ends: true"));
        }
        task.made += 1;
        self.trace.push(format!("{id} steps"));
        if task.waits_in_second && task.made == 2 {
            task.waiting = true;
            self.waiting.push_back(id);
        } else {
            self.ready.push_back(id);
        }
    }
}

/// The real cooperator.
struct RealCooperator {
    reactor: Reactor,
    cooperator: Cooperator,
    tasks: Vec<CooperativeTask>,
    fire: Rc<RefCell<VecDeque<Resolver<()>>>>,
    trace: Rc<RefCell<Vec<String>>>,
}

impl RealCooperator {
    fn new(slice: usize) -> Self {
        let reactor = Reactor::builder().clock(VirtualClock::new()).build().unwrap();
        let cooperator = Cooperator::builder()
            .termination(move || {
                let mut steps = 0;
                move || {
                    steps += 1;
                    steps == slice
                }
            })
            .build(&reactor);
        Self { reactor, cooperator, tasks: Vec::new(), fire: Rc::default(), trace: Rc::default() }
    }

    fn perform(&mut self, op: TaskOp) {
        match op {
            TaskOp::Turn => drop(self.reactor.turn()),
            TaskOp::Add(steps) => self.add(steps, false),
            TaskOp::AddWaiting => self.add(3, true),
            TaskOp::Fire => {
                let fire = self.fire.borrow_mut().pop_front();
                fire.into_iter().for_each(|resolver| resolver.callback(()));
            }
            TaskOp::Pause(number) => self.to(number, |id, task| task.pause().err().map(|_| format!("{id} has ended"))),
            TaskOp::Resume(number) => {
                self.to(number, |id, task| task.resume().err().map(|_| format!("{id} is not paused")));
            }
            TaskOp::Stop(number) => self.to(number, |id, task| task.stop().err().map(|_| format!("{id} has ended"))),
        }
    }

    fn add(&mut self, steps: u8, waits_in_second: bool) {
        let (id, trace, fire) = (self.tasks.len(), Rc::clone(&self.trace), Rc::clone(&self.fire));
        let task = self.cooperator.cooperate((1..=steps).map(move |made| {
            trace.borrow_mut().push(format!("{id} steps"));
            if !(waits_in_second && made == 2) {
                return Deferred::succeed(());
            }
            let (deferred, resolver) = Deferred::new();
            fire.borrow_mut().push_back(resolver);
            deferred
        }));
        let trace = Rc::clone(&self.trace);
        task.when_done().add_both(move |end| trace.borrow_mut().push(format!("{id} ends: {}", end.is_ok())));
        self.tasks.push(task);
    }

    fn to(&self, number: usize, act: impl FnOnce(usize, &CooperativeTask) -> Option<String>) {
        if !self.tasks.is_empty() {
            let id = number % self.tasks.len();
            let refused = act(id, &self.tasks[id]);
            self.trace.borrow_mut().extend(refused);
        }
    }
}

proptest! {
    #![proptest_config(regressions::config("tasks", 1000))]

    // Checks: B65, B67
    #[test]
    fn a_looping_call_runs_when_arithmetic_says(
        interval in 1u64..25,
        at_once in any::<bool>(),
        loop_ops in loop_ops(),
    ) {
        let mut naive = NaiveLoop {
            interval, now: 0, takes: 0, start: 0, counted: None, at_once, next: 0, calls: Vec::new(),
        };
        naive.start(at_once);

        let clock = VirtualClock::new();
        let reactor = Reactor::builder().clock(clock.clone()).build().unwrap();
        let (calls, takes): (Rc<RefCell<Vec<_>>>, Rc<Cell<u64>>) = Default::default();
        let (noted, clock, duration) = (Rc::clone(&calls), clock, Rc::clone(&takes));
        let looping = LoopingCall::with_count(move |tick, count| {
            noted.borrow_mut().push((tick.reactor().now().as_millis() as u64, count));
            clock.advance(Duration::from_millis(duration.get()));
        });
        let start = |at_once| {
            let interval = Duration::from_millis(interval);
            if at_once { looping.start(&reactor, interval) } else { looping.start_later(&reactor, interval) }
        };
        let mut ended = start(at_once).unwrap();
        for op in loop_ops {
            naive.perform(op);
            match op {
                LoopOp::Passes(time) => drop(reactor.advance(Duration::from_millis(time))),
                LoopOp::CallsTake(time) => takes.set(time),
                LoopOp::Reset => looping.reset().unwrap(),
                LoopOp::Restart { at_once } => {
                    looping.stop().unwrap();
                    prop_assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
                    ended = start(at_once).unwrap();
                }
            }
            prop_assert_eq!(&*calls.borrow(), &naive.calls);
        }
        prop_assert_eq!(reactor.now(), Duration::from_millis(naive.now));
        looping.stop().unwrap();
        prop_assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
        prop_assert_eq!(reactor.delayed_calls(), 0);
    }

    // Checks: B68, P34
    #[test]
    fn a_cooperator_agrees_with_a_round_robin_list(slice in 1usize..5, task_ops in task_ops()) {
        let (mut naive, mut real) = (NaiveCooperator::default(), RealCooperator::new(slice));
        for op in task_ops {
            naive.perform(op, slice);
            real.perform(op);
            prop_assert_eq!(&*real.trace.borrow(), &naive.trace);
        }
    }
}
