//! `model`: explores what a program does in every order of its threads, up to a number of preemptions, and says what
//! happened where it fails.

use std::borrow::Cow;
use std::panic;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::sync::trace;
use crate::failure::Injected;

/// An execution of a model that ends takes a few hundred branches.
const MAX_BRANCHES: usize = 10_000;

/// Loom counts no more.
const MAX_PREEMPTIONS: usize = 255;

/// Explores a model with at most two preemptions: [`Model::new`], [`Model::check`].
///
/// # Panics
/// The model has failed.
pub fn model(program: impl Fn() + Send + Sync + 'static) {
    Model::new().check(program);
}

/// How far a model is explored.
///
/// A *preemption* is a switch away from a thread that could have gone on. Most bugs need one or two, and each one more
/// makes the search many times longer: README has sizes and times.
///
/// ```
/// use selvedge::loom::{Model, Reactor};
///
/// let executions = Model::new().preemptions(1).check(|| {
///     let reactor = Reactor::new();
///     let handle = reactor.handle();
///     loom::thread::spawn(move || handle.stop());
///     reactor.run();
/// });
/// assert!(executions > 1);
/// ```
#[derive(Debug, Clone)]
#[must_use = "it explores nothing until `check`"]
pub struct Model {
    preemptions: Option<usize>,
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl Model {
    /// Up to two preemptions in an execution.
    pub fn new() -> Self {
        Self { preemptions: Some(2) }
    }

    /// Up to so many preemptions; more than 255 are any number.
    pub fn preemptions(self, at_most: usize) -> Self {
        Self { preemptions: (at_most <= MAX_PREEMPTIONS).then_some(at_most) }
    }

    /// Any number of preemptions. For small models only: two threads and a few posts.
    pub fn exhaustive(self) -> Self {
        Self { preemptions: None }
    }

    /// Runs `program` in every order of its threads, first without preemptions, then with one, and so on, so that what
    /// fails has as few as possible. Returns the number of executions, and prints it.
    ///
    /// The program's threads, locks and atomics are loom's; it has at most four threads besides this one, workers of
    /// pools included. It must do the same whenever its threads run in the same order.
    ///
    /// Nothing but what is set here bounds the search: it takes no variable of the environment into account.
    ///
    /// # Panics
    /// An execution has panicked, or all its threads wait for each other. What has happened in it is printed, a line
    /// for each call that was posted or run, each job that was submitted or run, and each [`note`].
    pub fn check(self, program: impl Fn() + Send + Sync + 'static) -> usize {
        print_traces();
        let _trace = TraceGuard;
        let (program, executions) = (Arc::new(program), Arc::new(AtomicUsize::new(0)));
        let begun = Instant::now();
        let bounds = match self.preemptions {
            Some(at_most) => (0..=at_most).map(Some).collect::<Vec<_>>(),
            None => vec![Some(0), Some(1), Some(2), None],
        };
        for bound in bounds {
            let (program, executions) = (Arc::clone(&program), Arc::clone(&executions));
            let mut builder = loom::model::Builder::new();
            builder.max_threads = loom::MAX_THREADS;
            builder.max_branches = MAX_BRANCHES;
            builder.max_permutations = None;
            builder.max_duration = None;
            builder.preemption_bound = bound;
            builder.checkpoint_file = None;
            builder.expect_explicit_explore = false;
            builder.check(move || {
                executions.fetch_add(1, Ordering::Relaxed);
                trace::begin();
                program();
            });
        }
        let executions = executions.load(Ordering::Relaxed);
        println!("{executions} executions in {:.1} s", begun.elapsed().as_secs_f64());
        executions
    }
}

/// Ends the trace of the last execution, also of one that has failed and was not printed.
struct TraceGuard;

impl Drop for TraceGuard {
    fn drop(&mut self) {
        drop(trace::take());
    }
}

/// Adds a line to the trace of the model that runs, to be printed if it fails. Does nothing outside of one.
pub fn note(text: impl Into<Cow<'static, str>>) {
    trace::other("", || text.into());
}

/// From now on, a panic prints the trace of the model that it happens in. In a hook, because a model that fails may
/// panic once more as its threads are dropped, which aborts the process.
fn print_traces() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            hook(info);
            if !info.payload().is::<Injected>()
                && let Some(trace) = trace::take()
            {
                eprintln!("the model fails in this execution:\n{trace}");
            }
        }));
    });
}
