//! Measures what the critical sections of inbox and pool cost, and prints it; `scaling` reads what this writes.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use selvedge_benches::holds::MEASUREMENTS;
use selvedge_benches::statistics::Spread;

/// Measures locks, cache lines, wakes, and the critical sections of inbox and pool, on two cores.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Interleaved rounds
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Where to write the figures, as well as to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut samples = MEASUREMENTS.map(|_| Vec::new());
    // The first round only warms up.
    for round in 0..=options.rounds {
        for ((_, measure), sample) in MEASUREMENTS.iter().zip(&mut samples) {
            // On a thread of its own, whose core no other measurement has chosen.
            let value = std::thread::scope(|scope| scope.spawn(measure).join()).expect("it does not panic");
            if round > 0 {
                sample.push(value);
            }
        }
    }
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let mut page = format!(
        "# Nanoseconds each: the median of {} rounds, and between what half of them lie. Load average after: {load}\n",
        options.rounds
    );
    for ((name, _), sample) in MEASUREMENTS.iter().zip(samples) {
        let Spread { low, median, high } = Spread::quartiles(sample);
        writeln!(page, "{name} = {median:.1} ({low:.1} to {high:.1})")?;
    }
    print!("{page}");
    if let Some(file) = options.out {
        fs::write(file, page)?;
    }
    Ok(())
}
