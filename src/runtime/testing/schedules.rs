//! Runs a test under many orders of its steps.

use super::TestReactor;

/// Runs a test once for each seed, with a new [`TestReactor`] whose steps come in the order that the seed decides. When
/// the test has returned, what is left to run is run ([`settle`](TestReactor::settle)), so that a failure there is
/// found too.
///
/// A test that fails prints its seed: `schedules([17], …)` runs that one alone, in the same order each time, unless
/// the test itself depends on something else, such as the order of a hash map.
///
/// ```
/// use selvedge::{testing, threads};
/// use std::{cell::RefCell, rc::Rc};
///
/// testing::schedules(0..100, |reactor| {
///     let seen = Rc::new(RefCell::new(Vec::new()));
///     for job in [1, 2] {
///         let seen = Rc::clone(&seen);
///         let _ = threads::defer_to_thread(reactor, move || job).add_callback(move |job| seen.borrow_mut().push(job));
///     }
///     reactor.settle();
///     // Two jobs end in either order: of `[1, 2]` a test may assume no more than this.
///     seen.borrow_mut().sort_unstable();
///     assert_eq!(*seen.borrow(), [1, 2]);
/// });
/// ```
///
/// # Panics
/// The test has failed: see [`TestReactor`].
#[track_caller]
pub fn schedules(seeds: impl IntoIterator<Item = u64>, mut test: impl FnMut(&TestReactor)) {
    for seed in seeds {
        let reactor = TestReactor::new().with_seed(seed);
        test(&reactor);
        reactor.settle();
    }
}
