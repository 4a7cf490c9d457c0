//! The queue of jobs that ships, over a store that knows how many jobs it holds, and a stand-in for its map of tickets.

#[path = "../../../../src/machine/pool/cancellable_queue.rs"]
mod cancellable_queue;
mod view;

pub(crate) use self::cancellable_queue::Popped;
pub(crate) use self::view::{JobQueue, Queued, fields, queue};
