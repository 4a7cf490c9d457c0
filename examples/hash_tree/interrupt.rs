//! Ctrl-C: ends the program within seconds, whatever it is doing.

use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use selvedge::Handle;

use crate::progress::Progress;

/// How long the threads have to come to their next chunk. They need a thousandth of it, unless they sit in a system
/// call that does not return: a network disk that went away, a trace pipe, a reader of our output that stopped reading.
const GRACE: Duration = Duration::from_secs(3);

/// `ctrlc` runs the closure on a thread of its own, so it may block, and a handle is all that it needs.
pub fn on_ctrl_c(handle: Handle, progress: Arc<Progress>) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || {
        progress.interrupt();
        handle.stop();
        // Usually `run` returns, and `main` says how much was done and ends the process while this sleeps.
        thread::sleep(GRACE);
        // Still here: a thread is in a system call that does not return, and cannot be waited for.
        progress.clear();
        progress.say(format_args!("{}; a read or write that does not return was left behind", progress.summary()));
        process::exit(i32::from(crate::INTERRUPTED));
    })
}
