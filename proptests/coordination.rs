//! Semaphores and queues under random programs whose clients clients back while they are served, against flat naive.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{
    Deferred,
    coordination::{DeferredQueue, DeferredSemaphore, Permit},
};

use crate::regressions;

/// What somebody does to a semaphore. Numbers choose among those who are there.
#[derive(Debug, Clone)]
enum SemaphoreOp {
    /// Comes for a permit, and does all this as soon as it has it.
    Acquire(Vec<SemaphoreOp>),
    TryAcquire,
    DropPermit(usize),
    Keep(usize),
    Release,
    Cancel(usize),
    /// The Deferred of one who waits is dropped: it can be cancelled no more.
    DropDeferred(usize),
}

fn semaphore_ops() -> impl Strategy<Value = Vec<SemaphoreOp>> {
    let op = prop_oneof![
        3 => Just(SemaphoreOp::Acquire(Vec::new())),
        1 => Just(SemaphoreOp::TryAcquire),
        5 => (0usize..4).prop_map(SemaphoreOp::DropPermit),
        1 => (0usize..4).prop_map(SemaphoreOp::Keep),
        2 => Just(SemaphoreOp::Release),
        2 => (0usize..4).prop_map(SemaphoreOp::Cancel),
        1 => (0usize..4).prop_map(SemaphoreOp::DropDeferred),
    ];
    let op = op.prop_recursive(
        3,
        24,
        4,
        |op| prop_oneof![3 => vec(op.clone(), 0..4).prop_map(SemaphoreOp::Acquire), 2 => op],
    );
    vec(op, 0..24)
}

/// One of so many; none of none.
fn choose(number: usize, of: usize) -> Option<usize> {
    (of > 0).then(|| number % of)
}

type Trace = Vec<String>;

/// The semaphore as anybody would write it who had no stack and no clock to mind: flat naive, and a flag.
#[derive(Default)]
struct NaiveSemaphore {
    free: usize,
    waiters: Vec<(usize, Vec<SemaphoreOp>)>,
    /// Those of the waiters whose Deferred somebody has.
    cancellable: Vec<usize>,
    held: Vec<usize>,
    kept: usize,
    serving: bool,
    clients: usize,
    trace: Trace,
}

impl NaiveSemaphore {
    fn perform(&mut self, semaphore_ops: Vec<SemaphoreOp>) {
        for op in semaphore_ops {
            match op {
                SemaphoreOp::Acquire(then) => {
                    let client = self.clients;
                    self.clients += 1;
                    if self.free > 0 && self.waiters.is_empty() {
                        self.free -= 1;
                        self.serve(client, then);
                    } else {
                        self.waiters.push((client, then));
                        self.cancellable.push(client);
                    }
                }
                SemaphoreOp::TryAcquire => {
                    let free = self.free > 0 && self.waiters.is_empty();
                    self.trace.push(format!("free: {free}"));
                }
                SemaphoreOp::DropPermit(number) => {
                    if let Some(at) = choose(number, self.held.len()) {
                        self.held.remove(at);
                        self.give_back();
                    }
                }
                SemaphoreOp::Keep(number) => {
                    if let Some(at) = choose(number, self.held.len()) {
                        self.held.remove(at);
                        self.kept += 1;
                    }
                }
                SemaphoreOp::Release if self.kept > 0 => {
                    self.kept -= 1;
                    self.give_back();
                }
                SemaphoreOp::Release => self.trace.push("over-release".to_owned()),
                SemaphoreOp::Cancel(number) => {
                    if let Some(at) = choose(number, self.cancellable.len()) {
                        let client = self.cancellable.remove(at);
                        self.waiters.retain(|(waits, _)| *waits != client);
                        self.trace.push(format!("{client} cancelled"));
                    }
                }
                SemaphoreOp::DropDeferred(number) => {
                    if let Some(at) = choose(number, self.cancellable.len()) {
                        self.cancellable.remove(at);
                    }
                }
            }
        }
    }

    fn serve(&mut self, client: usize, then: Vec<SemaphoreOp>) {
        self.cancellable.retain(|waits| *waits != client);
        self.trace.push(format!("{client} served"));
        self.held.push(client);
        self.perform(then);
    }

    fn give_back(&mut self) {
        self.free += 1;
        if self.serving {
            return;
        }
        self.serving = true;
        while self.free > 0 && !self.waiters.is_empty() {
            self.free -= 1;
            let (client, then) = self.waiters.remove(0);
            self.serve(client, then);
        }
        self.serving = false;
    }
}

/// The semaphore itself, and its clients.
struct RealSemaphore {
    semaphore: DeferredSemaphore,
    held: RefCell<Vec<(usize, Permit)>>,
    waits: RefCell<Vec<(usize, Deferred<()>)>>,
    clients: Cell<usize>,
    trace: RefCell<Trace>,
}

impl RealSemaphore {
    fn perform(self: &Rc<Self>, semaphore_ops: Vec<SemaphoreOp>) {
        for op in semaphore_ops {
            match op {
                SemaphoreOp::Acquire(then) => self.acquire(then),
                SemaphoreOp::TryAcquire => self.note(format!("free: {}", self.semaphore.try_acquire().is_some())),
                SemaphoreOp::DropPermit(number) => drop(self.take(number)),
                SemaphoreOp::Keep(number) => self.take(number).into_iter().for_each(Permit::keep),
                SemaphoreOp::Release => {
                    if self.semaphore.release().is_err() {
                        self.note("over-release".to_owned());
                    }
                }
                SemaphoreOp::Cancel(number) => {
                    if let Some(waits) = self.waits(number) {
                        waits.cancel();
                    }
                }
                SemaphoreOp::DropDeferred(number) => drop(self.waits(number)),
            }
        }
    }

    fn acquire(self: &Rc<Self>, then: Vec<SemaphoreOp>) {
        let client = self.clients.replace(self.clients.get() + 1);
        let (served, cancelled) = (Rc::clone(self), Rc::clone(self));
        let waits = self.semaphore.acquire().add_callbacks(
            move |permit| {
                served.waits.borrow_mut().retain(|(waits, _)| *waits != client);
                served.note(format!("{client} served"));
                served.held.borrow_mut().push((client, permit));
                served.perform(then);
            },
            move |_| cancelled.note(format!("{client} cancelled")),
        );
        if let Err(waits) = waits.try_result() {
            self.waits.borrow_mut().push((client, waits));
        }
    }

    fn take(&self, number: usize) -> Option<Permit> {
        let mut held = self.held.borrow_mut();
        choose(number, held.len()).map(|at| held.remove(at).1)
    }

    fn waits(&self, number: usize) -> Option<Deferred<()>> {
        let mut waits = self.waits.borrow_mut();
        choose(number, waits.len()).map(|at| waits.remove(at).1)
    }

    fn note(&self, what: String) {
        self.trace.borrow_mut().push(what);
    }
}

/// What somebody does to a queue.
#[derive(Debug, Clone)]
enum QueueOp {
    Put,
    /// Comes for an item, and does all this as soon as it has it.
    Get(Vec<QueueOp>),
    Cancel(usize),
}

fn queue_ops() -> impl Strategy<Value = Vec<QueueOp>> {
    let op = prop_oneof![
        4 => Just(QueueOp::Put),
        4 => Just(QueueOp::Get(Vec::new())),
        1 => (0usize..4).prop_map(QueueOp::Cancel),
    ];
    let op = op.prop_recursive(3, 24, 4, |op| prop_oneof![3 => vec(op.clone(), 0..4).prop_map(QueueOp::Get), 2 => op]);
    vec(op, 0..24)
}

/// The queue in flat naive.
#[derive(Default)]
struct NaiveQueue {
    size: Option<usize>,
    backlog: Option<usize>,
    items: Vec<usize>,
    takers: Vec<(usize, Vec<QueueOp>)>,
    delivering: bool,
    put: usize,
    clients: usize,
    trace: Trace,
}

impl NaiveQueue {
    fn perform(&mut self, queue_ops: Vec<QueueOp>) {
        for op in queue_ops {
            match op {
                QueueOp::Put => self.put(),
                QueueOp::Get(then) => self.get(then),
                QueueOp::Cancel(number) => {
                    if let Some(at) = choose(number, self.takers.len()) {
                        let (taker, _) = self.takers.remove(at);
                        self.trace.push(format!("{taker} cancelled"));
                    }
                }
            }
        }
    }

    fn put(&mut self) {
        let item = self.put;
        self.put += 1;
        // Each of the takers that wait will have one of the items, so what counts is what is left of either.
        if self.items.len() >= self.takers.len() && self.size == Some(self.items.len() - self.takers.len()) {
            return self.trace.push(format!("{item} refused"));
        }
        if self.over_size() {
            return self.trace.push(format!("{item} refused"));
        }
        self.items.push(item);
        if self.delivering {
            return;
        }
        self.delivering = true;
        while !self.items.is_empty() && !self.takers.is_empty() {
            let (taker, then) = self.takers.remove(0);
            let item = self.items.remove(0);
            self.deliver(taker, item, then);
        }
        self.delivering = false;
    }

    /// A taker that gave up may have left an item more than there is real for.
    fn over_size(&self) -> bool {
        self.size.is_some_and(|size| self.items.len() > self.takers.len() + size)
    }

    fn get(&mut self, then: Vec<QueueOp>) {
        let taker = self.clients;
        self.clients += 1;
        if self.takers.is_empty() && !self.items.is_empty() {
            let item = self.items.remove(0);
            self.deliver(taker, item, then);
        } else if self.takers.len() >= self.items.len() && self.backlog == Some(self.takers.len() - self.items.len()) {
            self.trace.push(format!("{taker} refused"));
        } else {
            self.takers.push((taker, then));
        }
    }

    fn deliver(&mut self, taker: usize, item: usize, then: Vec<QueueOp>) {
        self.trace.push(format!("{taker} gets {item}"));
        self.perform(then);
    }
}

/// The queue itself, and those who use it.
struct RealQueue {
    queue: DeferredQueue<usize>,
    takers: RefCell<Vec<(usize, Deferred<()>)>>,
    put: Cell<usize>,
    clients: Cell<usize>,
    trace: RefCell<Trace>,
}

impl RealQueue {
    fn perform(self: &Rc<Self>, queue_ops: Vec<QueueOp>) {
        for op in queue_ops {
            match op {
                QueueOp::Put => {
                    let item = self.put.replace(self.put.get() + 1);
                    if let Err(refused) = self.queue.put(item) {
                        self.note(format!("{} refused", refused.item));
                    }
                }
                QueueOp::Get(then) => self.get(then),
                QueueOp::Cancel(number) => {
                    let mut takers = self.takers.borrow_mut();
                    let taker = choose(number, takers.len()).map(|at| takers.remove(at).1);
                    drop(takers);
                    taker.into_iter().for_each(|taker| taker.cancel());
                }
            }
        }
    }

    fn get(self: &Rc<Self>, then: Vec<QueueOp>) {
        let taker = self.clients.replace(self.clients.get() + 1);
        let Ok(item) = self.queue.get() else { return self.note(format!("{taker} refused")) };
        let (gets, cancelled) = (Rc::clone(self), Rc::clone(self));
        let waits = item.add_callbacks(
            move |item| {
                gets.takers.borrow_mut().retain(|(waits, _)| *waits != taker);
                gets.note(format!("{taker} gets {item}"));
                gets.perform(then);
            },
            move |_| cancelled.note(format!("{taker} cancelled")),
        );
        if let Err(waits) = waits.try_result() {
            self.takers.borrow_mut().push((taker, waits));
        }
    }

    fn note(&self, what: String) {
        self.trace.borrow_mut().push(what);
    }
}

proptest! {
    #![proptest_config(regressions::config("coordination", 1500))]

    // Checks: B64, P31
    #[test]
    fn a_semaphore_agrees_with_a_naive_one_whoever_uses_it_while_it_serves(permits in 1usize..4, semaphore_ops in semaphore_ops()) {
        let mut naive = NaiveSemaphore { free: permits, ..NaiveSemaphore::default() };
        naive.perform(semaphore_ops.clone());
        let real = Rc::new(RealSemaphore {
            semaphore: DeferredSemaphore::new(NonZeroUsize::new(permits).unwrap()),
            held: RefCell::default(),
            waits: RefCell::default(),
            clients: Cell::default(),
            trace: RefCell::default(),
        });
        real.perform(semaphore_ops);
        prop_assert_eq!(&*real.trace.borrow(), &naive.trace);
        prop_assert_eq!(real.semaphore.waiting(), naive.waiters.len());
        prop_assert_eq!(real.semaphore.tokens(), if naive.waiters.is_empty() { naive.free } else { 0 });
        let held: Vec<usize> = real.held.borrow().iter().map(|(client, _)| *client).collect();
        prop_assert_eq!(held, naive.held);
    }

    // Checks: B64, P32
    #[test]
    fn a_queue_agrees_with_a_naive_one_whoever_uses_it_while_it_delivers(
        size in proptest::option::of(0usize..3),
        backlog in proptest::option::of(0usize..3),
        queue_ops in queue_ops(),
    ) {
        let mut naive = NaiveQueue { size, backlog, ..NaiveQueue::default() };
        naive.perform(queue_ops.clone());
        let real = Rc::new(RealQueue {
            queue: DeferredQueue::with_limits(size, backlog),
            takers: RefCell::default(),
            put: Cell::default(),
            clients: Cell::default(),
            trace: RefCell::default(),
        });
        real.perform(queue_ops);
        prop_assert_eq!(&*real.trace.borrow(), &naive.trace);
        prop_assert_eq!((real.queue.len(), real.queue.waiting()), (naive.items.len(), naive.takers.len()));
    }
}
