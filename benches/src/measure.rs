//! Interleaved rounds, and what is said of them: medians, quartiles, and ratios taken round by round.

use std::time::Duration;

use crate::payload::Mix;

/// One way of doing the work that a comparison is about.
pub struct Contender {
    pub name: &'static str,
    /// Sets itself up, does so many operations, takes itself down, and says how long the operations took.
    round: fn(Setting, u64) -> Duration,
}

impl Contender {
    pub const fn new(name: &'static str, round: fn(Setting, u64) -> Duration) -> Contender {
        Contender { name, round }
    }
}

/// What a comparison asks of its contenders, besides a number of operations.
#[derive(Clone, Copy)]
pub struct Setting {
    /// How many posters, or how many workers.
    pub threads: usize,
    pub mix: Mix,
}

/// Contenders for the same work. The first is selvedge, whom the ratios are against.
pub struct Comparison {
    pub title: String,
    pub setting: Setting,
    pub operations: u64,
    pub contenders: &'static [Contender],
}

/// What came of a comparison.
pub struct Standings {
    pub title: String,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub name: &'static str,
    pub nanoseconds: Spread,
    /// How many times selvedge's time this one took, in the same round: above 1 is slower than selvedge.
    pub ratio: Spread,
}

/// The three quartiles of a sample.
#[derive(Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Comparison {
    /// How many times `measure` will report progress.
    pub fn rounds(&self, rounds: u32) -> u64 {
        u64::from(rounds + 1) * self.contenders.len() as u64
    }

    /// Every round runs every contender once, in an order of its own: whatever the machine is doing at the time happens to
    /// all of them, and no contender always inherits the caches of the same other. The first round only warms up.
    pub fn measure(&self, rounds: u32, shrink: u64, mut progress: impl FnMut()) -> Standings {
        let operations = (self.operations / shrink).max(1);
        let mut order: Vec<usize> = (0..self.contenders.len()).collect();
        let mut samples = vec![Vec::new(); self.contenders.len()];
        for round in 0..=rounds {
            fastrand::shuffle(&mut order);
            for &contender in &order {
                let elapsed = (self.contenders[contender].round)(self.setting, operations);
                if round > 0 {
                    samples[contender].push(elapsed.as_secs_f64() * 1e9 / operations as f64);
                }
                progress();
            }
        }
        let rows = self.contenders.iter().zip(&samples).map(|(contender, nanoseconds)| Row {
            name: contender.name,
            nanoseconds: Spread::of(nanoseconds.clone()),
            // Each round's own ratio, then their median. The ratio of the medians would set a quiet round of one contender
            // against a noisy round of the other.
            ratio: Spread::of(nanoseconds.iter().zip(&samples[0]).map(|(own, selvedge)| own / selvedge).collect()),
        });
        Standings { title: self.title.clone(), rows: rows.collect() }
    }
}

impl Spread {
    fn of(mut sample: Vec<f64>) -> Spread {
        sample.sort_by(f64::total_cmp);
        let quantile = |q: f64| {
            let at = q * (sample.len() - 1) as f64;
            let (below, above) = (sample[at.floor() as usize], sample[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Spread { low: quantile(0.25), median: quantile(0.5), high: quantile(0.75) }
    }
}
