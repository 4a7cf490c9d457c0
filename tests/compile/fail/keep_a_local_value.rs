//! A reactor-owned value that is not `Send` cannot be carried out of a call to another thread.
// Checks: S1

use std::rc::Rc;

fn main() {
    let reactor = selvedge::Reactor::new();
    let address = reactor.own(Rc::new(3)).detach();
    std::thread::spawn(move || {
        let kept = address.blocking_call(|value, _| Rc::clone(value));
        println!("{kept:?}");
    });
    reactor.run();
}
