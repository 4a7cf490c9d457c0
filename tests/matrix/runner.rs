//! Runs all cells in child processes. One that hangs is killed, one that aborts is replaced, and the rest goes on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, fmt::Write as _, panic, process, thread};

use selvedge::error::Panic;

use super::cell;
use super::outcomes::{Cell, Outcome, product};

/// Set for a child: the numbers of the cells that it is to run.
const CELLS: &str = "SELVEDGE_MATRIX_CELLS";
/// Set by whoever wants other cells than the default: words that the name of a cell must contain, one of them at least.
const ONLY: &str = "SELVEDGE_MATRIX_ONLY";
/// A cell without news for this time hangs. The slowest needs a thousandth of it on a quiet machine.
const WATCHDOG: Duration = Duration::from_secs(600);
/// Set to other seconds by whoever looks for cells that hang.
const IMPATIENT: &str = "SELVEDGE_MATRIX_WATCHDOG";
/// What a child writes before its news.
const MARK: &str = "\u{1}cell ";
/// How many children run at a time.
const CHILDREN: usize = 2;

// Checks: P95
#[test]
fn every_cell_has_the_outcome_that_is_stated() {
    let all: Vec<Cell> = product().collect();
    let only = env::var(ONLY).ok();
    let is_chosen = |cell: &Cell| only.as_ref().is_none_or(|only| cell.name().contains(only.as_str()));
    let mut chosen: Vec<usize> =
        (0..all.len()).filter(|&n| all[n].not_applicable().is_none() && is_chosen(&all[n])).collect();
    // A cell that lasts for ever leaves threads behind, so it comes after the others.
    chosen.sort_by_key(|&n| all[n].lasts());
    let (mut parts, mut problems) = (vec![Vec::new(); CHILDREN], String::new());
    let all = &all;
    chosen.iter().enumerate().for_each(|(at, &n)| parts[at % CHILDREN].push(n));
    thread::scope(|scope| {
        let runs: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || run_in_children(all, part))).collect();
        for (n, problem) in runs.into_iter().flat_map(|run| run.join().unwrap()) {
            writeln!(problems, "{}: {problem}", all[n].name()).unwrap();
        }
    });
    println!("{}", summary(all));
    assert!(problems.is_empty(), "{} cells are not as stated:\n{problems}", problems.lines().count());
}

/// How many sites, behaviours and cells there are, and what comes of them.
pub fn summary(all: &[Cell]) -> String {
    let mut counts = BTreeMap::new();
    all.iter().for_each(|cell| *counts.entry(cell.outcome()).or_insert(0_usize) += 1);
    let count = |outcome| counts.get(&outcome).copied().unwrap_or_default();
    let behaviours = super::behaviours::Behaviour::all().count();
    format!(
        "{} sites × {behaviours} behaviours = {} cells: {} done, {} contained, {} told, {} refused, {} bounded, {} not \
         applicable",
        all.len() / behaviours,
        all.len(),
        count(Outcome::Done),
        count(Outcome::Contained),
        count(Outcome::Told),
        count(Outcome::Refused),
        count(Outcome::Bounded),
        count(Outcome::NotApplicable),
    )
}

/// Runs cells in one child after the other, until all have run. Returns the numbers of those that are wrong, and why.
fn run_in_children(all: &[Cell], mut left: Vec<usize>) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut note = |n: usize, problem: String| {
        eprintln!("{}: {problem}", all[n].name());
        wrong.push((n, problem));
    };
    let impatient = env::var(IMPATIENT).ok().and_then(|seconds| seconds.parse().ok());
    let watchdog = impatient.map_or(WATCHDOG, Duration::from_secs);
    while !left.is_empty() {
        let (mut child, news) = start(&left);
        loop {
            match news.recv_timeout(watchdog) {
                Ok((n, problem)) => {
                    left.retain(|&other| other != n);
                    problem.into_iter().for_each(|problem| note(n, problem));
                }
                Err(RecvTimeoutError::Timeout) => {
                    note(left.remove(0), "it hangs".to_owned());
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = child.wait().unwrap();
                    if !left.is_empty() {
                        note(left.remove(0), format!("the process has ended: {ended}"));
                    }
                    break;
                }
            }
        }
        drop(child.kill());
        drop(child.wait());
    }
    wrong
}

/// A child for these cells, and its news: the number of each cell that has run, and what is wrong with it.
fn start(cells: &[usize]) -> (Child, Receiver<(usize, Option<String>)>) {
    let cells = cells.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "runner::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CELLS, cells)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let Some((_, news)) = line.split_once(MARK) else { continue };
            let (n, problem) = news.split_once(' ').unwrap_or((news, ""));
            let problem = (!problem.is_empty()).then(|| problem.to_owned());
            if tell.send((n.parse().unwrap(), problem)).is_err() {
                return;
            }
        }
    });
    (child, told)
}

// Checks: P95
#[test]
#[ignore = "run by the test above, in a process of its own"]
fn child() {
    let Ok(cells) = env::var(CELLS) else { return };
    panic::set_hook(Box::new(|_| ()));
    let all: Vec<Cell> = product().collect();
    for n in cells.split(',').map(|n| n.parse::<usize>().unwrap()) {
        let problem = panic::catch_unwind(|| cell::run(all[n]));
        let problem = problem.unwrap_or_else(|panic| Err(format!("the watcher panicked: {:?}", Panic::new(panic))));
        let problem = problem.err().unwrap_or_default();
        println!("\n{MARK}{n} {}", problem.replace('\n', " "));
    }
    // Not by returning: threads that never end would be waited for by nobody, but destructors might meet them.
    process::exit(0);
}
