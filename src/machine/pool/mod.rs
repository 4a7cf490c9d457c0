//! The pool's state machine: two queues under two locks, and the workers that serve them.
//!
//! # Terms
//!
//! - **Submit queue**: submitters append here, under its own lock ([`SubmitQueue`]).
//! - **Workers' queue**: workers pop here, under the lock of [`Workers`]. When it is empty, a worker that holds both
//!   locks moves the whole submit queue into it. So the order is strictly first in, first out, and a submitter contends
//!   with a worker once per batch. A thread that takes both locks takes the workers' first; submitters never hold both,
//!   unless the queue is full.
//! - A **live** worker is one of: **starting** (spawned, has not taken the workers' lock yet), running its start hooks,
//!   about to look for a job, **idle** (waits to be notified), **busy** (has a job; **blocked** while the job says that
//!   it waits), **exiting** (takes no more jobs, has not made its last transition). All but the exiting are **active**.
//! - An idle worker is **asleep** until it is **woken**: a transition takes it off the list of sleepers and names it,
//!   and the caller notifies it. It may also wake by itself.
//! - A **wake is pending** if some worker is certain to look at both queues without another wake: one that searches, or
//!   one that was woken and has not taken the lock since.
//! - **`wake_not_needed`**: submitters need not wake anybody. While it is unset, the next submitter must call
//!   [`wake_or_spawn`](Workers::wake_or_spawn).
//! - **Limit**: the most active workers, the target's maximum and one more for each blocked worker, up to the
//!   compensation limit.
//!
//! # Protocol
//!
//! A submitter appends under the submit queue's lock and sets `wake_not_needed`. If it was unset, the submitter then
//! takes the workers' lock and either wakes an idle worker, or spawns a thread, or does nothing if one is starting or a
//! wake is pending.
//!
//! A worker takes the workers' lock when its thread has started, when its wait or search is over, and when it has run a
//! job. It asks for a job ([`next_job`](Workers::next_job), or [`next_action`]
//! under both locks). If it takes one and leaves others behind, it wakes or spawns the next worker before it runs its
//! own. If it finds none, it becomes idle. A transition under both locks that may have changed who will look at the
//! queues updates `wake_not_needed`.
//!
//! A transition returns what is owed ([`Wakeups`]); the caller carries it out when it has released both locks.
//!
//! # Hazard: a lost wake
//!
//! A job is appended, its submitter sees `wake_not_needed`, and the worker it relied on has just gone to sleep. It
//! cannot happen, because of three facts, which the exhaustive search checks in every state:
//!
//! 1. A worker becomes idle only while both locks are held and both queues are empty.
//! 2. While jobs are queued, a wake is pending, or a submitter owes `wake_or_spawn`, or no worker is idle and
//!    either a thread is starting or none may be spawned.
//! 3. `wake_not_needed` is cleared only while both queues are empty and `wake_or_spawn` would have an effect; the
//!    next submitter then owes that call.
//!
//! The exception is a failed spawn: after it, a thread that may be spawned need not be on its way (2), and the flag is
//! cleared whatever the queues hold (3), so that the next submission tries again.
//!
//! # Hazard: a wake is pending, and nobody comes
//!
//! It cannot happen, because that is counted by what workers do and not by what notifies were meant to do. A woken
//! worker has left the list of sleepers in the transition that named it, so no second wake is spent on it, and it is
//! counted until it takes the lock itself, whatever ended its wait: the notify, its keep-alive, or nothing. A notify
//! that comes late, when the worker sleeps again or another has its slot, is a spurious wake.
//!
//! # Hazard: idle workers never age
//!
//! A trickle of jobs wakes each worker in its turn, and no keep-alive ever passes. It cannot happen: while a
//! keep-alive can pass, the worker that fell asleep last is woken, so those below it in the list sleep on.
//!
//! # Hazard: a worker sleeps on that should not
//!
//! The pool stops or shrinks, and somebody has to tell every idle worker, at constant cost. One is woken, the one that
//! has slept longest, and each that is woken wakes the next, before it asks what to do itself, as long as one is left
//! that is to exit or to sleep with a timeout.
//!
//! # Hazard: a job waits behind one that blocks
//!
//! A worker takes two jobs, or leaves jobs behind and runs a long one. It cannot happen: no worker holds a second job,
//! and each wakes or spawns the next before it runs its own.
//!
//! # Hazard: more threads than the jobs need
//!
//! Every submission spawns another thread before the first one has started. It cannot happen: while a thread is
//! starting, no other is spawned for the same jobs. Each takes a job when it has started, and wakes or spawns the next
//! if it leaves any behind.
//!
//! # Features
//!
//! - A job with a ticket can be [cancelled](cancel) wherever it is in a queue ([`cancellable_queue`]).
//! - In a bounded pool, submitters [wait for a free slot](submit_when_full); each slot that becomes free is announced
//!   to one of them.
//! - A job that [blocks](block) lets one more worker be spawned.
//! - An idle worker above the minimum exits when its keep-alive has passed, after one more [`next_action`]. The machine
//!   reads no clock: that time has passed is an event like any other.
//!
//! # Files
//!
//! `state` and `action` (what the halves and the results are made of), [`cancellable_queue`], [`sleepers`] (who is
//! asleep, in what order) and the [`slot_table`] under it, the two halves [`submit_queue`] and [`workers`], and
//! [`transitions`], which need both locks. [`ticket`] is a small machine of its own, under its own lock: whether one
//! job was cancelled. [`join_state`] is another: who joins the threads. The table of each machine lies beside it;
//! `worker_loop.md` shows the same transitions as `workers.md`, from the view of one worker.

mod action;
mod cancellable_queue;
mod join_state;
mod sleepers;
mod slot_table;
mod state;
mod submit_queue;
#[cfg(test)]
mod tests;
mod ticket;
mod transitions;
mod workers;

#[cfg(test)]
pub(in crate::machine) use self::action::{Exited, SpawnFailed, SpawnNext, Stop};
pub(crate) use self::action::{Notify, Spawn, Wakeups, WorkerAction};
pub(in crate::machine) use self::cancellable_queue::CancellableQueue;
pub(crate) use self::cancellable_queue::{JobStore, Popped, PushJob, RefusedJobs, TicketId};
pub(crate) use self::join_state::{EndAction, EndWait, JoinState};
pub(crate) use self::sleepers::WorkerSlot;
pub(crate) use self::slot_table::{CHUNKS, EntryLocation, SlotTable};
#[cfg(test)]
pub(in crate::machine) use self::state::PoolState;
pub(crate) use self::state::{Compensation, Policy, Sizes, WorkerId};
pub(crate) use self::submit_queue::{Accepted, SubmitError};
pub(crate) use self::ticket::{CancelRequest, TicketState};
pub(crate) use self::transitions::{
    WorkerHint, accepted, begin_start_hooks, block, cancel, exited, is_at_rest, next_action, report_saturation, resize,
    spawn_failed, spawn_next, start, stop, submit_when_full,
};

/// The workers' half of the machine, guarded by the workers' lock.
pub(crate) type Workers<S> = workers::Workers<CancellableQueue<S>>;

/// The submitters' half of the machine, guarded by the submit queue's lock.
pub(crate) type SubmitQueue<S> = submit_queue::SubmitQueue<CancellableQueue<S>>;
