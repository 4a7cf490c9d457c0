//! A callback cannot return just any type: the compiler points to `map`, which takes any.
// Checks: B50

struct Page(String);

fn main() {
    let page = selvedge::Deferred::succeed("<p>").add_callback(|text| Page(text.to_owned()));
    let _ = page.map(|page| println!("{}", page.0));
}
