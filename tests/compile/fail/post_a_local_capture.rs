//! A posted call cannot capture what is not `Send`.
// Checks: S1, S2

use std::rc::Rc;

fn main() {
    let reactor = selvedge::Reactor::new();
    let not_thread_safe = Rc::new(3);
    let _ = reactor.handle().call_from_thread(move |_| println!("{not_thread_safe}"));
}
