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
//!
//! An inbox may be bounded, for those who post [within](Inbox::post_within) it. A full one is never asleep, so the loop will take all that is there: that is
//! when whoever waits for a place is told. What must not be lost, a result on its way back, is posted beyond the bound.

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
    /// The most calls that may wait, for those who keep within it.
    bound: usize,
    /// Posters that wait for a place.
    waiting: usize,
}

/// A call was not taken: here it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused<C> {
    /// The inbox is closed.
    Closed(C),
    /// As many wait as may. Its poster may [wait for a place](Inbox::wait_for_place), under the same hold of the lock.
    Full(C),
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
    pub(crate) fn new(bound: usize) -> Self {
        Self { state: LoopState::Awake, calls: Q::default(), bound, waiting: 0 }
    }

    /// The same as [`post`](Self::post), where there is a place.
    pub(crate) fn post_within<C>(&mut self, call: C) -> Result<Posted, Refused<C>>
    where
        Q: Accept<C>,
    {
        if self.calls.len() >= self.bound && self.state != LoopState::Closed {
            return Err(Refused::Full(call));
        }
        self.post(call).map_err(Refused::Closed)
    }

    /// A poster that found no place begins to wait for one.
    pub(crate) fn wait_for_place(&mut self) {
        self.waiting += 1;
    }

    /// Its wait is over, for whatever reason. It tries again, or gives up if its time has passed.
    pub(crate) fn waited_for_place(&mut self) {
        self.waiting -= 1;
    }

    /// Whether somebody waits for a place, and is to be told when there are places, or never will be.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting > 0
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

    /// The loop takes all that is there, and every place is free: whoever [waits for one](Self::is_waited_for) is to be told. In exchange for `empty`, an emptied buffer whose room is used again.
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
