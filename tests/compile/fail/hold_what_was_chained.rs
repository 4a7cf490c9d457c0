//! A Deferred that was chained to another takes no more callbacks, and nothing else can fire it.
// Checks: B49

fn main() {
    let (first, _fire) = selvedge::Deferred::<u32>::new();
    let (_second, resolver) = selvedge::Deferred::<u32>::new();
    first.chain_deferred(resolver);
    resolver.callback(1);
    first.add_callback(|n| n + 1);
}
