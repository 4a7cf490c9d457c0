//! Running code in threads: what blocks goes to the pool, and the reactor does not wait for it.
//!
//! ```python
//! def aSillyBlockingMethod(x):
//!     import time
//!     time.sleep(2)
//!     print x
//!
//! # run method in thread
//! reactor.callInThread(aSillyBlockingMethod, "2 seconds have passed")
//! reactor.run()
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use selvedge::Reactor;

fn a_silly_blocking_method(x: &str) {
    thread::sleep(Duration::from_secs(2));
    println!("{x}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let reactor = Reactor::new();

    // The original runs until somebody stops it; this one ends when its job has ended.
    let handle = reactor.handle();
    reactor.call_in_thread(move || {
        a_silly_blocking_method("2 seconds have passed");
        handle.stop();
    })?;

    // The job is queued: it starts when the reactor runs, and meanwhile the reactor's thread is free.
    reactor.call_later(Duration::from_secs(1), |_| println!("1 second has passed"));
    reactor.run();
    Ok(())
}
