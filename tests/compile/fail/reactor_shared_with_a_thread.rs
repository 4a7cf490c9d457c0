//! A reactor cannot be borrowed by another thread.
// Checks: S1

fn main() {
    let reactor = selvedge::Reactor::new();
    std::thread::scope(|scope| {
        scope.spawn(|| reactor.is_running());
    });
}
