//! Records what a reactor and its pools do, from their public hooks: jobs, turns, calls, wakes and queue lengths.
//!
//! ```ignore
//! let recorder = Recorder::new();
//! let reactor = recorder.record(Reactor::builder()).build()?;
//! let shutdown = recorder.run(reactor); // In place of `reactor.run()`.
//! recorder.recording().write(Path::new("trace.json"))?;
//! ```
//!
//! A program that does not call `record` pays nothing. One that does pays, for each job, its box, what a context and a
//! hook around jobs cost, some readings of the clock, and as many locks that only a [`Watch`] contends for; and for
//! each turn two of both. `hash_tree --trace` over 100,000 small files, on two cores, took 1.6 to 1.7 s of processor
//! time in place of 1.2 to 1.3: 3 to 4 µs for each job, with a name for each and the writing of 38 MB included. What
//! is kept is bounded: [`Recorder::keep`] events of each thread. It takes about a kilobyte for each job while it is
//! written.

mod chrome;
mod lane;
mod page;
mod recording;
mod watch;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use selvedge::error::Rejected;
use selvedge::pool::{JobLabel, PoolBuilder};
use selvedge::reactor::{Call, ReactorBuilder, Shutdown, Turn};
use selvedge::{Handle, Reactor};

pub use self::lane::{Kind, Name};
use self::lane::{Lane, Lanes};
pub use self::recording::{Recording, Span};
pub use self::watch::{Stuck, Watch};

/// Counts of the pool are kept at most so often.
const SAMPLE: Duration = Duration::from_millis(1);

thread_local! {
    /// The number of the job that runs on this thread.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// Records; clones are the same recorder.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    begun: Instant,
    lanes: Lanes,
    /// Of jobs and calls: an arrow leads from where one was submitted to where it ran.
    last_number: AtomicU64,
    /// The thread that turns the reactor.
    host: Mutex<Option<Thread>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// Keeps the first quarter of a million events of each thread.
    pub fn new() -> Self {
        Self::keep(1 << 18)
    }

    /// Keeps the first `events` of each thread, and counts the others.
    pub fn keep(events: usize) -> Self {
        let (last_number, host) = (AtomicU64::new(0), Mutex::new(None));
        Self(Arc::new(Shared { begun: Instant::now(), lanes: Lanes::new(events), last_number, host }))
    }

    /// Hooks the recorder into the reactor that is to be built, and into its own pool. The reactor is then run by
    /// [`run`](Self::run).
    pub fn record(&self, builder: ReactorBuilder) -> ReactorBuilder {
        let shared = Arc::clone(&self.0);
        let wake = move || {
            shared.lane().instant(shared.now(), "wakes the loop");
            // Not unparked under the lock.
            let host = shared.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(host) = host {
                host.unpark();
            }
        };
        builder.configure_pool(|pool| self.record_pool(pool)).on_wake(wake)
    }

    /// Hooks the recorder into a pool that is to be built.
    pub fn record_pool(&self, pool: PoolBuilder) -> PoolBuilder {
        let (submits, enters) = (Arc::clone(&self.0), Arc::clone(&self.0));
        pool.context(move || submits.submitted(), Entered::new)
            .around_jobs(move |job| enters.begin(Kind::Job, Name::Job(job.clone()), CURRENT.get()))
    }

    /// [`Reactor::run`], with its turns recorded.
    pub fn run(&self, reactor: Reactor) -> Shutdown {
        let shared = &self.0;
        *shared.host.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        let mut sampled = None;
        loop {
            let turn = {
                let _turn = shared.begin(Kind::Turn, Name::Turn, 0);
                reactor.turn().unwrap_or(Turn::Ended)
            };
            let now = shared.now();
            if sampled.is_none_or(|last| now.saturating_sub(last) >= SAMPLE) {
                sampled = Some(now);
                shared.lane().counts(now, reactor.thread_pool().stats());
            }
            match turn {
                Turn::Again => {}
                Turn::Wait(time) => thread::park_timeout(time),
                Turn::Idle => thread::park(),
                _ => return reactor.ended().unwrap_or_default(),
            }
        }
    }

    /// [`Handle::call_from_thread`], recorded under a name.
    ///
    /// # Errors
    /// As for `call_from_thread`.
    pub fn post<F>(&self, handle: &Handle, name: &'static str, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        let number = shared.submitted();
        handle.call_from_thread(move |reactor| {
            let _call = shared.begin(Kind::Call, Name::Call(name), number);
            f(reactor);
        })
    }

    /// Calls `on_stuck` once for each turn, call or job that takes longer than `limit`, while it is still at it, from
    /// a thread of its own, until what this returns is dropped.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn watch(&self, limit: Duration, on_stuck: impl Fn(&Stuck) + Send + 'static) -> std::io::Result<Watch> {
        Watch::start(Arc::clone(&self.0), limit, on_stuck)
    }

    /// What has been recorded so far.
    pub fn recording(&self) -> Recording {
        Recording::of(&self.0.lanes, self.0.now())
    }
}

impl Shared {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn lane(&self) -> Arc<Lane> {
        self.lanes.of_this_thread()
    }

    /// Something was handed to another thread: returns its number.
    fn submitted(&self) -> u64 {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        self.lane().submitted(self.now(), number);
        number
    }

    /// From now until the guard is dropped.
    fn begin(self: &Arc<Self>, kind: Kind, name: Name, number: u64) -> Open {
        let lane = self.lane();
        lane.begin(self.now(), kind, name, number);
        Open { shared: Arc::clone(self), lane }
    }
}

/// What is at work on this thread until this is dropped.
struct Open {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.lane.end(self.shared.now());
    }
}

/// The number of a job has come to its thread; dropped, that of the job around it is back.
struct Entered(u64);

impl Entered {
    fn new(number: u64) -> Self {
        Self(CURRENT.replace(number))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// A job's name, if it has one, and where it was made.
fn describe(job: &JobLabel) -> String {
    match job.name() {
        Some(name) => format!("{name}, made at {}", job.location()),
        None => format!("made at {}", job.location()),
    }
}
