//! Explores schedules of the programs, and says which seed fails.
//!
//!     schedules [--seed N | --from N] [--seeds COUNT] [--program NAME]
//!
//! A seed is a program with its decisions and sixteen schedules. `--seed` runs one, and fails as it failed before.

use std::time::Instant;

use selvedge_schedules::explorer::{explore, program_of};
use selvedge_schedules::programs::PROGRAMS;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut from, mut count, mut program) = (0_u64, 1_000_u64, None);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| usage());
        let number = |text: String| text.parse().unwrap_or_else(|_| usage());
        match &*option {
            "--seed" => (from, count) = (number(value()), 1),
            "--from" => from = number(value()),
            "--seeds" => count = number(value()),
            "--program" => program = Some(value()),
            _ => usage(),
        }
    }
    if let Some(name) = &program
        && !PROGRAMS.iter().any(|(known, _)| known == name)
    {
        usage();
    }
    let chosen = move |seed: &u64| program.as_ref().is_none_or(|name| program_of(PROGRAMS, *seed).0 == name);
    let seeds = (from..).filter(chosen).take(count.try_into().unwrap_or(usize::MAX));
    let begun = Instant::now();
    match explore(PROGRAMS, seeds) {
        Ok(schedules) => println!("{schedules} schedules, {:.1} s: none fails", begun.elapsed().as_secs_f64()),
        Err(seed) => {
            println!("seed {seed} fails after {:.1} s", begun.elapsed().as_secs_f64());
            std::process::exit(1);
        }
    }
}

fn usage() -> ! {
    eprintln!("schedules [--seed N | --from N] [--seeds COUNT] [--program NAME]\nprograms:");
    for (name, _) in PROGRAMS {
        eprintln!("    {name}");
    }
    std::process::exit(2);
}
