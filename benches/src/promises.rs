//! Deferreds beside other ways to carry a result to a waiter: callbacks, lists, locks; all on one thread.

use std::cell::{Cell, RefCell};
use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::future::{LocalBoxFuture, join_all};
use futures::task::LocalSpawnExt;
use selvedge::{Deferred, coordination::DeferredLock, deferred::gather_results};

use crate::measure::{Comparison, Contender};

/// Callbacks in a chain.
pub const LINKS: u64 = 10;
/// Members of a list.
pub const MEMBERS: u64 = 100_000;
/// Waiters for a lock at a time.
pub const WAITERS: u64 = 1_000;

pub fn comparisons() -> Vec<Comparison> {
    vec![added_then_fired(), fired_then_added(), fired_then_retyped(), gathered(), handed_over()]
}

/// An operation is one callback, with its share of its chain.
pub fn added_then_fired() -> Comparison {
    Comparison::new(
        "A callback, added and then fired; 10 to a chain",
        1_000_000,
        const {
            &[
                Contender::new("selvedge", |_, links| chains(links, selvedge_chain)),
                Contender::new("futures, boxed", |_, links| chains(links, futures_chain)),
                Contender::new("tokio oneshot", |_, links| chains(links, tokio_chain)),
                Contender::new("by hand", |_, links| chains(links, hand_chain)).no_peer(),
            ]
        },
    )
}

pub fn fired_then_added() -> Comparison {
    Comparison::new(
        "A callback, added to what is fired; 10 to a chain",
        1_000_000,
        const {
            &[
                Contender::new("selvedge", |_, links| chains(links, selvedge_fired)),
                Contender::new("futures, boxed", |_, links| chains(links, futures_fired)),
            ]
        },
    )
}

/// The same with results of another type each time, so that none can reuse the place of the one before: each needs a
/// link, or a box.
pub fn fired_then_retyped() -> Comparison {
    Comparison::new(
        "A callback of another type, added to what is fired; 10 to a chain",
        1_000_000,
        const {
            &[
                Contender::new("selvedge", |_, links| chains(links, selvedge_retyped)),
                Contender::new("futures, boxed", |_, links| chains(links, futures_retyped)),
            ]
        },
    )
}

/// An operation is one member: made, added and fired.
pub fn gathered() -> Comparison {
    Comparison::new(
        "A member of 100,000, fired in order",
        MEMBERS,
        const {
            &[
                Contender::new("selvedge", |_, members| selvedge_gather(members)),
                Contender::new("futures, join_all", |_, members| futures_gather(members)),
            ]
        },
    )
}

/// An operation is one waiter: it waits, gets the lock and releases it.
pub fn handed_over() -> Comparison {
    Comparison::new(
        "A lock, handed to the next of 1,000",
        100_000,
        const {
            &[
                Contender::new("selvedge", |_, served| batches(served, selvedge_waiters)),
                Contender::new("futures Mutex", |_, served| batches(served, futures_waiters)),
                Contender::new("tokio Mutex", |_, served| batches(served, tokio_waiters)),
            ]
        },
    )
}

/// Runs chain after chain. Each gets its number, to which each of its callbacks adds one.
fn chains(links: u64, chain: fn(u64) -> u64) -> Duration {
    let start = Instant::now();
    for number in 0..links.div_ceil(LINKS) {
        assert_eq!(chain(black_box(number)), number + LINKS);
    }
    start.elapsed()
}

pub fn selvedge_chain(number: u64) -> u64 {
    let (mut deferred, resolver) = Deferred::<u64>::new();
    for _ in 0..LINKS {
        deferred = deferred.add_callback(|n| black_box(n) + 1);
    }
    resolver.callback(number);
    deferred.try_result().expect("fired").expect("a value")
}

fn selvedge_fired(number: u64) -> u64 {
    let mut deferred = Deferred::<u64>::succeed(number);
    for _ in 0..LINKS {
        deferred = deferred.add_callback(|n| black_box(n) + 1);
    }
    deferred.try_result().expect("fired").expect("a value")
}

/// Boxed, because a chain that is built at run time needs a box for each link, as a Deferred does; a chain of types
/// would be inlined as a whole.
pub fn futures_chain(number: u64) -> u64 {
    let (resolver, fired) = oneshot::channel::<u64>();
    let mut future: LocalBoxFuture<'static, u64> = fired.map(|n| n.expect("fired")).boxed_local();
    for _ in 1..LINKS {
        future = future.map(|n| black_box(n) + 1).boxed_local();
    }
    // The first poll registers the waker, so that somebody waits when it is fired.
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    resolver.send(number + 1).expect("somebody waits");
    value(future.as_mut().poll(&mut context))
}

fn futures_fired(number: u64) -> u64 {
    let mut future: LocalBoxFuture<'static, u64> = ready(number + 1).boxed_local();
    for _ in 1..LINKS {
        future = future.map(|n| black_box(n) + 1).boxed_local();
    }
    value(future.as_mut().poll(&mut Context::from_waker(Waker::noop())))
}

fn selvedge_retyped(number: u64) -> u64 {
    let mut deferred = Deferred::<u64>::succeed(number);
    for _ in 0..LINKS / 2 {
        deferred = deferred
            .add_callback(|n| (black_box(n) + 1).cast_signed())
            .add_callback(|n| black_box(n).cast_unsigned() + 1);
    }
    deferred.try_result().expect("fired").expect("a value")
}

fn futures_retyped(number: u64) -> u64 {
    let mut future: LocalBoxFuture<'static, u64> = ready(number).boxed_local();
    for _ in 0..LINKS / 2 {
        let retyped = future.map(|n| (black_box(n) + 1).cast_signed()).boxed_local();
        future = retyped.map(|n| black_box(n).cast_unsigned() + 1).boxed_local();
    }
    value(future.as_mut().poll(&mut Context::from_waker(Waker::noop())))
}

/// Each link is an `async` block over the one before, and the first is over tokio's channel.
pub fn tokio_chain(number: u64) -> u64 {
    let (resolver, fired) = tokio::sync::oneshot::channel::<u64>();
    let mut future: Pin<Box<dyn Future<Output = u64>>> = Box::pin(async { fired.await.expect("fired") });
    for _ in 1..LINKS {
        let before = future;
        future = Box::pin(async { black_box(before.await) + 1 });
    }
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    resolver.send(number + 1).expect("somebody waits");
    value(future.as_mut().poll(&mut context))
}

fn value<T>(polled: Poll<T>) -> T {
    match polled {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it was fired"),
    }
}

/// The least that does the same: a slot for a callback, with the next slot inside it. No errors, no late callbacks, no
/// cancelling.
#[derive(Clone, Default)]
struct Slot(Rc<RefCell<Option<Box<dyn FnOnce(u64)>>>>);

impl Slot {
    fn add(&self, callback: impl FnOnce(u64) -> u64 + 'static) -> Slot {
        let next = Slot::default();
        let fires = next.clone();
        *self.0.borrow_mut() = Some(Box::new(move |n| fires.fire(callback(n))));
        next
    }

    fn fire(&self, n: u64) {
        let callback = self.0.borrow_mut().take();
        if let Some(callback) = callback {
            callback(n);
        }
    }
}

pub fn hand_chain(number: u64) -> u64 {
    let first = Slot::default();
    let mut last = first.clone();
    for _ in 1..LINKS {
        last = last.add(|n| black_box(n) + 1);
    }
    let result = Rc::new(Cell::new(0));
    let seen = Rc::clone(&result);
    last.add(move |n| {
        seen.set(n + 1);
        0
    });
    first.fire(number);
    result.get()
}

pub fn selvedge_gather(members: u64) -> Duration {
    let start = Instant::now();
    let (deferreds, resolvers): (Vec<_>, Vec<_>) = (0..members).map(|_| Deferred::<u64>::new()).unzip();
    let all = gather_results(deferreds);
    for (number, resolver) in (0..members).zip(resolvers) {
        resolver.callback(number);
    }
    let values = all.try_result().expect("all have fired").expect("values");
    let elapsed = start.elapsed();
    assert_eq!(values.len() as u64, members);
    elapsed
}

pub fn futures_gather(members: u64) -> Duration {
    let start = Instant::now();
    let (receivers, senders): (Vec<_>, Vec<_>) = (0..members)
        .map(|_| {
            let (sender, receiver) = oneshot::channel::<u64>();
            (receiver, sender)
        })
        .unzip();
    let mut all = join_all(receivers);
    let mut context = Context::from_waker(Waker::noop());
    assert!(all.poll_unpin(&mut context).is_pending());
    for (number, sender) in (0..members).zip(senders) {
        sender.send(number).expect("somebody waits");
    }
    let values = value(all.poll_unpin(&mut context));
    let elapsed = start.elapsed();
    assert_eq!(values.len() as u64, members);
    elapsed
}

/// Repeats a batch of waiters, which wait while somebody holds the lock and then get it one after the other.
fn batches(served: u64, batch: fn(u64, &Rc<Cell<u64>>)) -> Duration {
    let count = Rc::new(Cell::new(0));
    let batches = served.div_ceil(WAITERS);
    let start = Instant::now();
    for _ in 0..batches {
        batch(WAITERS, &count);
    }
    let elapsed = start.elapsed();
    assert_eq!(count.get(), batches * WAITERS);
    elapsed
}

pub fn selvedge_waiters(waiters: u64, count: &Rc<Cell<u64>>) {
    let lock = DeferredLock::new();
    let held = lock.try_acquire().expect("nobody holds it");
    for _ in 0..waiters {
        let count = Rc::clone(count);
        lock.acquire().map(move |permit| {
            count.set(count.get() + 1);
            drop(permit);
        });
    }
    drop(held);
}

fn futures_waiters(waiters: u64, count: &Rc<Cell<u64>>) {
    let lock = Rc::new(futures::lock::Mutex::new(()));
    let held = lock.try_lock().expect("nobody holds it");
    let mut pool = LocalPool::new();
    for _ in 0..waiters {
        let (lock, count) = (Rc::clone(&lock), Rc::clone(count));
        let task = async move {
            let _permit = lock.lock().await;
            count.set(count.get() + 1);
        };
        pool.spawner().spawn_local(task).expect("the pool is there");
    }
    pool.run_until_stalled();
    drop(held);
    pool.run();
}

fn tokio_waiters(waiters: u64, count: &Rc<Cell<u64>>) {
    let lock = Rc::new(tokio::sync::Mutex::new(()));
    let held = lock.try_lock().expect("nobody holds it");
    let mut pool = LocalPool::new();
    for _ in 0..waiters {
        let (lock, count) = (Rc::clone(&lock), Rc::clone(count));
        let task = async move {
            let _permit = lock.lock().await;
            count.set(count.get() + 1);
        };
        pool.spawner().spawn_local(task).expect("the pool is there");
    }
    pool.run_until_stalled();
    drop(held);
    pool.run();
}
