//! A reactor cannot move to another thread: only a handle can.
// Checks: S1

fn main() {
    let reactor = selvedge::Reactor::new();
    std::thread::spawn(move || reactor.stop());
}
