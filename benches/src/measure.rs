//! Interleaved rounds, and their statistics: medians, quartiles, and ratios taken round by round.

use std::time::Duration;

use crate::neighbour::Neighbours;
use crate::payload::Mix;

/// One way to do the work of a comparison.
pub struct Contender {
    pub name: &'static str,
    round: Round,
}

/// Sets itself up, performs a number of operations, and cleans up.
enum Round {
    /// Returns the time of all operations, to be divided by their number.
    Time(fn(Setting, u64) -> Duration),
    /// Returns the measured value itself, in the comparison's unit.
    Value(fn(Setting, u64) -> f64),
}

impl Contender {
    pub const fn new(name: &'static str, round: fn(Setting, u64) -> Duration) -> Contender {
        Contender { name, round: Round::Time(round) }
    }

    pub const fn value(name: &'static str, round: fn(Setting, u64) -> f64) -> Contender {
        Contender { name, round: Round::Value(round) }
    }

    fn run(&self, setting: Setting, operations: u64) -> f64 {
        match self.round {
            Round::Time(round) => round(setting, operations).as_secs_f64() * 1e9 / operations as f64,
            Round::Value(round) => round(setting, operations),
        }
    }
}

/// Parameters of a comparison, besides the number of operations.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Number of posters, or of workers.
    pub threads: usize,
    /// Number of threads that submit jobs to the workers.
    pub submitters: usize,
    pub mix: Mix,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting { threads: 1, submitters: 1, mix: Mix::Mixed }
    }
}

/// Contenders for the same work. The first is selvedge, to which the ratios are taken.
pub struct Comparison {
    pub title: String,
    pub setting: Setting,
    pub operations: u64,
    pub unit: Unit,
    /// Number of busy threads beside it.
    pub neighbours: usize,
    pub contenders: &'static [Contender],
}

/// The unit of a comparison's values.
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

/// The results of a comparison.
pub struct Results {
    pub title: String,
    pub unit: Unit,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub name: &'static str,
    pub value: Spread,
    /// This value divided by selvedge's in the same round: above 1 is slower, or larger, than selvedge.
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
    /// A comparison with the usual parameters.
    pub fn new(title: impl Into<String>, operations: u64, contenders: &'static [Contender]) -> Comparison {
        let (setting, unit) = (Setting::default(), Unit::Each);
        Comparison { title: title.into(), setting, operations, unit, neighbours: 0, contenders }
    }

    /// The same beside this many busy threads.
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

    /// Every round runs every contender once, in random order: a disturbance of the machine affects all of them, and no
    /// contender always runs after the same other, whose data are in the caches. The first round only warms up.
    pub fn measure(&self, rounds: u32, shrink: u64, mut progress: impl FnMut()) -> Results {
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
            // The median of the rounds' ratios. A ratio of medians could compare a quiet round of one contender with a
            // noisy round of the other.
            ratio: Spread::of(own.iter().zip(&samples[0]).map(|(own, selvedge)| own / selvedge).collect()),
        });
        Results { title: self.title.clone(), unit: self.unit, rows: rows.collect() }
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
