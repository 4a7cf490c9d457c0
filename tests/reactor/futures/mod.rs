//! Futures: awaiting a Deferred, tasks spawned on the reactor, wakers, and Deferreds awaited by other executors.

mod awaited;
mod crossing;
mod neutral;
mod sleep;
mod stack;
mod task;
mod wakers;
