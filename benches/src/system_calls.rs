//! System calls and context switches of operations, which `perf` counts in a process for each contender.
//!
//! A process does few of the operations, another three times as many: the difference is without what starts and ends
//! them. How often threads sleep depends on when they are scheduled, so these are medians of several pairs.

use std::env;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use comfy_table::Table;

use crate::measure::{Comparison, Contender};
use crate::payload::Mix;
use crate::state::State;
use crate::statistics::Spread;
use crate::table::table;
use crate::{dispatch, hosted, posting, round_trip, timers, waiting};

/// What is counted: system calls, futex calls among them, and switches of a thread.
const EVENTS: [&str; 3] = ["raw_syscalls:sys_enter", "syscalls:sys_enter_futex", "context-switches"];
const NAMES: [&str; 3] = ["system calls", "futex", "switches"];

pub const STATES: [State; 2] = [State::Quiet, State::Pinned];

/// Environment variable of the child: the plan, the contender, the state and the number of operations.
const CHILD: &str = "SELVEDGE_BENCHES_COUNTED";

/// Operations that are counted.
pub struct Plan {
    pub title: &'static str,
    comparison: Comparison,
    /// In the process that does few.
    few: u64,
    /// How many of them are one in the table; those that warm up included.
    one: f64,
}

pub fn plans() -> Vec<Plan> {
    let plan = |title, comparison, few, one| Plan { title, comparison, few, one };
    let mut timers = timers::at(100).into_iter();
    let (add, run) = (timers.next().expect("the first"), timers.next_back().expect("the last"));
    vec![
        plan("A call posted to a loop, one after the other", posting::comparison(Mix::Mixed, 1), 100_000, 1.0),
        plan("A call posted to a loop that sleeps, and its answer", hosted::comparisons().swap_remove(0), 2_000, 1.0),
        plan("From a loop to a worker and back", round_trip::defer(), 5_000, 1.0),
        plan("From a worker to a loop and back", round_trip::blocking(), 5_000, 1.0),
        // A tenth more warms up.
        plan("A job in a stream to 4 workers", dispatch::comparison(1, 4), 50_000, 1.0 / 1.1),
        plan("A burst of 100 jobs to 4 sleepers", dispatch::bursts().swap_remove(0), 2_000, 100.0),
        plan("A job that sleeps for 1 ms, to 10 workers", waiting::comparisons().swap_remove(0), 300, 1.0),
        plan("A timer added, while 100 wait", add, 10_000, 1.0),
        plan("A timer that has run, while 100 wait", run, 10_000, 1.0),
    ]
}

impl Plan {
    /// A row for each contender: what is counted in each state.
    pub fn table(&self, pairs: u32) -> Table {
        let mut table = table(STATES.iter().flat_map(|state| NAMES.map(|name| format!("{}: {name}", state.name()))));
        let contenders = self.comparison.contenders;
        let mut found = vec![[const { [const { Vec::new() }; EVENTS.len()] }; STATES.len()]; contenders.len()];
        // Interleaved, so that whatever disturbs the machine disturbs all.
        for _ in 0..pairs {
            for (contender, found) in contenders.iter().zip(&mut found) {
                for (&state, found) in STATES.iter().zip(found) {
                    let [few, many] = [self.few, 3 * self.few].map(|times| self.counted(contender, state, times));
                    for ((few, many), found) in few.into_iter().zip(many).zip(found) {
                        found.push((many - few) / (2 * self.few) as f64 * self.one);
                    }
                }
            }
        }
        for (contender, found) in contenders.iter().zip(found) {
            let cells = found.into_iter().flatten().map(|values| figure(Spread::quartiles(values).median));
            table.add_row([contender.name.to_owned()].into_iter().chain(cells));
        }
        table
    }

    /// The events of a process that does so many operations.
    fn counted(&self, contender: &Contender, state: State, times: u64) -> [f64; EVENTS.len()] {
        let program = env::current_exe().expect("this program has a path");
        let arguments = [self.title, contender.name, state.name(), &times.to_string()].join("\n");
        let mut perf = Command::new("perf");
        perf.args(["stat", "-x", ";", "-e", &EVENTS.join(",")]).arg(program).env(CHILD, arguments);
        let output = perf.stdout(Stdio::null()).output().expect("perf is installed");
        let lines = String::from_utf8_lossy(&output.stderr);
        EVENTS.map(|event| {
            let line = lines.lines().find(|line| line.contains(event));
            let count = line.and_then(|line| line.split(';').next()?.parse().ok());
            count.unwrap_or_else(|| panic!("perf counts no {event}, which only root may count: {lines}"))
        })
    }
}

/// In a child process: does the operations, and returns whether it was one.
pub fn run_if_child() -> bool {
    let Ok(arguments) = env::var(CHILD) else { return false };
    let arguments: Vec<_> = arguments.split('\n').collect();
    let [title, contender, state, times] = arguments[..] else { panic!("four lines") };
    let plan = plans().into_iter().find(|plan| plan.title == title).expect("a plan");
    let contender = plan.comparison.contenders.iter().find(|each| each.name == contender).expect("a contender");
    let state = State::value_variants().iter().find(|each| each.name() == state).expect("a state");
    let times = times.parse().expect("a number");
    state.during(|| contender.run(plan.comparison.setting, times));
    true
}

/// Two digits that are significant, and no more than three decimals: a count below zero is one of start and end that
/// differed.
fn figure(value: f64) -> String {
    match value.max(0.0) {
        value if value >= 10.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value if value >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}
