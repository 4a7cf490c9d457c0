//! Futures: awaiting a Deferred, tasks spawned on the reactor, wakers, and Deferreds awaited by other executors.

mod ask;
mod awaited;
mod block_on;
mod hostile_wakers;
mod other_crates;
mod send_future;
mod sleep;
mod stack;
mod task;
mod wakers;
