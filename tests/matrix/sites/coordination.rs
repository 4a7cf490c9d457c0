//! Functions and callbacks that a lock, a semaphore or a queue serves, and the drops of items in a queue.

use std::num::NonZeroUsize;
use std::time::Duration;

use selvedge::Deferred;
use selvedge::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore};
use selvedge::deferred::gather_results;
use selvedge::report::Incident;

use super::super::act::{Did, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};

pub const SITES: &[Site] = &[
    Site {
        name: "a function of `DeferredLock::run`",
        error: Some(Goes::Told),
        has_handles: true,
        install: Install::OnLoop(|_, act| {
            let lock = DeferredLock::new();
            let held = lock.try_acquire();
            let (called, told) = (act.clone(), act.clone());
            drop(lock.run(move || called.result()).add_both(move |result| told.tell(result)));
            let itself = lock.clone();
            act.reenters(move || {
                drop(itself.acquire().add_both(|_| ()));
                drop(itself.run(|| ()));
                Did::all(&[
                    ("it is held", itself.is_locked() && itself.try_acquire().is_none()),
                    ("a guard is not released by hand", itself.release().is_err()),
                    ("two wait", itself.waiting() == 2),
                ])
            });
            act.holds(lock);
            drop(held);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback that a semaphore serves",
        error: Some(Goes::Told),
        has_handles: true,
        install: Install::OnLoop(|_, act| {
            let semaphore = DeferredSemaphore::new(NonZeroUsize::MIN);
            let held = semaphore.try_acquire();
            let (called, told) = (act.clone(), act.clone());
            let served = semaphore.acquire().add_callback(move |permit| {
                let result = called.result();
                permit.release();
                result
            });
            drop(served.add_both(move |result| told.tell(result)));
            let itself = semaphore.clone();
            act.reenters(move || {
                drop(itself.acquire().add_both(|_| ()));
                Did::all(&[
                    ("no permit is free", itself.tokens() == 0 && itself.try_acquire().is_none()),
                    ("a guard is not released by hand", itself.release().is_err()),
                    ("one waits", itself.waiting() == 1 && itself.limit() == 1),
                ])
            });
            act.holds(semaphore);
            drop(held);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback that a queue serves",
        error: Some(Goes::Told),
        has_handles: true,
        install: Install::OnLoop(|_, act| {
            let queue = DeferredQueue::new();
            let (called, told) = (act.clone(), act.clone());
            let served = queue.get().unwrap().add_callback(move |()| called.result());
            drop(served.add_both(move |result| told.tell(result)));
            let itself = queue.clone();
            act.reenters(move || {
                let taken = itself.get().map(|next| next.add_both(|_| ()));
                Did::all(&[
                    ("one more waits", taken.is_ok() && itself.waiting() <= 1),
                    ("an item is put", itself.put(()).is_ok()),
                    ("it can be looked at", itself.len() <= 1 && !format!("{itself:?}").is_empty()),
                ])
            });
            let last = queue.clone();
            act.holds(queue);
            last.put(()).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an item in a queue",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/coordination/queue drop"],
        install: Install::OnLoop(|_, act| {
            let queue = DeferredQueue::new();
            queue.put(OnDrop(act.clone())).unwrap_or_default();
            drop(queue);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an item that nobody has received and whose queue is gone",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/unclaimed give_back"],
        install: Install::OnLoop(|_, act| {
            let queue = DeferredQueue::new();
            queue.put(OnDrop(act.clone())).unwrap_or_default();
            let item = queue.get().unwrap();
            drop(queue);
            drop(item);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an errback that an item of a queue passes by",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/callbacks call_unclaimed"],
        install: Install::OnLoop(|_, act| {
            let (queue, captured) = (DeferredQueue::new(), OnDrop(act.clone()));
            queue.put(()).unwrap();
            drop(queue.get().unwrap().add_errback(move |_| drop(captured)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `add_timeout_with` that an item of a queue passes by",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/timeout call_unclaimed"],
        install: Install::OnLoop(|reactor, act| {
            let (queue, captured) = (DeferredQueue::new(), OnDrop(act.clone()));
            queue.put(()).unwrap();
            let item = queue.get().unwrap();
            drop(item.add_timeout_with(reactor, Duration::from_secs(3600), move |_, _| drop(captured)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a result beside an item of a queue in a list that is dropped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/gather store"],
        install: Install::OnLoop(|_, act| {
            let queue = DeferredQueue::new();
            queue.put(None).unwrap();
            let beside = Deferred::succeed(Some(OnDrop(act.clone())));
            drop(gather_results([queue.get().unwrap(), beside]));
        }),
        ..ON_THE_LOOP
    },
];
