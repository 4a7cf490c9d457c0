//! Proves the machines step by step, and prints a line for each.

mod explore;
mod machine;
mod pool;
mod solver;
mod symbol;

use std::process::ExitCode;
use std::time::Instant;

use crate::explore::{Refuted, assume, explore, prove};
use crate::pool::{STEPS, Step, World, conjuncts};
use crate::solver::Solver;
use crate::symbol::Condition;

fn main() -> ExitCode {
    let only = std::env::args().nth(1).unwrap_or_default();
    let mut solver = match Solver::start() {
        Ok(solver) => solver,
        Err(error) => {
            eprintln!("Z3 cannot be started ({error}); `proofs/prove` installs it, or `apt-get install z3` does");
            return ExitCode::from(2);
        }
    };
    let mut failed = false;
    for step in STEPS.iter().filter(|step| step.name.contains(&only)) {
        let begun = Instant::now();
        let (back, explored, outcome) = explore(solver, || run(step));
        solver = back;
        println!(
            "{:<55} {:>6} paths {:>7} checks {:>6.1} s",
            step.name,
            explored.paths,
            explored.checks,
            begun.elapsed().as_secs_f64()
        );
        if let Err(refuted) = outcome {
            failed = true;
            print_refuted(&refuted);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Taken {
    before: World,
    after: World,
}

fn run(step: &Step) -> Option<Taken> {
    let before = World::any(!step.not_for_one, step.submits)?;
    let mut after = before.clone();
    assume(Condition::all(conjuncts(&before).into_iter().map(|(_, conjunct)| conjunct)))?;
    assume((step.enabled)(&before))?;
    (step.run)(&mut after)?;
    conjuncts(&after).into_iter().for_each(|(name, conjunct)| prove(name, conjunct));
    Some(Taken { before, after })
}

fn print_refuted(refuted: &Refuted<Taken>) {
    for name in &refuted.failed {
        println!("    does not hold: {name}");
    }
    for what in &refuted.chosen {
        println!("    where {what}");
    }
    let before = refuted.result.before.describe(&refuted.model);
    let after = refuted.result.after.describe(&refuted.model);
    for ((name, before), (_, after)) in before.into_iter().zip(after) {
        let change = if before == after { before } else { format!("{before} -> {after}") };
        if change != "0" {
            println!("        {name:<34} {change}");
        }
    }
}
