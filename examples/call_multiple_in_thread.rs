//! Several blocking calls, one after the other, in one thread of the pool.
//!
//! ```python
//! def aSillyBlockingMethodOne(x):
//!     import time
//!     time.sleep(2)
//!     print x
//!
//! def aSillyBlockingMethodTwo(x):
//!     print x
//!
//! # run both methods sequentially in a thread
//! commands = [(aSillyBlockingMethodOne, ["Calling First"], {})]
//! commands.append((aSillyBlockingMethodTwo, ["And the second"], {}))
//! threads.callMultipleInThread(commands)
//! reactor.run()
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use selvedge::Reactor;
use selvedge::threads::call_multiple_in_thread;

fn a_silly_blocking_method_one(x: &str) {
    thread::sleep(Duration::from_secs(2));
    println!("{x}");
}

fn a_silly_blocking_method_two(x: &str) {
    println!("{x}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let reactor = Reactor::new();
    let handle = reactor.handle();

    // A function with its arguments is a closure. The last one is an addition: the original never ends.
    let mut commands: Vec<Box<dyn FnOnce() + Send>> = vec![Box::new(|| a_silly_blocking_method_one("Calling First"))];
    commands.push(Box::new(|| a_silly_blocking_method_two("And the second")));
    commands.push(Box::new(move || handle.stop()));

    call_multiple_in_thread(&reactor.handle(), commands)?;
    reactor.run();
    Ok(())
}
