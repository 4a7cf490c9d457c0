//! The pool: submitters append under the lock of the submit queue, workers take under their own, and exchange the two
//! queues when theirs is empty. And the next design's inner part: a counter from which threads claim numbers.

use std::collections::VecDeque;
use std::mem;

use super::costs::Costs;
use super::inbox::SPINS;
use super::machine::{Machine, Outcome, Process, Step, World};

const WORKERS: usize = 0;
const SUBMIT_QUEUE: usize = 1;
/// The line of the counter.
const COUNTER: usize = 0;

/// What is simulated.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Without one, all jobs are in the queue from the start.
    pub submitters: usize,
    /// Without one, a job is done once it is submitted.
    pub workers: usize,
    /// The first worker has the core on which the jobs were submitted.
    pub first_is_here: bool,
    /// Nanoseconds that a job takes.
    pub job: f64,
    /// Nanoseconds that a submitter does something else before each job.
    pub between: f64,
    pub operations: usize,
    pub seed: u64,
}

pub fn run(costs: Costs, plan: Plan) -> Outcome {
    let queued = if plan.submitters == 0 { (0..plan.operations).collect() } else { VecDeque::new() };
    let state = Pool { queue: queued, wake_not_needed: true, ..Pool::default() };
    let mut machine = Machine::new(costs, 2, plan.operations, state, plan.seed);
    for number in 0..plan.workers {
        let take = if plan.first_is_here && number == 0 { costs.job_here } else { costs.job };
        machine.add(Worker { plan, take, stage: WorkerStage::Begin, searched: false });
    }
    for first in 0..plan.submitters {
        machine.add(Submitter { next: first, plan, stage: SubmitterStage::Begin });
    }
    machine.run()
}

/// Threads that claim the next number from one counter, and then do something for `work` nanoseconds.
pub fn run_claimers(costs: Costs, threads: usize, work: f64, operations: usize, seed: u64) -> Outcome {
    let mut machine = Machine::new(costs, 0, operations, Claims::default(), seed);
    for _ in 0..threads {
        machine.add(Claimer { work, stage: ClaimerStage::Begin });
    }
    machine.run()
}

/// The counter from which numbers are claimed.
#[derive(Default)]
struct Claims {
    next: usize,
}

#[derive(Default)]
struct Pool {
    /// The workers' half.
    queue: VecDeque<usize>,
    searching: bool,
    sleepers: VecDeque<usize>,
    woken: usize,
    /// The submitters' half.
    submitted: VecDeque<usize>,
    wake_not_needed: bool,
}

impl Pool {
    fn is_wake_pending(&self) -> bool {
        self.searching || self.woken > 0
    }

    /// Whom to wake because jobs wait.
    fn wake(&mut self) -> Option<usize> {
        if self.is_wake_pending() {
            return None;
        }
        let sleeper = self.sleepers.pop_front();
        self.woken += usize::from(sleeper.is_some());
        sleeper
    }

    /// With both locks held.
    fn update_wake_flag(&mut self) {
        self.wake_not_needed = self.is_wake_pending() || !self.queue.is_empty() || self.sleepers.is_empty();
    }

    fn exchange_if_empty(&mut self) {
        if self.queue.is_empty() {
            mem::swap(&mut self.queue, &mut self.submitted);
        }
    }
}

struct Submitter {
    /// The number of its next job.
    next: usize,
    plan: Plan,
    stage: SubmitterStage,
}

#[derive(Clone, Copy)]
enum SubmitterStage {
    Begin,
    Locking,
    Locked,
    Submitted,
    Unlocked { must_wake: bool },
    WorkersLocked,
    Wake { sleeper: Option<usize> },
}

impl Process<Pool> for Submitter {
    fn next(&mut self, world: &mut World<Pool>) -> Step {
        let costs = world.costs;
        let (stage, step) = match self.stage {
            SubmitterStage::Begin if self.next >= self.plan.operations => (self.stage, Step::End),
            SubmitterStage::Begin => {
                (SubmitterStage::Locking, Step::Work(world.about(self.plan.between + costs.lock / 2.0)))
            }
            SubmitterStage::Locking => (SubmitterStage::Locked, Step::Lock(SUBMIT_QUEUE)),
            SubmitterStage::Locked => {
                let moved = if world.moved { costs.submit_moved } else { 0.0 };
                (SubmitterStage::Submitted, Step::Work(world.about(costs.submit - costs.lock / 2.0 + moved)))
            }
            SubmitterStage::Submitted => {
                if self.plan.workers > 0 {
                    world.state.submitted.push_back(self.next);
                } else {
                    world.finish(self.next);
                }
                self.next += self.plan.submitters;
                let must_wake = !mem::replace(&mut world.state.wake_not_needed, true);
                (SubmitterStage::Unlocked { must_wake }, Step::Unlock(SUBMIT_QUEUE))
            }
            SubmitterStage::Unlocked { must_wake: true } => (SubmitterStage::WorkersLocked, Step::Lock(WORKERS)),
            SubmitterStage::WorkersLocked => {
                (SubmitterStage::Wake { sleeper: world.state.wake() }, Step::Unlock(WORKERS))
            }
            SubmitterStage::Wake { sleeper: Some(sleeper) } => (SubmitterStage::Begin, Step::Wake(sleeper)),
            SubmitterStage::Unlocked { must_wake: false } | SubmitterStage::Wake { sleeper: None } => {
                (SubmitterStage::Begin, Step::Work(0))
            }
        };
        self.stage = stage;
        step
    }
}

struct Worker {
    plan: Plan,
    /// What it takes for a job that does nothing.
    take: f64,
    stage: WorkerStage,
    /// It has searched since its last job.
    searched: bool,
}

#[derive(Clone, Copy)]
enum WorkerStage {
    Begin,
    Locking,
    Locked,
    Looking,
    BothLocked,
    BothSeen,
    /// It still has the workers' lock.
    SubmitQueueUnlocked(Action),
    Decided(Action),
    Running {
        job: usize,
    },
    Searching {
        looks: u32,
    },
    Searched,
    Awake,
    Woken,
}

#[derive(Clone, Copy)]
enum Action {
    Run { job: usize, wake: Option<usize> },
    Search,
    Sleep,
}

impl Worker {
    /// With the workers' lock held, and jobs in their queue.
    fn take_job(pool: &mut Pool) -> Option<Action> {
        let job = pool.queue.pop_front()?;
        let wake = if pool.queue.is_empty() { None } else { pool.wake() };
        Some(Action::Run { job, wake })
    }

    /// With both locks held.
    fn next_action(&mut self, me: usize, pool: &mut Pool) -> Action {
        pool.exchange_if_empty();
        let action = match Self::take_job(pool) {
            Some(run) => {
                pool.exchange_if_empty();
                run
            }
            None if !self.searched && !pool.is_wake_pending() => {
                self.searched = true;
                pool.searching = true;
                Action::Search
            }
            None => {
                pool.sleepers.push_back(me);
                Action::Sleep
            }
        };
        pool.update_wake_flag();
        action
    }
}

impl Process<Pool> for Worker {
    fn next(&mut self, world: &mut World<Pool>) -> Step {
        let costs = world.costs;
        let moved = |cost| if world.moved { cost } else { 0.0 };
        let (stage, step) = match self.stage {
            WorkerStage::Begin => (WorkerStage::Locking, Step::Work(world.about(costs.lock / 2.0))),
            WorkerStage::Locking => (WorkerStage::Locked, Step::Lock(WORKERS)),
            WorkerStage::Locked => {
                let held = self.take - costs.lock / 2.0 + moved(costs.job_moved);
                (WorkerStage::Looking, Step::Work(world.about(held)))
            }
            WorkerStage::Looking if world.state.queue.len() < 2 => (WorkerStage::BothLocked, Step::Lock(SUBMIT_QUEUE)),
            WorkerStage::Looking => {
                let run = Self::take_job(&mut world.state).expect("there are two");
                (WorkerStage::Decided(run), Step::Unlock(WORKERS))
            }
            WorkerStage::BothLocked => {
                let held = costs.lock + moved(costs.submit_moved);
                (WorkerStage::BothSeen, Step::Work(world.about(held)))
            }
            WorkerStage::BothSeen => {
                let action = self.next_action(world.me, &mut world.state);
                (WorkerStage::SubmitQueueUnlocked(action), Step::Unlock(SUBMIT_QUEUE))
            }
            WorkerStage::SubmitQueueUnlocked(action) => (WorkerStage::Decided(action), Step::Unlock(WORKERS)),
            WorkerStage::Decided(Action::Run { job, wake: Some(sleeper) }) => {
                (WorkerStage::Decided(Action::Run { job, wake: None }), Step::Wake(sleeper))
            }
            WorkerStage::Decided(Action::Run { job, wake: None }) => {
                (WorkerStage::Running { job }, Step::Work(world.about(self.plan.job)))
            }
            WorkerStage::Decided(Action::Search) => (WorkerStage::Searching { looks: 0 }, Step::Work(0)),
            WorkerStage::Decided(Action::Sleep) => (WorkerStage::Awake, Step::Sleep),
            WorkerStage::Running { job } => {
                world.finish(job);
                self.searched = false;
                (WorkerStage::Begin, Step::Work(0))
            }
            WorkerStage::Searching { looks } if looks == SPINS || !world.state.submitted.is_empty() => {
                (WorkerStage::Searched, Step::Lock(WORKERS))
            }
            WorkerStage::Searching { looks } => {
                (WorkerStage::Searching { looks: looks + 1 }, Step::Work(world.about(costs.pause)))
            }
            WorkerStage::Searched => {
                world.state.searching = false;
                (WorkerStage::Looking, Step::Work(world.about(moved(costs.job_moved))))
            }
            WorkerStage::Awake => (WorkerStage::Woken, Step::Lock(WORKERS)),
            WorkerStage::Woken => {
                world.state.woken -= 1;
                (WorkerStage::Looking, Step::Work(world.about(moved(costs.job_moved))))
            }
        };
        self.stage = stage;
        step
    }
}

struct Claimer {
    work: f64,
    stage: ClaimerStage,
}

#[derive(Clone, Copy)]
enum ClaimerStage {
    Begin,
    Claiming,
    Working { number: usize },
}

impl Process<Claims> for Claimer {
    fn next(&mut self, world: &mut World<Claims>) -> Step {
        let (stage, step) = match self.stage {
            ClaimerStage::Begin => (ClaimerStage::Claiming, Step::Write(COUNTER)),
            ClaimerStage::Claiming => {
                let number = world.state.next;
                world.state.next += 1;
                if number >= world.done.len() {
                    return Step::End;
                }
                (ClaimerStage::Working { number }, Step::Work(world.about(self.work)))
            }
            ClaimerStage::Working { number } => {
                world.finish(number);
                (ClaimerStage::Begin, Step::Work(0))
            }
        };
        self.stage = stage;
        step
    }
}
