//! Witnesses: what the executions of a model come to. The ledger lists them, so that a search which no longer comes to
//! one of its ends is seen, whatever its number of iterations says.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    /// What the model of this thread has come to since its search began. loom runs all threads of a model on one thread
    /// of the operating system, and no execution reads this.
    static REACHED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// This execution has come to this.
pub fn reached(what: &str) {
    REACHED.with_borrow_mut(|reached| {
        if !reached.contains(what) {
            reached.insert(what.to_owned());
        }
    });
}

/// All that was reached on this thread since the last call.
pub fn take() -> BTreeSet<String> {
    REACHED.take()
}
