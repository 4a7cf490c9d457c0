//! Semaphores and queues under random programs whose clients come back while they are served, against flat lists.

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
enum Act {
    /// Comes for a permit, and does all this as soon as it has it.
    Acquire(Vec<Act>),
    TryAcquire,
    GiveBack(usize),
    Keep(usize),
    Release,
    Cancel(usize),
    /// The Deferred of one who waits is dropped: it can be cancelled no more.
    LetGo(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Acquire(Vec::new())),
        1 => Just(Act::TryAcquire),
        5 => (0usize..4).prop_map(Act::GiveBack),
        1 => (0usize..4).prop_map(Act::Keep),
        2 => Just(Act::Release),
        2 => (0usize..4).prop_map(Act::Cancel),
        1 => (0usize..4).prop_map(Act::LetGo),
    ];
    let act =
        act.prop_recursive(3, 24, 4, |act| prop_oneof![3 => vec(act.clone(), 0..4).prop_map(Act::Acquire), 2 => act]);
    vec(act, 0..24)
}

/// One of so many; none of none.
fn choose(number: usize, of: usize) -> Option<usize> {
    (of > 0).then(|| number % of)
}

type Trace = Vec<String>;

/// The semaphore as anybody would write it who had no stack and no clock to mind: flat lists, and a flag.
#[derive(Default)]
struct Lists {
    free: usize,
    line: Vec<(usize, Vec<Act>)>,
    /// Those of the line whose Deferred somebody has.
    cancellable: Vec<usize>,
    held: Vec<usize>,
    kept: usize,
    serving: bool,
    come: usize,
    trace: Trace,
}

impl Lists {
    fn perform(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Acquire(then) => {
                    let client = self.come;
                    self.come += 1;
                    if self.free > 0 && self.line.is_empty() {
                        self.free -= 1;
                        self.serve(client, then);
                    } else {
                        self.line.push((client, then));
                        self.cancellable.push(client);
                    }
                }
                Act::TryAcquire => {
                    let free = self.free > 0 && self.line.is_empty();
                    self.trace.push(format!("free: {free}"));
                }
                Act::GiveBack(number) => {
                    if let Some(at) = choose(number, self.held.len()) {
                        self.held.remove(at);
                        self.give_back();
                    }
                }
                Act::Keep(number) => {
                    if let Some(at) = choose(number, self.held.len()) {
                        self.held.remove(at);
                        self.kept += 1;
                    }
                }
                Act::Release if self.kept > 0 => {
                    self.kept -= 1;
                    self.give_back();
                }
                Act::Release => self.trace.push("over-release".to_owned()),
                Act::Cancel(number) => {
                    if let Some(at) = choose(number, self.cancellable.len()) {
                        let client = self.cancellable.remove(at);
                        self.line.retain(|(waits, _)| *waits != client);
                        self.trace.push(format!("{client} cancelled"));
                    }
                }
                Act::LetGo(number) => {
                    if let Some(at) = choose(number, self.cancellable.len()) {
                        self.cancellable.remove(at);
                    }
                }
            }
        }
    }

    fn serve(&mut self, client: usize, then: Vec<Act>) {
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
        while self.free > 0 && !self.line.is_empty() {
            self.free -= 1;
            let (client, then) = self.line.remove(0);
            self.serve(client, then);
        }
        self.serving = false;
    }
}

/// The semaphore itself, and its clients.
struct Room {
    semaphore: DeferredSemaphore,
    held: RefCell<Vec<(usize, Permit)>>,
    waits: RefCell<Vec<(usize, Deferred<()>)>>,
    come: Cell<usize>,
    trace: RefCell<Trace>,
}

impl Room {
    fn perform(self: &Rc<Self>, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Acquire(then) => self.acquire(then),
                Act::TryAcquire => self.note(format!("free: {}", self.semaphore.try_acquire().is_some())),
                Act::GiveBack(number) => drop(self.take(number)),
                Act::Keep(number) => self.take(number).into_iter().for_each(Permit::keep),
                Act::Release => {
                    if self.semaphore.release().is_err() {
                        self.note("over-release".to_owned());
                    }
                }
                Act::Cancel(number) => {
                    if let Some(waits) = self.waits(number) {
                        waits.cancel();
                    }
                }
                Act::LetGo(number) => drop(self.waits(number)),
            }
        }
    }

    fn acquire(self: &Rc<Self>, then: Vec<Act>) {
        let client = self.come.replace(self.come.get() + 1);
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
enum Trade {
    Put,
    /// Comes for an item, and does all this as soon as it has it.
    Get(Vec<Trade>),
    Cancel(usize),
}

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let trade = prop_oneof![
        4 => Just(Trade::Put),
        4 => Just(Trade::Get(Vec::new())),
        1 => (0usize..4).prop_map(Trade::Cancel),
    ];
    let trade = trade.prop_recursive(
        3,
        24,
        4,
        |trade| prop_oneof![3 => vec(trade.clone(), 0..4).prop_map(Trade::Get), 2 => trade],
    );
    vec(trade, 0..24)
}

/// The queue in flat lists.
#[derive(Default)]
struct Shelf {
    size: Option<usize>,
    backlog: Option<usize>,
    items: Vec<usize>,
    takers: Vec<(usize, Vec<Trade>)>,
    delivering: bool,
    put: usize,
    come: usize,
    trace: Trace,
}

impl Shelf {
    fn perform(&mut self, trades: Vec<Trade>) {
        for trade in trades {
            match trade {
                Trade::Put => self.put(),
                Trade::Get(then) => self.get(then),
                Trade::Cancel(number) => {
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

    /// A taker that gave up may have left an item more than there is room for.
    fn over_size(&self) -> bool {
        self.size.is_some_and(|size| self.items.len() > self.takers.len() + size)
    }

    fn get(&mut self, then: Vec<Trade>) {
        let taker = self.come;
        self.come += 1;
        if self.takers.is_empty() && !self.items.is_empty() {
            let item = self.items.remove(0);
            self.deliver(taker, item, then);
        } else if self.takers.len() >= self.items.len() && self.backlog == Some(self.takers.len() - self.items.len()) {
            self.trace.push(format!("{taker} refused"));
        } else {
            self.takers.push((taker, then));
        }
    }

    fn deliver(&mut self, taker: usize, item: usize, then: Vec<Trade>) {
        self.trace.push(format!("{taker} gets {item}"));
        self.perform(then);
    }
}

/// The queue itself, and those who use it.
struct Market {
    queue: DeferredQueue<usize>,
    takers: RefCell<Vec<(usize, Deferred<()>)>>,
    put: Cell<usize>,
    come: Cell<usize>,
    trace: RefCell<Trace>,
}

impl Market {
    fn perform(self: &Rc<Self>, trades: Vec<Trade>) {
        for trade in trades {
            match trade {
                Trade::Put => {
                    let item = self.put.replace(self.put.get() + 1);
                    if let Err(refused) = self.queue.put(item) {
                        self.note(format!("{} refused", refused.item));
                    }
                }
                Trade::Get(then) => self.get(then),
                Trade::Cancel(number) => {
                    let mut takers = self.takers.borrow_mut();
                    let taker = choose(number, takers.len()).map(|at| takers.remove(at).1);
                    drop(takers);
                    taker.into_iter().for_each(|taker| taker.cancel());
                }
            }
        }
    }

    fn get(self: &Rc<Self>, then: Vec<Trade>) {
        let taker = self.come.replace(self.come.get() + 1);
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
    #![proptest_config(regressions::config("coordinate", 1500))]

    // Checks: B64, P31
    #[test]
    fn a_semaphore_does_what_flat_lists_do_whoever_comes_back_while_it_serves(permits in 1usize..4, acts in acts()) {
        let mut lists = Lists { free: permits, ..Lists::default() };
        lists.perform(acts.clone());
        let room = Rc::new(Room {
            semaphore: DeferredSemaphore::new(NonZeroUsize::new(permits).unwrap()),
            held: RefCell::default(),
            waits: RefCell::default(),
            come: Cell::default(),
            trace: RefCell::default(),
        });
        room.perform(acts);
        prop_assert_eq!(&*room.trace.borrow(), &lists.trace);
        prop_assert_eq!(room.semaphore.waiting(), lists.line.len());
        prop_assert_eq!(room.semaphore.tokens(), if lists.line.is_empty() { lists.free } else { 0 });
        let held: Vec<usize> = room.held.borrow().iter().map(|(client, _)| *client).collect();
        prop_assert_eq!(held, lists.held);
    }

    // Checks: B64, P32
    #[test]
    fn a_queue_does_what_flat_lists_do_whoever_comes_back_while_it_delivers(
        size in proptest::option::of(0usize..3),
        backlog in proptest::option::of(0usize..3),
        trades in trades(),
    ) {
        let mut shelf = Shelf { size, backlog, ..Shelf::default() };
        shelf.perform(trades.clone());
        let market = Rc::new(Market {
            queue: DeferredQueue::with_limits(size, backlog),
            takers: RefCell::default(),
            put: Cell::default(),
            come: Cell::default(),
            trace: RefCell::default(),
        });
        market.perform(trades);
        prop_assert_eq!(&*market.trace.borrow(), &shelf.trace);
        prop_assert_eq!((market.queue.len(), market.queue.waiting()), (shelf.items.len(), shelf.takers.len()));
    }
}
