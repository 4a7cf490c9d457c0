//! What code of one thread waits for in turn: a lock, a semaphore, a queue of items.
//!
//! Nothing here blocks: who has to wait gets a Deferred. The states are in `machine/permits.rs` and `machine/stock.rs`.

mod lock;
mod queue;
mod semaphore;

pub use self::lock::DeferredLock;
pub use self::queue::DeferredQueue;
pub use self::semaphore::{DeferredSemaphore, Permit};
