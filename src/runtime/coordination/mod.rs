//! Coordination of code on the reactor's thread: a lock, a semaphore, and a queue of items.
//!
//! Nothing here blocks a thread: whatever has to be waited for is a Deferred. The state machines are in
//! `machine/semaphore.rs` and `machine/item_queue.rs`.

mod lock;
mod queue;
mod semaphore;

pub use self::lock::DeferredLock;
pub use self::queue::DeferredQueue;
pub use self::semaphore::{DeferredSemaphore, Permit};
