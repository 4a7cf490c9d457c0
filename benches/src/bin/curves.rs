//! Draws what operations cost against what waits, and against posters, submitters, workers, timers and members.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use selvedge_benches::curves::{self, Curve};
use selvedge_benches::table::{figure, table};

/// Measures what operations cost at each count of something, beside their peers; draws it, and prints it.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Measure only curves with these words in their title
    #[arg(long, value_name = "WORDS", default_value = "")]
    title: String,

    /// Interleaved rounds of each point
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Where to write the drawing and the figures [default: benches/results, for whole runs only]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let plans = curves::plans().into_iter().filter(|plan| plan.title.contains(&options.title));
    let measured: Vec<Curve> = plans
        .map(|plan| {
            eprintln!("{}", plan.title);
            plan.measure(options.rounds)
        })
        .collect();
    let page = markdown(&measured);
    println!("{page}");
    let results = || Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    if let Some(directory) = options.out.or_else(|| options.title.is_empty().then(results)) {
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("curves.md"), page)?;
        curves::draw(&directory.join("curves.svg"), &measured)?;
    }
    Ok(())
}

/// One table for each curve: one row for each contender, one column for each count.
fn markdown(measured: &[Curve]) -> String {
    let section = |curve: &Curve| {
        let counts = curve.lines.first().map_or(&[][..], |line| &line.points);
        let mut rows = table(counts.iter().map(|point| figure(point.0)));
        for line in &curve.lines {
            let cells = line.points.iter().map(|point| figure(point.1));
            rows.add_row([line.name.to_owned()].into_iter().chain(cells));
        }
        format!("\n## {}, by {}, ns each\n\n{rows}\n", curve.title, curve.of)
    };
    let sections: String = measured.iter().map(section).collect();
    format!("# What operations cost against how many there are\n{sections}")
}
