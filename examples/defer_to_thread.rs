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
    // Whatever came of it, it was the last thing to do. A callback that needs its reactor takes a
    // `local` along, which reaches it and does not keep it alive.
    let local = reactor.local();
    d.add_both(move |result| {
        _ = local.with(Reactor::stop);
        result
    });

    reactor.run();
}
