//! An errback returns a value for the chain, or an error: the compiler says so where it returns nothing.
// Checks: B50

fn main() {
    let number = selvedge::Deferred::succeed(7).add_errback(|failure| println!("{failure}"));
    let _ = number.map(|number: i32| println!("{number}"));
}
