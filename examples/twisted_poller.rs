//! A poller as one writes it with Twisted: a blocking read in a thread, its result in a callback, again and again.
//!
//! ```python
//! def main(reactor):
//!     poll = LoopingCall(lambda: deferToThread(read, next(numbers)).addCallbacks(show, complain))
//!     return poll.start(0.01)
//! task.react(main)
//! ```

use std::io;
use std::time::Duration;

use selvedge::task::LoopingCall;
use selvedge::threads::defer_to_thread;
use selvedge::{Failure, Handle, Reactor};

/// Blocks, so it runs in a thread of the pool. Twisted's reactor is global; here a thread is given a `Handle` to it.
fn read(handle: &Handle, n: u32) -> Result<u32, Failure> {
    handle.call_from_thread(move |_| println!("reading line {n}"))?;
    if n == 2 {
        return Err(io::Error::other("the line is busy").into());
    }
    Ok(n * n)
}

/// Runs in the reactor's thread.
fn show(value: u32) {
    println!("read {value}");
}

/// An errback. What it returns is the result from here on: in Twisted None, here `Ok`.
fn complain(failure: Failure) -> Result<(), Failure> {
    println!("not read: {failure}");
    Ok(())
}

fn main() -> Result<(), Failure> {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let mut n = 0;
    // The loop waits for the Deferred that its function returns. In Twisted the function uses `poll.stop()`; here the
    // call that is being made, the `tick`, stops its loop.
    let poll = LoopingCall::new(move |tick| {
        n += 1;
        if n == 3 {
            tick.stop()?;
        }
        let handle = handle.clone();
        Ok::<_, Failure>(defer_to_thread(tick.reactor(), move || read(&handle, n)).add_callbacks(show, complain))
    });
    let ended = poll.start(&reactor, Duration::from_millis(10))?;
    // `task.react`; `reactor.run()` is there too.
    reactor.block_on(ended)
}
