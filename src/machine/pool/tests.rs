//! Tests of the structures inside the pool's machine.

use std::collections::VecDeque;

use super::sleepers::Sleepers;
use super::transitions::{
    WorkerHint, block, cancel, exited, next_action, report_saturation, resize, spawn_failed, spawn_next, start, stop,
    submit_when_full,
};
use super::{
    Compensation, Notify, Policy, Popped, Sizes, SubmitError, SubmitQueue, Wakeups, WorkerAction, WorkerSlot, Workers,
    accepted, is_at_rest,
};
use crate::machine::count::Count;

/// A pool that is driven one transition at a time.
struct Pool {
    workers: Workers<VecDeque<u8>>,
    submit_queue: SubmitQueue<VecDeque<u8>>,
}

impl Pool {
    fn new(min: Count, max: Count) -> Self {
        let workers = Workers::new(Sizes { min, max }, Compensation { most: 0, for_one: false });
        Self { workers, submit_queue: SubmitQueue::new(Count::MAX) }
    }

    /// A pool whose threads, as many as the minimum, are starting.
    fn started(min: Count, max: Count) -> Self {
        let mut pool = Self::new(min, max);
        assert_eq!(pool.start(false).spawn.count, min);
        pool
    }

    fn start(&mut self, lazily: bool) -> Wakeups {
        start(&mut self.workers, &mut self.submit_queue, lazily).unwrap()
    }

    fn resize(&mut self, min: Count, max: Count) -> Wakeups {
        resize(&mut self.workers, &mut self.submit_queue, Sizes { min, max })
    }

    /// Each returns whether the submitter has to wake somebody.
    fn submit(&mut self, jobs: u8) -> Vec<bool> {
        (0..jobs).map(|job| self.submit_queue.submit(job).unwrap().must_wake).collect()
    }

    fn act(&mut self, slot: WorkerSlot) -> WorkerAction<Popped<VecDeque<u8>>> {
        self.act_as(WorkerHint { slot, ..WorkerHint::default() })
    }

    fn act_as(&mut self, hint: WorkerHint) -> WorkerAction<Popped<VecDeque<u8>>> {
        next_action(&mut self.workers, &mut self.submit_queue, hint)
    }

    /// A worker's thread starts, and falls asleep.
    fn falls_asleep(&mut self, slot: WorkerSlot) {
        self.workers.thread_started(slot);
        assert!(matches!(self.act(slot), WorkerAction::Sleep { timed: false }));
    }

    /// A worker's thread starts, and takes the one job there is.
    fn takes_the_job(&mut self, slot: WorkerSlot) {
        self.workers.thread_started(slot);
        assert!(matches!(self.act(slot), WorkerAction::Run(_, Wakeups::NONE)));
    }

    fn block(&mut self) -> Wakeups {
        block(&mut self.workers, &mut self.submit_queue)
    }

    /// How many jobs are refused, the wakeups, and whether that is reported.
    fn spawn_fails(&mut self) -> (Count, Wakeups, bool) {
        let failed = spawn_failed(&mut self.workers, &mut self.submit_queue, 1);
        (failed.refused.len(), failed.wakeups, failed.report)
    }

    fn stop(&mut self, policy: Policy) -> Count {
        stop(&mut self.workers, &mut self.submit_queue, policy).cancelled.len()
    }

    fn is_at_rest(&self, wait_for_asker: Count) -> bool {
        is_at_rest(&self.workers, &self.submit_queue, wait_for_asker)
    }
}

const SATURATED: Wakeups = Wakeups { report_saturation: true, ..Wakeups::NONE };

// Checks: P66
#[test]
fn sleepers_leave_from_either_end_and_from_the_middle_in_the_order_in_which_they_fell_asleep() {
    let mut sleepers = Sleepers::default();
    for slot in 0..40 {
        sleepers.add_slot(slot);
        sleepers.push(slot, slot % 2 == 0);
    }
    assert_eq!((sleepers.len(), sleepers.untimed()), (40, 20));
    assert_eq!((sleepers.pop_last(), sleepers.pop_first()), (Some(39), Some(0)));
    sleepers.remove(17);
    sleepers.remove(17);
    let expected: Vec<_> = (1..39).filter(|slot| *slot != 17).collect();
    assert_eq!(sleepers.iter().collect::<Vec<_>>(), expected);
    assert_eq!((sleepers.len(), sleepers.untimed()), (37, 18));
    sleepers.add_slot(0);
    sleepers.push(0, true);
    let mut last_first = Vec::new();
    while let Some(slot) = sleepers.pop_last() {
        last_first.push(slot);
    }
    assert_eq!(last_first, [0].into_iter().chain(expected.into_iter().rev()).collect::<Vec<_>>());
    assert_eq!((sleepers.len(), sleepers.untimed(), sleepers.pop_first()), (0, 0, None));
}

// Checks: P66
#[test]
fn while_an_idle_worker_may_expire_a_job_wakes_the_one_that_fell_asleep_last_and_then_the_one_that_slept_longest() {
    let mut sleepers = Sleepers::default();
    for (slot, timed) in (0..).zip([false, false, true, false]) {
        sleepers.add_slot(slot);
        sleepers.push(slot, timed);
    }
    let woken: Vec<_> = std::iter::from_fn(|| sleepers.pop_for_job()).collect();
    assert_eq!(woken, [3, 2, 0, 1]);
}

// Checks: P4
#[test]
fn a_worker_that_wakes_others_for_the_jobs_it_leaves_behind_wakes_one_for_each() {
    let mut pool = Pool::started(5, 5);
    (0..5).for_each(|slot| pool.falls_asleep(slot));
    assert_eq!(pool.submit(4), [true, false, false, false]);
    assert_eq!(pool.workers.wake_or_spawn(), Wakeups::wake(0));
    assert_eq!(pool.workers.woken(0), Wakeups::NONE);
    assert_eq!(pool.workers.wake_for_jobs_left_behind(), Wakeups::NONE, "it is not known yet what submitters queued");
    assert!(matches!(pool.act(0), WorkerAction::Run(_, Wakeups { wake: Some(1), .. })));
    assert_eq!(pool.workers.woken(1), Wakeups::NONE);
    // Three wait: one for this worker, and one for each that it wakes.
    assert_eq!(pool.workers.wake_for_jobs_left_behind(), Wakeups::wake(2));
    assert_eq!(pool.workers.wake_for_jobs_left_behind(), Wakeups::wake(3));
    assert_eq!(pool.workers.wake_for_jobs_left_behind(), Wakeups::NONE);
}

// Checks: P4
#[test]
fn a_worker_takes_a_job_under_its_own_lock_unless_it_would_be_the_last() {
    let mut pool = Pool::started(1, 1);
    pool.submit(3);
    pool.workers.thread_started(0);
    assert!(matches!(pool.act(0), WorkerAction::Run(..)));
    assert!(pool.workers.next_job().is_some());
    assert!(pool.workers.next_job().is_none(), "whoever takes the last looks at both queues");
}

// Checks: P4
#[test]
fn one_worker_searches_at_a_time() {
    let mut pool = Pool::started(2, 2);
    (0..2).for_each(|slot| pool.workers.thread_started(slot));
    let may_search = |slot| WorkerHint { slot, may_search: true, expired: false };
    assert!(matches!(pool.act_as(may_search(0)), WorkerAction::Search));
    assert!(matches!(pool.act_as(may_search(1)), WorkerAction::Sleep { .. }));
    pool.workers.searched();
    assert!(!pool.workers.is_wake_pending());
}

// Checks: P4
#[test]
fn a_thread_would_be_spawned_while_nobody_is_asleep_and_there_are_fewer_than_the_maximum() {
    let mut pool = Pool::started(1, 2);
    let seen = |pool: &Pool| (pool.workers.is_anyone_asleep(), pool.workers.would_spawn());
    assert_eq!(seen(&pool), (false, true));
    pool.falls_asleep(0);
    assert_eq!(seen(&pool), (true, false));
    pool.submit(2);
    assert_eq!(pool.workers.wake_or_spawn(), Wakeups::wake(0));
    assert_eq!(seen(&pool), (false, true));
    assert_eq!(pool.workers.woken(0), Wakeups::NONE);
    assert!(matches!(pool.act(0), WorkerAction::Run(_, wakeups) if wakeups.spawn.count == 1));
    assert_eq!(seen(&pool), (false, false));
}

// Checks: B29
#[test]
fn a_pool_that_is_started_lazily_spawns_a_thread_for_a_job_that_waits_already() {
    let mut pool = Pool::new(1, 2);
    assert_eq!(pool.start(true), Wakeups::NONE);
    let mut pool = Pool::new(1, 2);
    pool.submit(1);
    assert_eq!(pool.start(true).spawn.count, 1);
}

// Checks: B34, P50
#[test]
fn an_expired_worker_exits_only_above_the_minimum() {
    let mut pool = Pool::started(2, 2);
    (0..2).for_each(|slot| pool.workers.thread_started(slot));
    let expired = |slot| WorkerHint { slot, may_search: false, expired: true };
    assert!(matches!(pool.act_as(expired(0)), WorkerAction::Sleep { timed: false }));
    assert_eq!(pool.resize(1, 2), Wakeups::wake(0), "it is to sleep with a timeout from now on");
    assert!(matches!(pool.act_as(expired(1)), WorkerAction::Exit(_)));
}

// Checks: P66
#[test]
fn an_idle_worker_that_comes_to_be_above_the_minimum_as_another_is_replaced_is_to_sleep_with_a_timeout() {
    let mut pool = Pool::started(3, 3);
    (0..3).for_each(|slot| pool.workers.thread_started(slot));
    assert_eq!(pool.resize(2, 3), Wakeups::NONE);
    assert!(matches!(pool.act_as(WorkerHint { slot: 2, may_search: false, expired: true }), WorkerAction::Exit(_)));
    assert!(matches!(pool.act(0), WorkerAction::Sleep { timed: false }));
    assert!(matches!(pool.act_as(WorkerHint { slot: 1, may_search: true, expired: false }), WorkerAction::Search));
    pool.submit(3);
    let wakeups = exited(&mut pool.workers, &mut pool.submit_queue).wakeups;
    assert_eq!((wakeups.spawn.count, wakeups.wake), (1, Some(0)));
}

// Checks: P54
#[test]
fn a_pool_of_one_worker_is_compensated_only_if_that_is_asked_for() {
    let at = |max, for_one| Compensation { most: 3, for_one }.at(Sizes { min: 0, max });
    assert_eq!((0..4).map(|max| at(max, false)).collect::<Vec<_>>(), [0, 0, 3, 3]);
    assert_eq!((0..4).map(|max| at(max, true)).collect::<Vec<_>>(), [3, 3, 3, 3]);
}

// Checks: B45, P54
#[test]
fn saturation_is_reported_once_while_every_worker_is_blocked_and_a_job_waits() {
    let mut pool = Pool::started(1, 1);
    pool.submit(1);
    pool.takes_the_job(0);
    assert!(!pool.workers.is_saturated());
    assert_eq!(pool.block(), Wakeups::NONE, "no job waits");
    assert!(pool.workers.is_saturated() && pool.workers.may_report_saturation());
    assert_eq!(report_saturation(&mut pool.workers, &mut pool.submit_queue), Wakeups::NONE);
    assert_eq!(pool.submit(1), [true]);
    assert_eq!(report_saturation(&mut pool.workers, &mut pool.submit_queue), SATURATED);
    assert!(!pool.workers.may_report_saturation());
    assert_eq!(report_saturation(&mut pool.workers, &mut pool.submit_queue), Wakeups::NONE);
}

// Checks: B45, P54
#[test]
fn saturation_is_reported_when_a_thread_is_given_up_that_would_have_taken_the_job() {
    let mut pool = Pool::new(0, 2);
    assert_eq!(pool.start(false), Wakeups::NONE);
    assert_eq!(pool.resize(2, 2).spawn.count, 2);
    pool.submit(1);
    pool.takes_the_job(0);
    pool.submit(1);
    assert_eq!((pool.block(), pool.resize(0, 1)), (Wakeups::NONE, Wakeups::NONE));
    let next = spawn_next(&mut pool.workers, &mut pool.submit_queue, 1);
    assert_eq!((next.given_up, next.worker, next.wakeups), (1, None, SATURATED));
}

// Checks: B41, B45
#[test]
fn a_failed_spawn_leaves_jobs_to_the_workers_there_are_and_tells_that_all_are_blocked() {
    for waiting in [0, 1] {
        let mut pool = Pool::started(2, 2);
        pool.submit(1);
        pool.takes_the_job(0);
        pool.submit(waiting);
        assert_eq!(pool.block(), Wakeups::NONE);
        // The pool is saturated for the maximum of one that it is given meanwhile.
        assert_eq!(pool.resize(0, 1), Wakeups::NONE);
        let wakeups = if waiting > 0 { SATURATED } else { Wakeups::NONE };
        assert_eq!(pool.spawn_fails(), (0, wakeups, true));
    }
}

// Checks: B41, P67
#[test]
fn jobs_that_never_run_are_counted_by_what_became_of_them() {
    let mut pool = Pool::started(1, 1);
    pool.submit(1);
    assert_eq!(pool.spawn_fails(), (1, Wakeups::NONE, true));
    assert_eq!((pool.workers.live(), pool.workers.starting, pool.workers.refusing), (0, 0, 1));
    // Whoever waits for a slot learns of all that have become free.
    pool.workers.begin_slot_wait();
    assert_eq!(pool.submit(2), [true, false]);
    assert_eq!(pool.workers.wake_or_spawn().spawn.count, 1);
    assert_eq!(pool.spawn_fails(), (2, Wakeups { submitters: Notify::All, ..Wakeups::NONE }, false));
    assert_eq!(pool.start(false).spawn.count, 1);
    assert_eq!(pool.spawn_fails(), (0, Wakeups::NONE, false));
    assert_eq!(pool.workers.refusing, 2);
    assert_eq!(pool.start(false).spawn.count, 1);
    pool.workers.end_slot_wait();
    pool.submit(1);
    pool.takes_the_job(0);
    let ticket = pool.submit_queue.submit_ticketed(0).unwrap().ticket.unwrap();
    assert!(cancel(&mut pool.workers, &mut pool.submit_queue, ticket).0.is_some());
    pool.submit(5);
    let counts = pool.workers.counts();
    assert_eq!((counts.start_failures, counts.failed, counts.started, counts.cancelled), (3, 3, 1, 1));
    assert_eq!(accepted(&pool.workers, &pool.submit_queue), 3 + 1 + 1 + 5);
    assert_eq!((pool.stop(Policy::Drain), pool.workers.counts().cancelled), (0, 1));
    assert_eq!((pool.stop(Policy::CancelQueued), pool.workers.counts().cancelled), (5, 6));
    assert_eq!(accepted(&pool.workers, &pool.submit_queue), 3 + 1 + 6);
}

// Checks: B41
#[test]
fn the_store_of_a_queue_is_the_one_that_its_jobs_are_popped_from() {
    let mut pool = Pool::started(1, 1);
    pool.submit(3);
    let mut refused = spawn_failed(&mut pool.workers, &mut pool.submit_queue, 1).refused;
    assert!(refused.pop().is_some());
    assert_eq!(refused.store().len(), 2);
    pool.submit(2);
    assert_eq!(pool.workers.wake_or_spawn().spawn.count, 1);
    pool.workers.thread_started(0);
    assert!(matches!(pool.act(0), WorkerAction::Run(..)));
    assert_eq!(pool.workers.store().len(), 1);
}

// Checks: P67
#[test]
fn a_pool_counts_the_threads_that_ran_and_how_its_jobs_ended() {
    let mut pool = Pool::started(3, 3);
    let peaks: Vec<_> = (0..2)
        .map(|slot| {
            pool.workers.thread_started(slot);
            pool.workers.counts().peak
        })
        .collect();
    assert_eq!(peaks, [1, 2], "the one that has not started is not among them");
    pool.submit(2);
    (0..2).for_each(|slot| assert!(matches!(pool.act(slot), WorkerAction::Run(..))));
    pool.workers.finished(true);
    pool.workers.record_expired(true);
    pool.workers.finished(false);
    pool.workers.record_expired(false);
    let counts = pool.workers.counts();
    assert_eq!((counts.started, counts.completed, counts.panicked, counts.expired), (2, 2, 1, 1));
}

// Checks: P53, P67
#[test]
fn a_job_that_a_closed_queue_hands_back_is_counted_and_one_that_may_wait_for_a_slot_is_not() {
    let mut submit_queue = SubmitQueue::<VecDeque<u8>>::new(1);
    assert!(submit_queue.submit(1).is_ok());
    assert!(matches!(submit_queue.submit(2), Err(SubmitError::Full(2))));
    assert_eq!(submit_queue.rejected(), 0);
    submit_queue.open = false;
    for rejected in 1..=2 {
        assert!(matches!(submit_queue.submit(3), Err(SubmitError::Closed(3))));
        assert_eq!(submit_queue.rejected(), rejected);
    }
}

// Checks: P53
#[test]
fn whoever_submits_under_both_locks_wakes_the_worker_then_and_owes_no_wake_later() {
    let mut pool = Pool::started(1, 1);
    pool.submit_queue = SubmitQueue::new(1);
    pool.submit(1);
    pool.takes_the_job(0);
    pool.workers.finished(false);
    assert!(matches!(pool.act(0), WorkerAction::Sleep { timed: false }));
    assert!(matches!(pool.submit_queue.submit(1), Err(SubmitError::Full(1))));
    let submitted = submit_when_full(&mut pool.workers, &mut pool.submit_queue, 1, false);
    assert!(submitted.is_ok_and(|(accepted, wakeups)| !accepted.must_wake && wakeups == Wakeups::wake(0)));
}

// Checks: P67
#[test]
fn a_pool_is_at_rest_while_no_worker_runs_and_none_can_come_for_a_job() {
    let mut unstarted = Pool::new(1, 1);
    unstarted.submit(1);
    assert!(unstarted.is_at_rest(0));

    let mut pool = Pool::started(1, 1);
    assert_eq!((pool.is_at_rest(0), pool.is_at_rest(1)), (false, true), "its thread starts");
    pool.falls_asleep(0);
    assert!(pool.is_at_rest(0));
    pool.submit(1);
    assert!(!pool.is_at_rest(0), "the worker may come for the job");
    assert_eq!(pool.workers.woken(0), Wakeups::NONE);
    assert!(matches!(pool.act(0), WorkerAction::Run(..)));
    pool.submit(1);
    assert_eq!((pool.is_at_rest(0), pool.is_at_rest(1)), (false, true), "nobody can come for the job");
    pool.workers.set_target(Sizes { min: 1, max: 2 });
    assert!(!pool.is_at_rest(1), "a thread may be spawned for the job");

    let mut pool = Pool::started(1, 1);
    pool.falls_asleep(0);
    assert_eq!(pool.stop(Policy::Drain), 0);
    assert!(!pool.is_at_rest(0), "the worker is about to exit");
}
