//! Records what a reactor and its pools do, from their public hooks: turns, calls, timers, jobs, threads, resizes,
//! wakes and queue lengths.
//!
//! ```ignore
//! let recorder = Recorder::new();
//! let reactor = recorder.record(Reactor::builder()).build()?;
//! let shutdown = recorder.run(reactor); // Or `reactor.run()`, with all but the wakes.
//! recorder.recording().write(Path::new("trace.json"))?;
//! ```
//!
//! [`watched`] is for programs that only want to be told of what is stuck: it records nothing.
//!
//! A program that does not call `record` pays nothing. One that does pays, for each job, its box, what a context and a
//! hook around jobs cost, some readings of the clock, and as many locks that only a [`Watch`] contends for; and for
//! each turn, call and timer two of both. On two cores a posted call took 45 ns, watched 110 and recorded 160; a job
//! that does nothing took 60 ns, watched 400 and recorded 1,140 (`benches/src/bin/observed.rs`). `hash_tree --trace`
//! over 100,000 small files took 1.6 to 1.7 s of processor time in place of 1.2 to 1.3: 3 to 4 µs for each job, with a
//! name for each and the writing of 38 MB included. What is kept is bounded: [`Recorder::keep`] events of each thread.
//! It takes about a kilobyte for each job while it is written.

mod chrome;
mod lane;
mod page;
mod recording;
mod watch;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use selvedge::error::Rejected;
use selvedge::pool::{JobLabel, PoolBuilder, Worker};
use selvedge::reactor::{Call, LoopActivity, ReactorBuilder, Shutdown, Turn};
use selvedge::{Handle, Reactor};

pub use self::lane::{Counts, Kind, Name};
use self::lane::{Lane, Lanes};
pub use self::recording::{Recording, Span};
#[allow(unused_imports, reason = "a program uses what it needs")]
pub use self::watch::{Stuck, Watch, watched};

/// Counts of the pool are kept at most so often.
const SAMPLE: Duration = Duration::from_millis(1);

/// What a thread does whose post finds the loop asleep.
const WAKES: &str = "wakes the loop";

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

    /// Hooks the recorder into the reactor that is to be built, and into its own pool.
    pub fn record(&self, builder: ReactorBuilder) -> ReactorBuilder {
        let (shared, turns) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let wake = move || {
            shared.instant(WAKES);
            // Not unparked under the lock.
            let host = shared.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(host) = host {
                host.unpark();
            }
        };
        let samples = RefCell::new(Samples::default());
        let enter = move |reactor: &Reactor, activity| {
            if activity == LoopActivity::Turn {
                samples.borrow_mut().take(&turns, reactor);
            }
            turns.begin_activity(activity)
        };
        builder.configure_pool(|pool| self.record_pool(pool)).on_wake(wake).around_turns(enter)
    }

    /// Hooks the recorder into a pool that is to be built.
    pub fn record_pool(&self, pool: PoolBuilder) -> PoolBuilder {
        let [submits, enters, starts, stops] = [0; 4].map(|_| Arc::clone(&self.0));
        pool.context(move || submits.submitted(), Entered::new)
            .around_jobs(move |job| enters.begin(Kind::Job, Name::Job(job.clone()), CURRENT.get()))
            .on_worker_start(move |_: &Worker<'_>| starts.instant("the thread begins"))
            .on_worker_stop(move |_| stops.instant("the thread ends"))
    }

    /// [`Reactor::run`], with what wakes the loop recorded.
    pub fn run(&self, reactor: Reactor) -> Shutdown {
        *self.0.host.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        loop {
            match reactor.turn() {
                Ok(Turn::Again) => {}
                Ok(Turn::Wait(time)) => thread::park_timeout(time),
                Ok(Turn::Idle) => thread::park(),
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
            let _call = shared.name_call(name, number);
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

    fn instant(&self, what: impl Into<Cow<'static, str>>) {
        self.lane().instant(self.now(), what.into());
    }

    /// The call that runs has this name, and came from the thread that gave it its number. If the reactor is not
    /// recorded, it runs from now until the guard is dropped.
    fn name_call(self: &Arc<Self>, name: &'static str, number: u64) -> Option<Open> {
        let named = self.lane().name_call(name, number);
        (!named).then(|| self.begin(Kind::Call, Name::Call(name), number))
    }

    /// What the loop does, from now until the guard is dropped.
    fn begin_activity(self: &Arc<Self>, activity: LoopActivity) -> Option<Open> {
        let (kind, name) = match activity {
            LoopActivity::Turn => (Kind::Turn, Name::Turn),
            LoopActivity::Call(function) => (Kind::Call, Name::Call(function)),
            LoopActivity::Timer(function) => (Kind::Timer, Name::Timer(function)),
            _ => return None,
        };
        Some(self.begin(kind, name, 0))
    }

    /// From now until the guard is dropped.
    fn begin(self: &Arc<Self>, kind: Kind, name: Name, number: u64) -> Open {
        let lane = self.lane();
        lane.begin(self.now(), kind, name, number);
        Open { shared: Arc::clone(self), lane }
    }
}

/// When counts were last kept, and the limits of the reactor's pool then.
#[derive(Default)]
struct Samples {
    last: Option<Duration>,
    size: Option<(usize, usize)>,
}

impl Samples {
    /// Keeps the counts if that is due, and says whether the pool was resized.
    fn take(&mut self, shared: &Shared, reactor: &Reactor) {
        let now = shared.now();
        if self.last.is_some_and(|last| now.saturating_sub(last) < SAMPLE) {
            return;
        }
        self.last = Some(now);
        let stats = reactor.thread_pool().stats();
        let size = (stats.min, stats.max);
        if self.size.replace(size).is_some_and(|before| before != size) {
            shared.instant(format!("the pool is resized: {} to {} threads", stats.min, stats.max));
        }
        shared.lane().counts(now, Counts { calls: reactor.handle().queued_calls(), pool: stats });
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
