//! The rules of steps: what a worker must do next, and what its job observes.

use selvedge::{
    report::Incident,
    testing::{Stage, Step},
};

use super::{ExpectedStep, Id, Job, JobState, NotRun, Phase, Reference, Worker};

impl Reference {
    /// The expected step of this worker, or else of the oldest that can do one.
    pub fn expect_step(&mut self, which: Option<usize>) -> ExpectedStep {
        let able = |worker: &Worker| !worker.leaves && !matches!(worker.stage, Stage::Asleep | Stage::Running);
        let mut able = self.workers.iter().filter(|(_, worker)| able(worker)).map(|(id, _)| *id);
        let Some(id) = able.find(|id| which.is_none_or(|which| which == *id)) else { return ExpectedStep::Nobody };
        let Some(worker) = self.workers.get_mut(&id) else { return ExpectedStep::Nobody };
        if worker.stage == Stage::Holding {
            worker.stage = Stage::Running;
            self.running.push(id);
            return ExpectedStep::Run(id);
        }
        if worker.stage == Stage::Starting {
            (self.start_failure_reported, self.saturation_reported) = (false, false);
        }
        if let Some(job) = worker.job.take() {
            self.counts.completed += 1;
            self.counts.panicked += u64::from(self.jobs[job].state == JobState::Ran(true));
        }
        let (rests, expired) = (worker.rests, worker.expired);
        let draining = self.phase == Phase::Draining;
        let step = if self.staying() > self.limit() {
            Step::Exited
        } else if let Some(job) = self.queue.pop_front() {
            self.jobs[job].state = JobState::Held;
            self.counts.started += 1;
            self.set(id, Worker { job: Some(job), ..Worker::at(Stage::Holding) });
            return ExpectedStep::Look(id, Step::Took);
        } else if draining || expired && self.staying() > self.target.min() {
            Step::Exited
        } else {
            Step::Slept
        };
        let leaves = step == Step::Exited;
        // The keep-alive counts only for a worker above the minimum.
        let rests = rests || !leaves && self.staying() > self.target.min();
        self.set(id, Worker { rests, expired, leaves, ..Worker::at(Stage::Asleep) });
        ExpectedStep::Look(id, step)
    }

    pub(super) fn set(&mut self, id: usize, worker: Worker) {
        self.workers.insert(id, worker);
    }

    /// Checks a finished step.
    pub fn stepped(&mut self, expect_step: ExpectedStep, step: Option<Step>) {
        let expected = match expect_step {
            ExpectedStep::Nobody => None,
            ExpectedStep::Look(_, step) => Some(step),
            ExpectedStep::Run(_) => Some(Step::Ran),
        };
        self.note(format!("{expect_step:?}: {step:?}"));
        self.require(step == expected, || format!("a step returned {step:?}, and should have returned {expected:?}"));
        match expect_step {
            ExpectedStep::Look(id, Step::Exited) => drop(self.workers.remove(&id)),
            ExpectedStep::Run(id) => {
                self.running.pop();
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.stage = Stage::Finished;
                }
                let job = self.workers.get(&id).and_then(|worker| worker.job);
                let over = job.is_some_and(|job| matches!(self.jobs[job].state, JobState::Ran(_)));
                self.require(over, || format!("worker {id} ran {job:?}, which was not run"));
            }
            ExpectedStep::Nobody | ExpectedStep::Look(..) => {}
        }
    }

    /// A job begins. Returns whether its cancellation was requested before.
    pub fn job_begins(&mut self, id: Id) -> bool {
        let worker = self.running.last().and_then(|worker| self.workers.get(worker));
        let rightly = self.jobs[id].state == JobState::Held && worker.is_some_and(|worker| worker.job == Some(id));
        let state = self.jobs[id].state;
        self.note(format!("job {id} begins"));
        self.require(rightly, || format!("job {id} begins, which was {state:?}"));
        self.jobs[id].state = JobState::Running;
        self.jobs[id].asked
    }

    pub fn is_asked(&self, id: Id) -> bool {
        self.jobs[id].asked
    }

    /// A job has ended, and what it captured was dropped.
    pub fn job_ends(&mut self, id: Id, panicked: bool, is_reported: bool) {
        let state = self.jobs[id].state;
        self.note(format!("job {id} ends"));
        self.require(state == JobState::Running, || format!("job {id} ends, which was {state:?}"));
        self.jobs[id].state = JobState::Ran(panicked);
        self.reports += usize::from(panicked && is_reported);
    }

    /// A job is dropped unrun.
    pub fn job_dropped(&mut self, id: Id, is_reported: bool) {
        self.note(format!("job {id} is dropped"));
        let state = self.jobs[id].state;
        let JobState::ToBeDropped(why) = state else {
            return self.require(false, || format!("job {id} is dropped, which was {state:?}"));
        };
        self.jobs[id].state = JobState::Dropped(why);
        self.reports += usize::from(is_reported && matches!(why, NotRun::PoolStopped | NotRun::ThreadStart));
    }

    /// A callback is given its job's result: why it never ran, or whether it panicked.
    pub fn job_callback(&mut self, id: Id, result: Result<bool, NotRun>) {
        self.note(format!("job {id}'s callback is given {result:?}"));
        let Job { state, callback_called, .. } = self.jobs[id];
        let rightly = match result {
            Ok(panicked) => state == JobState::Ran(panicked),
            Err(why) => state == JobState::Dropped(why),
        };
        self.require(rightly && !callback_called, || {
            format!("job {id} was {state:?}, its callback called: {callback_called}; now {result:?}")
        });
        self.jobs[id].callback_called = true;
    }

    /// Checks a report. `live` is the pool's own count of workers.
    pub fn report(&mut self, incident: Incident, live: usize) {
        self.note(format!("reported: {incident:?}"));
        // A worker that is leaving may have ended by now.
        let known = self.workers.len();
        let check_stats = live == known || self.is_leaving() && live == self.staying();
        self.require(check_stats, || format!("{known} workers are there, and it says {live}"));
        match incident {
            Incident::Job => {
                self.require(self.reports > 0, || "a job is reported that has not failed".into());
                self.reports = self.reports.saturating_sub(1);
            }
            Incident::ThreadStart => {
                let known = self.start_failure_reported;
                self.require(!known, || "a failed start is reported again, and no thread has started since".into());
                self.start_failure_reported = true;
            }
            Incident::Saturated => {
                let rightly = self.is_stuck(live) && !self.queue.is_empty() && !self.saturation_reported;
                self.require(rightly, || {
                    "saturation is reported though not all workers are blocked, or a second time".into()
                });
                self.saturation_reported = true;
            }
            _ => self.require(false, || format!("{incident:?} is reported")),
        }
    }
}
