//! A Deferred is fired once: firing consumes the resolver.
// Checks: B49

fn main() {
    let (deferred, resolver) = selvedge::Deferred::new();
    deferred.add_callback(|value: u32| println!("{value}"));
    resolver.callback(1);
    resolver.callback(2);
}
