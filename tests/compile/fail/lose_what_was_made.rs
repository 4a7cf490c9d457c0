//! Whoever drops what would be lost is warned.
// Checks: P107
#![deny(unused_must_use)]

use selvedge::coordination::{DeferredLock, DeferredSemaphore};
use selvedge::deferred::DeferredList;
use selvedge::{Deferred, Reactor, ThreadPool};
use std::time::Duration;

fn lose(reactor: &Reactor, pool: &ThreadPool, lock: &DeferredLock, semaphore: &DeferredSemaphore) {
    reactor.own(7);
    reactor.own(7).detach();
    lock.acquire();
    semaphore.acquire();
    reactor.sleep(Duration::ZERO);
    pool.stopped(reactor);
    Deferred::succeed(7).cancel_on_drop();
    Deferred::succeed(7).into_future();
    DeferredList::new([Deferred::succeed(7)]);
}

fn main() {
    let _ = lose;
}
