// Checks: B50
//! A callback's value may be of any type by way of `map`, and the compiler says so.

struct Page(String);

fn main() {
    let page = selvedge::Deferred::succeed("<p>").add_callback(|text| Page(text.to_owned()));
    let _ = page.map(|page| println!("{}", page.0));
}
