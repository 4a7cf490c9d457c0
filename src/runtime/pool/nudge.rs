//! Where jobs block, a burst of them wakes more than one worker at once, so that the wakes overlap and no job waits for one wake after the other.
//!
//! The machine calls one worker, which calls the next when it is awake itself. That is best for jobs shorter than a wake: the first worker has often run them
//! all before a second could come, and whoever called more has paid for wakes in vain. Jobs that block wait for as many wakes as stand before them. So the
//! pool learns which kind it has, and where they last, submitters **nudge** sleepers beyond the one that is called. To the machine a nudge is a wake for no reason, which
//! may come at any time: what is kept here are hints, and nothing depends on them.

/// What workers have learnt of the jobs; guarded by the workers' lock.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How often a worker was woken.
    wakes: usize,
    /// Counts jobs that took longer than a wake: up with each of them, to [`MOST`](Self::MOST), and down with each that did not.
    lasting: u32,
}

/// How many wakes there had been when a job began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Begun(usize);

impl Pace {
    /// A short job that is interrupted seems to last, and one that lasts may miss the wakes: one alone says nothing.
    const ENOUGH: u32 = 4;
    const MOST: u32 = 8;

    pub(super) fn woken(&mut self) {
        self.wakes = self.wakes.wrapping_add(1);
    }

    #[inline]
    pub(super) fn begins(&self) -> Begun {
        Begun(self.wakes)
    }

    /// If others were woken meanwhile, it took longer than a wake. No clock is asked: that takes as long as a short job.
    #[inline]
    pub(super) fn ended(&mut self, begun: Begun) {
        let was_short = self.wakes == begun.0;
        let lasting = if was_short { self.lasting.saturating_sub(1) } else { Self::MOST.min(self.lasting + 1) };
        // In a stream of short jobs nothing changes, and nothing is written.
        if self.lasting != lasting {
            self.lasting = lasting;
        }
    }

    /// Of `idle` workers, as one more falls asleep, how many may be nudged.
    pub(super) fn nudgeable(&self, idle: usize) -> usize {
        if self.lasting >= Self::ENOUGH { idle } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    // Checks: P4
    #[test]
    fn sleepers_are_nudged_while_jobs_outlast_a_wake() {
        let mut pace = Pace::default();
        for _ in 0..Pace::ENOUGH {
            assert_eq!(pace.nudgeable(3), 0);
            let long = pace.begins();
            pace.woken();
            pace.ended(long);
        }
        assert_eq!(pace.nudgeable(3), 3);
        let short = pace.begins();
        pace.ended(short);
        assert_eq!(pace.nudgeable(3), 0);
        pace.ended(short);
        let long = pace.begins();
        pace.woken();
        (0..100).for_each(|_| pace.ended(long));
        let short = pace.begins();
        (0..Pace::MOST).for_each(|_| pace.ended(short));
        assert_eq!(pace.nudgeable(3), 0);
    }
}
