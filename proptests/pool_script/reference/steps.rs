//! What workers and jobs do: what a worker that looks must come to, and what its job sees and tells.

use selvedge::{
    report::Incident,
    testing::{Stage, Step},
};

use super::{Fate, Id, Job, Phase, Plan, Reference, Why, Worker};

impl Reference {
    /// A step of this worker, or of the oldest that is able.
    pub fn plan(&mut self, which: Option<usize>) -> Plan {
        let able = |worker: &Worker| !worker.leaves && !matches!(worker.stage, Stage::Asleep | Stage::Running);
        let mut able = self.workers.iter().filter(|(_, worker)| able(worker)).map(|(id, _)| *id);
        let Some(id) = able.find(|id| which.is_none_or(|which| which == *id)) else { return Plan::Nobody };
        let Some(worker) = self.workers.get_mut(&id) else { return Plan::Nobody };
        if worker.stage == Stage::Holding {
            worker.stage = Stage::Running;
            self.on_duty.push(id);
            return Plan::Run(id);
        }
        if let Some(job) = worker.job.take() {
            self.counts.completed += 1;
            self.counts.panicked += u64::from(self.jobs[job].fate == Fate::Ran(true));
        }
        let (rests, expired) = (worker.rests, worker.expired);
        let draining = self.phase == Phase::Draining;
        let step = if self.staying() > self.limit() {
            Step::Retired
        } else if let Some(job) = self.queue.pop_front() {
            self.jobs[job].fate = Fate::Held;
            self.counts.started += 1;
            self.set(id, Worker { job: Some(job), ..Worker::at(Stage::Holding) });
            return Plan::Look(id, Step::Took);
        } else if draining || expired && self.staying() > self.target.min() {
            Step::Retired
        } else {
            Step::Slept
        };
        let leaves = step == Step::Retired;
        // Only one that sleeps above the minimum counts its time.
        let rests = rests || !leaves && self.staying() > self.target.min();
        self.set(id, Worker { rests, expired, leaves, ..Worker::at(Stage::Asleep) });
        Plan::Look(id, step)
    }

    pub(super) fn set(&mut self, id: usize, worker: Worker) {
        self.workers.insert(id, worker);
    }

    /// The step is over.
    pub fn stepped(&mut self, plan: Plan, step: Option<Step>) {
        let expected = match plan {
            Plan::Nobody => None,
            Plan::Look(_, step) => Some(step),
            Plan::Run(_) => Some(Step::Ran),
        };
        self.note(format!("{plan:?}: {step:?}"));
        self.demand(step == expected, || format!("a step came to {step:?}, and should have come to {expected:?}"));
        match plan {
            Plan::Look(id, Step::Retired) => drop(self.workers.remove(&id)),
            Plan::Run(id) => {
                self.on_duty.pop();
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.stage = Stage::Finished;
                }
                let job = self.workers.get(&id).and_then(|worker| worker.job);
                let over = job.is_some_and(|job| matches!(self.jobs[job].fate, Fate::Ran(_)));
                self.demand(over, || format!("worker {id} ran {job:?}, which was not run"));
            }
            Plan::Nobody | Plan::Look(..) => {}
        }
    }

    // ---- what jobs see

    /// A job's body begins. Whether it was asked to end before.
    pub fn begins(&mut self, id: Id) -> bool {
        let worker = self.on_duty.last().and_then(|worker| self.workers.get(worker));
        let rightly = self.jobs[id].fate == Fate::Held && worker.is_some_and(|worker| worker.job == Some(id));
        let fate = self.jobs[id].fate;
        self.note(format!("job {id} begins"));
        self.demand(rightly, || format!("job {id} begins, which was {fate:?}"));
        self.jobs[id].fate = Fate::Running;
        self.jobs[id].asked
    }

    pub fn is_asked(&self, id: Id) -> bool {
        self.jobs[id].asked
    }

    /// A job's body is over, and what it captured is gone.
    pub fn ends(&mut self, id: Id, panicked: bool, is_reported: bool) {
        let fate = self.jobs[id].fate;
        self.note(format!("job {id} ends"));
        self.demand(fate == Fate::Running, || format!("job {id} ends, which was {fate:?}"));
        self.jobs[id].fate = Fate::Ran(panicked);
        self.reports += usize::from(panicked && is_reported);
    }

    /// A job is dropped that was not run.
    pub fn drops(&mut self, id: Id, is_reported: bool) {
        self.note(format!("job {id} is dropped"));
        let fate = self.jobs[id].fate;
        let Fate::Doomed(why) = fate else {
            return self.demand(false, || format!("job {id} is dropped, which was {fate:?}"));
        };
        self.jobs[id].fate = Fate::Dropped(why);
        self.reports += usize::from(is_reported && matches!(why, Why::PoolStopped | Why::ThreadStart));
    }

    /// A callback is given its job's result: why it never ran, or whether it panicked.
    pub fn tells(&mut self, id: Id, result: Result<bool, Why>) {
        self.note(format!("job {id}'s callback is given {result:?}"));
        let Job { fate, told, .. } = self.jobs[id];
        let rightly = match result {
            Ok(panicked) => fate == Fate::Ran(panicked),
            Err(why) => fate == Fate::Dropped(why),
        };
        self.demand(rightly && !told, || format!("job {id} was {fate:?}, its callback told: {told}; now {result:?}"));
        self.jobs[id].told = true;
    }

    /// Something is reported. `live`: what the pool itself says of its workers.
    pub fn report(&mut self, incident: Incident, live: usize) {
        self.note(format!("reported: {incident:?}"));
        // One that leaves may be gone by now.
        let known = self.workers.len();
        let agrees = live == known || self.is_leaving() && live == self.staying();
        self.demand(agrees, || format!("{known} workers are there, and it says {live}"));
        match incident {
            Incident::Job => {
                self.demand(self.reports > 0, || "a job is reported that has not failed".into());
                self.reports = self.reports.saturating_sub(1);
            }
            Incident::ThreadStart => {
                self.demand(self.failing > 0, || "a start has failed that should not have".into());
                self.failing = self.failing.saturating_sub(1);
                self.starved = true;
                if live == 0 {
                    self.counts.failed += self.queue.len() as u64;
                    self.doom_all(Why::ThreadStart);
                }
            }
            Incident::Saturated => {
                let rightly = self.is_stuck(live) && !self.queue.is_empty() && !self.told;
                self.demand(rightly, || "it says that all are blocked, and not all are, or it has said so".into());
                self.told = true;
            }
            _ => self.demand(false, || format!("{incident:?} is reported")),
        }
    }
}
