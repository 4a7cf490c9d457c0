//! Waking more than one worker at once where jobs block, so that wakes overlap instead of following each other.
//!
//! The machine wakes one worker, which wakes the next once it is awake. That is best for jobs shorter than a wake: the
//! first worker has often run them all before a second could come, and further wakes would be wasted. Jobs that block,
//! though, wait for all wakes before them, one after the other. So the pool estimates which kind it has; where jobs
//! block, submitters wake further idle workers **ahead**. The machine allows that at any time: the estimate is a hint,
//! and correctness does not depend on it.

/// Estimates whether jobs outlast a wake; guarded by the workers' lock.
#[derive(Debug, Default)]
pub(super) struct BlockingEstimate {
    /// Wakes of workers so far.
    wakes: usize,
    /// Score of long jobs: plus one for each, up to [`MAX_SCORE`](Self::MAX_SCORE), minus one for each short one.
    score: u32,
}

/// The count of wakes when a job started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WakesAtStart(usize);

impl BlockingEstimate {
    /// From this score on workers are woken ahead. More than one, because a short job that is interrupted looks long,
    /// and a long job may see no wake.
    const THRESHOLD: u32 = 4;
    const MAX_SCORE: u32 = 8;

    pub(super) fn worker_woken(&mut self) {
        self.wakes = self.wakes.wrapping_add(1);
    }

    #[inline]
    pub(super) fn job_started(&self) -> WakesAtStart {
        WakesAtStart(self.wakes)
    }

    /// Counts a job as long if any worker was woken while it ran. No clock is read: that takes as long as a short job.
    #[inline]
    pub(super) fn job_finished(&mut self, start: WakesAtStart) {
        let was_short = self.wakes == start.0;
        let score = if was_short { self.score.saturating_sub(1) } else { Self::MAX_SCORE.min(self.score + 1) };
        // In a stream of short jobs nothing changes, and nothing is written.
        if self.score != score {
            self.score = score;
        }
    }

    /// How many of `idle` workers may be woken ahead.
    pub(super) fn wakes_ahead(&self, idle: usize) -> usize {
        if self.score >= Self::THRESHOLD { idle } else { 0 }
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
            estimate.worker_woken();
            estimate.job_finished(long);
        }
        assert_eq!(estimate.wakes_ahead(3), 3);
        let short = estimate.job_started();
        estimate.job_finished(short);
        assert_eq!(estimate.wakes_ahead(3), 0);
        estimate.job_finished(short);
        let long = estimate.job_started();
        estimate.worker_woken();
        (0..100).for_each(|_| estimate.job_finished(long));
        let short = estimate.job_started();
        (0..BlockingEstimate::MAX_SCORE).for_each(|_| estimate.job_finished(short));
        assert_eq!(estimate.wakes_ahead(3), 0);
    }
}
