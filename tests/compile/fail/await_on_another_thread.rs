//! A Deferred can be awaited only on its own thread; `into_send_future` makes a future for others.
// Checks: P25, S1

use selvedge::{Deferred, Reactor};

fn on_any_thread<F: Future + Send>(_future: F) {}

fn main() {
    let reactor = Reactor::new();
    let (deferred, _resolver) = Deferred::<u32>::new();
    on_any_thread(deferred.into_send_future(&reactor));
    let (deferred, _resolver) = Deferred::<u32>::new();
    on_any_thread(deferred.into_future());
}
