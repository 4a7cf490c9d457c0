//! Interleaved rounds of contenders and states of the machine, and ratios taken round by round.

use std::time::Duration;

use crate::payload::Mix;
use crate::state::State;
use crate::statistics::Spread;

/// One way to do the work of a comparison.
pub struct Contender {
    pub name: &'static str,
    round: Round,
    /// Whether it does the whole job, as selvedge does; if not, it shows what a part of it costs at least.
    is_peer: bool,
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
        Contender { name, round: Round::Time(round), is_peer: true }
    }

    pub const fn value(name: &'static str, round: fn(Setting, u64) -> f64) -> Contender {
        Contender { name, round: Round::Value(round), is_peer: true }
    }

    pub const fn no_peer(self) -> Contender {
        Contender { is_peer: false, ..self }
    }

    pub(crate) fn run(&self, setting: Setting, operations: u64) -> f64 {
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
    /// Number of others that wait meanwhile.
    pub waiting: u64,
    pub mix: Mix,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting { threads: 1, submitters: 1, waiting: 0, mix: Mix::Mixed }
    }
}

/// Contenders for the same work. The first is selvedge, to which the ratios are taken.
pub struct Comparison {
    pub title: String,
    pub setting: Setting,
    pub operations: u64,
    pub unit: Unit,
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
    pub states: Vec<InState>,
}

/// The results in one state of the machine.
pub struct InState {
    pub state: State,
    pub rounds: usize,
    pub rows: Vec<Row>,
    /// None where there is no peer.
    pub verdict: Option<Verdict>,
}

pub struct Row {
    pub name: &'static str,
    pub value: Spread,
    /// This value divided by selvedge's in the same round: above 1 is slower, or larger, than selvedge.
    pub ratio: f64,
}

/// selvedge beside the best peer.
#[derive(Clone, Copy)]
pub struct Verdict {
    pub peer: &'static str,
    /// The peer's value divided by selvedge's in the same round, with its confidence interval.
    pub ratio: Spread,
}

/// By the confidence interval alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Won,
    Level,
    Lost,
}

impl Verdict {
    pub fn outcome(self) -> Outcome {
        if self.ratio.low > 1.0 {
            Outcome::Won
        } else if self.ratio.high < 1.0 {
            Outcome::Lost
        } else {
            Outcome::Level
        }
    }
}

/// Rounds before anything is concluded, and the width of the interval at which a state needs no more.
const ROUNDS_AT_LEAST: u32 = 10;
const NARROW: f64 = 0.1;

impl Comparison {
    /// A comparison with the usual parameters.
    pub fn new(title: impl Into<String>, operations: u64, contenders: &'static [Contender]) -> Comparison {
        Comparison { title: title.into(), setting: Setting::default(), operations, unit: Unit::Each, contenders }
    }

    /// The states that make a difference to what is measured.
    fn states(&self, states: &[State]) -> Vec<State> {
        match self.unit {
            Unit::Bytes => states[..1].to_vec(),
            Unit::Each | Unit::Nanoseconds => states.to_vec(),
        }
    }

    /// How many times `measure` will report progress at most.
    pub fn rounds(&self, states: &[State], rounds: u32) -> u64 {
        self.states(states).len() as u64 * u64::from(rounds + 1)
    }

    /// Every round runs every contender once in each state, in random order: a disturbance of the machine affects all
    /// of them, and no contender always runs after the same other, whose data are in the caches. The first round only
    /// warms up. A state is done once its interval is narrow, or after `rounds`.
    pub fn measure(&self, states: &[State], rounds: u32, shrink: u64, mut progress: impl FnMut()) -> Results {
        let operations = (self.operations / shrink).max(1);
        let setting = Setting { waiting: self.setting.waiting / shrink, ..self.setting };
        let mut order: Vec<usize> = (0..self.contenders.len()).collect();
        let mut measured: Vec<_> =
            self.states(states).into_iter().map(|state| (state, vec![Vec::new(); order.len()])).collect();
        for round in 0..=rounds {
            for (state, samples) in &mut measured {
                progress();
                if round > ROUNDS_AT_LEAST && self.verdict(samples).is_none_or(|verdict| verdict.ratio.width() < NARROW)
                {
                    continue;
                }
                fastrand::shuffle(&mut order);
                state.during(|| {
                    for &contender in &order {
                        let sample = self.contenders[contender].run(setting, operations);
                        if round > 0 {
                            samples[contender].push(sample);
                        }
                    }
                });
            }
        }
        let states = measured.into_iter().map(|(state, samples)| InState {
            state,
            rounds: samples[0].len(),
            rows: self.rows(&samples),
            verdict: self.verdict(&samples),
        });
        Results { title: self.title.clone(), unit: self.unit, states: states.collect() }
    }

    fn rows(&self, samples: &[Vec<f64>]) -> Vec<Row> {
        let row = |(contender, own): (&Contender, &Vec<f64>)| Row {
            name: contender.name,
            value: Spread::quartiles(own.clone()),
            // The median of the rounds' ratios. A ratio of medians could compare a quiet round of one contender with a
            // noisy round of the other.
            ratio: Spread::quartiles(ratios(own, &samples[0])).median,
        };
        self.contenders.iter().zip(samples).map(row).collect()
    }

    /// The best peer is the one with the lowest median of ratios.
    fn verdict(&self, samples: &[Vec<f64>]) -> Option<Verdict> {
        let peers = self.contenders.iter().zip(samples).skip(1).filter(|(contender, _)| contender.is_peer);
        let compared = peers.map(|(peer, own)| (peer.name, ratios(own, &samples[0])));
        let median = |sample: &[f64]| Spread::quartiles(sample.to_vec()).median;
        let (peer, ratios) = compared.min_by(|(_, one), (_, other)| median(one).total_cmp(&median(other)))?;
        Some(Verdict { peer, ratio: Spread::confidence(ratios) })
    }
}

fn ratios(own: &[f64], selvedge: &[f64]) -> Vec<f64> {
    own.iter().zip(selvedge).map(|(own, selvedge)| own / selvedge).collect()
}
