//! Linearizability in every interleaving: histories of small models, checked against the specifications that histories
//! of real threads are checked against.

use std::sync::Arc as StdArc;

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64 as Clock;
use loom::thread;
use selvedge::error::Rejection;
use selvedge::loom::ThreadPool;
use selvedge::loom::shells::{Inbox, WhenFull};

#[path = "../tests/threads/linearizable/checker.rs"]
#[allow(clippy::indexing_slicing, reason = "checks fail by panicking")]
mod checker;
#[path = "../tests/threads/linearizable/history.rs"]
mod history;
#[path = "../tests/threads/linearizable/sequential.rs"]
#[allow(dead_code, reason = "no model here cancels; those in `waits` do")]
mod sequential;

use self::checker::Specification;
use self::history::{History, assert_linearizable};
use self::sequential::{Deque, InboxOperation, Pool, PoolOperation};
use crate::explore::explore_calm;
use crate::pool::{client, pool, started};

/// Records what is done to a pool of at most one worker. A job begins when the worker takes it, and ends before it
/// takes the next.
#[derive(Clone)]
struct Recorded(StdArc<History<PoolOperation>>);

impl Recorded {
    fn new() -> Self {
        Self(StdArc::new(History::new()))
    }

    fn submit(&self, pool: &ThreadPool, job: u32) {
        let note = self.clone();
        let body = move || {
            let begun = note.0.now();
            note.0.note(0, begun, PoolOperation::Take(job));
            note.0.note(begun, u64::MAX, PoolOperation::End(job));
            note.0.note(begun, u64::MAX, PoolOperation::Finish(job));
        };
        self.0.during(|| pool.call_in_thread(body), |submitted| PoolOperation::Submit(job, submitted.is_ok())).ok();
    }

    fn stop(&self, pool: &ThreadPool) {
        let invoked = self.0.now();
        pool.stop().unwrap();
        let returned = self.0.now();
        self.0.note(invoked, returned, PoolOperation::Close { cancels: false });
        self.0.note(invoked, returned, PoolOperation::Stopped);
    }

    fn read_stats(&self, pool: &ThreadPool) {
        let stats = || pool.stats();
        self.0.during(stats, |stats| PoolOperation::Look {
            max: stats.max,
            queued: stats.queued,
            busy: stats.busy,
            started: stats.started,
            completed: stats.completed,
        });
    }

    fn assert(&self, initial: Pool) {
        assert_linearizable(initial, &self.0.take());
    }
}

fn running(max: usize) -> Pool {
    Pool::new(max).step(&PoolOperation::Start(true)).unwrap()
}

// Checks: B30, B40, P2, P70
// Races: submit × stop
#[test]
fn a_submission_against_a_stop_is_before_it_or_after() {
    explore_calm(|chaos| {
        let pool = started(0, 1);
        let recorded = Recorded::new();
        let theirs = recorded.clone();
        let client = client(&pool, chaos, move |pool| theirs.submit(pool, 1));
        recorded.stop(&pool);
        drop(client.join());
        recorded.assert(running(1));
    });
}

// Checks: B35, P70
#[test]
fn statistics_are_those_of_one_instant() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let recorded = Recorded::new();
        recorded.submit(&pool, 1);
        recorded.read_stats(&pool);
        recorded.stop(&pool);
        recorded.assert(running(1));
    });
}

// Checks: B28, B31, P70
// Races: submit × shrink
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_pause_against_a_submission_is_linearizable() {
    explore_calm(|chaos| {
        let pool = started(0, 1);
        let recorded = Recorded::new();
        let theirs = recorded.clone();
        let client = client(&pool, chaos, move |pool| theirs.submit(pool, 1));
        recorded.0.during(|| pool.adjust_pool_size(0, 0).unwrap(), |()| PoolOperation::Resize(0));
        drop(client.join());
        recorded.stop(&pool);
        recorded.assert(running(1));
    });
}

// Checks: B6, B13, P70
#[test]
fn the_inbox_behaves_as_a_deque_that_is_closed_at_one_instant() {
    explore_calm(|_| {
        let inbox: Arc<Inbox<Vec<u32>>> = Arc::new(Inbox::new());
        let history = StdArc::new(History::new());
        let (theirs, recorded) = (Arc::clone(&inbox), StdArc::clone(&history));
        let poster = thread::spawn(move || {
            for call in [1, 2] {
                recorded.during(|| theirs.post(call), |posted| InboxOperation::Post(call, posted.is_ok())).ok();
            }
            theirs
        });
        let mut batch = Vec::new();
        let mut invoked = history.now();
        inbox.take(&mut batch);
        let mut run = |batch: &mut Vec<u32>| {
            let returned = history.now();
            batch.drain(..).for_each(|call| history.note(invoked, returned, InboxOperation::Run(call)));
            invoked = returned;
        };
        run(&mut batch);
        batch = history.during(|| inbox.close(), |_| InboxOperation::Close);
        run(&mut batch);
        drop(poster.join().unwrap());
        history.during(|| (), |()| InboxOperation::End);
        assert_linearizable(Deque::new(usize::MAX), &history.take());
    });
}

// Checks: B6, B21, P2, P70
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_bounded_inbox_behaves_as_a_deque_of_its_capacity() {
    explore_calm(|_| {
        let inbox: Arc<Inbox<Vec<u32>>> = Arc::new(Inbox::bounded(1));
        let history = StdArc::new(History::new());
        let (theirs, recorded) = (Arc::clone(&inbox), StdArc::clone(&history));
        let poster = thread::spawn(move || {
            let posted = |call, posted: Result<(), (u32, Rejection)>| match posted {
                Ok(()) => InboxOperation::Post(call, true),
                Err((back, reason)) if back != call => {
                    panic!("{call} was refused, and the error holds {back}: {reason}")
                }
                Err((_, Rejection::InboxFull)) => InboxOperation::Full,
                Err((_, Rejection::ReactorStopped)) => InboxOperation::Post(call, false),
                Err((_, other)) => panic!("{call} was refused for another reason: {other}"),
            };
            recorded.during(|| theirs.post_bounded(1, WhenFull::Return), |outcome| posted(1, *outcome)).ok();
            recorded.during(|| theirs.post_bounded(2, WhenFull::Return), |outcome| posted(2, *outcome)).ok();
            // This one waits until the inbox has room.
            recorded.during(|| theirs.post_bounded(3, WhenFull::Wait), |outcome| posted(3, *outcome)).ok();
            theirs
        });
        let run = |batch: &mut Vec<u32>| {
            batch.drain(..).for_each(|call| history.during(|| (), |()| InboxOperation::Run(call)));
        };
        let mut batch = Vec::new();
        history.during(|| inbox.take(&mut batch), |()| InboxOperation::Take);
        run(&mut batch);
        batch = history.during(|| inbox.close(), |_| InboxOperation::Close);
        run(&mut batch);
        drop(poster.join().unwrap());
        history.during(|| (), |()| InboxOperation::End);
        assert_linearizable(Deque::new(1), &history.take());
    });
}

// Checks: B40, P2, P70
// Races: stop × stop
#[test]
fn two_stops_of_an_unstarted_pool_return_after_its_job_was_refused() {
    explore_calm(|chaos| {
        let pool = pool(0, 1);
        let recorded = Recorded::new();
        let refused = recorded.clone();
        let on_result = move |_| refused.0.during(|| (), |()| PoolOperation::Refuse(1));
        let submit = || pool.call_in_thread_with_callback(on_result, || panic!("it was never started"));
        recorded.0.during(submit, |submitted| PoolOperation::Submit(1, submitted.is_ok())).unwrap();
        let theirs = recorded.clone();
        let client = client(&pool, chaos, move |pool| theirs.stop(pool));
        recorded.stop(&pool);
        drop(client.join());
        recorded.assert(Pool::new(1));
    });
}
