//! Measures selvedge beside its peers, interleaved in one run, and writes a table and a chart.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use selvedge_benches::measure::Comparison;
use selvedge_benches::state::State;
use selvedge_benches::{
    bytes, changes, dispatch, draw, files, floor, hosted, posting, promises, round_trip, table, tasks, timers, waiting,
};

/// Measures selvedge beside its peers, interleaved in one run: medians, and ratios with confidence intervals.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Measure this group only; may be given more than once
    #[arg(long, value_enum, value_name = "GROUP")]
    only: Vec<Group>,

    /// Measure only comparisons with these words in their title; may be given more than once
    #[arg(long, value_name = "WORDS")]
    title: Vec<String>,

    /// Rounds at most, after one to warm up: fewer where the interval is narrower than a tenth after ten
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// A smoke test: everything runs once or twice, and the numbers mean nothing
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,

    /// Measure in this state of the machine only; may be given more than once
    #[arg(long, value_enum, value_name = "STATE")]
    state: Vec<State>,

    /// Where to write the table and the chart [default: benches/results, for whole runs only]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Group {
    Posting,
    Dispatch,
    Bursts,
    Waiting,
    Resizes,
    Cancels,
    Bytes,
    Defer,
    Blocking,
    Promises,
    Timers,
    Tasks,
    Hosted,
    Files,
    Floor,
}

impl Group {
    fn comparisons(self) -> Vec<Comparison> {
        match self {
            Group::Posting => posting::comparisons(),
            Group::Dispatch => dispatch::dispatch(),
            Group::Bursts => dispatch::bursts(),
            Group::Waiting => waiting::comparisons(),
            Group::Resizes => changes::resizes(),
            Group::Cancels => changes::cancels(),
            // Other systems do not report resident memory in /proc.
            Group::Bytes => {
                if cfg!(target_os = "linux") {
                    bytes::comparisons()
                } else {
                    Vec::new()
                }
            }
            Group::Defer => vec![round_trip::defer()],
            Group::Blocking => vec![round_trip::blocking()],
            Group::Promises => promises::comparisons(),
            Group::Timers => timers::comparisons(),
            Group::Tasks => tasks::comparisons(),
            Group::Hosted => hosted::comparisons(),
            Group::Files => vec![files::comparison()],
            Group::Floor => vec![floor::comparison()],
        }
    }
}

impl Options {
    /// Results of whole runs only are written by default: a run of one group must not overwrite the published table
    /// with a part of it.
    fn destination(&self) -> Option<PathBuf> {
        let whole = self.only.is_empty() && self.title.is_empty() && self.state.is_empty() && !self.quick;
        let results = || Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        self.out.clone().or_else(|| whole.then(results))
    }

    fn states(&self) -> &[State] {
        if self.state.is_empty() { State::value_variants() } else { &self.state }
    }

    fn conditions(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
        format!(
            "{system} {processor}, {cores} cores{}, at most {} rounds; medians, halves of the rounds, and the median \
             of the ratio to selvedge. Verdicts are about the best peer's ratio and its 95 % interval.",
            load_before(),
            self.rounds
        )
    }
}

/// The load before this program started, where the system reports it: a table from a busy machine must not pass for one
/// from a quiet machine.
fn load_before() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ')
        .next()
        .filter(|load| !load.is_empty())
        .map_or_else(String::new, |load| format!(" (load average before: {load})"))
}

fn main() -> Result<(), Box<dyn Error>> {
    bytes::run_if_child();
    let mut options = Options::parse();
    if options.quick {
        options.rounds = 2;
    }
    let groups = if options.only.is_empty() { Group::value_variants() } else { &options.only };
    let mut comparisons: Vec<Comparison> = groups.iter().flat_map(|group| group.comparisons()).collect();
    comparisons.retain(|comparison| options.title.iter().all(|words| comparison.title.contains(words)));

    let conditions = options.conditions();
    let states = options.states();
    let progress = progress(comparisons.iter().map(|comparison| comparison.rounds(states, options.rounds)).sum());
    let results: Vec<_> = comparisons
        .iter()
        .map(|comparison| {
            progress.set_message(comparison.title.clone());
            let shrink = if options.quick { 100 } else { 1 };
            comparison.measure(states, options.rounds, shrink, || progress.inc(1))
        })
        .collect();
    progress.finish_and_clear();

    let table = table::markdown(&conditions, &results);
    println!("{table}");
    if let Some(directory) = options.destination() {
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("table.md"), &table)?;
        draw::chart(&directory.join("chart.svg"), &conditions, &results)?;
        eprintln!("written to {}", directory.display());
    }
    Ok(())
}

/// Drawn between rounds only: a bar that ticks by itself would load the machine.
fn progress(rounds: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("the template is a constant");
    ProgressBar::new(rounds).with_style(style)
}
