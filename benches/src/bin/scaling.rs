//! Computes what inbox and pool would do with up to 64 cores, from what `holds` measured on two, and draws it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use selvedge_benches::curves::{self, Curve, Line};
use selvedge_benches::scaling::costs::{Costs, figure};
use selvedge_benches::scaling::{inbox, pool};
use selvedge_benches::table::{figure as rounded, table};

/// Simulates posters, callers, submitters and workers with a core for each; first it is checked against two cores.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// What `holds` has written [default: benches/results/holds.txt]
    #[arg(long, value_name = "FILE")]
    holds: Option<PathBuf>,

    /// Operations of each simulation
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1000..))]
    operations: u32,

    /// Decides by how much each duration varies
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where to draw the curves, as an SVG
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const THREADS: [usize; 9] = [1, 2, 4, 8, 12, 16, 24, 32, 64];

/// One of the two shells, or the next design, with so many threads. Returns nanoseconds for each operation.
type Simulated<'a> = Box<dyn Fn(usize) -> f64 + 'a>;

/// Curves that are drawn in one panel.
type Panel<'a> = (&'static str, &'static str, Vec<(&'static str, Simulated<'a>)>);

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let file = options.holds.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("results/holds.txt"));
    let holds = fs::read_to_string(file)?;
    let simulation =
        Simulation { costs: Costs::measured(&holds), operations: options.operations as usize, seed: options.seed };
    println!("{:#?}\n\n{}\n", simulation.costs, simulation.check(&holds));
    let drawn: Vec<Curve> = simulation.panels().into_iter().map(curve).collect();
    for panel in &drawn {
        println!("{}\n", figures(panel));
    }
    if let Some(out) = options.out {
        curves::draw(&out, &drawn)?;
    }
    Ok(())
}

struct Simulation {
    costs: Costs,
    operations: usize,
    seed: u64,
}

impl Simulation {
    fn posts(&self, posters: usize, between: f64) -> inbox::Plan {
        inbox::Plan { posters, has_loop: true, answers: false, between, operations: self.operations, seed: self.seed }
    }

    fn jobs(&self, submitters: usize, workers: usize, job: f64) -> pool::Plan {
        pool::Plan {
            submitters,
            workers,
            first_is_here: false,
            job,
            between: 0.0,
            operations: self.operations,
            seed: self.seed,
        }
    }

    fn inbox(&self, plan: inbox::Plan) -> f64 {
        inbox::run(self.costs, plan).each()
    }

    fn pool(&self, plan: pool::Plan) -> f64 {
        pool::run(self.costs, plan).each()
    }

    fn claimers(&self, threads: usize, work: f64) -> f64 {
        pool::run_claimers(self.costs, threads, work, self.operations, self.seed).each()
    }

    /// What two cores did, which is not among the simulation's inputs, beside what it says of them.
    fn check(&self, holds: &str) -> String {
        let lockers = Costs { post: self.costs.lock, post_moved: 0.0, ..self.costs };
        let bare = inbox::Plan { has_loop: false, ..self.posts(2, 0.0) };
        let predicted = [
            ("2 threads, one lock", inbox::run(lockers, bare).each()),
            ("2 posters", self.inbox(bare)),
            ("1 poster and the loop", self.inbox(self.posts(1, 0.0))),
            ("1 blocking caller and the loop", self.inbox(inbox::Plan { answers: true, ..self.posts(1, 0.0) })),
            ("2 submitters", self.pool(self.jobs(2, 0, 0.0))),
            ("1 submitter, 1 worker", self.pool(self.jobs(1, 1, 0.0))),
            ("2 workers", self.pool(pool::Plan { first_is_here: true, ..self.jobs(0, 2, 0.0) })),
        ];
        let mut rows = table(["predicted, ns each", "measured", "predicted / measured"].map(str::to_owned).into_iter());
        for (name, predicted) in predicted {
            let measured = figure(holds, &format!("check: {name}"));
            rows.add_row([
                name.to_owned(),
                rounded(predicted),
                rounded(measured),
                format!("{:.2}", predicted / measured),
            ]);
        }
        rows.to_string()
    }

    fn panels(&self) -> Vec<Panel<'_>> {
        let posters = |between| -> Simulated<'_> { Box::new(move |n| self.inbox(self.posts(n, between))) };
        let workers = |job| -> Simulated<'_> { Box::new(move |n| self.pool(self.jobs(1, n, job))) };
        let submitters = |workers| -> Simulated<'_> { Box::new(move |n| self.pool(self.jobs(n, workers, 0.0))) };
        // Each poster has a queue of its own, whose lock is on its own core; what all share is the counter. The loop
        // runs one call after the other.
        let sharded_posts = |between| -> Simulated<'_> {
            Box::new(move |n| self.claimers(n, self.costs.post + between).max(self.costs.run + self.costs.lock))
        };
        // A worker claims a number, and fetches the job's slot and its lock from where it was submitted.
        let claimed_jobs = |job| -> Simulated<'_> {
            Box::new(move |n| self.claimers(n, self.costs.job + 2.0 * self.costs.transfer + job))
        };
        vec![
            (
                "Posts to one loop",
                "posters",
                vec![
                    ("a post after the other", posters(0.0)),
                    ("1 µs between posts", posters(1000.0)),
                    ("10 µs between posts", posters(10_000.0)),
                    ("next design", sharded_posts(0.0)),
                    ("next, 1 µs between", sharded_posts(1000.0)),
                ],
            ),
            (
                "Blocking calls to one loop",
                "callers",
                vec![(
                    "a call after the other",
                    Box::new(|n| self.inbox(inbox::Plan { answers: true, ..self.posts(n, 0.0) })),
                )],
            ),
            (
                "Jobs from one submitter",
                "workers",
                vec![
                    ("empty jobs", workers(0.0)),
                    ("1 µs jobs", workers(1000.0)),
                    ("10 µs jobs", workers(10_000.0)),
                    ("next, empty jobs", claimed_jobs(0.0)),
                    ("next, 1 µs jobs", claimed_jobs(1000.0)),
                ],
            ),
            (
                "Empty jobs from several",
                "submitters",
                vec![("1 worker", submitters(1)), ("8 workers", submitters(8)), ("32 workers", submitters(32))],
            ),
        ]
    }
}

fn curve((title, of, lines): Panel) -> Curve {
    let lines = lines.into_iter().map(|(name, simulated)| Line {
        name: name.to_owned(),
        points: THREADS.iter().map(|&threads| (threads as f64, simulated(threads))).collect(),
    });
    Curve { title: title.to_owned(), of: of.to_owned(), lines: lines.collect() }
}

/// A row for each line: what each count of threads takes, and from which on more threads help no more.
fn figures(curve: &Curve) -> String {
    let counts = THREADS.iter().map(|threads| format!("{threads}"));
    let mut rows = table(counts.chain(["full at".to_owned()]));
    for line in &curve.lines {
        let cells = line.points.iter().map(|point| rounded(point.1));
        rows.add_row([line.name.to_owned()].into_iter().chain(cells).chain([full_at(line).to_string()]));
    }
    format!("{}, by {}, ns each\n\n{rows}", curve.title, curve.of)
}

/// The fewest threads that do nine tenths of the most that any number of them does in the same time.
fn full_at(line: &Line) -> f64 {
    let least = line.points.iter().map(|point| point.1).fold(f64::MAX, f64::min);
    line.points.iter().find(|point| point.1 * 0.9 <= least).map_or(1.0, |point| point.0)
}
