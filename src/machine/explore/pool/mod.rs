//! The pool explored: clients that submit, start, resize and stop, and workers that may block for ever, at the granularity of the locks.
//!
//! Everything between two holds of a lock is a step of its own: a submitter has released the intake and not yet locked the crew; a notify, a join
//! and a thread's start are carried out one by one, while others go on. A notify releases any one waiter, or any two; a waiter
//! may be released by none, and by the time it was to wait at most; a thread may fail to start, or arrive late; a hook may take its time; no job
//! has to end, and one that is blocked may wait for the next. What a world allows, its [`Plan`] says.

mod clients;
mod labels;
mod plans;
mod rest;
mod workers;

use std::fmt;
use std::hash::{Hash, Hasher};

use self::clients::Client;
use self::plans::{Budget, Bug, Plan};
use self::workers::{Duty, Worker};
use super::{Row, Steps, World};
use crate::machine::pool::{
    Notify, PlainStore, PoolState, Sizes, Spawn, SubmitQueue, Wakeups, WorkerId, Workers, spawn_failed,
};

/// A job is known by its number in the order of submission.
type Job = u8;

/// A plan never changes while its world is searched, so states do not differ in it.
#[derive(Clone, Copy)]
struct Given(&'static Plan);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl PartialEq for Given {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Given {}

impl Hash for Given {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Somebody who carries out a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    Client(usize),
    Worker(WorkerId),
    /// A thread that starts others for a worker that has left.
    Starter(usize),
}

/// What is left to do of a call, one by one and with no lock of the machine held: ring, then take the roster, join, and start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Errand {
    ring: Notify,
    /// Whom to ring of those who wait for a place.
    places: Notify,
    /// Holds the roster, which only one may.
    roster: bool,
    /// One bit for each worker to be joined.
    join: u16,
    /// The next worker to be started, and how many.
    first: u8,
    count: u8,
    /// Workers have retired that are to be joined first.
    joins: bool,
    /// Jobs are to be told that they will never run.
    tells: bool,
    /// Of one who has retired: others that have are to be joined, if nobody else has the roster.
    follows: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Yard {
    plan: Given,
    left: Budget,
    submit_queue: SubmitQueue<PlainStore<Job>>,
    workers: Workers<PlainStore<Job>>,
    clients: Vec<Client>,
    /// Threads that exist: those that have ended stay until they are joined.
    threads: Vec<Worker>,
    /// Threads that start others for workers that have left.
    starters: Vec<Errand>,
    /// Jobs that were accepted.
    submitted: Job,
    /// Jobs that were taken by a worker or refused. They go in the order they came, so the number says which: all below it.
    gone: Job,
    /// Jobs that were cancelled, one bit for each.
    cancelled: u16,
    /// Jobs that have ended. Only where others wait for them.
    ended: u16,
    /// The most threads that any target has allowed so far.
    highest: usize,
    /// A thread could not be started.
    failed: bool,
    /// A transition has said that the pool has stopped: those who wait for that are told.
    over: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "whose step it is is read in the trace of a counterexample")]
enum Event {
    Submits,
    Starts,
    StartsLazily,
    ResizesTo(usize),
    Stops(usize),
    Cancels(Job),
    LooksForAPlace,
    WaitsForAPlace,
    GivesUp,
    RingsForPlaces,
    KeepAlivePasses(WorkerId),
    Blocks(WorkerId),
    GoesOn(WorkerId),
    Leaves(WorkerId),
    HandsOn(WorkerId),
    Summons,
    Tells,
    Rings(WorkerId),
    RingsForNobody,
    RingsAndReleasesTwo(WorkerId, WorkerId),
    RingsForAll,
    TakesTheRoster,
    Joins(WorkerId),
    StartsThread(WorkerId),
    FailsToStartThread(WorkerId),
    Arrives(WorkerId),
    Looks(WorkerId),
    LooksAndMaySearch(WorkerId),
    FinishesItsJob(WorkerId),
    WakesForNoReason(WorkerId),
    LooksForThoseThatRetired(WorkerId),
    ThreadEnds(WorkerId),
}

impl Yard {
    fn new(plan: &'static Plan) -> Self {
        Self {
            plan: Given(plan),
            left: plan.left,
            submit_queue: SubmitQueue::new(plan.bound),
            workers: Workers::new(plan.sizes, plan.compensation),
            clients: vec![Client::Free; plan.clients],
            threads: Vec::new(),
            starters: Vec::new(),
            submitted: 0,
            gone: 0,
            cancelled: 0,
            ended: 0,
            highest: plan.sizes.max,
            failed: false,
            over: false,
            violation: None,
        }
    }

    fn has_bug(&self, bug: Bug) -> bool {
        self.plan.0.bug == bug
    }

    fn blame(&mut self, what: &'static str) {
        self.violation.get_or_insert(what);
    }

    /// The most threads that there may be, by the target.
    fn limit(&self) -> usize {
        let Sizes { max, .. } = self.workers.target();
        let max = if self.workers.state() == PoolState::Draining { max.max(1) } else { max };
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        max + blocked.min(self.plan.0.compensation)
    }

    fn room(&self) -> usize {
        self.limit().saturating_sub(self.workers.live())
    }

    /// Workers that will look again.
    fn staying(&self) -> usize {
        self.workers.active()
    }

    fn queued(&self) -> usize {
        self.workers.queue().len() + self.submit_queue.queue().len()
    }

    fn is_serving(&self) -> bool {
        matches!(self.workers.state(), PoolState::Running | PoolState::Draining)
    }

    fn has_room_for_a_job(&self) -> bool {
        self.queued() < self.plan.0.bound
    }

    fn was_cancelled(&self, job: Job) -> bool {
        self.cancelled & 1 << job != 0
    }

    /// Jobs leave the pool in the order they came, but for those that are cancelled.
    fn goes(&mut self, job: Job) {
        while self.was_cancelled(self.gone) {
            self.gone += 1;
        }
        if job != self.gone {
            self.blame("a job is lost, doubled, or overtaken");
        }
        self.gone += 1;
    }

    /// A job is over. Others may have waited for that.
    fn is_over(&mut self, job: Job) {
        if self.plan.0.chained {
            self.ended |= 1 << job;
        }
    }

    /// Makes an errand of a call.
    fn errand(&mut self, wakeups: Wakeups) -> Errand {
        let Wakeups {
            workers: mut ring,
            spawn: Spawn { first, count, join_first },
            submitters: places,
            report_saturation,
        } = wakeups;
        if ring == Notify::All && self.has_bug(Bug::WakesOneToShrink) {
            ring = Notify::One;
        }
        let places = if self.has_bug(Bug::TellsNobodyOfAPlace) { Notify::Nobody } else { places };
        if count > 0 && self.workers.live() > self.limit() {
            self.blame("more threads are started than the target allows");
        }
        // A summons does not look whether its job still waits.
        if count > 0
            && self.workers.live() > self.workers.target().min
            && self.workers.starting() > self.queued().max(1)
        {
            self.blame("more threads are started than the backlog needs");
        }
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        if report_saturation && (blocked == 0 || blocked != self.workers.live()) {
            self.blame("a pool that goes on is called saturated");
        }
        Errand {
            ring,
            places,
            first: u8::try_from(first).unwrap(),
            count: u8::try_from(count).unwrap(),
            joins: join_first > 0,
            ..Errand::default()
        }
    }

    fn roster_is_taken(&self) -> bool {
        self.errands().any(|errand| errand.roster)
    }

    /// Takes the roster, if nobody has it, and learns whom to join before others are started.
    fn takes_roster(&mut self, joins: bool) -> Option<u16> {
        if self.roster_is_taken() && !self.has_bug(Bug::IsOvertaken) {
            return None;
        }
        let retired = if joins { self.workers.take_unjoined() } else { Vec::new() };
        Some(self.bits_of(&retired))
    }

    /// One bit for each of these workers.
    fn bits_of(&mut self, retired: &[WorkerId]) -> u16 {
        let has_retired = |id| self.threads.iter().any(|worker| worker.id == id && !worker.duty.is_able());
        if !retired.iter().copied().all(has_retired) {
            self.blame("a worker is to be joined that can still run");
        }
        retired.iter().fold(0, |bits, id| bits | 1 << id)
    }

    fn worker(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.threads.iter_mut().find(|worker| worker.id == id)
    }

    fn waiters(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.threads.iter().filter(|worker| worker.duty == Duty::Waits).map(|worker| worker.id)
    }

    /// The same, with this worker's wait at an end.
    fn released(&self, id: WorkerId) -> Self {
        let mut next = self.clone();
        next.worker(id).unwrap().duty = Duty::Released;
        next
    }

    /// All errands that are under way.
    fn errands(&self) -> impl Iterator<Item = Errand> + '_ {
        let of_clients = self.clients.iter().filter_map(|client| client.errand());
        let of_workers = self.threads.iter().filter_map(|worker| worker.duty.errand());
        of_clients.chain(of_workers).chain(self.starters.iter().copied())
    }

    /// The next thing to do of an errand, in each way it may come out.
    fn errand_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let quiet = Errand { ring: Notify::Nobody, ..errand };
        match errand {
            Errand { ring: Notify::One, .. } => {
                if self.waiters().next().is_none() {
                    steps.fair(Event::RingsForNobody, self.clone().goes_on(who, quiet));
                }
                for one in self.waiters() {
                    let next = self.released(one);
                    if !self.plan.0.spurious {
                        for other in self.waiters().filter(|other| *other > one) {
                            let event = Event::RingsAndReleasesTwo(one, other);
                            steps.fair(event, next.released(other).goes_on(who, quiet));
                        }
                    }
                    steps.fair(Event::Rings(one), next.goes_on(who, quiet));
                }
            }
            Errand { ring: Notify::All, .. } => {
                let next = self.waiters().fold(self.clone(), |next, id| next.released(id));
                steps.fair(Event::RingsForAll, next.goes_on(who, quiet));
            }
            Errand { places: Notify::One | Notify::All, .. } => self.place_steps(steps, who, errand),
            Errand { join: 1.., .. } => {
                let id = errand.join.trailing_zeros() as WorkerId;
                let rest = Errand { join: errand.join & (errand.join - 1), ..errand };
                if let Some(next) = self.joined(id) {
                    steps.fair(Event::Joins(id), next.goes_on(who, rest));
                }
            }
            Errand { count: 1.., roster: false, .. } => {
                let mut next = self.clone();
                if let Some(join) = next.takes_roster(errand.joins) {
                    let rest = Errand { roster: true, join, joins: false, ..errand };
                    steps.fair(Event::TakesTheRoster, next.goes_on(who, rest));
                }
            }
            Errand { count: 1.., .. } => self.start_steps(steps, who, errand),
            Errand { tells: true, .. } => {
                let mut next = self.clone();
                next.over |=
                    next.step(steps, "refusals_done", |workers, _| workers.refusals_done(), labels::refusals_done);
                steps.fair(Event::Tells, next.goes_on(who, Errand { tells: false, ..errand }));
            }
            Errand { .. } => {}
        }
    }

    /// The same, with this thread joined; not yet, as long as it has not ended.
    fn joined(&self, id: WorkerId) -> Option<Self> {
        let mut next = self.clone();
        match self.threads.iter().position(|worker| worker.id == id) {
            Some(at) if self.threads[at].duty == Duty::Ended => drop(next.threads.remove(at)),
            Some(_) => return None,
            None => next.blame("a thread is joined twice"),
        }
        Some(next)
    }

    fn start_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let id = WorkerId::from(errand.first);
        let mut next = self.clone();
        next.threads.push(Worker::new(id));
        next.threads.sort_by_key(|worker| worker.id);
        if next.threads.iter().filter(|worker| worker.duty != Duty::Ended).count() > self.highest {
            next.blame("there are more threads than the target allows");
        }
        let rest = Errand { first: errand.first + 1, count: errand.count - 1, ..errand };
        steps.fair(Event::StartsThread(id), next.goes_on(who, rest));

        self.failure_steps(steps, who, errand);
    }

    /// A thread is not to be had.
    fn failure_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        if self.left.failures == 0 {
            return;
        }
        let mut next = self.clone();
        next.left.failures -= 1;
        next.failed = true;
        let rest = if self.has_bug(Bug::HushesFailure) {
            Errand::default()
        } else {
            let count = usize::from(errand.count);
            let failed = next.step(
                steps,
                "spawn_failed",
                |workers, submit_queue| spawn_failed(workers, submit_queue, count),
                labels::failed,
            );
            next.over |= failed.stopped;
            let tells = !failed.refused.is_empty();
            for job in failed.refused {
                next.goes(job);
                next.is_over(job);
            }
            if tells && errand.tells {
                next.blame("one who tells jobs is given more of them");
            }
            Errand { tells: tells || errand.tells, ..next.errand(failed.wakeups) }
        };
        steps.fair(Event::FailsToStartThread(WorkerId::from(errand.first)), next.goes_on(who, rest));
    }

    /// This is what is left of somebody's errand, which may be nothing.
    fn goes_on(mut self, who: Actor, errand: Errand) -> Self {
        let errand = if errand.is_done() { Errand::default() } else { errand };
        match who {
            Actor::Client(at) => self.client_goes_on(at, errand),
            Actor::Worker(id) => {
                let worker = self.worker(id).unwrap();
                worker.duty = worker.duty.goes_on(errand);
            }
            Actor::Starter(at) if errand.is_done() => drop(self.starters.remove(at)),
            Actor::Starter(at) => self.starters[at] = errand,
        }
        // Clients are alike: worlds that differ in their order are one.
        self.clients.sort();
        self
    }
}

impl Errand {
    fn is_done(self) -> bool {
        let owes_nobody = self.ring == Notify::Nobody && self.places == Notify::Nobody && !self.tells;
        owes_nobody && self.join == 0 && self.count == 0 && !self.follows
    }
}
