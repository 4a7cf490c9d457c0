//! Jobs that wait for a slot of a bounded pool without blocking their reactor, against what makes a slot free, and
//! against what ends the wait.

use std::num::NonZeroUsize;

use loom::thread;
use selvedge::loom::pool::{Ticket, WhenFull};
use selvedge::loom::testing::VirtualClock;
use selvedge::loom::threads::defer_to_thread_pool;
use selvedge::loom::{Deferred, Job, Reactor, ThreadPool};

use crate::explore::explore_calm;

/// A pool without threads whose queue holds one job, which can be cancelled.
fn full() -> (ThreadPool, Ticket) {
    let (pool, _stepper) =
        ThreadPool::builder().size(0, 0).queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build_stepped().unwrap();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    (pool, ticket)
}

fn reactor() -> Reactor {
    let reactor = Reactor::builder()
        .clock(VirtualClock::new())
        .on_report(|report| panic!("nothing should be reported: {report}"))
        .build()
        .unwrap();
    // Startup is in no race.
    reactor.turn().unwrap();
    reactor
}

/// A job that waits for a slot.
fn waiting(reactor: &Reactor, pool: &ThreadPool) -> Deferred<()> {
    defer_to_thread_pool(reactor, pool, Job::new(|| ()).when_full(WhenFull::Wait)).add_errback(drop)
}

/// The only slot has the job of somebody who waited, and nobody waits any more.
fn is_served(pool: &ThreadPool) {
    let stats = pool.stats();
    assert_eq!((stats.queued, stats.waiting, stats.rejected), (1, 0, 0), "{stats:?}");
}

// Checks: P130, P133
#[test]
fn a_job_that_asks_for_a_slot_against_its_becoming_free_has_it_at_once_or_is_told() {
    explore_calm(|_| {
        let (pool, ticket) = full();
        let reactor = reactor();
        let freed = thread::spawn(move || ticket.cancel());
        let job = waiting(&reactor, &pool);
        drop(freed.join());
        reactor.turn().unwrap();
        is_served(&pool);
        drop(job);
    });
}

// Checks: P133
#[test]
fn a_slot_that_becomes_free_against_a_cancel_goes_to_the_other_reactor_that_waits() {
    explore_calm(|_| {
        let (pool, ticket) = full();
        let (first, second) = (reactor(), reactor());
        let (given_up, served) = (waiting(&first, &pool), waiting(&second, &pool));
        let freed = thread::spawn(move || ticket.cancel());
        given_up.cancel();
        drop(freed.join());
        first.turn().unwrap();
        second.turn().unwrap();
        is_served(&pool);
        drop(served);
    });
}

// Checks: P133, P132
#[test]
fn a_slot_that_becomes_free_against_a_reactors_end_goes_to_the_other_that_waits() {
    explore_calm(|_| {
        let (pool, ticket) = full();
        let (first, second) = (reactor(), reactor());
        let jobs = [waiting(&first, &pool), waiting(&second, &pool)];
        let freed = thread::spawn(move || ticket.cancel());
        drop(first);
        drop(freed.join());
        second.turn().unwrap();
        is_served(&pool);
        drop(jobs);
    });
}

// Checks: P132
#[test]
fn a_job_that_waits_for_a_slot_against_the_pools_end_is_told_of_it() {
    explore_calm(|_| {
        let (pool, _ticket) = full();
        let reactor = reactor();
        let other = pool.clone();
        let stopped = thread::spawn(move || other.ask_to_stop(selvedge::loom::pool::StopPolicy::Drain));
        let job = waiting(&reactor, &pool);
        drop(stopped.join());
        reactor.turn().unwrap();
        assert!(job.try_result().is_ok());
        assert_eq!((pool.stats().waiting, pool.stats().rejected), (0, 1));
    });
}
