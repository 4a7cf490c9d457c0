//! A result that comes from a thread, as a Deferred.
//!
//! ```python
//! def doLongCalculation():
//!     # .... do long calculation here ...
//!     return 3
//!
//! def printResult(x):
//!     print x
//!
//! # run method in thread and get result as defer.Deferred
//! d = threads.deferToThread(doLongCalculation)
//! d.addCallback(printResult)
//! reactor.run()
//! ```

use selvedge::Reactor;
use selvedge::threads::defer_to_thread;

/// Runs in a thread of the pool.
fn do_long_calculation() -> i32 {
    // .... do long calculation here ...
    3
}

/// Runs in the reactor's thread.
fn print_result(x: i32) {
    println!("{x}");
}

fn main() {
    let reactor = Reactor::new();

    let d = defer_to_thread(&reactor, do_long_calculation);
    let d = d.add_callback(print_result);
    // With a value or an error, the reactor stops. A Deferred's callback is not given the reactor: it captures a
    // `Handle`, whose `stop` is right even before `run`: if the pool did not accept the job, the Deferred has failed
    // already.
    let handle = reactor.handle();
    d.add_both(move |result| {
        handle.stop();
        result
    });

    reactor.run();
}
