//! States of the machine in which everything is measured: quiet, beside busy threads, and on one core.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use clap::ValueEnum;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Nothing else, as far as this program is concerned.
    Quiet,
    /// Beside one thread that never sleeps.
    Neighbour,
    /// Beside twice as many such threads as there are cores.
    Crowded,
    /// All threads on one core.
    Pinned,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Quiet => "quiet",
            State::Neighbour => "one busy neighbour",
            State::Crowded => "twice as many busy threads as cores",
            State::Pinned => "one core",
        }
    }

    fn busy_threads(self) -> usize {
        match self {
            State::Quiet | State::Pinned => 0,
            State::Neighbour => 1,
            State::Crowded => 2 * thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Runs `work` while the machine is in this state. Threads and processes that it starts are on its cores.
    pub fn during<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        let quit = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..self.busy_threads() {
                scope.spawn(|| stay_busy(&quit));
            }
            let work = scope.spawn(|| {
                if self == State::Pinned {
                    let core = core_affinity::get_core_ids().and_then(|cores| cores.first().copied());
                    assert!(core.is_some_and(core_affinity::set_for_current), "threads cannot be pinned here");
                }
                work()
            });
            let outcome = work.join();
            quit.store(true, Relaxed);
            outcome.expect("a measurement does not panic")
        })
    }
}

/// The scheduler treats this thread as one of another program. It uses no memory but its own stack, and never yields:
/// it takes processor time from the contenders, and nothing else.
fn stay_busy(quit: &AtomicBool) {
    let mut sum = 0_u64;
    while !quit.load(Relaxed) {
        (0..10_000).for_each(|n| sum = black_box(sum.wrapping_mul(31).wrapping_add(n)));
    }
}
