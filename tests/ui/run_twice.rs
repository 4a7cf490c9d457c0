// Checks: B1
//! A reactor runs once.

fn main() {
    let reactor = selvedge::Reactor::new();
    reactor.run();
    reactor.run();
}
