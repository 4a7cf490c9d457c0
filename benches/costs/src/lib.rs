//! The operations that are counted. None reads a clock or depends on one.

use std::future::poll_fn;
use std::hint::black_box;
use std::mem;
use std::task::Poll;
use std::time::Duration;

use selvedge::{Deferred, Handle, Reactor, ThreadPool, coordination::DeferredLock, deferred::gather_results, threads};

/// Calls posted before each turn of the loop, members of a list, waiters for a lock.
const BATCH: u32 = 10;

/// An operation, done as often as it is told.
pub struct Operation {
    pub name: &'static str,
    pub run: fn(u32),
}

pub const OPERATIONS: &[Operation] = &[
    Operation { name: "post", run: post },
    Operation { name: "posted-call", run: posted_call },
    Operation { name: "timer", run: timer },
    Operation { name: "task", run: task },
    Operation { name: "task-woken", run: task_woken },
    Operation { name: "callback", run: callback },
    Operation { name: "callback-on-fired", run: callback_on_fired },
    Operation { name: "callback-of-other-type", run: callback_of_other_type },
    Operation { name: "list-member", run: list_member },
    Operation { name: "lock-handed-on", run: lock_handed_on },
    Operation { name: "dispatch", run: dispatch },
    Operation { name: "round-trip", run: round_trip },
];

/// A call posted to a loop that does not run.
fn post(times: u32) {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    (0..times).for_each(|n| post_one(&handle, n));
    // What waits is not dropped: that is another cost.
    mem::forget(reactor);
}

/// A call posted, and run on the loop.
fn posted_call(times: u32) {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    for batch in 0..times / BATCH {
        (0..BATCH).for_each(|n| post_one(&handle, batch + n));
        turn(&reactor);
    }
}

/// A timer set, due at once, and run.
fn timer(times: u32) {
    let reactor = Reactor::new();
    for batch in 0..times / BATCH {
        for n in 0..BATCH {
            reactor.call_later(Duration::ZERO, move |_| _ = black_box(batch + n));
        }
        turn(&reactor);
    }
}

/// A task spawned, and run to its end.
fn task(times: u32) {
    let reactor = Reactor::new();
    for batch in 0..times / BATCH {
        for n in 0..BATCH {
            drop(reactor.spawn(async move { black_box(batch + n) }));
        }
        turn(&reactor);
    }
}

/// A task woken, and polled again.
fn task_woken(times: u32) {
    let reactor = Reactor::new();
    for task in 0..BATCH {
        let mut left = times / BATCH;
        drop(reactor.spawn(poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(black_box(task));
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })));
    }
    (0..=times / BATCH).for_each(|_| turn(&reactor));
}

/// A Deferred made, a callback added, and fired.
fn callback(times: u32) {
    for n in 0..times {
        let (deferred, resolver) = Deferred::<u32>::new();
        let deferred = deferred.add_callback(|n| black_box(n + 1));
        resolver.callback(n);
        drop(black_box(deferred));
    }
}

/// A callback added to a Deferred that has its result.
fn callback_on_fired(times: u32) {
    let mut deferred = Deferred::succeed(0_u32);
    for _ in 0..times {
        deferred = deferred.add_callback(|n| black_box(n + 1));
    }
    drop(black_box(deferred));
}

/// The same; the callback's result has another type, so it needs a link of its own.
fn callback_of_other_type(times: u32) {
    let mut deferred = Deferred::succeed(0_u32);
    for _ in 0..times / 2 {
        deferred = deferred.add_callback(|n| u64::from(black_box(n + 1))).add_callback(|n| black_box(n) as u32);
    }
    drop(black_box(deferred));
}

/// A member of a list: made, added and fired.
fn list_member(times: u32) {
    for _ in 0..times / BATCH {
        let (members, resolvers): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| Deferred::<u32>::new()).unzip();
        let all = gather_results(members);
        (0..BATCH).zip(resolvers).for_each(|(n, resolver)| resolver.callback(n));
        drop(black_box(all));
    }
}

/// A lock asked for, got and released.
fn lock_handed_on(times: u32) {
    let lock = DeferredLock::new();
    for _ in 0..times / BATCH {
        let held = lock.try_acquire();
        (0..BATCH).for_each(|_| drop(lock.acquire().map(drop)));
        drop(held);
    }
}

/// A job submitted, and run by a worker.
fn dispatch(times: u32) {
    let pool = ThreadPool::new(1, 1).expect("one is not less than one");
    pool.start().expect("a new pool");
    for n in 0..times {
        pool.call_in_thread(move || _ = black_box(n)).expect("it runs");
    }
    pool.stop().expect("this is none of its threads");
}

/// A job deferred to a thread, and its result on the loop.
fn round_trip(times: u32) {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    reactor.call_when_running(move |reactor| next_round(reactor, times, handle));
    reactor.run();
}

fn next_round(reactor: &Reactor, left: u32, handle: Handle) {
    if left == 0 {
        return handle.stop();
    }
    let local = reactor.local();
    let answer = threads::defer_to_thread(reactor, move || left);
    drop(answer.add_callback(move |left| _ = local.with(|reactor| next_round(reactor, left - 1, handle))));
}

fn post_one(handle: &Handle, n: u32) {
    handle.call_from_thread(move |_| _ = black_box(n)).expect("the loop takes calls");
}

fn turn(reactor: &Reactor) {
    reactor.turn().expect("it does not run");
}
