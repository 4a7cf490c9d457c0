// Checks: S1
//! It cannot be borrowed by a thread either, not even for as long as it lives.

fn main() {
    let reactor = selvedge::Reactor::new();
    std::thread::scope(|scope| {
        scope.spawn(|| reactor.is_running());
    });
}
