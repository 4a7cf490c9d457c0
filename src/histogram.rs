//! A histogram of durations in fixed memory: how many fell into each of 496 buckets, none wider than an eighth of what it holds.

use std::fmt;
use std::time::Duration;

/// Each power of two is divided into this many buckets.
const PARTS: usize = 8;
const PART_BITS: u32 = PARTS.ilog2();
/// Those of the powers of two from 8 to 2⁶³ nanoseconds, and below them one for each nanosecond.
const BUCKETS: usize = PARTS * (u64::BITS - PART_BITS + 1) as usize;

/// How often durations of which length were recorded, in 4 kB, however many there were.
///
/// Buckets grow with what they hold: they are one nanosecond wide below 16 ns, and further up an eighth of a power of two, so a duration that is read out
/// again is at most 12.5 % above the one that was recorded, and never below it. The greatest and the mean are exact. The longest duration
/// that is told apart is 584 years.
///
/// ```
/// use selvedge::pool::Histogram;
/// use std::time::Duration;
///
/// let waits: Histogram = (1..=100).map(Duration::from_millis).collect();
/// assert_eq!(waits.count(), 100);
/// assert_eq!(waits.max(), Some(Duration::from_millis(100)));
/// assert_eq!(waits.mean(), Some(Duration::from_micros(50_500)));
/// let median = waits.quantile(0.5).unwrap();
/// assert!(median >= Duration::from_millis(50) && median <= Duration::from_millis(50).mul_f64(1.125));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    count: u64,
    /// In nanoseconds.
    sum: u128,
    max: u64,
}

/// One bucket of a [`Histogram`] that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Bucket {
    /// The shortest duration that falls into it.
    pub from: Duration,
    /// The longest.
    pub to: Duration,
    /// How many did.
    pub count: u64,
}

impl Histogram {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), count: 0, sum: 0, max: 0 }
    }

    /// Counts a duration in. A few nanoseconds, no allocation.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(nanos)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += u128::from(nanos);
        self.max = self.max.max(nanos);
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest of them, exactly. None, if there were none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// Their mean, to the nanosecond. None, if there were none.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        // No mean is above the greatest, which fits.
        Some(Duration::from_nanos(u64::try_from(mean).unwrap_or(self.max)))
    }

    /// The duration that at least this share of the recorded ones did not exceed: `quantile(0.99)` is the 99th percentile. What is returned is
    /// at most 12.5 % too long, never too short, and never above the greatest. None, if there were none.
    ///
    /// A share below zero, or none that is a number, counts as zero; one above one as one.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "between none and all of them; which of more than 2⁵³ it is does not matter"
        )]
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let bucket = self.buckets().find(|bucket| {
            seen += bucket.count;
            seen >= rank
        })?;
        Some(bucket.to.min(Duration::from_nanos(self.max)))
    }

    /// Counts all in that another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The buckets that are not empty, from the shortest durations to the longest.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, &count)| {
            let (from, width) = bounds(index);
            Bucket { from: Duration::from_nanos(from), to: Duration::from_nanos(from + (width - 1)), count }
        })
    }
}

/// Where a duration is counted: below `PARTS`, its own bucket; above, the power of two it falls into, and the eighth of that.
fn bucket_of(nanos: u64) -> usize {
    let power = nanos.checked_ilog2().unwrap_or(0).max(PART_BITS);
    let shift = power - PART_BITS;
    // What is left has its leading bit, which counts `PARTS`: the buckets of the power before.
    PARTS * shift as usize + (nanos >> shift) as usize
}

/// The shortest duration of a bucket, and how many nanoseconds wide it is.
fn bounds(bucket: usize) -> (u64, u64) {
    let shift = (bucket / PARTS).saturating_sub(1);
    let parts = bucket - PARTS * shift;
    ((parts as u64) << shift, 1 << shift)
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Extend<Duration> for Histogram {
    fn extend<I: IntoIterator<Item = Duration>>(&mut self, durations: I) {
        durations.into_iter().for_each(|duration| self.record(duration));
    }
}

impl FromIterator<Duration> for Histogram {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut histogram = Self::new();
        histogram.extend(durations);
        histogram
    }
}

/// Its outline, not its 496 numbers.
impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("mean", &self.mean())
            .field("median", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish()
    }
}
