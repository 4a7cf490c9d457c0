// Checks: B49
//! A Deferred that was chained to another is that one's: nobody can add to it, and neither can it be fired from elsewhere.

fn main() {
    let (first, _fire) = selvedge::Deferred::<u32>::new();
    let (_second, resolver) = selvedge::Deferred::<u32>::new();
    first.chain_deferred(resolver);
    resolver.callback(1);
    first.add_callback(|n| n + 1);
}
