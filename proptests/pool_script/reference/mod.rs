//! The reference: a line of jobs, a set of workers and a target, as one would explain the pool to somebody. It judges every step of the real one.
//!
//! What a worker that looks must do follows from these alone. Which worker is woken, and when one more is started, is the pool's own affair as long
//! as it leaves nothing undone: if jobs wait, somebody is on the way to them, or nobody could come.

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

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Queued,
    Held,
    Running,
    /// It is over, and whether it panicked.
    Ran(bool),
    /// It never runs, and has not been dropped yet.
    ToBeDropped(NotRun),
    Dropped(NotRun),
}

#[derive(Debug, Clone, Copy)]
struct Job {
    state: JobState,
    /// Has a callback, which is told once.
    is_told: bool,
    told: bool,
    /// It was asked to end.
    asked: bool,
}

#[derive(Debug, Clone, Copy)]
struct Worker {
    stage: Stage,
    job: Option<Id>,
    /// Has slept above the minimum since its last job.
    rests: bool,
    /// And its keep-alive is over since.
    expired: bool,
    /// Is in so many regions in which it waits.
    blocked: usize,
    /// Looks no more, and is not gone yet.
    leaves: bool,
}

/// What a step will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedStep {
    /// Nobody goes on.
    Nobody,
    /// This worker looks, and this comes of it.
    Look(usize, Step),
    /// This worker runs its job.
    Run(usize),
}

/// What submitting a job will come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    Stopped,
    Full,
    WouldDeadlock,
}

/// What cancelling a job will come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    NeverRuns,
    Asked,
    Over,
    /// It is being told already: either answer is true.
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
    /// Workers that are in the midst of their job, the innermost last.
    running: Vec<usize>,
    /// So many starts are to fail.
    failing: usize,
    /// A start has failed, and none has succeeded since.
    start_has_failed: bool,
    /// That all are blocked has been said.
    told: bool,
    /// Reports of jobs that are still to come.
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
            told: false,
            reports: 0,
            counts: Counts::default(),
            trail: Vec::new(),
            fault: None,
        }
    }

    /// What came of it.
    ///
    /// # Errors
    /// The first thing that was not as it should be, and what led there.
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

    // ---- what follows from the parts

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

    /// Workers that will look again.
    fn staying(&self) -> usize {
        self.workers.values().filter(|worker| !worker.leaves).count()
    }

    fn is_leaving(&self) -> bool {
        self.staying() < self.workers.len()
    }

    /// All of so many workers wait, and no more may be added.
    fn is_stuck(&self, live: usize) -> bool {
        self.is_serving() && live > 0 && self.blocked() == live && live >= self.limit()
    }

    fn any(&self, stages: &[Stage]) -> bool {
        self.workers.values().any(|worker| stages.contains(&worker.stage))
    }

    // ---- what the program does

    pub fn start(&mut self) -> bool {
        if self.phase == Phase::Unstarted {
            self.phase = Phase::Running;
        }
        self.phase != Phase::Draining
    }

    pub fn submit(&mut self, is_told: bool, is_patient: bool) -> (Id, Answer) {
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
        self.jobs.push(Job { state, is_told, told: false, asked: false });
        match answer {
            Answer::Accepted => self.queue.push_back(id),
            Answer::Stopped | Answer::Full => self.counts.rejected += 1,
            // Who must not wait is told so before the pool is asked.
            Answer::WouldDeadlock => {}
        }
        (id, answer)
    }

    /// Workers in a step, the innermost last.
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

    /// Time passes for those that rest.
    pub fn expire(&mut self) {
        if self.config.keeps_alive {
            self.workers.values_mut().for_each(|worker| worker.expired = worker.rests);
        }
    }

    pub fn fail_starts(&mut self, count: usize) {
        self.failing = count;
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

    /// A region begins in which the innermost job waits. Where none runs, that means nothing.
    pub fn block(&mut self) -> Option<usize> {
        let worker = *self.running.last()?;
        self.workers.get_mut(&worker)?.blocked += 1;
        Some(worker)
    }

    pub fn unblock(&mut self, worker: usize) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.blocked -= 1;
            if worker.blocked == 0 {
                self.told = false;
            }
        }
    }
}

impl Job {
    /// It was run or dropped, and its callback told: once, for being told again is a fault of its own.
    fn is_resolved(&self) -> bool {
        let is_over = matches!(self.state, JobState::Ran(_) | JobState::Dropped(_));
        is_over && self.told == (self.is_told && self.state != JobState::Dropped(NotRun::NotAccepted))
    }
}

impl Worker {
    fn at(stage: Stage) -> Self {
        Self { stage, job: None, rests: false, expired: false, blocked: 0, leaves: false }
    }
}
