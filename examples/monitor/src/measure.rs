//! Measures a reactor and its pool, from their public hooks.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use selvedge::Handle;
use selvedge::pool::{Histogram, JobLabel, PoolTimes};
use selvedge::reactor::{LoopActivity, ReactorBuilder};

use crate::snapshot::{SlowJob, Snapshot, Threads};
use crate::view::View;

/// How many samples are kept of what is drawn over time.
const KEPT: usize = 240;
/// Names of jobs that are told apart. Later ones are counted together.
const NAMES: usize = 1000;
const OTHERS: &str = "others";

/// Measures one reactor and its own pool. Clones are the same monitor.
#[derive(Clone, Default)]
pub struct Monitor(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    turn: Histogram,
    jobs: BTreeMap<String, Job>,
    lag: VecDeque<Duration>,
    turns: VecDeque<u64>,
    /// When the rate of turns was last computed, and how many there were.
    sampled: Option<(Instant, u64)>,
    /// When the call was posted whose lag is measured, until it has run.
    probe: Option<Instant>,
}

/// All jobs of one name.
#[derive(Default)]
struct Job {
    count: u64,
    longest: Duration,
    total: Duration,
    /// When those that run have begun.
    running: Vec<Instant>,
}

impl Monitor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Hooks the monitor into the reactor that is to be built, and into its pool.
    pub fn attach(&self, builder: ReactorBuilder) -> ReactorBuilder {
        let (turns, jobs) = (self.clone(), self.clone());
        builder
            .configure_pool(|pool| pool.take_times().around_jobs(move |job| Running::new(jobs.clone(), job)))
            .around_turns(move |_, activity| {
                (activity == LoopActivity::Turn).then(|| Turning(turns.clone(), Instant::now()))
            })
    }

    /// Shows what is measured, on a thread of its own that takes the terminal.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn show(&self, handle: Handle) -> io::Result<View> {
        View::start(self.clone(), handle)
    }

    /// Posts a call to see how long it takes to run, unless the last has not run yet. False if the reactor has stopped.
    pub fn probe(&self, handle: &Handle) -> bool {
        let now = Instant::now();
        {
            let mut state = self.state();
            if state.probe.is_some() {
                return true;
            }
            state.probe = Some(now);
        }
        let monitor = self.clone();
        let answer = move |_: &selvedge::Reactor| {
            let mut state = monitor.state();
            state.probe = None;
            state.add_lag(now.elapsed());
        };
        handle.call_from_thread(answer).is_ok()
    }

    /// What was measured so far, with the counts and times of the pool.
    pub fn snapshot(&self, pool: &PoolTimes) -> Snapshot {
        let mut state = self.state();
        let now = Instant::now();
        state.sample_turns(now);
        // A loop that does not come to the call is late already.
        let late = state.probe.map(|since| now - since).filter(|late| *late > Duration::from_secs(1));
        Snapshot {
            lag: state.lag.iter().copied().chain(late).collect(),
            turns: state.turns.iter().copied().collect(),
            threads: Threads::from(&pool.stats),
            turn: state.turn.clone(),
            wait: pool.wait.clone(),
            run: pool.run.clone(),
            slowest: state.slowest(now),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add_lag(&mut self, lag: Duration) {
        push(&mut self.lag, lag);
    }

    /// The rate since the last sample, if that is long enough ago.
    fn sample_turns(&mut self, now: Instant) {
        let count = self.turn.count();
        let Some((last, before)) = self.sampled else {
            self.sampled = Some((now, count));
            return;
        };
        let time = (now - last).as_secs_f64();
        if time >= 0.1 {
            self.sampled = Some((now, count));
            push(&mut self.turns, ((count - before) as f64 / time).round() as u64);
        }
    }

    fn job(&mut self, name: &str) -> &mut Job {
        let known = self.jobs.contains_key(name) || self.jobs.len() < NAMES;
        self.jobs.entry(if known { name } else { OTHERS }.to_owned()).or_default()
    }

    fn slowest(&self, now: Instant) -> Vec<SlowJob> {
        let slow = |(name, job): (&String, &Job)| SlowJob {
            name: name.clone(),
            count: job.count,
            longest: job.running.iter().map(|since| now - *since).fold(job.longest, Duration::max),
            total: job.total,
            running: job.running.len(),
        };
        let mut slowest: Vec<SlowJob> = self.jobs.iter().map(slow).collect();
        slowest.sort_by_key(|job| std::cmp::Reverse(job.longest));
        slowest
    }
}

fn push<T>(samples: &mut VecDeque<T>, sample: T) {
    if samples.len() == KEPT {
        samples.pop_front();
    }
    samples.push_back(sample);
}

/// A turn, until it is dropped.
struct Turning(Monitor, Instant);

impl Drop for Turning {
    fn drop(&mut self) {
        let time = self.1.elapsed();
        self.0.state().turn.record(time);
    }
}

/// A job that runs, until it is dropped.
struct Running {
    monitor: Monitor,
    name: String,
    since: Instant,
}

impl Running {
    fn new(monitor: Monitor, job: &JobLabel) -> Self {
        let name = job.name().map_or_else(|| job.location().to_string(), str::to_owned);
        let since = Instant::now();
        monitor.state().job(&name).running.push(since);
        Self { monitor, name, since }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let time = self.since.elapsed();
        let mut state = self.monitor.state();
        let job = state.job(&self.name);
        if let Some(at) = job.running.iter().position(|since| *since == self.since) {
            job.running.swap_remove(at);
        }
        job.count += 1;
        job.total += time;
        job.longest = job.longest.max(time);
    }
}
