// Checks: B1
//! A reactor runs once: running consumes it.

fn main() {
    let reactor = selvedge::Reactor::new();
    reactor.run();
    reactor.run();
}
