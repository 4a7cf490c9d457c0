//! Checks between two operations, when all workers sleep, and at the end.

use selvedge::{pool::PoolStats, testing::Stage};

use super::{Counts, Job, Phase, Reference, Worker};

impl Reference {
    /// Checks the pool's workers. New ones must have been needed.
    pub fn check_workers(&mut self, workers: &[(usize, Stage)]) {
        let was = self.workers.len();
        for &(id, stage) in workers {
            let Some(worker) = self.workers.get_mut(&id) else {
                self.worker_started(id, stage, was);
                continue;
            };
            let known = worker.stage;
            if (known, stage) == (Stage::Asleep, Stage::Woken) && !worker.leaves {
                worker.stage = Stage::Woken;
            }
            self.require(self.workers[&id].stage == stage, || format!("worker {id} is {stage:?}, and was {known:?}"));
        }
        let gone =
            self.workers.iter().find(|(id, worker)| !worker.leaves && workers.iter().all(|(seen, _)| seen != *id));
        let gone = gone.map(|(id, _)| *id);
        self.require(gone.is_none(), || format!("worker {gone:?} is gone"));
    }

    fn worker_started(&mut self, id: usize, stage: Stage, was: usize) {
        self.note(format!("worker {id} is started"));
        self.require(stage == Stage::Starting && id >= self.next_worker, || format!("worker {id} comes {stage:?}"));
        self.require(self.is_serving(), || format!("worker {id} is started before its pool"));
        self.set(id, Worker::at(Stage::Starting));
        let arriving = self.workers.values().filter(|worker| worker.stage == Stage::Starting).count();
        // Each starting worker must have a job to take.
        let wanted = arriving <= self.queue.len() || was < self.target.min();
        self.require(wanted, || format!("worker {id} is started, and nobody wants it"));
        self.next_worker = id + 1;
        let (live, limit) = (self.staying(), self.limit());
        self.require(live <= limit, || format!("{live} workers, where {limit} are allowed"));
        self.start_has_failed = false;
    }

    /// What holds between any two operations. `is_between_operations`: no other operation is under way.
    pub fn check_invariants(&mut self, stats: &PoolStats, has_stopped: bool, is_between_operations: bool) {
        self.starts_failed(stats.start_failures, stats.live);
        if self.is_leaving() {
            return;
        }
        let is_over =
            self.phase == Phase::Draining && self.workers.is_empty() && self.jobs.iter().all(Job::is_resolved);
        // During an operation the pool may know more than the jobs show.
        let rightly = has_stopped == is_over || !has_stopped && !is_between_operations;
        self.require(rightly, || format!("has stopped: {has_stopped}, and should be: {is_over}"));
        self.check_stats(stats);
        if !self.is_serving() {
            return;
        }
        let (live, limit) = (self.workers.len(), self.limit());
        let (coming, asleep) = (self.any(&[Stage::Starting, Stage::Woken]), self.any(&[Stage::Asleep]));
        let nobody_could = !asleep && (live >= limit || self.start_has_failed);
        self.require(self.queue.is_empty() || coming || nobody_could, || {
            "jobs wait, and nobody comes who could".into()
        });
        let shrinks = live <= limit || !asleep || self.any(&[Stage::Woken]);
        self.require(shrinks, || format!("{live} workers, {limit} allowed, and those too many sleep"));
    }

    fn check_stats(&mut self, stats: &PoolStats) {
        let count = |stages: &[Stage]| self.workers.values().filter(|worker| stages.contains(&worker.stage)).count();
        let queued = self.queue.len();
        let present = stats.live - count(&[Stage::Starting]);
        let expected = [
            ("min", self.target.min(), stats.min),
            ("max", self.target.max(), stats.max),
            ("live", self.workers.len(), stats.live),
            ("idle", count(&[Stage::Asleep, Stage::Woken]), stats.idle),
            ("busy", count(&[Stage::Holding, Stage::Running, Stage::Finished]), stats.busy),
            ("blocked", self.blocked(), stats.blocked),
            ("queued", queued, stats.queued),
            ("waiting", 0, stats.waiting),
            ("saturated", usize::from(queued > 0 && self.is_stuck(self.workers.len())), usize::from(stats.saturated)),
        ];
        let Counts { started, completed, panicked, cancelled, failed, rejected } = self.counts;
        let counted = [
            ("started", started, stats.started),
            ("completed", completed, stats.completed),
            ("panicked", panicked, stats.panicked),
            ("cancelled", cancelled, stats.cancelled),
            ("failed", failed, stats.failed),
            ("rejected", rejected, stats.rejected),
        ];
        for (name, ours, theirs) in expected {
            self.require(ours == theirs, || format!("{name} is {theirs}, and should be {ours}"));
        }
        for (name, ours, theirs) in counted {
            self.require(ours == theirs, || format!("{name} is {theirs}, and should be {ours}"));
        }
        self.require(present <= stats.peak, || format!("{} at most, and {present} are there", stats.peak));
    }

    /// Checks the pool when all workers sleep and no job runs.
    pub fn rests(&mut self, has_expired: bool) {
        let (live, limit, min) = (self.workers.len(), self.limit(), self.target.min());
        if !self.is_serving() {
            return self.require(live == 0, || "an unstarted pool has workers".into());
        }
        let paused = limit == 0;
        self.require(self.queue.is_empty() || paused, || "all sleep, and jobs wait".into());
        self.require(live <= limit, || format!("{live} workers at rest, where {limit} are allowed"));
        if self.phase == Phase::Running && !self.start_has_failed {
            self.require(live >= min, || format!("{live} workers at rest, where at least {min} should be"));
        }
        if has_expired && self.config.keeps_alive && self.phase == Phase::Running {
            self.require(live <= min, || format!("{live} workers after the keep-alive, where {min} should stay"));
        }
    }

    /// The pool has been stopped, and run to its end.
    pub fn ended(&mut self) {
        let (live, unreported) = (self.workers.len(), self.reports);
        self.require(live == 0, || format!("{live} workers are left"));
        self.require(unreported == 0, || format!("{unreported} jobs have failed unreported"));
        for (id, job) in self.jobs.clone().into_iter().enumerate() {
            self.require(job.is_resolved(), || format!("job {id} was left {job:?}"));
        }
    }
}
