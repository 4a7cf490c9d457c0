//! Proves the machines claim by claim, and prints a line for each.
//!
//! `selvedge-proofs [--jobs N] [WORD]`: only the claim WORD, or those that have WORD in their name.

/// The events of one machine, as its exhaustive search has them. Their numbers are of no interest here.
macro_rules! events {
    ($($event:ident $(($of:ident: $number:ty))?,)*) => {
        #[derive(Debug, Clone, Copy)]
        pub enum Event {
            $($event,)*
        }

        impl Event {
            const NUMBER: usize = [$(Self::$event,)*].len();

            /// Whether each event is a step of this machine, and each of its steps such an event.
            pub const fn are_the_steps_of<W: $crate::induction::World<Event = Self>>() -> bool {
                let mut found = [false; Self::NUMBER];
                let mut lists = W::STEPS;
                while let [first, others @ ..] = lists {
                    lists = others;
                    let mut steps = *first;
                    while let [step, others @ ..] = steps {
                        steps = others;
                        let mut events = step.events;
                        if events.is_empty() {
                            return false;
                        }
                        while let [event, others @ ..] = events {
                            events = others;
                            found[*event as usize] = true;
                        }
                    }
                }
                let mut at = 0;
                while at < Self::NUMBER && found[at] {
                    at += 1;
                }
                at == Self::NUMBER
            }
        }
    };
}

mod claim;
#[path = "../../src/machine/explore/events/mod.rs"]
mod events;
mod explore;
mod gather;
mod inbox;
mod induction;
mod item_queue;
mod job_queue;
mod machine;
mod oneshot;
mod pool;
mod radix_map;
mod rank;
mod semaphore;
mod sleepers;
mod slot_table;
mod solver;
mod symbol;
mod ticket;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::claim::{Change, Claim};
use crate::explore::{Refuted, explore};
use crate::solver::Solver;

fn main() -> ExitCode {
    let (jobs, word) = arguments();
    if let Err(error) = Solver::start() {
        eprintln!("Z3 cannot be started ({error}): `proofs/prove` installs it, or `apt-get install z3` does");
        return ExitCode::from(2);
    }
    let begun = Instant::now();
    let totals = Totals::default();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| prove_claims(&word, &next, &totals));
        }
    });
    totals.print(begun.elapsed());
    if totals.refuted.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn arguments() -> (usize, String) {
    let mut jobs = thread::available_parallelism().map_or(1, usize::from);
    let mut word = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--jobs" {
            jobs = arguments.next().and_then(|jobs| jobs.parse().ok()).unwrap_or(jobs);
        } else {
            word = argument;
        }
    }
    (jobs, word)
}

/// All claims about all machines.
fn claims() -> Vec<Claim> {
    [
        induction::claims::<pool::World>(),
        induction::claims::<inbox::World>(),
        induction::claims::<item_queue::World>(),
        induction::claims::<job_queue::World>(),
        induction::claims::<oneshot::World>(),
        induction::claims::<gather::World>(),
        induction::claims::<semaphore::State>(),
        induction::claims::<ticket::World>(),
        radix_map::claims(),
        sleepers::claims(),
        slot_table::claims(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Takes one claim after the other, until none is left. Each thread has its terms and its solver to itself.
fn prove_claims(word: &str, next: &AtomicUsize, totals: &Totals) {
    let all = claims();
    let is_a_name = all.iter().any(|claim| claim.title() == word);
    let is_chosen = |claim: &&Claim| if is_a_name { claim.title() == word } else { claim.title().contains(word) };
    let chosen: Vec<_> = all.iter().filter(is_chosen).collect();
    let mut solver = Solver::start().expect("it was started before");
    while let Some(claim) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
        let begun = Instant::now();
        let (returned, explored, outcome) = explore(solver, &claim.program);
        solver = returned;
        totals.claims.fetch_add(1, Ordering::Relaxed);
        totals.paths.fetch_add(explored.paths, Ordering::Relaxed);
        totals.checks.fetch_add(explored.checks, Ordering::Relaxed);
        let name = claim.title();
        let seconds = begun.elapsed().as_secs_f64();
        let mut line = format!("{name:<60} {:>6} paths {:>7} checks {seconds:>6.1} s", explored.paths, explored.checks);
        if let Err(refuted) = outcome {
            totals.refuted.store(true, Ordering::Relaxed);
            line += &describe(&refuted);
        }
        println!("{line}");
    }
}

#[derive(Default)]
struct Totals {
    claims: AtomicU64,
    paths: AtomicU64,
    checks: AtomicU64,
    refuted: AtomicBool,
}

impl Totals {
    fn print(&self, took: Duration) {
        let [claims, paths, checks] =
            [&self.claims, &self.paths, &self.checks].map(|total| total.load(Ordering::Relaxed));
        let verdict = if self.refuted.load(Ordering::Relaxed) { "REFUTED" } else { "proved" };
        println!("{verdict}: {claims} claims, {paths} paths, {checks} checks, {:.0} s", took.as_secs_f64());
    }
}

/// What does not hold, and the state and the step with which it does not.
fn describe(refuted: &Refuted<Change>) -> String {
    let mut text = String::new();
    for name in &refuted.failed {
        text += &format!("\n    does not hold: {name}");
    }
    for what in &refuted.chosen {
        text += &format!("\n    where {what}");
    }
    let before = refuted.result.before.describe(&refuted.model);
    let after = refuted.result.after.describe(&refuted.model);
    for ((name, before), (_, after)) in before.into_iter().zip(after) {
        let change = if before == after { before } else { format!("{before} -> {after}") };
        if change != "0" {
            text += &format!("\n        {name:<42} {change}");
        }
    }
    text
}
