//! The state machine of a result cell, behind a head or a link: where its result and its successor meet, whichever
//! comes first.

use std::cell::Cell;
use std::mem;

/// What a result cell holds: the result `R` or the successor `N`, whichever came first; or a watcher `W`, which waits
/// for the result as a successor does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ResultState<N, R, W> {
    /// Neither result nor successor has come.
    Empty,
    /// As [`Empty`](Self::Empty), and this watcher is to be woken when the result comes.
    Watched(W),
    /// A successor waits for the result, which has not come.
    Linked(N),
    /// The result lies here. No successor has come.
    Stored(R),
    /// The result has gone on. Neither can come again.
    Spent,
}

/// What to do with a result that has come.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Store<N, R, W> {
    /// Nothing: it is kept until the successor comes.
    Kept,
    /// Pass it to the successor.
    Pass(N, R),
    /// It is kept. Wake the watcher, once the chain knows that its result rests.
    Wake(W),
}

/// The cell. Its transitions move no more than they must: a state taken out whole and put back would be copied twice
/// for each link that a result passes. No user code runs, and nothing is dropped, while the state is out of the cell.
pub(crate) struct ResultCell<N, R, W>(Cell<ResultState<N, R, W>>);

impl<N, R, W> ResultCell<N, R, W> {
    pub(crate) fn new(state: ResultState<N, R, W>) -> Self {
        Self(Cell::new(state))
    }

    /// The state, for the owner of the whole cell.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut ResultState<N, R, W> {
        self.0.get_mut()
    }

    /// The result comes. It comes once.
    #[inline]
    pub(crate) fn store(&self, result: R) -> Store<N, R, W> {
        match self.0.replace(ResultState::Spent) {
            ResultState::Linked(next) => Store::Pass(next, result),
            ResultState::Watched(watcher) => {
                self.put(ResultState::Stored(result));
                Store::Wake(watcher)
            }
            was => {
                was.expect_empty("a link has one result");
                self.put(ResultState::Stored(result));
                Store::Kept
            }
        }
    }

    /// The successor comes, once, and only where no result lies.
    #[inline]
    pub(crate) fn link(&self, next: N) {
        self.0.replace(ResultState::Linked(next)).expect_empty("a link has one successor");
    }

    /// Takes the result, if it lies here.
    #[must_use]
    #[inline]
    pub(crate) fn take(&self) -> Option<R> {
        match self.0.replace(ResultState::Spent) {
            ResultState::Stored(result) => Some(result),
            was => {
                self.put(was);
                None
            }
        }
    }

    /// Takes the result, if it lies here, to [`restore`](Self::restore) what a callback makes of it: the cell is empty
    /// meanwhile.
    #[must_use]
    #[inline]
    pub(crate) fn take_for_update(&self) -> Option<R> {
        match self.0.replace(ResultState::Empty) {
            ResultState::Stored(result) => Some(result),
            was => {
                self.put(was);
                None
            }
        }
    }

    /// Stores what has become of a result that was taken for update. No successor or watcher can have come meanwhile:
    /// the caller holds the only tail.
    #[inline]
    pub(crate) fn restore(&self, result: R) {
        self.0
            .replace(ResultState::Stored(result))
            .expect_empty("nobody else waits for a result that was taken for update");
    }

    /// Sets the watcher and returns the one before it. Returns the new one as `Err` where there is no result to wait
    /// for. Dropping a watcher may run user code, so it is left to the caller.
    pub(crate) fn watch(&self, watcher: W) -> Result<Option<W>, W> {
        match self.0.replace(ResultState::Spent) {
            ResultState::Empty => {
                self.put(ResultState::Watched(watcher));
                Ok(None)
            }
            ResultState::Watched(before) => {
                self.put(ResultState::Watched(watcher));
                Ok(Some(before))
            }
            was @ (ResultState::Linked(_) | ResultState::Stored(_) | ResultState::Spent) => {
                self.put(was);
                Err(watcher)
            }
        }
    }

    /// Removes the watcher.
    #[must_use]
    pub(crate) fn unwatch(&self) -> Option<W> {
        match self.0.replace(ResultState::Empty) {
            ResultState::Watched(watcher) => Some(watcher),
            was => {
                self.put(was);
                None
            }
        }
    }

    /// Takes the successor, if there is one and `accept` takes it: another cell will pass it the result.
    #[must_use]
    #[inline]
    pub(crate) fn detach<M>(&self, accept: impl FnOnce(N) -> Result<M, N>) -> Option<M> {
        match self.0.replace(ResultState::Spent) {
            ResultState::Linked(next) => match accept(next) {
                Ok(next) => Some(next),
                Err(next) => {
                    self.put(ResultState::Linked(next));
                    None
                }
            },
            was => {
                self.put(was);
                None
            }
        }
    }

    /// Calls `read` with the state.
    pub(crate) fn read<A>(&self, read: impl FnOnce(&ResultState<N, R, W>) -> A) -> A {
        let state = self.0.replace(ResultState::Spent);
        let seen = read(&state);
        self.put(state);
        seen
    }

    /// The cell is `Spent` or `Empty`, so there is nothing to drop; `set` would have to check that.
    #[inline]
    fn put(&self, state: ResultState<N, R, W>) {
        mem::forget(self.0.replace(state));
    }
}

impl<N, R, W> ResultState<N, R, W> {
    #[inline]
    fn expect_empty(self, because: &str) {
        match self {
            was @ Self::Empty => was.forget_empty(),
            was => was.fail_not_empty(because),
        }
    }

    /// Nothing is in an empty state, but the compiler would call its drop.
    #[inline]
    fn forget_empty(self) {
        mem::forget(self);
    }

    /// Out of line, because it drops the state, which may unwind.
    #[cold]
    fn fail_not_empty(self, because: &str) {
        debug_assert!(false, "{because}");
    }
}

#[cfg(test)]
mod tests {
    use super::{ResultCell, ResultState};

    type Cell = ResultCell<(), u8, ()>;

    // Checks: B51
    #[test]
    fn a_result_that_was_taken_for_update_is_restored() {
        let cell = Cell::new(ResultState::Stored(1));
        let taken = cell.take_for_update().unwrap();
        assert!(cell.take_for_update().is_none());
        cell.restore(taken + 1);
        assert_eq!(cell.take(), Some(2));
    }

    // Checks: B50
    #[cfg(debug_assertions)]
    #[test]
    #[should_panic = "a link has one successor"]
    fn a_second_successor_is_a_bug_that_tests_see() {
        let cell = Cell::new(ResultState::Empty);
        cell.link(());
        cell.link(());
    }
}
