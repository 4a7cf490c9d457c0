//! Calls a function on a thread until it succeeds, with longer and longer waits between.

use std::error::Error;
use std::time::Duration;

use selvedge::{Failure, LocalHandle};

/// How often, and how long between.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub attempts: u32,
    /// After the first attempt. Each further wait is twice as long as the one before.
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

/// Calls `job` on a thread of the pool until it succeeds, or fails with an error that is not transient, or has been
/// called `attempts` times. Returns what the last attempt has returned.
///
/// To give it up, drop it or cancel its task: an attempt that no thread has taken is not made, and none follows.
pub async fn retry<T, E>(
    local: LocalHandle,
    backoff: Backoff,
    is_transient: impl Fn(&E) -> bool,
    job: impl Fn() -> Result<T, E> + Clone + Send + 'static,
) -> Result<T, Failure>
where
    T: Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let mut wait = backoff.first_wait;
    for _ in 1..backoff.attempts {
        match local.defer_to_thread(job.clone()).await {
            Err(failure) if failure.downcast_ref().is_some_and(&is_transient) => {}
            result => return result,
        }
        local.sleep(wait).await?;
        wait = backoff.longest_wait.min(wait.saturating_mul(2));
    }
    local.defer_to_thread(job).await
}
