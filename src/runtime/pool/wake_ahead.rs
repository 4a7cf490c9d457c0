//! Waking more workers than the machine asks for, where one after the other would come too late.
//!
//! The machine wakes one worker, which wakes the next once it is awake. That is best for jobs shorter than a wake: the
//! first worker has often run them all before a second could come, and further wakes would be wasted. Twice it is not:
//!
//! - **Where jobs block**, each waits for all wakes before its own. So the pool estimates whether jobs outlast a wake.
//!   As long as they do, each submission wakes an idle worker, **ahead** of need, a worker that was woken wakes others
//!   for all that it leaves behind, and a worker whose job has ended stays awake for a moment. A job of a type that the
//!   queue does not know may block, until one that ended has shown that it does not.
//! - **Where the worker that was woken does not come**, because its core has other work, that of the submitter perhaps.
//!   So a submitter wakes another once a few jobs wait, and again whenever there are
//!   [`BACKLOG_FACTOR`](BlockingEstimate::BACKLOG_FACTOR) times as many. If there is only one core, no other worker
//!   could come sooner, and none is woken.
//!
//! The machine allows all this at any time: it is a hint, and correctness does not depend on it.

use super::super::sync::BacklogHint;

/// Estimates whether jobs outlast a wake; guarded by the workers' lock.
#[derive(Debug, Default)]
pub(super) struct BlockingEstimate {
    /// How often a worker came so far: after a wake, or after the moment that it stays awake.
    arrivals: usize,
    /// Score of long jobs: plus one for each, up to [`MAX_SCORE`](Self::MAX_SCORE), minus one for each short one.
    score: u32,
    /// How many jobs had ended when a worker last came after a wake.
    ended: u64,
}

/// The count of arrivals when a job started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ArrivalsAtStart(usize);

impl BlockingEstimate {
    /// From this score on jobs seem to block. More than one, because a short job that is interrupted looks long,
    /// and a long job may see no wake.
    const THRESHOLD: u32 = 4;
    const MAX_SCORE: u32 = 8;
    /// Far fewer jobs than a submitter adds in the time of a wake.
    const FIRST_BACKLOG: usize = 16;
    const BACKLOG_FACTOR: usize = 8;

    /// A worker that was woken has come. `ended` jobs have ended so far; `busy` workers run jobs. If no job has ended
    /// since a worker came before, then jobs outlast a wake.
    pub(super) fn worker_woken(&mut self, ended: u64, busy: usize) {
        self.worker_came();
        if busy > 0 && self.ended == ended {
            self.score = self.score.max(Self::THRESHOLD);
        }
        self.ended = ended;
    }

    /// A job of an unknown type was submitted, which may block.
    pub(super) fn unknown_type(&mut self) {
        self.score = self.score.max(Self::THRESHOLD);
    }

    pub(super) fn worker_came(&mut self) {
        self.arrivals = self.arrivals.wrapping_add(1);
    }

    #[inline]
    pub(super) fn job_started(&self) -> ArrivalsAtStart {
        ArrivalsAtStart(self.arrivals)
    }

    /// Counts a job as long if any worker came while it ran. No clock is read: that takes as long as a short job.
    #[inline]
    pub(super) fn job_finished(&mut self, start: ArrivalsAtStart) {
        let was_short = self.arrivals == start.0;
        let score = if was_short { self.score.saturating_sub(1) } else { Self::MAX_SCORE.min(self.score + 1) };
        // In a stream of short jobs nothing changes, and nothing is written.
        if self.score != score {
            self.score = score;
        }
    }

    /// Whether jobs seem to outlast a wake.
    #[inline]
    pub(super) fn jobs_block(&self) -> bool {
        self.score >= Self::THRESHOLD
    }

    /// A worker falls asleep: from how many queued jobs on a submitter wakes one ahead.
    pub(super) fn first_backlog(&self, several_cores: bool) -> usize {
        match several_cores {
            _ if self.jobs_block() => 1,
            true => Self::FIRST_BACKLOG,
            false => BacklogHint::NEVER,
        }
    }

    /// The same, after it has woken one at this backlog.
    pub(super) fn next_backlog(&self, backlog: usize) -> usize {
        if self.jobs_block() { 1 } else { backlog.saturating_mul(Self::BACKLOG_FACTOR).max(Self::FIRST_BACKLOG) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sync::{Arc, Hint, pause};
    use super::super::ThreadPool;
    use super::{BacklogHint, BlockingEstimate};

    // Checks: P4
    #[test]
    fn workers_are_woken_ahead_while_jobs_outlast_a_wake() {
        let mut estimate = BlockingEstimate::default();
        for _ in 0..BlockingEstimate::THRESHOLD {
            assert!(!estimate.jobs_block());
            let long = estimate.job_started();
            estimate.worker_came();
            estimate.job_finished(long);
        }
        assert!(estimate.jobs_block());
        assert_eq!((estimate.first_backlog(false), estimate.next_backlog(1)), (1, 1));
        let short = estimate.job_started();
        estimate.job_finished(short);
        assert!(!estimate.jobs_block());
        estimate.job_finished(short);
        let long = estimate.job_started();
        estimate.worker_came();
        (0..100).for_each(|_| estimate.job_finished(long));
        let short = estimate.job_started();
        (0..BlockingEstimate::MAX_SCORE).for_each(|_| estimate.job_finished(short));
        assert!(!estimate.jobs_block());
    }

    // Checks: P4
    #[test]
    fn a_job_of_an_unknown_type_may_block_until_one_has_ended_soon() {
        let mut estimate = BlockingEstimate::default();
        estimate.unknown_type();
        assert_eq!((estimate.first_backlog(true), estimate.next_backlog(1)), (1, 1));
        let start = estimate.job_started();
        estimate.job_finished(start);
        assert_eq!((estimate.first_backlog(true), estimate.next_backlog(1)), (16, 16));
    }

    fn until(reached: &dyn Fn() -> bool) {
        while !reached() {
            pause(1);
        }
    }

    // Checks: P4
    #[test]
    fn while_a_job_of_an_unknown_type_runs_each_submission_wakes_a_worker() {
        // In a model nobody reads the hint.
        if !BacklogHint::IS_READ {
            return;
        }
        let pool = ThreadPool::new(2, 2).expect("the sizes are valid");
        pool.start().expect("it is new");
        let shared = &pool.owner.shared;
        // Not only idle: one that is awake still would take the job, and nobody would be woken.
        until(&|| shared.workers.lock().machine.sleepers().count() == 2);
        let (started, go_on) = (Arc::new(Hint::default()), Arc::new(Hint::default()));
        let (starts, goes_on) = (Arc::clone(&started), Arc::clone(&go_on));
        let job = move || {
            starts.set(true);
            until(&|| goes_on.get());
        };
        pool.call_in_thread(job).expect("it runs");
        until(&|| started.get());
        let backlog = shared.wake_ahead_at.get();
        go_on.set(true);
        assert_eq!(backlog, 1);
        pool.stop().expect("this is no worker");
    }

    // Checks: P4
    #[test]
    fn the_second_worker_of_a_burst_sees_that_its_jobs_block() {
        let mut estimate = BlockingEstimate::default();
        let mut ended = 1_000;
        estimate.worker_woken(ended, 0);
        assert!(!estimate.jobs_block(), "nobody runs a job");
        ended += 1;
        estimate.worker_woken(ended, 1);
        assert!(!estimate.jobs_block(), "a job has ended since the last one came");
        estimate.worker_woken(ended, 1);
        assert!(estimate.jobs_block());
    }

    // Checks: P4
    #[test]
    fn a_backlog_that_grows_while_nobody_comes_wakes_another_where_there_is_a_core_for_it() {
        let estimate = BlockingEstimate::default();
        let first = estimate.first_backlog(true);
        let second = estimate.next_backlog(first);
        assert_eq!((first, second, estimate.next_backlog(second)), (16, 128, 1024));
        assert_eq!(estimate.first_backlog(false), BacklogHint::NEVER);
        assert_eq!(estimate.next_backlog(BacklogHint::NEVER), BacklogHint::NEVER);
    }
}
