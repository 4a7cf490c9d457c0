//! A histogram of durations in fixed memory: counts in 496 buckets, each one nanosecond wide, or at most an eighth of
//! the durations in it.

use std::fmt;
use std::time::Duration;

/// Each power of two is divided into this many buckets.
const SUB_BUCKETS: usize = 8;
const SUB_BUCKET_BITS: u32 = SUB_BUCKETS.ilog2();
/// One bucket for each nanosecond below 8, and the sub-buckets of each power of two from 8 to 2⁶³ nanoseconds.
const BUCKETS: usize = SUB_BUCKETS * (u64::BITS - SUB_BUCKET_BITS + 1) as usize;

/// A distribution of durations, in 4 kB of memory however many were recorded.
///
/// Buckets are one nanosecond wide below 16 ns, and above that an eighth of a power of two. So a duration that is read
/// from the histogram is never below the one that was recorded, and at most 12.5 % above it. Maximum and mean are
/// exact. Durations above 584 years count as 584 years.
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
    /// The shortest duration that it counts.
    pub from: Duration,
    /// The longest duration that it counts.
    pub to: Duration,
    /// How many were recorded.
    pub count: u64,
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), count: 0, sum: 0, max: 0 }
    }

    /// Records a duration. Costs a few nanoseconds and no allocation.
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

    /// The longest recorded duration, exactly. `None` if there is none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The mean, to the nanosecond. `None` if nothing was recorded.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        // Never out of range: a mean is at most the maximum.
        Some(Duration::from_nanos(u64::try_from(mean).unwrap_or(self.max)))
    }

    /// The duration that at least this share of the recorded ones did not exceed: `quantile(0.99)` is the 99th
    /// percentile. The result is never too short, at most 12.5 % too long, and never above the maximum. `None` if
    /// nothing was recorded.
    ///
    /// A share below 0 or NaN counts as 0, one above 1 as 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "clamped to the number recorded; above 2⁵³ an error of some ranks does not matter"
        )]
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let bucket = self.buckets().find(|bucket| {
            seen += bucket.count;
            seen >= rank
        })?;
        Some(bucket.to.min(Duration::from_nanos(self.max)))
    }

    /// Adds everything that `other` has recorded.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The buckets that are not empty, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, &count)| {
            let (from, width) = bounds(index);
            Bucket { from: Duration::from_nanos(from), to: Duration::from_nanos(from + (width - 1)), count }
        })
    }
}

/// The bucket of a duration: its own below `SUB_BUCKETS`, an eighth of its power of two above.
fn bucket_of(nanos: u64) -> usize {
    let power = nanos.checked_ilog2().unwrap_or(0).max(SUB_BUCKET_BITS);
    let shift = power - SUB_BUCKET_BITS;
    // From the first power of two on, the shifted value is at least `SUB_BUCKETS`, which skips the buckets below that
    // power.
    SUB_BUCKETS * shift as usize + (nanos >> shift) as usize
}

/// The shortest duration of a bucket, and how many nanoseconds wide it is.
fn bounds(bucket: usize) -> (u64, u64) {
    let shift = (bucket / SUB_BUCKETS).saturating_sub(1);
    let shifted = bucket - SUB_BUCKETS * shift;
    ((shifted as u64) << shift, 1 << shift)
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

/// A summary, not the 496 counts.
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
