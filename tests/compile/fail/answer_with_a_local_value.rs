//! The result of a blocking call crosses threads, so it must be `Send`.
// Checks: S1, S8

use std::rc::Rc;

fn main() {
    let reactor = selvedge::Reactor::new();
    let handle = reactor.handle();
    std::thread::spawn(move || {
        let answer = selvedge::threads::blocking_call_from_thread(&handle, |_| Rc::new(3));
        println!("{answer:?}");
    });
    reactor.run();
}
