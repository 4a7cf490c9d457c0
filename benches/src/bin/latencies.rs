//! Prints the worst cases of each operation beside its peers: a histogram's quantiles under a sustained load, and the
//! longest single operation at each depth.

use clap::Parser;
use selvedge_benches::latency::{self, Latencies};
use selvedge_benches::table::{figure, table};
use selvedge_benches::{deep, state::State};

/// Measures worst cases: quantiles of single operations under a sustained load, and the longest at each depth.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Measure only operations with these words in their title
    #[arg(long, value_name = "WORDS", default_value = "")]
    title: String,

    /// Operations of each contender
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(10..))]
    times: u64,

    /// Interleaved rounds, whose histograms are added up
    #[arg(long, default_value_t = 5)]
    rounds: u32,

    /// The largest depth, as a power of ten; 0 leaves the depths out
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(..=7))]
    depth: u32,

    /// The state of the machine
    #[arg(long, value_enum, default_value = "quiet")]
    state: State,
}

fn main() {
    let options = Options::parse();
    println!("# Worst cases of single operations\n\nNanoseconds, {}.", options.state.name());
    for operation in latency::OPERATIONS.iter().filter(|operation| operation.title.contains(&options.title)) {
        let mut all: Vec<_> = operation.contenders.iter().map(|_| Latencies::default()).collect();
        for _ in 0..options.rounds {
            for ((_, run), latencies) in operation.contenders.iter().zip(&mut all) {
                options.state.during(|| run(options.times, latencies));
            }
        }
        let mut rows = table(["p50", "p99", "p99.99", "longest"].map(str::to_owned).into_iter());
        for ((name, _), latencies) in operation.contenders.iter().zip(all) {
            let cells = latencies.summary().map(|nanoseconds| figure(nanoseconds as f64));
            rows.add_row([(*name).to_owned()].into_iter().chain(cells));
        }
        println!("\n## {}\n\n{rows}", operation.title);
    }
    let depths: Vec<usize> = (3..=options.depth).map(|power| 10_usize.pow(power)).collect();
    for operation in deep::OPERATIONS.iter().filter(|operation| operation.title.contains(&options.title)) {
        if depths.is_empty() {
            break;
        }
        let mut rows = table(depths.iter().map(|depth| figure(*depth as f64)));
        for (name, run) in operation.contenders {
            let cells = depths.iter().map(|depth| figure(f64::from(deep::longest(*depth, *run))));
            rows.add_row([(*name).to_owned()].into_iter().chain(cells));
        }
        println!("\n## The longest at a depth: {}\n\n{rows}", operation.title);
    }
}
