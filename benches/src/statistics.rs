//! What a sample of rounds says: a median and a range around it.

/// A median, and the bounds of a range that it lies in.
#[derive(Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

/// Samples that are drawn, with replacement, from the one that was measured.
const RESAMPLES: usize = 2000;

impl Spread {
    /// The median between the quartiles: where half of the sample lies.
    pub fn quartiles(mut sample: Vec<f64>) -> Spread {
        sample.sort_by(f64::total_cmp);
        Spread { low: quantile(&sample, 0.25), median: quantile(&sample, 0.5), high: quantile(&sample, 0.75) }
    }

    /// The median and its 95 % confidence interval, by the percentile bootstrap.
    pub fn confidence(mut sample: Vec<f64>) -> Spread {
        sample.sort_by(f64::total_cmp);
        let mut drawn = vec![0.0; sample.len()];
        let mut medians: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                drawn.fill_with(|| sample[fastrand::usize(..sample.len())]);
                drawn.sort_by(f64::total_cmp);
                quantile(&drawn, 0.5)
            })
            .collect();
        medians.sort_by(f64::total_cmp);
        let median = quantile(&sample, 0.5);
        Spread { low: quantile(&medians, 0.025), median, high: quantile(&medians, 0.975) }
    }

    /// The width of the range, as a part of the median.
    pub fn width(self) -> f64 {
        (self.high - self.low) / self.median
    }
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}
