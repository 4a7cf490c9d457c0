//! The whole state of a pool's world: the machine, the clients, the threads, and what must be remembered to check them.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::super::{Row, Steps};
use super::labels;
use super::parts::{Activity, Actor, Client, Job, Owed, Worker};
use super::plain_store::PlainStore;
use super::plan::{Budget, Bug, Plan};
use crate::machine::pool::{
    Compensation, Notify, PoolState, Sizes, Spawn, SubmitQueue, Wakeups, WorkerId, WorkerSlot, Workers,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PoolWorld {
    pub(super) plan: PlanRef,
    pub(super) budget: Budget,
    pub(super) submit_queue: SubmitQueue<PlainStore<Job>>,
    pub(super) workers: Workers<PlainStore<Job>>,
    pub(super) clients: Vec<Client>,
    /// The threads of workers, in order of age.
    pub(super) threads: Vec<Worker>,
    /// How many jobs were accepted.
    pub(super) submitted: Job,
    /// All jobs below this number were taken by a worker, or refused, or cancelled: they go in the order they came.
    pub(super) dequeued: Job,
    /// Jobs that were cancelled, one bit for each.
    pub(super) cancelled: u16,
    /// Jobs that have ended, one bit for each; recorded only if jobs wait for each other.
    pub(super) ended: u16,
    /// The highest limit on threads so far.
    pub(super) max_limit: usize,
    /// Some thread could not be spawned.
    pub(super) spawn_has_failed: bool,
    /// A transition has returned that the pool has stopped, so that those who wait for it are notified.
    pub(super) stop_announced: bool,
    /// The first property that a step has violated.
    pub(super) violation: Option<&'static str>,
}

/// The plan of a world. All states of a search have the same, so it is no part of their equality.
#[derive(Clone, Copy)]
pub(super) struct PlanRef(pub(super) &'static Plan);

impl fmt::Debug for PlanRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl PartialEq for PlanRef {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for PlanRef {}

impl Hash for PlanRef {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl PoolWorld {
    pub(super) fn new(plan: &'static Plan) -> Self {
        Self {
            plan: PlanRef(plan),
            budget: plan.budget,
            submit_queue: SubmitQueue::new(plan.bound),
            workers: Workers::new(plan.sizes, Compensation { most: plan.compensation, for_one: true }),
            clients: vec![Client::Free; plan.clients],
            threads: Vec::new(),
            submitted: 0,
            dequeued: 0,
            cancelled: 0,
            ended: 0,
            max_limit: plan.sizes.max,
            spawn_has_failed: false,
            stop_announced: false,
            violation: None,
        }
    }

    pub(super) fn has_bug(&self, bug: Bug) -> bool {
        self.plan.0.bug == bug
    }

    pub(super) fn violate(&mut self, property: &'static str) {
        self.violation.get_or_insert(property);
    }

    /// One transition of the machine. Adds its rows: one for the workers' half, and one for the submitters' if that
    /// submitted or changed state.
    pub(super) fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Workers<PlainStore<Job>>, &mut SubmitQueue<PlainStore<Job>>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (workers, submit_queue) = (self.workers_label(), self.submit_queue_label());
        let outcome = transition(&mut self.workers, &mut self.submit_queue);
        self.max_limit = self.max_limit.max(self.limit());
        let action = action(&outcome);
        if event != "submit" {
            steps.row(Row { from: workers, event, action, to: self.workers_label() });
        }
        if event == "submit" || submit_queue != self.submit_queue_label() {
            let action = if event == "submit" { action } else { "nothing" };
            steps.row(Row { from: submit_queue, event, action, to: self.submit_queue_label() });
        }
        outcome
    }

    fn submit_queue_label(&self) -> &'static str {
        labels::submit_queue(&self.submit_queue)
    }

    fn workers_label(&self) -> &'static str {
        labels::workers(&self.workers, self.limit())
    }

    /// The most active workers that the target allows, computed from what the threads do.
    pub(super) fn limit(&self) -> usize {
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        self.max_running() + blocked.min(self.plan.0.compensation)
    }

    /// How many jobs may begin beside each other, whatever blocked ones are compensated with.
    pub(super) fn max_running(&self) -> usize {
        let Sizes { max, .. } = self.workers.target();
        if self.workers.state() == PoolState::Draining { max.max(1) } else { max }
    }

    pub(super) fn running_unblocked(&self) -> usize {
        self.workers.busy() - self.workers.blocked()
    }

    pub(super) fn spawnable(&self) -> usize {
        self.limit().saturating_sub(self.workers.live())
    }

    pub(super) fn queued(&self) -> usize {
        self.workers.queue().len() + self.submit_queue.queue().len()
    }

    /// Jobs are queued, and nobody comes although a thread could be spawned.
    pub(super) fn is_stranded(&self) -> bool {
        let nobody_comes = self.workers.idle() == 0 && self.workers.starting == 0 && !self.workers.searching;
        self.is_serving() && self.queued() > 0 && nobody_comes && self.spawnable() > 0
    }

    pub(super) fn is_serving(&self) -> bool {
        matches!(self.workers.state(), PoolState::Running | PoolState::Draining)
    }

    pub(super) fn has_free_slot(&self) -> bool {
        self.queued() < self.plan.0.bound
    }

    pub(super) fn was_cancelled(&self, job: Job) -> bool {
        self.cancelled & 1 << job != 0
    }

    /// A job leaves the queues to be run or refused. Jobs do so in the order they came, except for the cancelled.
    pub(super) fn dequeue(&mut self, job: Job) {
        while self.was_cancelled(self.dequeued) {
            self.dequeued += 1;
        }
        if job != self.dequeued {
            self.violate("a job is lost, duplicated, or overtaken");
        }
        self.dequeued += 1;
    }

    pub(super) fn job_ended(&mut self, job: Job) {
        if self.plan.0.chained {
            self.ended |= 1 << job;
        }
    }

    /// Turns what a transition returned into what an actor has to carry out.
    pub(super) fn owe(&mut self, wakeups: Wakeups) -> Owed {
        let Wakeups { wake, spawn: Spawn { first, count }, mut submitters, report_saturation } = wakeups;
        if self.has_bug(Bug::NotifiesNoSubmitter) {
            submitters = Notify::Nobody;
        }
        if count > 0 && self.workers.live() > self.limit() {
            self.violate("more threads are spawned than the target allows");
        }
        // `wake_or_spawn` may spawn a thread for a job that another worker has taken by then.
        if count > 0 && self.workers.live() > self.workers.target().min && self.workers.starting > self.queued().max(1)
        {
            self.violate("more threads are spawned than the jobs need");
        }
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        let is_stuck = blocked > 0 && blocked == self.workers.live() && self.spawnable() == 0 && self.queued() > 0;
        if report_saturation && !is_stuck {
            self.violate("saturation is reported, and a job could run, or none waits");
        }
        Owed {
            wake,
            submitters,
            first: (count > 0).then(|| u8::try_from(first).unwrap()),
            count: u8::try_from(count).unwrap(),
            ..Owed::default()
        }
    }

    /// Everything that some thread is carrying out.
    pub(super) fn all_owed(&self) -> impl Iterator<Item = Owed> + '_ {
        let of_clients = self.clients.iter().filter_map(|client| client.owed());
        let of_workers = self.threads.iter().filter_map(|worker| worker.activity.owed());
        of_clients.chain(of_workers)
    }

    /// The same world, in which this is what the actor still has to carry out.
    pub(super) fn with_owed(mut self, actor: Actor, owed: Owed) -> Self {
        let owed = if owed.is_done() { Owed::default() } else { owed };
        match actor {
            Actor::Client(at) => self.set_client_owed(at, owed),
            Actor::Worker(id) => {
                let worker = self.worker(id).unwrap();
                worker.activity = worker.activity.with_owed(owed);
            }
        }
        // Worlds that differ only in the order of their clients are one state.
        self.clients.sort();
        self
    }

    fn set_client_owed(&mut self, at: usize, owed: Owed) {
        let done = owed.is_done();
        self.clients[at] = match self.clients[at] {
            Client::Stops(_) if done => Client::AwaitsStop,
            Client::Stops(_) => Client::Stops(owed),
            _ if done => Client::Free,
            _ => Client::CarriesOut(owed),
        };
    }

    pub(super) fn worker(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.threads.iter_mut().find(|worker| worker.id == id)
    }

    /// The lowest slot that no worker has.
    pub(super) fn free_slot(&self) -> WorkerSlot {
        (0..).find(|slot| self.threads.iter().all(|worker| worker.slot != Some(*slot))).unwrap()
    }

    /// The same world, in which this worker's wait is over.
    pub(super) fn released(&self, id: WorkerId) -> Self {
        let mut next = self.clone();
        next.worker(id).unwrap().activity = Activity::Notified;
        next
    }
}
