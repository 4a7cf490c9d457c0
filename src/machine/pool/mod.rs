//! The machine of the pool: two queues under two locks, and the workers between them.
//!
//! Submitters append to the **intake**, under its lock. Workers pop from the **crew**'s queue, under the crew's, and when that
//! is empty exchange the two queues while they hold both (crew first, then intake). So a submitter meets a worker once per batch, and the order
//! stays strictly first in, first out.
//!
//! Nothing here counts wakes. One bit, the **beacon**, says that somebody who is here is bound to look at both queues: a submitter's
//! summons on its way, a notified worker, one that searches before it sleeps. Whoever comes takes the beacon down and looks; if a notify releases two waiters, the second finds nothing and sleeps again; if it
//! releases one that was not meant, that one looks all the same. Counts say what threads really do: among
//! others, how many were started and have not **arrived**. Each of them looks as well, so while one is on its way no other is called for.
//!
//! Three facts make it sound, and the exhaustive search holds them in every state:
//!
//! 1. A worker falls asleep only while it holds both locks and finds both queues empty.
//! 2. While jobs wait, the beacon is up, or a summons is on its way, or no worker is idle and either one is arriving or none may be added.
//! 3. The intake is **unwatched** only when it is empty, and an idle worker or room for one existed when that was settled: then, and only
//!    then, the next submitter owes a summons. (A thread that could not be started is the exception: the intake stays unwatched, so
//!    that each submission tries again.)
//!
//! A worker that takes a job and leaves others behind raises the beacon for the next before it runs its own: nobody puts
//! a second job into its pocket, and no job waits behind one that blocks.
//!
//! Around these two queues: a job with a ticket can be [cancelled](cancel) where it stands ([`queue`]); a [bounded](squeeze) queue makes callers
//! wait for a place, and each place that becomes free is told to one of them; a job that [blocks](block) lets one more worker stand in for its own;
//! an idle worker above the minimum retires when its keep-alive has passed, after one more [`look`]. Time is none of the machine's: that it has
//! passed is an event like any other.

mod crew;
mod intake;
mod queue;
mod whole;

pub(crate) use self::intake::{Accepted, Refused};
use self::queue::Queue;
#[cfg(test)]
pub(in crate::machine) use self::queue::plain::Line;
pub(crate) use self::queue::{Accept, Backlog, Slot, Slots, Taken, TicketId};
pub(crate) use self::whole::{Mood, block, cancel, left, look, resize, settle_in, squeeze, start, start_failed, stop};

/// The workers' half of the machine.
pub(crate) type Crew<S> = crew::Crew<Queue<S>>;

/// The submitters' half of the machine.
pub(crate) type Intake<S> = intake::Intake<Queue<S>>;

/// The number that tells a worker from all others of its pool, and stands in its name.
pub(crate) type WorkerId = usize;

/// How many workers there should be: a target, never a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sizes {
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// How far the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Not started: jobs queue, and no thread exists.
    Unstarted,
    /// Serves.
    Running,
    /// Takes no more jobs; finishes those it has.
    Draining,
    /// No job and no worker is left, and none will come.
    Stopped,
}

/// What a pool that is stopped does with jobs that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Policy {
    Drain,
    CancelQueued,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) panicked: u64,
    /// Jobs that never ran because somebody wanted it so: by ticket, or by stopping the pool.
    pub(crate) cancelled: u64,
    /// Jobs that never ran because no thread could be started.
    pub(crate) failed: u64,
    /// The most workers at any time.
    pub(crate) peak: usize,
}

/// History is no state: what happened so far never decides what happens next, and two states that differ in nothing else
/// are one to the exhaustive search.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct History<T>(pub(crate) T);

impl<T> PartialEq for History<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for History<T> {}

impl<T> std::hash::Hash for History<T> {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// Threads to start, once the locks are released.
///
/// First those are to be joined that have [retired](Crew::take_retired), so that there are never more threads than the target allows; who retires after this was
/// said still counted then. All of this is done by one at a time: whoever starts a thread in the place of another must not overtake the one who joins that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Start {
    /// The first new worker's number; the others follow it.
    pub(crate) first: WorkerId,
    pub(crate) count: usize,
    /// So many workers are to be joined, as far as nobody else has joined them by then. (A number, so that there is no padding: what is copied in pieces is waited for.)
    pub(crate) joins: usize,
}

/// Whom to wake of those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) enum Ring {
    #[default]
    No,
    One,
    All,
}

/// Whom to call, once the locks are released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    /// Idle workers: one is to look at the queues; all, where some are to retire.
    pub(crate) ring: Ring,
    pub(crate) start: Start,
    /// Callers that wait for a place in the queue: one, where one is free; all, where many are, or none ever will be.
    pub(crate) places: Ring,
    /// To be reported: jobs wait, every worker is blocked, and none may be added.
    pub(crate) saturated: bool,
}

impl Call {
    pub(crate) const NOBODY: Self =
        Self { ring: Ring::No, start: Start { first: 0, count: 0, joins: 0 }, places: Ring::No, saturated: false };

    fn ring(ring: Ring) -> Self {
        Self { ring, ..Self::NOBODY }
    }
}

/// What a worker does next.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Next<T> {
    /// Take the job, carry out the call, then run the job.
    Run(T, Call),
    /// Spin for a moment without a lock, then [`Crew::searched`] and look again.
    Search,
    /// Wait for a notify, then [`Crew::woken`] and look again. `timed`, there are more workers than the minimum: wait for the keep-alive to pass, or for what is left of it.
    /// (Sleepers that are not timed are rung when the minimum sinks below them.)
    Sleep { timed: bool },
    /// Carry out the call, do what the program wants to be done last, then say that it has [`left`].
    Leave(Call),
}

/// What a worker owes that has made its last transition, once the locks are released. Then its thread ends.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) call: Call,
    /// The pool has stopped with it: tell those who wait for that.
    pub(crate) stopped: bool,
    /// The pool goes on, and others have retired before it whom no start is about to join. If nobody else is joining just now, it does that itself, as the last thing:
    /// so there are hardly ever more threads that have ended and were not joined than the one that ended last.
    pub(crate) joins: bool,
}

/// What a failed start comes to, once the locks are released.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartFailed<B> {
    /// Jobs that nobody is left to run.
    pub(crate) orphans: B,
    pub(crate) call: Call,
    /// The pool has stopped with it: it waited for these threads only. Tell those who wait for that.
    pub(crate) stopped: bool,
}

/// What stopping comes to, once the locks are released.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop<B> {
    /// Jobs that never run.
    pub(crate) cancelled: B,
    /// The pool was never started: that is why they do not.
    pub(crate) unstarted: bool,
    pub(crate) call: Call,
    /// The pool has stopped, now or before: tell those who wait for that.
    pub(crate) stopped: bool,
}
