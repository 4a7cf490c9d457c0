//! A short wait before a sleep, and how it adapts to whether it helps.

use std::hint::spin_loop;
use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::Hint;

/// First by spinning, then by yielding the core. Both adapt.
///
/// Waking a core takes tens of microseconds, so a spin pays when the other party is about to act on a core of its own.
/// If that party needs this very core, spinning only delays it, and yielding lets it act. Each spin that ends without
/// the hint halves the next, and each that ends with it makes the next a full one. In a long series of misses one in
/// [`PROBE_INTERVAL`](Self::PROBE_INTERVAL) is a full spin all the same, because the parties may have moved to cores of
/// their own. After yields that end without the hint a few of the next are left out, and many after a yield that took
/// long: somebody else needs the core then, and is not done soon. The counts are hints too: a racing update may be
/// lost, and correctness does not depend on it.
#[derive(Debug, Default)]
pub(crate) struct Spin {
    /// Spins in a row that ended without the hint.
    misses: AtomicU32,
    /// How many waits are still to leave out their yields because those before were in vain.
    left_out_after_miss: AtomicU32,
    /// How many are to leave them out because one took long.
    left_out_after_long_yield: AtomicU32,
    several_cores: bool,
}

impl Spin {
    /// There is a wait before a sleep.
    pub(crate) const WAITS: bool = true;
    /// Looks of a full spin. It takes longer than waking a core: if both parties spun for less, each would find the
    /// other asleep every time.
    const FULL_SPIN: u32 = 4096;
    /// Misses halve the spin at most this often.
    const MAX_HALVINGS: u32 = 8;
    /// One in this many misses is a full spin.
    const PROBE_INTERVAL: u32 = 256;
    /// After a spin. A few microseconds, where nobody else needs the core.
    const YIELDS: u32 = 8;
    /// Of a worker whose job has ended, where jobs block.
    const YIELDS_AFTER_JOB: u32 = 32;
    /// Far longer than a yield where nobody else needs the core, or where the other party soon sleeps itself.
    const LONG_YIELD: Duration = Duration::from_micros(500);
    /// So that where yields do not help, only one wait in four takes longer for them.
    const LEFT_OUT_AFTER_MISS: u32 = 3;
    /// So that long yields, which take milliseconds, cost less than the sleeps between them.
    const LEFT_OUT_AFTER_LONG_YIELD: u32 = 1000;

    pub(crate) fn new() -> Self {
        // With one core, the other party cannot run while this one spins. Cached, because the query may read files.
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        Self::for_cores(cores)
    }

    fn for_cores(cores: usize) -> Self {
        Self { several_cores: cores > 1, ..Self::default() }
    }

    pub(crate) fn several_cores(&self) -> bool {
        self.several_cores
    }

    /// Waits until the hint is set, for a limited time; returns whether it is.
    pub(crate) fn until(&self, hint: &Hint) -> bool {
        self.wait(|| hint.get(), yields_of_core())
    }

    /// Lets others have the core until the hint is set, for a limited time. For a worker whose job has ended.
    pub(crate) fn yield_after_job(&self, hint: &Hint) {
        self.yield_until(|| hint.get(), yields_of_core(), Self::YIELDS_AFTER_JOB);
    }

    #[inline]
    fn wait(&self, is_set: impl Fn() -> bool, yields: impl FnMut() -> Duration) -> bool {
        if self.several_cores && self.spin_until(&is_set) {
            return true;
        }
        if count_down(&self.left_out_after_miss) {
            return is_set();
        }
        let was_set = self.yield_until(is_set, yields, Self::YIELDS);
        if !was_set {
            self.left_out_after_miss.store(Self::LEFT_OUT_AFTER_MISS, Ordering::Relaxed);
        }
        was_set
    }

    /// Without `yield_now`: that is a system call, and made a round trip several times slower.
    #[inline]
    fn spin_until(&self, is_set: impl Fn() -> bool) -> bool {
        let misses = self.misses.load(Ordering::Relaxed);
        let probe = misses % Self::PROBE_INTERVAL == Self::PROBE_INTERVAL - 1;
        let looks = if probe { Self::FULL_SPIN } else { Self::FULL_SPIN >> misses.min(Self::MAX_HALVINGS) };
        if is_set() {
            // A hint that was set from the start says nothing about how long to spin.
            return true;
        }
        for _ in 0..looks {
            spin_loop();
            if is_set() {
                if misses != 0 {
                    self.misses.store(0, Ordering::Relaxed);
                }
                return true;
            }
        }
        self.misses.store(misses.wrapping_add(1), Ordering::Relaxed);
        false
    }

    /// `yields` lets others have the core, and returns for how long.
    #[inline]
    fn yield_until(&self, is_set: impl Fn() -> bool, mut yields: impl FnMut() -> Duration, times: u32) -> bool {
        if count_down(&self.left_out_after_long_yield) {
            return is_set();
        }
        for _ in 0..times {
            if is_set() {
                return true;
            }
            if yields() > Self::LONG_YIELD {
                self.left_out_after_long_yield.store(Self::LEFT_OUT_AFTER_LONG_YIELD, Ordering::Relaxed);
                break;
            }
        }
        is_set()
    }
}

/// Each call lets others have the core, and returns for how long. The clock is read once for each, and once before.
fn yields_of_core() -> impl FnMut() -> Duration {
    let mut last = None;
    move || {
        let before = last.unwrap_or_else(Instant::now);
        std::thread::yield_now();
        let after = Instant::now();
        last = Some(after);
        after.duration_since(before)
    }
}

/// Whether it was above zero. A racing update may be lost.
fn count_down(count: &AtomicU32) -> bool {
    let value = count.load(Ordering::Relaxed);
    let counts = value != 0;
    if counts {
        count.store(value - 1, Ordering::Relaxed);
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::Spin;

    /// What a wait does, if the hint is set at its look of this number, and each yield takes so long: the looks, the
    /// yields, and what it returns.
    fn wait(spin: &Spin, set_at: u32, took: Duration) -> (u32, u32, bool) {
        let (looks, yields) = (Cell::new(0), Cell::new(0));
        let look = || {
            looks.set(looks.get() + 1);
            looks.get() >= set_at
        };
        let yield_core = || {
            yields.set(yields.get() + 1);
            took
        };
        let was_set = spin.wait(look, yield_core);
        (looks.get(), yields.get(), was_set)
    }

    const NEVER: u32 = u32::MAX;
    const SOON: Duration = Duration::from_micros(500);

    // Checks: P4
    #[test]
    fn each_spin_in_vain_halves_the_next_and_one_that_helped_makes_it_full() {
        let spin = Spin::for_cores(2);
        assert!(spin.several_cores());
        let spin_of = || {
            // Without yields, which look too.
            let looks = Cell::new(0);
            assert!(!spin.spin_until(|| {
                looks.set(looks.get() + 1);
                false
            }));
            looks.get() - 1
        };
        let spins: Vec<u32> = (0..10).map(|_| spin_of()).collect();
        assert_eq!(spins, [4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 16]);
        assert!((10..255).all(|_| spin_of() == 16));
        assert_eq!((spin_of(), spin_of()), (4096, 16), "one in 256 is a full one");
        assert_eq!(wait(&spin, 1, SOON), (1, 0, true));
        assert_eq!(spin_of(), 16, "set from the start: that says nothing");
        assert_eq!(wait(&spin, 17, SOON), (17, 0, true));
        assert_eq!((spin_of(), spin_of()), (4096, 2048));
    }

    // Checks: P4
    #[test]
    fn yields_in_vain_leave_out_the_next_three() {
        let spin = Spin::for_cores(1);
        assert!(!spin.several_cores());
        for _ in 0..3 {
            assert_eq!(wait(&spin, NEVER, SOON), (9, 8, false));
            for _ in 0..3 {
                assert_eq!(wait(&spin, NEVER, SOON), (1, 0, false));
            }
        }
        assert_eq!(wait(&spin, 9, SOON), (9, 8, true));
        assert_eq!(wait(&spin, 4, SOON), (4, 3, true), "none is left out where they help");
        assert_eq!(wait(&spin, NEVER, SOON), (9, 8, false));
        assert_eq!(wait(&spin, 1, SOON), (1, 0, true), "one that is left out looks, too");
    }

    // Checks: P4
    #[test]
    fn a_long_yield_is_the_last_for_a_thousand_waits() {
        let spin = Spin::for_cores(1);
        assert_eq!(wait(&spin, NEVER, SOON + Duration::from_nanos(1)), (2, 1, false));
        let (mut left_out, mut waits) = (0, 0);
        while left_out < 1000 {
            let (looks, yields, was_set) = wait(&spin, NEVER, SOON);
            assert_eq!((looks, yields, was_set), (1, 0, false));
            waits += 1;
            // Three in four are left out because they were in vain, and do not count for the other.
            left_out += u32::from(waits % 4 == 0);
        }
        (0..3).for_each(|_| assert_eq!(wait(&spin, NEVER, SOON), (1, 0, false)));
        assert_eq!(wait(&spin, NEVER, SOON), (9, 8, false));
    }

    // Checks: P4
    #[test]
    fn a_worker_whose_job_has_ended_yields_longer() {
        let (spin, yields) = (Spin::for_cores(2), Cell::new(0));
        let yield_core = || {
            yields.set(yields.get() + 1);
            SOON
        };
        assert!(!spin.yield_until(|| false, yield_core, Spin::YIELDS_AFTER_JOB));
        assert_eq!(yields.get(), 32);
    }
}
