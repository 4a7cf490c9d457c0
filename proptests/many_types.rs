//! Jobs of many types in one pool: however its queue stores and moves them, they run in order.

use std::sync::mpsc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;
use selvedge::{
    Job, ThreadPool,
    pool::{Cancellation, StopPolicy, Ticket},
};

use crate::regressions;

/// What every job sends: its number.
#[derive(Clone)]
struct Message {
    number: u32,
    to: Sender<u32>,
}

impl Message {
    fn say(self) {
        self.to.send(self.number).unwrap();
    }
}

/// Submits a job; each function submits a type of its own. Returns its ticket, if it has one.
type Shape = fn(&ThreadPool, Message) -> Option<Ticket>;

/// One function for each of these loads.
macro_rules! of_each {
    ($function:ident: $($load:literal)*) => { [$($function::<$load>),*] };
}

/// The pool stores jobs of each type together, boxes large ones and those of too many types, and reuses memory. So
/// these are more types than it stores apart, and some are large.
const BY_VALUE: [Shape; 42] = of_each![by_value:
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38
    200 500 1000
];

/// The other methods of submitting.
const OTHERS: [Shape; 3] = [made_before, with_a_callback, with_a_ticket];

fn by_value<const LOAD: usize>(pool: &ThreadPool, message: Message) -> Option<Ticket> {
    let load = [message.number as u8; LOAD];
    pool.call_in_thread(move || {
        assert_eq!(load, [message.number as u8; LOAD]);
        message.say();
    })
    .unwrap();
    None
}

fn made_before(pool: &ThreadPool, message: Message) -> Option<Ticket> {
    pool.call_in_thread(Job::new(|| message.say())).unwrap();
    None
}

fn with_a_callback(pool: &ThreadPool, message: Message) -> Option<Ticket> {
    pool.call_in_thread_with_callback(|message| message.map_or((), Message::say), || message).unwrap();
    None
}

fn with_a_ticket(pool: &ThreadPool, message: Message) -> Option<Ticket> {
    Some(pool.call_in_thread_ticketed(|| message.say()).unwrap())
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many jobs of one type.
    Submit(usize, u16),
    /// So many jobs, of all types in turn.
    SubmitAll(u16),
    /// Cancels this job of those with a ticket, and every nth one after it.
    Cancel(sample::Index, u8),
    /// The jobs up to here are run.
    Run,
    /// So many of them, where each is a step of the test's.
    RunFirst(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let shapes = BY_VALUE.len() + OTHERS.len();
    let count = prop_oneof![8 => 1_u16..8, 2 => 1_u16..200, 1 => 1_000_u16..1_300];
    prop_oneof![
        8 => (0..shapes, count.clone()).prop_map(|(shape, count)| Step::Submit(shape, count)),
        // Jobs with a ticket, more often than one in forty-five.
        4 => (shapes - 1..shapes, count.clone()).prop_map(|(shape, count)| Step::Submit(shape, count)),
        2 => count.clone().prop_map(Step::SubmitAll),
        3 => (any::<sample::Index>(), 1_u8..4).prop_map(|(first, every)| Step::Cancel(first, every)),
        4 => Just(Step::Run),
        4 => count.prop_map(Step::RunFirst),
    ]
}

/// A pool, and the expected queue of it.
struct Script<'a> {
    pool: &'a ThreadPool,
    to: Sender<u32>,
    /// The jobs that wait, in order.
    queue: Vec<u32>,
    tickets: Vec<(u32, Ticket)>,
    submitted: u32,
}

impl<'a> Script<'a> {
    fn new(pool: &'a ThreadPool) -> (Self, Receiver<u32>) {
        let (to, said) = unbounded();
        (Self { pool, to, queue: Vec::new(), tickets: Vec::new(), submitted: 0 }, said)
    }

    fn submit(&mut self, shape: usize) {
        let shape = BY_VALUE.iter().chain(&OTHERS).nth(shape).unwrap();
        let number = self.submitted;
        self.submitted += 1;
        self.queue.push(number);
        let ticket = shape(self.pool, Message { number, to: self.to.clone() });
        self.tickets.extend(ticket.map(|ticket| (number, ticket)));
    }

    fn cancel(&mut self, first: usize, every: usize) {
        for (number, ticket) in self.tickets.iter().skip(first).step_by(every) {
            let waits = self.queue.binary_search(number);
            let expected = if waits.is_ok() { Cancellation::NeverRuns } else { Cancellation::Over };
            assert_eq!(ticket.cancel(), expected);
            if let Ok(at) = waits {
                self.queue.remove(at);
            }
        }
    }

    /// All steps but those that run jobs, which are the pool's part.
    fn step(&mut self, step: Step) {
        match step {
            Step::Submit(shape, count) => (0..count).for_each(|_| self.submit(shape)),
            Step::SubmitAll(count) => {
                let shapes = (0..BY_VALUE.len() + OTHERS.len()).cycle();
                shapes.take(usize::from(count)).for_each(|shape| self.submit(shape));
            }
            Step::Cancel(first, every) if !self.tickets.is_empty() => {
                self.cancel(first.index(self.tickets.len()), usize::from(every));
            }
            Step::Cancel(..) | Step::Run | Step::RunFirst(_) => {}
        }
    }

    /// Checks that so many of the queued jobs have run, in order.
    fn ran_first(&mut self, count: usize, said: &Receiver<u32>) {
        let first: Vec<_> = self.queue.drain(..count.min(self.queue.len())).collect();
        assert_eq!(said.try_iter().collect::<Vec<_>>(), first);
    }

    /// Checks that the queued jobs have run, in order.
    fn ran(&mut self, said: &Receiver<u32>) {
        assert_eq!(said.try_iter().collect::<Vec<_>>(), self.queue);
        self.queue.clear();
    }
}

/// A job that blocks its worker until the gate opens.
struct Gate {
    open: mpsc::Sender<()>,
    reached: mpsc::Receiver<()>,
}

impl Gate {
    fn set_up(pool: &ThreadPool) -> Self {
        let (open, opened) = mpsc::channel();
        let (reach, reached) = mpsc::channel();
        pool.call_in_thread(move || {
            reach.send(()).unwrap();
            // It opens, too, when the sender is dropped.
            let _ = opened.recv();
        })
        .unwrap();
        Self { open, reached }
    }
}

proptest! {
    #![proptest_config(regressions::config("many_types", 200))]

    // Checks: P73, B30, B36, B43
    #[test]
    fn one_worker_runs_jobs_of_any_types_in_the_order_of_submission(steps in vec(step(), 1..30)) {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (mut script, said) = Script::new(&pool);
        let mut gate = Gate::set_up(&pool);
        gate.reached.recv().unwrap();
        for step in steps {
            if let Step::Run = step {
                let next = Gate::set_up(&pool);
                gate.open.send(()).unwrap();
                next.reached.recv().unwrap();
                script.ran(&said);
                gate = next;
            } else {
                script.step(step);
            }
        }
        gate.open.send(()).unwrap();
        pool.stop().unwrap();
        script.ran(&said);
    }

    // Checks: P73, B30, B36, B43, B40, B69
    #[test]
    fn without_threads_they_are_stepped_in_that_order_and_a_stop_drops_the_rest(steps in vec(step(), 1..30)) {
        let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
        pool.start().unwrap();
        let (mut script, said) = Script::new(&pool);
        for step in steps {
            match step {
                Step::Run => {
                    while stepper.step().is_some() {}
                    script.ran(&said);
                }
                Step::RunFirst(count) => {
                    let count = usize::from(count);
                    while said.len() < count && stepper.step().is_some() {}
                    script.ran_first(count, &said);
                }
                step => script.step(step),
            }
        }
        let queued = script.queue.len() as u64;
        let before = pool.stats();
        pool.stop_with(StopPolicy::CancelQueued).unwrap();
        prop_assert_eq!(pool.stats().cancelled - before.cancelled, queued);
        while stepper.step().is_some() {}
        // All senders are dropped.
        drop(script);
        prop_assert_eq!(said.iter().next(), None);
    }
}
