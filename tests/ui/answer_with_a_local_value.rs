// Checks: S1, S8
//! What a blocking call returns crosses threads, so it must be able to.

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
