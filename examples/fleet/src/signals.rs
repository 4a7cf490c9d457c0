//! SIGTERM and Ctrl-C: the first stops the reactor, which finishes what it has to; the second ends the process.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use selvedge::{Failure, Handle};

use crate::INTERRUPTED;

/// `ctrlc` runs the closure on a thread of its own, and a handle is all that it needs.
pub fn stop_on_signal(handle: Handle) -> Result<(), Failure> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Relaxed) {
            // What is in hand is taken over by other workers.
            process::exit(i32::from(INTERRUPTED));
        }
        handle.stop();
    })?;
    Ok(())
}
