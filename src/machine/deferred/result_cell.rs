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

/// The transitions work on the `Cell` and move no more than they must: a state taken out whole and put back would be
/// copied twice for each link that a result passes. No user code runs, and nothing is dropped, while the state is out
/// of the cell.
impl<N, R, W> ResultState<N, R, W> {
    /// The result comes. It comes once.
    #[inline]
    pub(crate) fn store(cell: &Cell<Self>, result: R) -> Store<N, R, W> {
        match cell.replace(Self::Spent) {
            Self::Linked(next) => Store::Pass(next, result),
            Self::Watched(watcher) => {
                Self::put(cell, Self::Stored(result));
                Store::Wake(watcher)
            }
            was => {
                was.expect_empty("a link has one result");
                Self::put(cell, Self::Stored(result));
                Store::Kept
            }
        }
    }

    /// The successor comes, once, and only where no result lies.
    #[inline]
    pub(crate) fn link(cell: &Cell<Self>, next: N) {
        cell.replace(Self::Linked(next)).expect_empty("a link has one successor");
    }

    /// Takes the result, if it lies here.
    #[must_use]
    #[inline]
    pub(crate) fn take(cell: &Cell<Self>) -> Option<R> {
        match cell.replace(Self::Spent) {
            Self::Stored(result) => Some(result),
            was => {
                Self::put(cell, was);
                None
            }
        }
    }

    /// Takes the result, if it lies here, to [`restore`](Self::restore) what a callback makes of it: the cell is empty
    /// meanwhile.
    #[must_use]
    #[inline]
    pub(crate) fn take_for_update(cell: &Cell<Self>) -> Option<R> {
        match cell.replace(Self::Empty) {
            Self::Stored(result) => Some(result),
            was => {
                Self::put(cell, was);
                None
            }
        }
    }

    /// Stores what has become of a result that was taken for update. No successor or watcher can have come meanwhile:
    /// the caller holds the only tail.
    #[inline]
    pub(crate) fn restore(cell: &Cell<Self>, result: R) {
        cell.replace(Self::Stored(result)).expect_empty("nobody else waits for a result that was taken for update");
    }

    /// Sets the watcher and returns the one before it. Returns the new one as `Err` where there is no result to wait
    /// for.
    pub(crate) fn watch(cell: &Cell<Self>, watcher: W) -> Result<Option<W>, W> {
        match cell.replace(Self::Spent) {
            Self::Empty => {
                Self::put(cell, Self::Watched(watcher));
                Ok(None)
            }
            Self::Watched(before) => {
                Self::put(cell, Self::Watched(watcher));
                Ok(Some(before))
            }
            was @ (Self::Linked(_) | Self::Stored(_) | Self::Spent) => {
                Self::put(cell, was);
                Err(watcher)
            }
        }
    }

    /// Removes the watcher.
    #[must_use]
    pub(crate) fn unwatch(cell: &Cell<Self>) -> Option<W> {
        match cell.replace(Self::Empty) {
            Self::Watched(watcher) => Some(watcher),
            was => {
                Self::put(cell, was);
                None
            }
        }
    }

    /// Takes the successor, if there is one and `accept` takes it: another cell will pass it the result.
    #[must_use]
    #[inline]
    pub(crate) fn detach<M>(cell: &Cell<Self>, accept: impl FnOnce(N) -> Result<M, N>) -> Option<M> {
        match cell.replace(Self::Spent) {
            Self::Linked(next) => match accept(next) {
                Ok(next) => Some(next),
                Err(next) => {
                    Self::put(cell, Self::Linked(next));
                    None
                }
            },
            was => {
                Self::put(cell, was);
                None
            }
        }
    }

    /// Calls `read` with the state.
    pub(crate) fn read<A>(cell: &Cell<Self>, read: impl FnOnce(&Self) -> A) -> A {
        let state = cell.replace(Self::Spent);
        let seen = read(&state);
        Self::put(cell, state);
        seen
    }

    #[inline]
    fn expect_empty(self, because: &str) {
        match self {
            Self::Empty => {}
            was => was.fail_not_empty(because),
        }
    }

    /// Out of line, because it drops the state, which may unwind.
    #[cold]
    fn fail_not_empty(self, because: &str) {
        debug_assert!(false, "{because}");
    }

    /// The cell is `Spent` or `Empty`, so there is nothing to drop; `set` would have to check that.
    #[inline]
    fn put(cell: &Cell<Self>, state: Self) {
        mem::forget(cell.replace(state));
    }
}
