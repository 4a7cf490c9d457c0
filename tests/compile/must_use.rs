//! What may be dropped without a word: nothing is lost with it. What must not be is in `fail/lose_what_was_made.rs`.

#![deny(unused_must_use)]

use std::future::pending;
use std::time::Duration;

use selvedge::reactor::{Event, Phase};
use selvedge::{Deferred, Failure, Reactor, threads};

const HOUR: Duration = Duration::from_secs(3600);

// Checks: P107
#[test]
fn what_goes_on_without_its_handle_is_dropped_without_a_word() -> Result<(), Failure> {
    let reactor = Reactor::builder().on_report(|_| ()).build()?;
    reactor.call_later(HOUR, |_| ());
    reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, |_| ());
    reactor.spawn(pending::<()>());
    reactor.local().spawn(pending::<()>());
    threads::defer_to_thread(&reactor, || ());
    Deferred::succeed(1).add_callback(|n| n + 1).add_both(|result| result.map(drop));
    Deferred::<u32>::fail(std::fmt::Error).add_errback(|_| 0);
    reactor.call_in_thread(|| ())?;
    reactor.thread_pool().call_in_thread_ticketed(|| ())?;
    selvedge::task::LoopingCall::new(|_| ()).start_later(&reactor, HOUR)?;
    reactor.handle().stop();
    reactor.run();
    Ok(())
}
