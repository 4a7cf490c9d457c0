//! Interleaved rounds, and what is said of them: medians, quartiles, and ratios taken round by round.

use std::time::Duration;

use crate::neighbour::Neighbours;
use crate::payload::Mix;

/// One way of doing the work that a comparison is about.
pub struct Contender {
    pub name: &'static str,
    round: Round,
}

/// Sets itself up, does so many operations, and takes itself down.
enum Round {
    /// Says how long the operations took: each has its share in that.
    Shared(fn(Setting, u64) -> Duration),
    /// Says what the comparison is about, in its own unit.
    Whole(fn(Setting, u64) -> f64),
}

impl Contender {
    pub const fn new(name: &'static str, round: fn(Setting, u64) -> Duration) -> Contender {
        Contender { name, round: Round::Shared(round) }
    }

    pub const fn whole(name: &'static str, round: fn(Setting, u64) -> f64) -> Contender {
        Contender { name, round: Round::Whole(round) }
    }

    fn run(&self, setting: Setting, operations: u64) -> f64 {
        match self.round {
            Round::Shared(round) => round(setting, operations).as_secs_f64() * 1e9 / operations as f64,
            Round::Whole(round) => round(setting, operations),
        }
    }
}

/// What a comparison asks of its contenders, besides a number of operations.
#[derive(Clone, Copy)]
pub struct Setting {
    /// How many posters, or how many workers.
    pub threads: usize,
    /// How many threads give work to those.
    pub submitters: usize,
    pub mix: Mix,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting { threads: 1, submitters: 1, mix: Mix::Mixed }
    }
}

/// Contenders for the same work. The first is selvedge, whom the ratios are against.
pub struct Comparison {
    pub title: String,
    pub setting: Setting,
    pub operations: u64,
    pub unit: Unit,
    /// Threads beside it that never sleep.
    pub neighbours: usize,
    pub contenders: &'static [Contender],
}

/// What a number of a comparison is.
#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    /// Nanoseconds for each operation.
    Each,
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes for each operation.
    Bytes,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Each => "ns each",
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes each",
        }
    }
}

/// What came of a comparison.
pub struct Standings {
    pub title: String,
    pub unit: Unit,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub name: &'static str,
    pub value: Spread,
    /// How many times selvedge's value this one had, in the same round: above 1 is slower, or larger, than selvedge.
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
    /// One that is set as most are.
    pub fn new(title: impl Into<String>, operations: u64, contenders: &'static [Contender]) -> Comparison {
        let (setting, unit) = (Setting::default(), Unit::Each);
        Comparison { title: title.into(), setting, operations, unit, neighbours: 0, contenders }
    }

    /// The same beside so many busy threads.
    pub fn beside(mut self, neighbours: usize) -> Comparison {
        if neighbours > 0 {
            self.title += ", a busy neighbour";
        }
        Comparison { neighbours, ..self }
    }

    /// How many times `measure` will report progress.
    pub fn rounds(&self, rounds: u32) -> u64 {
        u64::from(rounds + 1) * self.contenders.len() as u64
    }

    /// Every round runs every contender once, in an order of its own: whatever the machine is doing at the time happens to
    /// all of them, and no contender always inherits the caches of the same other. The first round only warms up.
    pub fn measure(&self, rounds: u32, shrink: u64, mut progress: impl FnMut()) -> Standings {
        let operations = (self.operations / shrink).max(1);
        let _neighbours = Neighbours::start(self.neighbours);
        let mut order: Vec<usize> = (0..self.contenders.len()).collect();
        let mut samples = vec![Vec::new(); self.contenders.len()];
        for round in 0..=rounds {
            fastrand::shuffle(&mut order);
            for &contender in &order {
                let sample = self.contenders[contender].run(self.setting, operations);
                if round > 0 {
                    samples[contender].push(sample);
                }
                progress();
            }
        }
        let rows = self.contenders.iter().zip(&samples).map(|(contender, own)| Row {
            name: contender.name,
            value: Spread::of(own.clone()),
            // Each round's own ratio, then their median. The ratio of the medians would set a quiet round of one contender
            // against a noisy round of the other.
            ratio: Spread::of(own.iter().zip(&samples[0]).map(|(own, selvedge)| own / selvedge).collect()),
        });
        Standings { title: self.title.clone(), unit: self.unit, rows: rows.collect() }
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
