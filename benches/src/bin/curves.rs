//! Draws what operations cost against what waits, and against posters, submitters, workers, timers and members.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use selvedge_benches::curves::{self, Curve};

/// Measures what operations cost at each count of something, beside their peers; draws it, and prints it.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Measure only curves with these words in their title
    #[arg(long, value_name = "WORDS", default_value = "")]
    title: String,

    /// Measure them at this count only
    #[arg(long, value_name = "COUNT")]
    at: Option<u64>,

    /// Interleaved rounds of each point
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Where the drawing and the figures are: what is measured takes the place of what was there [default:
    /// benches/results]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Of a page that is new. What is said there of the machine stays.
const HEADING: &str = "# What operations cost against how many there are\n";

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let results = || Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let directory = options.out.unwrap_or_else(results);
    let file = directory.join("curves.md");
    let page = fs::read_to_string(&file).unwrap_or_else(|_| HEADING.to_owned());
    let (before, mut known) = curves::read(&page).ok_or("this page was not written by this program")?;

    let mut drawn = Vec::new();
    for plan in curves::plans() {
        let mut curve = known.iter().position(|curve| curve.title == plan.title).map(|at| known.swap_remove(at));
        if plan.title.contains(&options.title) {
            let measured = plan.measure(options.rounds, options.at);
            println!("{}", measured.section());
            match &mut curve {
                Some(curve) => curve.update(&measured),
                None => curve = Some(measured),
            }
        }
        drawn.extend(curve);
    }
    let sections: String = drawn.iter().map(Curve::section).collect();
    fs::create_dir_all(&directory)?;
    fs::write(&file, format!("{before}{sections}"))?;
    curves::draw(&directory.join("curves.svg"), &drawn)
}
