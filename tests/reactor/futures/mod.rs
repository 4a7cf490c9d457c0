//! Async: Deferreds that are awaited, tasks on the reactor's thread, their wakers, and Deferreds that other executors await.

mod awaited;
mod crossing;
mod neutral;
mod sleep;
mod stack;
mod task;
mod wakers;
