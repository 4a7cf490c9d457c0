// Checks: S1, S2
//! What is posted from a thread cannot capture what belongs to one.

use std::rc::Rc;

fn main() {
    let reactor = selvedge::Reactor::new();
    let not_thread_safe = Rc::new(3);
    let _ = reactor.handle().call_from_thread(move |_| println!("{not_thread_safe}"));
}
