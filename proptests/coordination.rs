//! Semaphores and queues under random programs, whose clients use them again while being served, against naive
//! references.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{
    Deferred,
    coordination::{DeferredQueue, DeferredSemaphore, Permit},
};

use crate::nested::nested;
use crate::regressions;

/// An operation on a semaphore. Numbers choose among the permits or waiters that exist.
#[derive(Debug, Clone)]
enum SemaphoreOp {
    /// Acquires a permit, and performs these operations once it is granted.
    Acquire(Vec<SemaphoreOp>),
    TryAcquire,
    DropPermit(usize),
    Keep(usize),
    Release,
    Cancel(usize),
    /// Drops the Deferred of a waiter, which cannot be cancelled any more.
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
    let op = nested(op.boxed(), |op| {
        prop_oneof![3 => vec(op.clone(), 0..4).prop_map(SemaphoreOp::Acquire), 2 => op].boxed()
    });
    vec(op, 0..24)
}

/// Chooses one of `count` things. `None` if there are none.
fn choose(number: usize, count: usize) -> Option<usize> {
    (count > 0).then(|| number % count)
}

type Trace = Vec<String>;

/// The naive semaphore: plain lists and a flag, searched from the beginning each time.
#[derive(Default)]
struct NaiveSemaphore {
    available: usize,
    waiters: Vec<(usize, Vec<SemaphoreOp>)>,
    /// Waiters whose Deferred was not dropped.
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
                    if self.available > 0 && self.waiters.is_empty() {
                        self.available -= 1;
                        self.serve(client, then);
                    } else {
                        self.waiters.push((client, then));
                        self.cancellable.push(client);
                    }
                }
                SemaphoreOp::TryAcquire => {
                    let available = self.available > 0 && self.waiters.is_empty();
                    self.trace.push(format!("available: {available}"));
                }
                SemaphoreOp::DropPermit(number) => {
                    if let Some(at) = choose(number, self.held.len()) {
                        self.held.remove(at);
                        self.release();
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
                    self.release();
                }
                SemaphoreOp::Release => self.trace.push("over-release".to_owned()),
                SemaphoreOp::Cancel(number) => {
                    if let Some(at) = choose(number, self.cancellable.len()) {
                        let client = self.cancellable.remove(at);
                        self.waiters.retain(|(waiter, _)| *waiter != client);
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
        self.cancellable.retain(|waiter| *waiter != client);
        self.trace.push(format!("{client} served"));
        self.held.push(client);
        self.perform(then);
    }

    fn release(&mut self) {
        self.available += 1;
        if self.serving {
            return;
        }
        self.serving = true;
        while self.available > 0 && !self.waiters.is_empty() {
            self.available -= 1;
            let (client, then) = self.waiters.remove(0);
            self.serve(client, then);
        }
        self.serving = false;
    }
}

/// The real semaphore, and its clients.
struct RealSemaphore {
    semaphore: DeferredSemaphore,
    held: RefCell<Vec<(usize, Permit)>>,
    waiters: RefCell<Vec<(usize, Deferred<()>)>>,
    clients: Cell<usize>,
    trace: RefCell<Trace>,
}

impl RealSemaphore {
    fn perform(self: &Rc<Self>, semaphore_ops: Vec<SemaphoreOp>) {
        for op in semaphore_ops {
            match op {
                SemaphoreOp::Acquire(then) => self.acquire(then),
                SemaphoreOp::TryAcquire => self.note(format!("available: {}", self.semaphore.try_acquire().is_some())),
                SemaphoreOp::DropPermit(number) => drop(self.take_permit(number)),
                SemaphoreOp::Keep(number) => self.take_permit(number).into_iter().for_each(Permit::keep),
                SemaphoreOp::Release => {
                    if self.semaphore.release().is_err() {
                        self.note("over-release".to_owned());
                    }
                }
                SemaphoreOp::Cancel(number) => {
                    if let Some(waiter) = self.take_waiter(number) {
                        waiter.cancel();
                    }
                }
                SemaphoreOp::DropDeferred(number) => drop(self.take_waiter(number)),
            }
        }
    }

    fn acquire(self: &Rc<Self>, then: Vec<SemaphoreOp>) {
        let client = self.clients.replace(self.clients.get() + 1);
        let (served, cancelled) = (Rc::clone(self), Rc::clone(self));
        let waiter = self.semaphore.acquire().add_callbacks(
            move |permit| {
                served.waiters.borrow_mut().retain(|(waiter, _)| *waiter != client);
                served.note(format!("{client} served"));
                served.held.borrow_mut().push((client, permit));
                served.perform(then);
            },
            move |_| cancelled.note(format!("{client} cancelled")),
        );
        if let Err(waiter) = waiter.try_result() {
            self.waiters.borrow_mut().push((client, waiter));
        }
    }

    fn take_permit(&self, number: usize) -> Option<Permit> {
        let mut held = self.held.borrow_mut();
        choose(number, held.len()).map(|at| held.remove(at).1)
    }

    fn take_waiter(&self, number: usize) -> Option<Deferred<()>> {
        let mut waiters = self.waiters.borrow_mut();
        choose(number, waiters.len()).map(|at| waiters.remove(at).1)
    }

    fn note(&self, what: String) {
        self.trace.borrow_mut().push(what);
    }
}

/// An operation on a queue.
#[derive(Debug, Clone)]
enum QueueOp {
    Put,
    /// Takes an item, and performs these operations once it is delivered.
    Get(Vec<QueueOp>),
    Cancel(usize),
}

fn queue_ops() -> impl Strategy<Value = Vec<QueueOp>> {
    let op = prop_oneof![
        4 => Just(QueueOp::Put),
        4 => Just(QueueOp::Get(Vec::new())),
        1 => (0usize..4).prop_map(QueueOp::Cancel),
    ];
    let op = nested(op.boxed(), |op| prop_oneof![3 => vec(op.clone(), 0..4).prop_map(QueueOp::Get), 2 => op].boxed());
    vec(op, 0..24)
}

/// The naive queue.
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
        // The size limits items that are left after each waiting taker has got one.
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

    /// A cancelled taker may have left an item above the size.
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

/// The real queue, and its clients.
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
        let waiter = item.add_callbacks(
            move |item| {
                gets.takers.borrow_mut().retain(|(waiter, _)| *waiter != taker);
                gets.note(format!("{taker} gets {item}"));
                gets.perform(then);
            },
            move |_| cancelled.note(format!("{taker} cancelled")),
        );
        if let Err(waiter) = waiter.try_result() {
            self.takers.borrow_mut().push((taker, waiter));
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
    fn a_semaphore_agrees_with_a_naive_one_whoever_uses_it_while_it_serves(
        permits in 1usize..4,
        semaphore_ops in semaphore_ops(),
    ) {
        let mut naive = NaiveSemaphore { available: permits, ..NaiveSemaphore::default() };
        naive.perform(semaphore_ops.clone());
        let real = Rc::new(RealSemaphore {
            semaphore: DeferredSemaphore::new(NonZeroUsize::new(permits).unwrap()),
            held: RefCell::default(),
            waiters: RefCell::default(),
            clients: Cell::default(),
            trace: RefCell::default(),
        });
        real.perform(semaphore_ops);
        prop_assert_eq!(&*real.trace.borrow(), &naive.trace);
        prop_assert_eq!(real.semaphore.waiting(), naive.waiters.len());
        prop_assert_eq!(real.semaphore.tokens(), if naive.waiters.is_empty() { naive.available } else { 0 });
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
