//! What it costs to be seen: calls and jobs of a reactor without hooks, with hooks that do nothing, watched for what is
//! stuck, and recorded. `--quick` is a smoke test.
//!
//! ```text
//! cargo run --release --bin observed
//! ```

#[path = "../../../examples/recorder/recorder/mod.rs"]
#[allow(dead_code, reason = "nothing is written here")]
mod recorder;

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use comfy_table::{CellAlignment, Table, presets};
use recorder::{Recorder, watched};
use selvedge::Reactor;
use selvedge::reactor::ReactorBuilder;

/// Nothing takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// A way to build the reactor.
type Seen = fn(ReactorBuilder) -> ReactorBuilder;

const WAYS: [(&str, Seen); 5] = [
    ("without hooks", |builder| builder),
    // How far two measurements of the same differ.
    ("without hooks, again", |builder| builder),
    ("hooks that do nothing", |builder| {
        builder.around_turns(|_, _| ()).configure_pool(|pool| pool.around_jobs(|_| ()))
    }),
    ("watched", |builder| watched(builder, LIMIT, |stuck| panic!("{stuck}")).expect("a thread can be started")),
    ("recorded", |builder| Recorder::new().record(builder)),
];

/// From the first post, of another thread, until the last call has run.
fn calls(builder: ReactorBuilder, calls: u32) -> Duration {
    let reactor = builder.build().expect("the sizes are right");
    let handle = reactor.handle();
    let poster = thread::spawn(move || {
        let begun = Instant::now();
        for n in 0..calls {
            handle
                .call_from_thread(move |_| {
                    std::hint::black_box(n);
                })
                .expect("it runs");
        }
        handle.stop();
        begun
    });
    reactor.run();
    let end = Instant::now();
    end - poster.join().expect("it does not panic")
}

/// From the first submission, by the reactor's thread, until the last job has run and the pool has ended.
fn jobs(builder: ReactorBuilder, jobs: u32) -> Duration {
    let reactor = builder.pool_size(2, 2).build().expect("the sizes are right");
    let begun = Instant::now();
    reactor.call_when_running(move |reactor| {
        for n in 0..jobs {
            reactor
                .call_in_thread(move || {
                    std::hint::black_box(n);
                })
                .expect("it runs");
        }
        reactor.stop().expect("once");
    });
    reactor.run();
    begun.elapsed()
}

fn main() {
    let quick = env::args().any(|argument| argument == "--quick");
    let (rounds, operations) = if quick { (1, 100) } else { (15, 50_000) };
    let mut times = vec![[Vec::new(), Vec::new()]; WAYS.len()];
    // Interleaved, so that whatever slows the machine down slows down all.
    for _ in 0..rounds {
        for ((_, seen), [of_calls, of_jobs]) in WAYS.iter().zip(&mut times) {
            of_calls.push(calls(seen(Reactor::builder()), operations));
            of_jobs.push(jobs(seen(Reactor::builder()), operations));
        }
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["", "a posted call, ns", "a job, ns"]);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    for ((name, _), measured) in WAYS.iter().zip(times) {
        let [call, job] = measured.map(|mut times| {
            times.sort_unstable();
            let median = times.get(times.len() / 2).copied().unwrap_or_default();
            format!("{:.0}", median.as_nanos() as f64 / f64::from(operations))
        });
        table.add_row([(*name).to_owned(), call, job]);
    }
    println!("{table}\n\nMedians of {rounds} rounds.");
}
