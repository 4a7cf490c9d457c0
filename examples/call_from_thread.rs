//! Running code in a thread-safe manner: the first program of *Using Threads in Twisted*.
//!
//! ```python
//! def notThreadSafe(x):
//!     """do something that isn't thread-safe"""
//!     # ...
//!
//! def threadSafeScheduler():
//!     """Run in thread-safe manner."""
//!     reactor.callFromThread(notThreadSafe, 3) # will run 'notThreadSafe(3)'
//!                                              # in the event loop
//! ```

use std::error::Error;
use std::thread;

use selvedge::{Handle, Reactor, error::Rejected, reactor::Call};

/// Does something that isn't thread-safe.
fn not_thread_safe(x: i32) {
    println!("not_thread_safe({x}) runs in `{}`", thread_name());
}

/// May be called in any thread. Whatever `not_thread_safe` needs travels with the closure.
fn thread_safe_scheduler(handle: &Handle) -> Result<(), Rejected<Call>> {
    println!("thread_safe_scheduler() runs in `{}`", thread_name());
    handle.call_from_thread(|_| not_thread_safe(3))?;
    // Calls run in the order in which they were posted, so this one comes after.
    handle.call_from_thread(|reactor| _ = reactor.stop())
}

fn thread_name() -> String {
    thread::current().name().unwrap_or("nameless").to_owned()
}

fn main() -> Result<(), Box<dyn Error>> {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let thread = thread::Builder::new()
        .name("whatever thread you want".to_owned())
        .spawn(move || thread_safe_scheduler(&handle))?;

    reactor.run();

    match thread.join() {
        Ok(posted) => Ok(posted?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
