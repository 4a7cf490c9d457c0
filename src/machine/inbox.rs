//! The machine of the inbox: many post, one loop takes.
//!
//! ```text
//!            park (empty)             post
//!   Awake ───────────────▶ Asleep ───────────▶ Woken
//!     ▲                      │                   │
//!     └──────── resume ──────┴────── resume ─────┘        close: from anywhere, for good
//! ```
//!
//! The hazard is the lost wake: the loop finds the inbox empty, a call comes in, the loop sleeps. It cannot happen, because
//! finding it empty and falling asleep are one transition; and a wake is owed exactly on the edge from asleep to woken,
//! so a hundred thousand posts to a sleeping loop cost one.

use std::mem;

/// What the loop is doing, as far as those who post have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LoopState {
    /// Runs, or will look at the calls before it sleeps. Nobody owes it a wake.
    Awake,
    /// Waits, and found no call when it fell asleep. Impossible with a call in the queue.
    Asleep,
    /// Waits, and the one wake it needs is on its way. Further posts owe nothing.
    Woken,
    /// Takes no more calls, ever.
    Closed,
}

/// What holds the calls until the loop takes them: first in, first out.
pub trait Queue: Default {
    /// How many there are.
    fn len(&self) -> usize;
}

/// A queue that takes calls of the type `C`.
pub trait Accept<C>: Queue {
    /// A call comes in, behind all others.
    fn accept(&mut self, call: C);
}

impl<T> Queue for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }
}

impl<T> Accept<T> for Vec<T> {
    fn accept(&mut self, call: T) {
        self.push(call);
    }
}

/// The calls that were posted and not yet taken, and the state of the loop that takes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Inbox<Q> {
    state: LoopState,
    calls: Q,
}

/// What a poster owes once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// The loop is awake, or somebody else is waking it.
    OweNothing,
    /// Wake the loop.
    Wake,
}

/// What the loop may do.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    /// Wait for a wake.
    Sleep,
    /// There is something to take, or the inbox is closed.
    Stay,
}

impl<Q: Queue> Inbox<Q> {
    pub(crate) fn new() -> Self {
        Self { state: LoopState::Awake, calls: Q::default() }
    }

    /// A call comes in. A closed inbox hands it back.
    pub(crate) fn post<C>(&mut self, call: C) -> Result<Posted, C>
    where
        Q: Accept<C>,
    {
        match self.state {
            LoopState::Closed => Err(call),
            LoopState::Awake | LoopState::Woken => {
                self.calls.accept(call);
                Ok(Posted::OweNothing)
            }
            LoopState::Asleep => {
                self.calls.accept(call);
                self.state = LoopState::Woken;
                Ok(Posted::Wake)
            }
        }
    }

    /// The loop takes all that is there, in exchange for `empty`, an emptied buffer whose room is used again.
    pub(crate) fn take(&mut self, empty: &mut Q) {
        debug_assert!(empty.len() == 0, "a batch is run to its end before the next is taken");
        mem::swap(&mut self.calls, empty);
    }

    /// The loop has nothing else to do.
    pub(crate) fn park(&mut self) -> Park {
        if self.state == LoopState::Closed || self.calls.len() > 0 {
            return Park::Stay;
        }
        self.state = LoopState::Asleep;
        Park::Sleep
    }

    /// The loop's wait is over: woken, at its deadline, or for no reason at all. It looks before it sleeps again.
    pub(crate) fn resume(&mut self) {
        if self.state != LoopState::Closed {
            self.state = LoopState::Awake;
        }
    }

    /// The loop takes no more calls; those that it had accepted are handed over.
    #[must_use]
    pub(crate) fn close(&mut self) -> Q {
        self.state = LoopState::Closed;
        mem::take(&mut self.calls)
    }

    pub(crate) fn state(&self) -> LoopState {
        self.state
    }

    pub(crate) fn calls(&self) -> &Q {
        &self.calls
    }
}
