//! A reference to a reactor-owned value cannot outlive the call.
// Checks: S1

fn main() {
    let reactor = selvedge::Reactor::new();
    let owner = reactor.own(String::from("not thread-safe"));
    let mut kept = None;
    owner.with(|value| kept = Some(value)).unwrap();
    println!("{kept:?}");
}
