//! A function for a thread cannot return just any type: the compiler says what to write.
// Checks: B50, P108

struct Page(String);

fn main() {
    let reactor = selvedge::Reactor::new();
    let page = selvedge::threads::defer_to_thread(&reactor, || Page("<p>".to_owned()));
    page.map(|page| println!("{}", page.0));
}
