//! The pool: jobs from any thread, to threads that may block. A shell around `machine::pool`.
//!
//! Each of these files uses those before it: what a job is (`job`, `job_queue`), all shared data (`shared`), wakes and
//! threads (`thread_ends`, `worker_threads`), jobs in (`submit`, `description`), jobs out (`worker`), the operations on
//! a whole pool (`control`), the public handle (`thread_pool`). `context` says which pool a thread works for,
//! `delaying_stop` whose stop waits for it, `worker_state` is what one worker remembers, and `activities`, over
//! `slots`, what each worker does.
//!
//! One feature each: `ticket` and `cancel_token` (cancelling a job), `limits`, `hooks`, `blocked` (jobs that wait),
//! `wake_ahead` and `wait_places` (which worker is woken, and where it waits), `refuse` (jobs that never run), `stop`,
//! `stats`, `at_rest` (for virtual time), `stepper` (a pool without threads), `slot_watch` over `slot_watchers` (who
//! waits for a slot without blocking a thread), `builder`.

mod activities;
mod at_rest;
mod blocked;
mod builder;
mod cancel_token;
mod context;
mod control;
mod delaying_stop;
mod description;
mod hooks;
mod job;
mod job_queue;
mod limits;
mod refuse;
mod shared;
mod slot_watch;
mod slot_watchers;
mod slots;
mod stats;
mod stepper;
mod stop;
mod submit;
mod thread_ends;
mod thread_pool;
mod ticket;
mod wait_places;
mod wake_ahead;
mod worker;
mod worker_state;
mod worker_threads;

pub(crate) use self::at_rest::RestWatch;
pub use self::blocked::{Blocked, blocked};
pub use self::builder::PoolBuilder;
pub use self::cancel_token::{CancelToken, OnCancel};
pub(crate) use self::context::{PoolId, current_pool_id};
pub use self::description::{BoxedWork, IntoJob, Job, Work};
pub use self::hooks::Worker;
pub(crate) use self::job::{Fate, JobBody};
pub(crate) use self::limits::{Limits, Watched};
pub(crate) use self::shared::{FreeSlot, Tell};
pub(crate) use self::slot_watch::{Offer, OfferedJob, SlotWatch};
pub use self::stats::{PoolStats, PoolTimes};
pub use self::stepper::{Stage, Step, Stepper};
pub use self::stop::{StopPolicy, StopWithinError, Straggler, WorkerActivity};
pub(crate) use self::thread_ends::RestNote;
pub use self::thread_pool::ThreadPool;
pub use self::ticket::{Cancellation, Ticket};
