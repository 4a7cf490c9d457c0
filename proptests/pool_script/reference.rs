//! The reference: a queue of jobs, a set of workers and a target. It checks every step of the real pool.
//!
//! What a worker must do next follows from these alone. Which worker is woken, and when another is started, is up to
//! the pool, as long as no job is stranded: if jobs are queued, a worker is coming for them, or none could come.

mod rest;
mod steps;

use std::collections::{BTreeMap, VecDeque};

use selvedge::testing::{Stage, Step};

use super::program::{Config, Program, Sizes};

/// Numbers jobs in the order they are made.
pub type Id = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unstarted,
    Running,
    Draining,
}

/// Why a job never runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRun {
    NotAccepted,
    Cancelled,
    CancelledByStop,
    PoolStopped,
    ThreadStart,
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Queued,
    Held,
    Running,
    /// It has ended; whether it panicked.
    Ran(bool),
    /// It will not run, and is not dropped yet.
    ToBeDropped(NotRun),
    Dropped(NotRun),
}

#[derive(Debug, Clone, Copy)]
struct Job {
    state: JobState,
    /// It has a callback, which is called once.
    has_callback: bool,
    callback_called: bool,
    /// Cancellation was requested.
    asked: bool,
}

#[derive(Debug, Clone, Copy)]
struct Worker {
    stage: Stage,
    job: Option<Id>,
    /// Has slept above the minimum since its last job.
    rests: bool,
    /// And its keep-alive has passed since then.
    expired: bool,
    /// How many `blocked` regions it is in.
    blocked: usize,
    /// It will take no more jobs, and has not ended yet.
    leaves: bool,
}

/// What the next step is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedStep {
    /// No worker can do a step.
    Nobody,
    /// This worker decides what to do, with this result.
    Look(usize, Step),
    /// This worker runs its job.
    Run(usize),
}

/// The expected result of submitting a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    Stopped,
    Full,
    WouldDeadlock,
}

/// The expected result of cancelling a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    NeverRuns,
    Asked,
    Over,
    /// It is being refused: either answer is right.
    AskedOrOver,
}

pub struct Reference {
    phase: Phase,
    config: Config,
    target: Sizes,
    queue: VecDeque<Id>,
    jobs: Vec<Job>,
    workers: BTreeMap<usize, Worker>,
    next_worker: usize,
    /// Workers that are running a job, the innermost last.
    running: Vec<usize>,
    /// How many starts will fail.
    failing: usize,
    /// A start has failed, and none has succeeded since.
    start_has_failed: bool,
    /// How many starts have failed so far.
    start_failures: u64,
    /// A failed start was reported, and no thread has started since.
    start_failure_reported: bool,
    /// `Saturated` was reported for this period.
    saturation_reported: bool,
    /// How many reports of jobs are still expected.
    reports: usize,
    counts: Counts,
    trail: Vec<String>,
    fault: Option<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    started: u64,
    completed: u64,
    panicked: u64,
    cancelled: u64,
    failed: u64,
    rejected: u64,
}

impl Reference {
    pub fn new(program: &Program) -> Self {
        Self {
            phase: Phase::Unstarted,
            config: program.config,
            target: program.config.sizes,
            queue: VecDeque::new(),
            jobs: Vec::new(),
            workers: BTreeMap::new(),
            next_worker: 0,
            running: Vec::new(),
            failing: 0,
            start_has_failed: false,
            start_failures: 0,
            start_failure_reported: false,
            saturation_reported: false,
            reports: 0,
            counts: Counts::default(),
            trail: Vec::new(),
            fault: None,
        }
    }

    /// The result of the run.
    ///
    /// # Errors
    /// The first failed check, with the events before it.
    pub fn verdict(&self) -> Result<(), String> {
        let Some(fault) = &self.fault else { return Ok(()) };
        let led = &self.trail[self.trail.len().saturating_sub(25)..];
        Err(format!("{fault}\nafter\n    {}", led.join("\n    ")))
    }

    pub fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    pub fn note(&mut self, what: impl Into<String>) {
        if self.fault.is_none() {
            self.trail.push(what.into());
        }
    }

    pub fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.fault.is_none() {
            self.fault = Some(what());
        }
    }

    fn is_serving(&self) -> bool {
        self.phase != Phase::Unstarted
    }

    fn blocked(&self) -> usize {
        self.workers.values().filter(|worker| worker.blocked > 0).count()
    }

    fn limit(&self) -> usize {
        let max = if self.phase == Phase::Draining { self.target.max().max(1) } else { self.target.max() };
        max + self.blocked().min(self.config.compensation.into())
    }

    /// Workers that will look for jobs again.
    fn staying(&self) -> usize {
        self.workers.values().filter(|worker| !worker.leaves).count()
    }

    fn is_leaving(&self) -> bool {
        self.staying() < self.workers.len()
    }

    /// Whether all of so many workers are blocked, and none may be added.
    fn is_stuck(&self, live: usize) -> bool {
        self.is_serving() && live > 0 && self.blocked() == live && live >= self.limit()
    }

    fn any(&self, stages: &[Stage]) -> bool {
        self.workers.values().any(|worker| stages.contains(&worker.stage))
    }

    pub fn start(&mut self) -> bool {
        if self.phase == Phase::Unstarted {
            self.phase = Phase::Running;
        }
        self.phase != Phase::Draining
    }

    pub fn submit(&mut self, has_callback: bool, is_patient: bool) -> (Id, Answer) {
        let bound = usize::from(self.config.bound);
        let answer = match self.phase {
            _ if is_patient && !self.on_step().is_empty() => Answer::WouldDeadlock,
            Phase::Draining => Answer::Stopped,
            _ if bound > 0 && self.queue.len() >= bound => Answer::Full,
            _ => Answer::Accepted,
        };
        let id = self.jobs.len();
        let state =
            if answer == Answer::Accepted { JobState::Queued } else { JobState::ToBeDropped(NotRun::NotAccepted) };
        self.jobs.push(Job { state, has_callback, callback_called: false, asked: false });
        match answer {
            Answer::Accepted => self.queue.push_back(id),
            Answer::Stopped | Answer::Full => self.counts.rejected += 1,
            // A caller that would deadlock is refused before the pool is asked.
            Answer::WouldDeadlock => {}
        }
        (id, answer)
    }

    /// Workers that are in a step, the innermost last.
    fn on_step(&self) -> &[usize] {
        &self.running
    }

    pub fn cancel(&mut self, id: Id) -> CancelOutcome {
        match self.jobs[id].state {
            JobState::Queued => {
                self.queue.retain(|queued| *queued != id);
                self.jobs[id].asked = true;
                self.jobs[id].state = JobState::ToBeDropped(NotRun::Cancelled);
                self.counts.cancelled += 1;
                CancelOutcome::NeverRuns
            }
            JobState::Held | JobState::Running => {
                self.jobs[id].asked = true;
                CancelOutcome::Asked
            }
            JobState::ToBeDropped(_) => CancelOutcome::AskedOrOver,
            JobState::Ran(_) | JobState::Dropped(_) => CancelOutcome::Over,
        }
    }

    pub fn resize(&mut self, sizes: Sizes) {
        self.target = sizes;
    }

    /// Time passes: the keep-alive of idle workers is over.
    pub fn expire(&mut self) {
        if self.config.keeps_alive {
            self.workers.values_mut().for_each(|worker| worker.expired = worker.rests);
        }
    }

    pub fn fail_starts(&mut self, count: usize) {
        self.failing = count;
    }

    /// So many starts have failed by now. If nobody is live, nobody will run the queued jobs.
    pub fn starts_failed(&mut self, failures: u64, live: usize) {
        while self.start_failures < failures {
            self.start_failures += 1;
            self.require(self.failing > 0, || "a start has failed that should not have".into());
            self.failing = self.failing.saturating_sub(1);
            self.start_has_failed = true;
            if live == 0 {
                self.counts.failed += self.queue.len() as u64;
                self.drop_queued(NotRun::ThreadStart);
            }
        }
    }

    pub fn stop(&mut self, cancels: bool) {
        let unstarted = self.phase == Phase::Unstarted;
        self.phase = Phase::Draining;
        if unstarted || cancels {
            let why = if unstarted { NotRun::PoolStopped } else { NotRun::CancelledByStop };
            self.counts.cancelled += self.queue.len() as u64;
            self.drop_queued(why);
        }
    }

    fn drop_queued(&mut self, why: NotRun) {
        for id in self.queue.drain(..) {
            self.jobs[id].state = JobState::ToBeDropped(why);
        }
    }

    /// The innermost running job enters a `blocked` region. Without a running job, nothing happens.
    pub fn block(&mut self) -> Option<usize> {
        let worker = *self.running.last()?;
        self.workers.get_mut(&worker)?.blocked += 1;
        Some(worker)
    }

    pub fn unblock(&mut self, worker: usize) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.blocked -= 1;
            if worker.blocked == 0 {
                self.saturation_reported = false;
            }
        }
    }
}

impl Job {
    /// It was run or dropped, and its callback called. (A second call is reported where it happens.)
    fn is_resolved(&self) -> bool {
        let is_over = matches!(self.state, JobState::Ran(_) | JobState::Dropped(_));
        is_over && self.callback_called == (self.has_callback && self.state != JobState::Dropped(NotRun::NotAccepted))
    }
}

impl Worker {
    fn at(stage: Stage) -> Self {
        Self { stage, job: None, rests: false, expired: false, blocked: 0, leaves: false }
    }
}
