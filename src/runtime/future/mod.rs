//! Async: futures on the reactor's thread, timers that can be awaited, and Deferreds that other executors can.
//!
//! - [`task`](self::task): a future that the reactor runs, and its waker;
//! - [`sleep`](self::sleep): a timer as a Deferred;
//! - [`crossing`](self::crossing): a Deferred as a `Send` future.
//!
//! How a Deferred itself is awaited is in `deferred/awaited.rs`.

mod crossing;
mod sleep;
mod task;

pub use self::crossing::SendFuture;
