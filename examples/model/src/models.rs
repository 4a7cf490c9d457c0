//! The crate's sources over `selvedge::loom`, and their models.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ::loom::sync::{Arc, Mutex};
use ::loom::thread;
use ::selvedge::loom as selvedge;

use self::selvedge::{Model, Reactor, model, note};

#[path = "cache.rs"]
mod cache;
/// As it was written first.
#[path = "first_try.rs"]
mod first_try;

/// Another thread changes what the value is computed from, and says so. Whoever asks after that gets the new value.
macro_rules! a_changed_source_is_read_again {
    ($cache:ident) => {
        || {
            let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
            let source = Arc::new(Mutex::new("old"));
            let read = Arc::clone(&source);
            let cache = $cache::Cache::new(&reactor, move || {
                let value = *read.lock().unwrap();
                note(format!("computed from the {value} source"));
                value
            });
            let (invalidator, handle) = (cache.invalidator(), reactor.handle());
            let writer = thread::spawn(move || {
                *source.lock().unwrap() = "new";
                note("the source is new");
                invalidator.invalidate();
            });
            let got = reactor.block_on(async move {
                cache.get().await?;
                writer.join().unwrap();
                // Behind the invalidation in the reactor's queue.
                handle.ask(|_| note("asks again")).await?;
                cache.get().await
            });
            assert_eq!(*got.unwrap(), "new");
        }
    };
}

#[test]
fn a_changed_source_is_read_again() {
    model(a_changed_source_is_read_again!(cache));
}

#[test]
#[ignore = "it fails: `bug.rs` runs it"]
fn a_changed_source_is_read_again_by_the_first_try() {
    Model::new().check(a_changed_source_is_read_again!(first_try));
}
