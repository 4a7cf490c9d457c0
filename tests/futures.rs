//! Async: Deferreds that are awaited, tasks on the reactor's thread, their wakers, and Deferreds that other executors await.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is how tests fail")]

mod support;

mod futures {
    mod awaited;
    mod crossing;
    mod neutral;
    mod sleep;
    mod stack;
    mod task;
    mod wakers;
}
