//! What can happen to the machines that are searched here and proved in `proofs/`: one list for both.
//!
//! `proofs/` compiles these files too, with a macro `events` of its own. There an event that is no step does not
//! compile; here one that never happens does not.

pub(crate) mod gather;
pub(crate) mod inbox;
pub(crate) mod item_queue;
pub(crate) mod job_queue;
pub(crate) mod oneshot;
pub(crate) mod pool;
pub(crate) mod semaphore;
pub(crate) mod ticket;
