//! The pool's machine: both halves and all transitions are the sources that ship. The queue of jobs and the list of
//! sleepers are stand-ins that know how many they hold: each is proved by itself, in `job_queue` and `sleepers_list`.

#[path = "../../../../src/machine/pool/action.rs"]
mod action;
mod cancellable_queue;
mod sleepers;
#[path = "../../../../src/machine/pool/state.rs"]
mod state;
#[path = "../../../../src/machine/pool/submit_queue.rs"]
mod submit_queue;
#[path = "../../../../src/machine/pool/transitions.rs"]
mod transitions;
mod view;
#[path = "../../../../src/machine/pool/workers.rs"]
mod workers;

pub(crate) use self::action::{Notify, Wakeups, WorkerAction};
pub(crate) use self::sleepers::{AWAKE, TIMED, UNTIMED};
pub(crate) use self::state::{Compensation, Policy, PoolState, Sizes};
pub(crate) use self::submit_queue::SubmitError;
pub(crate) use self::transitions::{
    WorkerHint, begin_start_hooks, block, cancel, exited, is_at_rest, next_action, report_saturation, resize,
    spawn_failed, spawn_next, start, stop, submit_when_full,
};
pub(crate) use self::view::{Fields, Machine};

type Workers<S> = workers::Workers<cancellable_queue::CancellableQueue<S>>;
type SubmitQueue<S> = submit_queue::SubmitQueue<cancellable_queue::CancellableQueue<S>>;
