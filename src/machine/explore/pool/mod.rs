//! The pool explored: clients that submit, start, resize and stop, and workers that may block for ever, at the granularity of the locks.
//!
//! Everything between two holds of a lock is a step of its own: a submitter has released the intake and not yet locked the crew; a notify, a join
//! and a thread's start are carried out one by one, while others go on. A notify releases any one waiter, or any two; a waiter
//! may be released by none; a thread may fail to start, or arrive late; no job has to end. What a world allows is a [`Plan`].

mod clients;
mod labels;
mod rest;
mod workers;

use std::hash::{Hash, Hasher};

use self::clients::Client;
use self::workers::{Duty, Worker};
use super::{Row, Steps, World, book, finds, sound, table};
use crate::machine::pool::{Call, Crew, Intake, Phase, Sizes, Start, WorkerId};

/// A job is known by its number in the order of submission.
type Job = u8;

/// What may happen in a world, and how often.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: Seed,
    /// How many threads may call the pool at the same time.
    clients: usize,
    sizes: Sizes,
    /// What the pool may be resized to.
    targets: &'static [Sizes],
    left: Left,
    /// Workers may search before they sleep. Whether it pays they decide each time.
    searches: bool,
    /// Waiters may be released for no reason, which makes a notify that releases two a special case.
    spurious: bool,
}

/// How often things may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Left {
    submits: u8,
    starts: u8,
    lazy_starts: u8,
    resizes: u8,
    stops: u8,
    failures: u8,
}

/// A plan never changes while its world is searched, so states do not differ in it.
#[derive(Debug, Clone, Copy)]
struct Given(&'static Plan);

impl PartialEq for Given {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Given {}

impl Hash for Given {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seed {
    None,
    /// A submitter does not carry out its summons (R6).
    ForgetsToSummon,
    /// A worker whose wait is over for no reason goes on waiting as if it had not been: idle is one too many (R1, R2).
    StaysIdle,
    /// An arriving thread leaves the beacon up: a flag left standing (R17).
    LeavesTheBeacon,
    /// A worker that leaves jobs behind calls nobody before it runs its own; afterwards it will look itself (R1).
    CallsNobody,
    /// A thread that cannot be started is not mentioned (R3).
    HushesFailure,
    /// A shrink wakes one idle worker where it should wake all (R4).
    WakesOneToShrink,
    /// A worker that retires is forgotten, and joined by nobody (R13).
    IsNotJoined,
}

/// Somebody who carries out a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    Client(usize),
    Worker(WorkerId),
}

/// What is left to do of a call, one by one and with no lock held: ring, then join, then start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Errand {
    ring: Ring,
    /// One bit for each worker to be joined.
    join: u16,
    /// The next worker to be started, and how many.
    first: u8,
    count: u8,
    /// How many threads there might be when it was decided to start these.
    limit: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
enum Ring {
    #[default]
    No,
    One,
    All,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Yard {
    plan: Given,
    left: Left,
    intake: Intake<Job>,
    crew: Crew<Job>,
    clients: Vec<Client>,
    /// Threads that exist: those that have ended stay until they are joined.
    workers: Vec<Worker>,
    /// Jobs that were accepted.
    submitted: Job,
    /// Jobs that were taken by a worker or refused. They go in the order they came, so the number says which.
    gone: Job,
    /// A thread could not be started.
    failed: bool,
    fault: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Submits,
    Starts,
    StartsLazily,
    ResizesTo(usize),
    Stops,
    Summons,
    StopIsOver,
    Rings(WorkerId),
    RingsForNobody,
    RingsAndReleasesTwo(WorkerId, WorkerId),
    RingsForAll,
    Joins(WorkerId),
    StartsThread(WorkerId),
    FailsToStartThread(WorkerId),
    Arrives(WorkerId),
    Looks(WorkerId),
    LooksAndMaySearch(WorkerId),
    FinishesItsJob(WorkerId),
    WakesForNoReason(WorkerId),
    ThreadEnds(WorkerId),
}

impl Yard {
    fn new(plan: &'static Plan) -> Self {
        Self {
            plan: Given(plan),
            left: plan.left,
            intake: Intake::new(),
            crew: Crew::new(plan.sizes),
            clients: vec![Client::Free; plan.clients],
            workers: Vec::new(),
            submitted: 0,
            gone: 0,
            failed: false,
            fault: None,
        }
    }

    fn has_seed(&self, seed: Seed) -> bool {
        self.plan.0.seed == seed
    }

    fn blame(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    /// The most threads that there may be, by the target.
    fn limit(&self) -> usize {
        let Sizes { max, .. } = self.crew.target();
        if self.crew.phase() == Phase::Draining { max.max(1) } else { max }
    }

    fn room(&self) -> usize {
        self.limit().saturating_sub(self.crew.live())
    }

    fn queued(&self) -> usize {
        self.crew.queue().len() + self.intake.queue().len()
    }

    fn is_serving(&self) -> bool {
        matches!(self.crew.phase(), Phase::Running | Phase::Draining)
    }

    /// Jobs leave the pool in the order they came.
    fn goes(&mut self, job: Job) {
        if job != self.gone {
            self.blame("a job is lost, doubled, or overtaken");
        }
        self.gone += 1;
    }

    /// Makes an errand of a call.
    fn errand(&mut self, call: Call, caller: Actor) -> Errand {
        let (ring, start) = match call {
            Call::Nobody => (Ring::No, None),
            Call::One => (Ring::One, None),
            Call::All if self.has_seed(Seed::WakesOneToShrink) => (Ring::One, None),
            Call::All => (Ring::All, None),
            Call::Start(start) => (Ring::No, Some(start)),
            Call::AllAndStart(start) => (Ring::All, Some(start)),
        };
        let mut errand = Errand { ring, ..Errand::default() };
        if let Some(Start { first, count, join }) = start {
            if join.iter().any(|id| caller == Actor::Worker(*id) || !self.has_retired(*id)) {
                self.blame("a worker is to be joined that can still run, or by itself");
            }
            if !self.has_seed(Seed::IsNotJoined) {
                errand.join = bits(&join);
            }
            errand.first = u8::try_from(first).unwrap();
            errand.count = u8::try_from(count).unwrap();
            errand.limit = u8::try_from(self.limit()).unwrap();
            if self.crew.live() > self.limit() {
                self.blame("more threads are started than the target allows");
            }
        }
        errand
    }

    fn has_retired(&self, id: WorkerId) -> bool {
        self.workers.iter().any(|worker| worker.id == id && !worker.duty.is_able())
    }

    fn worker(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.id == id)
    }

    fn waiters(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.workers.iter().filter(|worker| worker.duty == Duty::Waits).map(|worker| worker.id)
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
        let of_workers = self.workers.iter().filter_map(|worker| worker.duty.errand());
        of_clients.chain(of_workers)
    }

    /// The next thing to do of an errand, in each way it may come out.
    fn errand_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let quiet = Errand { ring: Ring::No, ..errand };
        match errand {
            Errand { ring: Ring::One, .. } => {
                if self.waiters().next().is_none() {
                    steps.certain(Event::RingsForNobody, self.clone().goes_on(who, quiet));
                }
                for one in self.waiters() {
                    let next = self.released(one);
                    if !self.plan.0.spurious {
                        for other in self.waiters().filter(|other| *other > one) {
                            let event = Event::RingsAndReleasesTwo(one, other);
                            steps.certain(event, next.released(other).goes_on(who, quiet));
                        }
                    }
                    steps.certain(Event::Rings(one), next.goes_on(who, quiet));
                }
            }
            Errand { ring: Ring::All, .. } => {
                let next = self.waiters().fold(self.clone(), |next, id| next.released(id));
                steps.certain(Event::RingsForAll, next.goes_on(who, quiet));
            }
            Errand { join: 1.., .. } => {
                let id = errand.join.trailing_zeros() as WorkerId;
                let rest = Errand { join: errand.join & (errand.join - 1), ..errand };
                if let Some(next) = self.joined(id) {
                    steps.certain(Event::Joins(id), next.goes_on(who, rest));
                }
            }
            Errand { count: 1.., .. } => self.start_steps(steps, who, errand),
            Errand { .. } => {}
        }
    }

    /// The same, with this thread joined; not yet, as long as it has not ended.
    fn joined(&self, id: WorkerId) -> Option<Self> {
        let mut next = self.clone();
        match self.workers.iter().position(|worker| worker.id == id) {
            Some(at) if self.workers[at].duty == Duty::Ended => drop(next.workers.remove(at)),
            Some(_) => return None,
            None => next.blame("a thread is joined twice"),
        }
        Some(next)
    }

    fn start_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let id = WorkerId::from(errand.first);
        let mut next = self.clone();
        next.workers.push(Worker { id, duty: Duty::Arrives, searched: false });
        next.workers.sort_by_key(|worker| worker.id);
        if next.workers.iter().filter(|worker| worker.duty != Duty::Ended).count() > usize::from(errand.limit) {
            next.blame("there are more threads than the target allows");
        }
        let rest = Errand { first: errand.first + 1, count: errand.count - 1, ..errand };
        steps.certain(Event::StartsThread(id), next.goes_on(who, rest));

        if self.left.failures > 0 {
            let mut next = self.clone();
            next.left.failures -= 1;
            next.failed = true;
            let rest = if self.has_seed(Seed::HushesFailure) {
                Errand::default()
            } else {
                let count = usize::from(errand.count);
                let failed =
                    next.step(steps, "start_failed", |crew, intake| crew.start_failed(intake, count), labels::failed);
                failed.orphans.into_iter().for_each(|job| next.goes(job));
                next.errand(failed.call, who)
            };
            steps.certain(Event::FailsToStartThread(id), next.goes_on(who, rest));
        }
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
        }
        // Clients are alike: worlds that differ in their order are one.
        self.clients.sort();
        self
    }
}

impl Errand {
    fn is_done(self) -> bool {
        self.ring == Ring::No && self.join == 0 && self.count == 0
    }
}

fn bits(ids: &[WorkerId]) -> u16 {
    ids.iter().fold(0, |bits, id| bits | 1 << id)
}

const fn sizes(min: usize, max: usize) -> Sizes {
    Sizes { min, max }
}

const NOTHING: Left = Left { submits: 0, starts: 0, lazy_starts: 0, resizes: 0, stops: 0, failures: 0 };

const SMALL: Plan = Plan {
    seed: Seed::None,
    clients: 2,
    sizes: sizes(1, 2),
    targets: &[],
    left: Left { submits: 2, starts: 1, stops: 1, ..NOTHING },
    searches: true,
    spurious: true,
};

#[test]
fn probe() {
    static PLAN: Plan = SMALL;
    let at = std::time::Instant::now();
    match super::explore(Yard::new(&PLAN)) {
        Ok(found) => panic!("{} {} in {:?}\n{}", found.states, found.steps, at.elapsed(), table::chapter(&found.rows, "crew")),
        Err(fault) => panic!("{fault:?}"),
    }
}
