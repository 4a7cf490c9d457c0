//! A function for another thread cannot capture what is not `Send`.
// Checks: S1, S7

use std::rc::Rc;

fn main() {
    let reactor = selvedge::Reactor::new();
    let not_thread_safe = Rc::new(3);
    let _ = selvedge::threads::defer_to_thread(&reactor, move || *not_thread_safe);
}
