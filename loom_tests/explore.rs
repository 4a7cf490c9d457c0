//! The one place that runs a model: every interleaving, without a bound, with and without a chaos thread, counted.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use loom::thread;

use crate::ledger;

/// A model's disturber. loom's condvars never wake for no reason, and an operating system's do: an `if` in place of a `while`
/// passes every search without this thread.
#[derive(Clone, Copy)]
pub struct Chaos {
    at_work: bool,
}

impl Chaos {
    /// No disturbance: for programs that are explored once.
    pub fn none() -> Self {
        Self { at_work: false }
    }

    /// How many of something: a chaos thread may cost so much that the search with it is one of a smaller model, never a bounded one.
    pub fn fewer<N>(self, without: N, with: N) -> N {
        if self.at_work { with } else { without }
    }

    /// A part that has a thread of its own, unless there is a chaos thread: then it is played at once, by this one.
    pub fn aside<T: 'static>(self, part: impl FnOnce() -> T + 'static) -> Aside<T> {
        if self.at_work { Aside::Played(part()) } else { Aside::Thread(thread::spawn(part)) }
    }

    /// In the search that has a chaos thread, starts it. It wakes everybody once, at whatever moment from now on is worst; what
    /// went before is not raced again, so start it when somebody may sleep, and not sooner.
    pub fn shake<T: Send + 'static>(self, hold: impl FnOnce() -> T, wake: fn(&T)) -> Shaking<T> {
        Shaking(self.at_work.then(|| {
            let held = hold();
            thread::spawn(move || {
                wake(&held);
                held
            })
        }))
    }
}

/// A part of a model, played by a thread or over already.
#[must_use]
pub enum Aside<T> {
    Thread(thread::JoinHandle<T>),
    Played(T),
}

impl<T> Aside<T> {
    pub fn join(self) -> T {
        match self {
            Self::Thread(thread) => thread.join().unwrap(),
            Self::Played(result) => result,
        }
    }
}

/// A chaos thread at work; joined when this is dropped.
///
/// It hands back what it held, as all threads of a model do, to be dropped by the one that joins it: threads that drop their share of an `Arc` at
/// the same time are one more race, and a search many times larger, for nothing.
#[must_use]
pub struct Shaking<T>(Option<thread::JoinHandle<T>>);

impl<T> Drop for Shaking<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take()
            && !thread::panicking()
        {
            drop(thread.join());
        }
    }
}

/// Explores `model` to the end, both ways, and holds the two counts against the ledger.
///
/// The row is named after the test that the closure stands in: the compiler knows its path, so the two cannot drift apart.
pub fn explore<M>(model: M)
where
    M: Fn(Chaos) + Clone + Send + Sync + 'static,
{
    let name = test_name::<M>();
    let calm = search(&name, model.clone(), Chaos::none());
    let shaken = search(&name, model, Chaos { at_work: true });
    ledger::hold(&name, ledger::Counts { calm, shaken });
}

/// As [`explore`], without the chaos thread: for a model that is too large to be searched with one in every run. What a spurious wake does to
/// its shell is seen in the smaller models, and in the machine's own search.
pub fn explore_calm<M>(model: M)
where
    M: Fn(Chaos) + Clone + Send + Sync + 'static,
{
    let name = test_name::<M>();
    let calm = search(&name, model, Chaos::none());
    ledger::hold(&name, ledger::Counts { calm, shaken: 0 });
}

/// A litmus program: explored like a model, but with nothing to shake and no row in the ledger. Returns its iterations.
pub fn calibrate(program: impl Fn() + Send + Sync + 'static) -> usize {
    search("a litmus program", move |_| program(), Chaos::none())
}

/// An execution of a correct model here takes a few hundred branches. One that takes this many will not end.
const ENDLESS: usize = 5_000;

/// So many iterations are a line of `--nocapture`'s.
const SIGN_OF_LIFE: usize = 50_000;

/// Not `Builder::check` alone: it returns nothing, and reports a search that was cut short as a success.
fn search<M>(name: &str, model: M, chaos: Chaos) -> usize
where
    M: Fn(Chaos) + Send + Sync + 'static,
{
    refuse_a_weaker_search();
    let iterations = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&iterations);
    let begun = Instant::now();

    // `new` reads the environment: what is set here is all that bounds a search.
    let mut builder = loom::model::Builder::new();
    builder.max_threads = loom::MAX_THREADS;
    builder.max_branches = ENDLESS;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.expect_explicit_explore = false;
    builder.check(move || {
        let before = counted.fetch_add(1, Ordering::Relaxed);
        if before > 0 && before.is_multiple_of(SIGN_OF_LIFE) {
            println!("… {before} iterations, {:.0} s", begun.elapsed().as_secs_f64());
        }
        model(chaos);
    });

    let iterations = iterations.load(Ordering::Relaxed);
    let shaken = if chaos.at_work { "with chaos" } else { "calm" };
    println!("{name}, {shaken}: {iterations} iterations, {:.1} s", begun.elapsed().as_secs_f64());
    iterations
}

/// Variables of loom's that only make it say more. Every other one cuts the search short, and it would still report success.
const HARMLESS: [&str; 2] = ["LOOM_LOG", "LOOM_LOCATION"];

fn refuse_a_weaker_search() {
    for (variable, _) in env::vars_os() {
        let variable = variable.to_string_lossy();
        assert!(
            !variable.starts_with("LOOM_") || HARMLESS.contains(&&*variable),
            "{variable} is set: the search would be smaller than what it claims. Unset it."
        );
    }
}

fn test_name<M>() -> String {
    let path = std::any::type_name::<M>();
    let path = path.split_once("::").map_or(path, |(_, in_crate)| in_crate);
    path.replace("::{{closure}}", "")
}
