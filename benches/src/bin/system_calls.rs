//! Prints the system calls and context switches of each operation, beside its peers. Needs `perf`, and root.
//!
//! ```text
//! cargo run --release --bin system_calls
//! ```

use clap::Parser;
use selvedge_benches::system_calls::{plans, run_if_child};

/// Counts the system calls, futex calls and context switches of each operation, quiet and on one core.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Count only operations with these words in their title
    #[arg(long, value_name = "WORDS", default_value = "")]
    title: String,

    /// Pairs of processes, of which the table has the medians
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
}

fn main() {
    if run_if_child() {
        return;
    }
    let options = Options::parse();
    for plan in plans().into_iter().filter(|plan| plan.title.contains(&options.title)) {
        println!("\n## {}\n\n{}", plan.title, plan.table(options.pairs));
    }
}
