//! A reactor runs once: running consumes it.
// Checks: B1

fn main() {
    let reactor = selvedge::Reactor::new();
    reactor.run();
    reactor.run();
}
