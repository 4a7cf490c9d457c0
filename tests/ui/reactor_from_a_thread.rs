// Checks: S1
//! The reactor itself cannot be touched from a thread: only a handle of it can travel.

fn main() {
    let reactor = selvedge::Reactor::new();
    std::thread::spawn(move || reactor.stop());
}
