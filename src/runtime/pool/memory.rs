//! A pool without threads: its workers sit on a bench, and whoever steps them decides who goes on, and when.
//!
//! Everything but the threads is the pool's own: the same machine under the same locks, the same decisions, the same calls. So whatever a program
//! does to such a pool, and in whatever order its workers go on, can be replayed, one step at a time, on one thread.

use std::fmt;

use super::super::sync::{Arc, Mutex};
use super::Job;
use super::blocked::on_duty;
use super::job::{Queued, Ran};
use super::line::fetch;
use super::shared::Shared;
use super::ticket::apart;
use super::worker::{Duty, Employed, Employer, Entry, Hand, leave, settle_in};
use crate::machine::pool::{Notify, WorkerId};

/// Where a worker without a thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Was started, and has not looked yet.
    Arriving,
    /// Has a job in its hand, which its next step runs. It is busy.
    Holding,
    /// Runs its job: this is asked from inside of it.
    Running,
    /// Has run its job, and has not said so yet. It is busy until its next step, in which it looks again.
    Finished,
    /// Waits for a wake. It cannot be stepped.
    Asleep,
    /// Was woken, and looks next.
    Woken,
}

/// What a worker did in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// It looked, and took a job. Whom that had to be told has been.
    Took,
    /// It ran its job to the end.
    Ran,
    /// It looked, found nothing, and fell asleep.
    Slept,
    /// It looked, was one too many, and is gone.
    Retired,
}

/// The hand that steps the workers of a pool without threads: see [`PoolBuilder::memory`](crate::pool::PoolBuilder::memory).
///
/// A job may step other workers while it runs, as if they went on meanwhile; never its own.
///
/// ```
/// use selvedge::{ThreadPool, testing::Step};
///
/// let (pool, stepper) = ThreadPool::builder().size(1, 1).memory()?;
/// pool.start()?;
/// pool.call_in_thread(|| println!("on this very thread"))?;
/// assert_eq!(stepper.step(), Some(Step::Took));
/// assert_eq!(stepper.step(), Some(Step::Ran));
/// assert_eq!(stepper.step(), Some(Step::Slept));
/// assert_eq!(stepper.step(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Stepper {
    shared: Arc<Shared>,
}

/// The workers of a pool without threads, in order of age. Its lock is taken last of all, and nothing is called under it.
pub(super) struct Bench(Mutex<Vec<Seated>>);

struct Seated {
    id: WorkerId,
    stage: Stage,
    /// Not here while it is in a step.
    kept: Option<(Hand, Next)>,
}

/// What a worker's next step is.
enum Next {
    Arrive,
    Look(Entry),
    Run(Job),
}

impl Bench {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// A worker is started.
    pub(super) fn seat(&self, id: WorkerId) {
        let kept = Some((Hand::new(id), Next::Arrive));
        let mut seats = self.0.lock();
        seats.push(Seated { id, stage: Stage::Arriving, kept });
        // Two who start workers may overtake each other.
        seats.sort_by_key(|seated| seated.id);
    }

    /// Wakes of those that sleep the oldest, or all.
    pub(super) fn wake(&self, ring: Notify) {
        let count = match ring {
            Notify::Nobody => 0,
            Notify::One => 1,
            Notify::All => usize::MAX,
        };
        let mut seats = self.0.lock();
        let asleep = seats.iter_mut().filter(|seated| seated.stage == Stage::Asleep);
        asleep.take(count).for_each(|seated| seated.stage = Stage::Woken);
    }

    /// Takes a worker that can go on off the bench, for a step.
    fn rouse(&self, id: Option<WorkerId>) -> Option<(Hand, Next)> {
        let mut seats = self.0.lock();
        let mut able = seats.iter_mut().filter(|seated| seated.stage != Stage::Asleep && seated.kept.is_some());
        let seated = able.find(|seated| id.is_none_or(|id| seated.id == id))?;
        let kept = seated.kept.take();
        if matches!(kept, Some((_, Next::Run(_)))) {
            seated.stage = Stage::Running;
        }
        kept
    }

    /// Its step is over.
    fn sit(&self, hand: Hand, stage: Stage, next: Next) {
        let mut seats = self.0.lock();
        if let Some(seated) = seats.iter_mut().find(|seated| seated.id == hand.id) {
            seated.stage = stage;
            seated.kept = Some((hand, next));
        }
    }

    fn leave(&self, id: WorkerId) {
        self.0.lock().retain(|seated| seated.id != id);
    }
}

impl Stepper {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The oldest worker that is able to does one thing: it looks, or it runs the job that it has. `None` if all sleep, or there is none.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn step(&self) -> Option<Step> {
        self.advance(None)
    }

    /// This worker does one thing. `None` if it sleeps, or runs a job that asks this, or there is none of this number.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn step_worker(&self, worker: usize) -> Option<Step> {
        self.advance(Some(worker))
    }

    /// The workers there are, in order of age, each with its number.
    #[must_use]
    pub fn workers(&self) -> Vec<(usize, Stage)> {
        let bench = self.shared.bench.as_ref();
        bench.map(|bench| bench.0.lock().iter().map(|seated| (seated.id, seated.stage)).collect()).unwrap_or_default()
    }

    fn advance(&self, id: Option<WorkerId>) -> Option<Step> {
        let shared = &self.shared;
        let bench = shared.bench.as_ref()?;
        let (mut hand, next) = bench.rouse(id)?;
        let me = hand.id;
        let employed = Employed::by(&Employer::new(Arc::clone(shared)));
        let entry = match next {
            Next::Arrive => settle_in(shared, me),
            Next::Look(entry) => entry,
            Next::Run(job) => {
                let ran = apart(|| on_duty(shared, || job.run_in(&shared.hooks, &shared.reporter)));
                bench.sit(hand, Stage::Finished, Next::Look(Entry::Finished(ran)));
                return Some(Step::Ran);
            }
        };
        let mut workers = shared.workers.lock();
        hand.enters(&mut workers, entry);
        let duty = match hand.next(&mut workers) {
            Some((job, wakeups)) => Duty::Run(job, wakeups),
            None => hand.look(shared, &mut workers),
        };
        match duty {
            Duty::Run(taken, wakeups) => {
                // What it does next is told apart from this: until then the job is in its hand, and not in the line.
                if let Some(job) = fetch(taken, workers.machine.store()) {
                    hand.takes(&mut workers, &job);
                    bench.sit(hand, Stage::Holding, Next::Run(job));
                } else {
                    // It is there: the lane is that of its type.
                    bench.sit(hand, Stage::Finished, Next::Look(Entry::Finished(Ran::default())));
                }
                drop(workers);
                Shared::carry_out(shared, wakeups);
                Some(Step::Took)
            }
            // It does not search: that is a moment's spin for what another thread may bring.
            Duty::Sleep(_) | Duty::Search => {
                bench.sit(hand, Stage::Asleep, Next::Look(Entry::Woken));
                Some(Step::Slept)
            }
            Duty::Leave(wakeups) => {
                bench.leave(me);
                drop(workers);
                leave(shared, me, wakeups, None, employed);
                Some(Step::Retired)
            }
            Duty::Gone(wakeups, parting) => {
                bench.leave(me);
                drop(workers);
                leave(shared, me, wakeups, Some(parting), employed);
                Some(Step::Retired)
            }
        }
    }
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper").field("workers", &self.workers()).finish()
    }
}
