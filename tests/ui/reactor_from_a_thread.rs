// Checks: S1
//! A reactor cannot move to another thread: only a handle can.

fn main() {
    let reactor = selvedge::Reactor::new();
    std::thread::spawn(move || reactor.stop());
}
