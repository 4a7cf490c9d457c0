//! What programs of the whole system run on: the crate, threads and real time. The explorer of schedules has another.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use selvedge as api;
pub use std::sync::mpsc;
pub use std::thread;
pub use std::thread_local;

use crate::codec::Delay;
use crate::system_script::program::Script;
use crate::{deferred_script, pool_script, reactor_script};

/// A wait that may end at any time.
pub const A_WHILE: Duration = Duration::from_millis(1);

pub fn delay(delay: Delay) -> Duration {
    if delay.0 == u8::MAX { Duration::MAX } else { Duration::from_micros(u64::from(delay.0)) }
}

/// What one thread waits for, and another gives.
#[derive(Default)]
pub struct Signal(Mutex<bool>, Condvar);

impl Signal {
    pub fn give(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_one();
    }

    /// Until it is given, or this time has passed.
    pub fn wait(&self, timeout: Option<Duration>) {
        let began = Instant::now();
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*given {
            given = match timeout {
                None => self.1.wait(given).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    let left = timeout.saturating_sub(began.elapsed());
                    if left.is_zero() {
                        break;
                    }
                    self.1.wait_timeout(given, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *given = false;
    }
}

/// Runs a program of another language, and compares it with its reference.
///
/// # Errors
/// The first difference.
pub fn check(script: &Script) -> Result<(), String> {
    match script.clone() {
        Script::Reactor(body, ending) => {
            reactor_script::check(&reactor_script::program::Program { script: body.0, ending })
        }
        Script::Deferreds(body, ending) => {
            deferred_script::check(&deferred_script::program::Program { script: body.0, ending })
        }
        Script::Pool(config, body) => pool_script::check(&pool_script::program::Program { config, script: body.0 }),
    }
}
