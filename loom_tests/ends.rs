//! Shell 3, the end of threads: each has its own handle, joins the one that ended before it, and whoever waits for the
//! end of all learns of it; the closing thread joins the last for those who must not.

use std::time::Duration;

use selvedge::loom::{Job, Reactor, ThreadPool, pool::StopPolicy, testing::VirtualClock};

use crate::explore::{explore, explore_calm};
use crate::pool::stop;
use crate::probes::Log;

/// A started pool, whose threads are joined: in other models they are not.
fn started(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max).on_report(|report| panic!("nothing should be reported: {report}"));
    let pool = pool.build().unwrap();
    pool.start().unwrap();
    pool
}

/// No limit that a model reaches by itself.
const LIMIT: Duration = Duration::MAX;

// Checks: P56, B40, R9, R36, R38
#[test]
fn a_stop_with_a_limit_against_the_end_of_the_last_thread_returns_when_it_is_joined() {
    explore_calm(|_| {
        let pool = started(1, 1);
        pool.stop_within(StopPolicy::Drain, LIMIT).unwrap();
        assert!(pool.has_stopped());
        stop(&pool, 0);
    });
}

// Checks: P56, P67, B40, B41, R38
#[test]
fn a_stop_whose_closing_thread_cannot_be_started_joins_the_last_thread_itself() {
    explore(|chaos| {
        let reports = Log::default();
        let told = reports.clone();
        let pool = ThreadPool::builder().size(1, 1).on_report(move |_| told.note(1)).build().unwrap();
        pool.start().unwrap();
        pool.fail_starts(1);
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_stoppers_spuriously);
        pool.stop_within(StopPolicy::Drain, LIMIT).unwrap();
        assert!(pool.has_stopped());
        assert_eq!(reports.seen(), [1], "the closing thread was not started");
    });
}

// Checks: P56, B34, B42, R13, R37
// Races: shrink × submit
#[test]
fn a_thread_that_ends_against_the_start_of_another_is_joined_by_it_or_by_the_stop() {
    explore_calm(|_| {
        let pool = started(1, 1);
        pool.adjust_pool_size(0, 0).unwrap();
        pool.adjust_pool_size(0, 1).unwrap();
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: P56, B26, R36
#[test]
fn a_reactor_whose_pool_has_a_thread_learns_that_it_has_ended() {
    explore_calm(|_| {
        let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
        let (pool, log) = (reactor.thread_pool().clone(), Log::default());
        pool.call_in_thread(log.job(1)).unwrap();
        reactor.handle().stop();
        reactor.run();
        assert!(pool.has_stopped());
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: P57, B43, R46
#[test]
fn a_stop_that_cancels_all_against_a_job_that_begins_refuses_it_or_asks_it() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let log = Log::default();
        let asked = log.clone();
        pool.call_in_thread_ticketed(Job::with_token(move |token| asked.note(u32::from(token.is_cancelled()))))
            .unwrap();
        pool.stop_with(StopPolicy::CancelAll).unwrap();
        let stats = pool.stats();
        assert_eq!((stats.cancelled, stats.completed), if log.seen().is_empty() { (1, 0) } else { (0, 1) });
    });
}

// Checks: P88
#[test]
fn virtual_time_waits_for_a_thread_that_retires() {
    explore_calm(|_| {
        let pool = started(1, 1);
        let reactor = Reactor::builder().clock(VirtualClock::new()).share_pool("shared", &pool).build().unwrap();
        let _ = reactor.call_later(Duration::from_secs(60), |reactor| reactor.stop().unwrap());
        pool.adjust_pool_size(0, 0).unwrap();
        reactor.run();
        stop(&pool, 0);
    });
}

// Checks: P117
#[test]
fn a_reactor_on_its_own_thread_begins_is_stopped_and_is_joined() {
    explore_calm(|_| {
        let set_up = |reactor: &Reactor| reactor.handle().stop();
        let ((), reactor) = Reactor::builder().pool_size(0, 1).spawn(set_up).unwrap();
        assert!(!reactor.join().unwrap().timed_out);
    });
}
