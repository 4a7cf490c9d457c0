// Checks: S1
//! The local owner of a value stays with it; the address is what travels.

fn main() {
    let reactor = selvedge::Reactor::new();
    let owner = reactor.own(3);
    std::thread::spawn(move || owner.with(|value| *value += 1));
    reactor.run();
}
