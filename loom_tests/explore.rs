//! Runs a model: every interleaving, without a bound, with and without a chaos thread, and counted.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use loom::thread;

use crate::{ledger, witness};

/// Whether this search has a chaos thread. loom's condvars never wake spuriously, and an operating system's do: an `if`
/// in place of a `while` passes every search without that thread.
#[derive(Clone, Copy)]
pub struct Chaos {
    enabled: bool,
}

impl Chaos {
    /// No chaos thread.
    pub fn none() -> Self {
        Self { enabled: false }
    }

    /// A smaller size with a chaos thread, where the full search would take too long. A smaller model is still searched
    /// without a bound.
    pub fn fewer<N>(self, without: N, with: N) -> N {
        if self.enabled { with } else { without }
    }

    /// Runs a part of the model on a thread of its own, or at once on this one if there is a chaos thread, which then
    /// takes its place.
    pub fn spawn<T: 'static>(self, part: impl FnOnce() -> T + 'static) -> Part<T> {
        if self.enabled { Part::Done(part()) } else { Part::Thread(thread::spawn(part)) }
    }

    /// Starts the chaos thread, in the search that has one. It wakes all sleeping threads once, and loom tries every
    /// moment from now on. Start it when a thread may sleep and not sooner, because that would only repeat
    /// interleavings.
    pub fn start<T: Send + 'static>(self, hold: impl FnOnce() -> T, wake: fn(&T)) -> ChaosThread<T> {
        ChaosThread(self.enabled.then(|| {
            let held = hold();
            thread::spawn(move || {
                wake(&held);
                held
            })
        }))
    }
}

/// A part of a model that runs on a thread, or has run already.
#[must_use]
pub enum Part<T> {
    Thread(thread::JoinHandle<T>),
    Done(T),
}

impl<T> Part<T> {
    pub fn join(self) -> T {
        match self {
            Self::Thread(thread) => thread.join().unwrap(),
            Self::Done(result) => result,
        }
    }
}

/// The chaos thread, if there is one; joined when this is dropped.
///
/// As all threads of a model, it returns what it held, to be dropped by the joining thread: threads that drop their
/// shares of an `Arc` at the same time are one more race, which makes the search many times larger and proves nothing.
#[must_use]
pub struct ChaosThread<T>(Option<thread::JoinHandle<T>>);

impl<T> Drop for ChaosThread<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take()
            && !thread::panicking()
        {
            drop(thread.join());
        }
    }
}

/// Explores `model` completely, without and with a chaos thread, and compares both counts with the ledger.
///
/// The row has the name of the test that contains the closure, as the compiler knows it. A search with a chaos thread
/// that the ledger knows as a [long](ledger::LONG) one is left to `.ci/long`; a model whose other search is long is
/// ignored as a test.
pub fn explore<M>(model: M)
where
    M: Fn(Chaos) + Clone + Send + Sync + 'static,
{
    let name = test_name::<M>();
    drop(witness::take());
    let calm = search(&name, model.clone(), Chaos::none());
    let reached = witness::take();
    let chaotic = match ledger::long_chaos(&name) {
        Some(known) if env::var_os("SELVEDGE_LONG_TESTS").is_none() => {
            println!("{name}, with chaos: {known} iterations are left to `.ci/long`");
            known
        }
        _ => search(&name, model, Chaos { enabled: true }),
    };
    ledger::check(&name, ledger::Counts { calm, chaotic }, reached);
}

/// As [`explore`], but only without the chaos thread, for a model that is too large with one. Spurious wakes of its
/// shell are explored in smaller models, and in the machine's exhaustive search.
pub fn explore_calm<M>(model: M)
where
    M: Fn(Chaos) + Clone + Send + Sync + 'static,
{
    let name = test_name::<M>();
    drop(witness::take());
    let calm = search(&name, model, Chaos::none());
    ledger::check(&name, ledger::Counts { calm, chaotic: 0 }, witness::take());
}

/// Explores a litmus test: as a model, but without a chaos thread and without a row in the ledger. Returns its
/// iterations.
pub fn litmus(program: impl Fn() + Send + Sync + 'static) -> usize {
    search("a litmus test", move |_| program(), Chaos::none())
}

/// An execution of a correct model takes a few hundred branches. One that takes this many does not end.
const MAX_BRANCHES: usize = 5_000;

/// Iterations between two lines of progress, which `--nocapture` shows.
const PROGRESS_INTERVAL: usize = 50_000;

/// Counts the iterations, because `Builder::check` reports a search that was cut short as a success.
fn search<M>(name: &str, model: M, chaos: Chaos) -> usize
where
    M: Fn(Chaos) + Send + Sync + 'static,
{
    refuse_variables_that_bound_the_search();
    let iterations = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&iterations);
    let begun = Instant::now();

    // `new` reads the environment. Nothing but what is set here bounds the search.
    let mut builder = loom::model::Builder::new();
    builder.max_threads = loom::MAX_THREADS;
    builder.max_branches = MAX_BRANCHES;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.expect_explicit_explore = false;
    builder.check(move || {
        let before = counted.fetch_add(1, Ordering::Relaxed);
        if before > 0 && before.is_multiple_of(PROGRESS_INTERVAL) {
            println!("… {before} iterations, {:.0} s", begun.elapsed().as_secs_f64());
        }
        model(chaos);
    });

    let iterations = iterations.load(Ordering::Relaxed);
    let kind = if chaos.enabled { "with chaos" } else { "calm" };
    println!("{name}, {kind}: {iterations} iterations, {:.1} s", begun.elapsed().as_secs_f64());
    iterations
}

/// Variables of loom's that only affect its output. Every other one makes the search smaller, and it would still report
/// success.
const HARMLESS: [&str; 2] = ["LOOM_LOG", "LOOM_LOCATION"];

fn refuse_variables_that_bound_the_search() {
    for (variable, _) in env::vars_os() {
        let variable = variable.to_string_lossy();
        assert!(
            !variable.starts_with("LOOM_") || HARMLESS.contains(&&*variable),
            "{variable} is set: the search would be smaller than it claims. Unset it."
        );
    }
}

fn test_name<M>() -> String {
    let path = std::any::type_name::<M>();
    let path = path.split_once("::").map_or(path, |(_, in_crate)| in_crate);
    path.replace("::{{closure}}", "")
}
