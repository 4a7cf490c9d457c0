//! Waking more than one worker at once where jobs block, so that wakes overlap instead of following each other.
//!
//! The machine wakes one worker, which wakes the next once it is awake. That is best for jobs shorter than a wake: the
//! first worker has often run them all before a second could come, and further wakes would be wasted. Jobs that block,
//! though, wait for all wakes before them, one after the other. So the pool estimates which kind it has. Where jobs
//! block, each submission wakes an idle worker, **ahead** of need, and a worker whose job has ended stays awake for a
//! moment. The machine allows both at any time: the estimate is a hint, and correctness does not depend on it.

/// Estimates whether jobs outlast a wake; guarded by the workers' lock.
#[derive(Debug, Default)]
pub(super) struct BlockingEstimate {
    /// How often a worker came so far: after a wake, or after the moment that it stays awake.
    arrivals: usize,
    /// Score of long jobs: plus one for each, up to [`MAX_SCORE`](Self::MAX_SCORE), minus one for each short one.
    score: u32,
}

/// The count of arrivals when a job started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ArrivalsAtStart(usize);

impl BlockingEstimate {
    /// From this score on jobs seem to block. More than one, because a short job that is interrupted looks long,
    /// and a long job may see no wake.
    const THRESHOLD: u32 = 4;
    const MAX_SCORE: u32 = 8;

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

    /// How many of `idle` workers may be woken ahead.
    pub(super) fn wakes_ahead(&self, idle: usize) -> usize {
        if self.jobs_block() { idle } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::BlockingEstimate;

    // Checks: P4
    #[test]
    fn workers_are_woken_ahead_while_jobs_outlast_a_wake() {
        let mut estimate = BlockingEstimate::default();
        for _ in 0..BlockingEstimate::THRESHOLD {
            assert_eq!(estimate.wakes_ahead(3), 0);
            let long = estimate.job_started();
            estimate.worker_came();
            estimate.job_finished(long);
        }
        assert_eq!(estimate.wakes_ahead(3), 3);
        let short = estimate.job_started();
        estimate.job_finished(short);
        assert_eq!(estimate.wakes_ahead(3), 0);
        estimate.job_finished(short);
        let long = estimate.job_started();
        estimate.worker_came();
        (0..100).for_each(|_| estimate.job_finished(long));
        let short = estimate.job_started();
        (0..BlockingEstimate::MAX_SCORE).for_each(|_| estimate.job_finished(short));
        assert_eq!(estimate.wakes_ahead(3), 0);
    }
}
