//! What programs of the whole system run on here: the crate's sources, and the explorer's threads and clock.

use std::time::Duration;

pub use shuttle::sync::mpsc;
pub use shuttle::{thread, thread_local};

pub use crate as api;
use crate::codec::Delay;
use crate::sync::{Condvar, Instant, Mutex};
use crate::system_script::program::Script;

/// A wait that may end at any time.
pub const A_WHILE: Duration = Duration::from_secs(1);

pub fn delay(delay: Delay) -> Duration {
    delay.duration()
}

/// What one thread waits for, and another gives.
#[derive(Default)]
pub struct Signal(Mutex<bool>, Condvar);

impl Signal {
    pub fn give(&self) {
        *self.0.lock() = true;
        self.1.notify_one();
    }

    /// Until it is given, or this time has passed.
    pub fn wait(&self, timeout: Option<Duration>) {
        let began = Instant::now();
        let mut given = self.0.lock();
        while !*given {
            let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            given = self.1.wait_for(given, left);
        }
        *given = false;
    }
}

/// The other languages run on the crate itself, in one order only.
pub fn check(_script: &Script) -> Result<(), String> {
    Ok(())
}
