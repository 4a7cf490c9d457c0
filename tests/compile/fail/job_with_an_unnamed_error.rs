//! Of a closure that uses `?` the compiler has to be told the error: it says where.
// Checks: B50, P108

fn main() {
    let reactor = selvedge::Reactor::new();
    let text = selvedge::threads::defer_to_thread(&reactor, || Ok(std::fs::read_to_string("text")?));
    text.map(|text| println!("{text}"));
}
