//! The state machine of the inbox: many threads post calls, one loop takes them.
//!
//! ```text
//!            park (empty)             post
//!   Awake ───────────────▶ Asleep ───────────▶ Woken
//!     ▲                      │                   │
//!     └──────── resume ──────┴────── resume ─────┘        close: from any state, for good
//! ```
//!
//! # Hazard: a lost wake
//!
//! The loop finds the inbox empty, a call is posted, the loop sleeps. It cannot happen: finding the inbox empty and
//! falling asleep are one transition. A wake is owed on the edge from `Asleep` to `Woken` alone, so a hundred thousand
//! posts to a sleeping loop cost one wake.
//!
//! # Hazard: a poster waits for a slot although there is one
//!
//! An inbox may be bounded for those who use [`post_bounded`](Inbox::post_bounded). A poster begins to wait under the
//! same hold of the lock under which it found no slot. A full inbox is never asleep, so the loop will take all calls;
//! whoever waits is notified then, and when the inbox closes. What must not be lost, such as a result on its way back,
//! is posted with [`post`](Inbox::post), beyond the bound.

use std::mem;

use super::count::{Count, ZERO, counted};

/// The state of the loop, as far as posters need to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LoopState {
    /// It runs, or will look for calls before it sleeps. It needs no wake.
    Awake,
    /// It waits, and there was no call when it fell asleep. Impossible while there are calls.
    Asleep,
    /// It waits, and its one wake is on its way. It needs no other.
    Woken,
    /// It takes no more calls, ever.
    Closed,
}

/// A FIFO queue of calls.
pub trait CallQueue: Default {
    /// The number of calls.
    fn len(&self) -> Count;
}

/// A queue for calls of the type `C`.
pub trait PushCall<C>: CallQueue {
    /// Appends a call.
    fn push(&mut self, call: C);
}

impl<T> CallQueue for Vec<T> {
    fn len(&self) -> Count {
        counted(self.len())
    }
}

impl<T> PushCall<T> for Vec<T> {
    fn push(&mut self, call: T) {
        self.push(call);
    }
}

/// The calls that were posted and not taken yet, and the state of the loop that takes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Inbox<Q> {
    pub(super) state: LoopState,
    pub(super) calls: Q,
    /// The most calls that bounded posters may leave here.
    bound: Count,
    /// Posters that wait for a free slot.
    pub(super) waiting_posters: Count,
}

/// A call was not accepted; it is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostError<C> {
    /// The inbox is closed.
    Closed(C),
    /// There is no free slot. The poster may [wait for one](Inbox::begin_slot_wait), under the same hold of the lock.
    Full(C),
}

/// What a poster owes once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopWake {
    /// The loop is awake, or another poster is waking it.
    NotNeeded,
    Needed,
}

/// What the loop may do when it has nothing else to do.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    /// Wait to be woken.
    Sleep,
    /// There are calls to take, or the inbox is closed.
    Stay,
}

/// Whether one more call finds a place within the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Free,
    /// As many calls as the bound allows are queued.
    None,
    /// The inbox is closed.
    Closed,
}

impl<Q: CallQueue> Inbox<Q> {
    pub(crate) fn new(bound: Count) -> Self {
        Self { state: LoopState::Awake, calls: Q::default(), bound, waiting_posters: ZERO }
    }

    /// Posts a call if there is a free slot.
    pub(crate) fn post_bounded<C>(&mut self, call: C) -> Result<LoopWake, PostError<C>>
    where
        Q: PushCall<C>,
    {
        match self.slot() {
            Slot::None => Err(PostError::Full(call)),
            Slot::Free | Slot::Closed => self.post(call).map_err(PostError::Closed),
        }
    }

    /// How many calls wait.
    pub(crate) fn queued(&self) -> Count {
        self.calls.len()
    }

    /// What a poster finds that keeps to the bound.
    pub(crate) fn slot(&self) -> Slot {
        if self.state == LoopState::Closed {
            Slot::Closed
        } else if self.calls.len() >= self.bound {
            Slot::None
        } else {
            Slot::Free
        }
    }

    /// A poster that found no free slot begins to wait for one.
    pub(crate) fn begin_slot_wait(&mut self) {
        self.waiting_posters += 1;
    }

    /// Its wait is over, for whatever reason. It tries again, or gives up if its time has passed.
    pub(crate) fn end_slot_wait(&mut self) {
        self.waiting_posters -= 1;
    }

    /// Whether posters wait for a slot, and are to be notified after `take` and `close`.
    pub(crate) fn has_waiting_posters(&self) -> bool {
        self.waiting_posters > 0
    }

    /// Posts a call, whatever the bound. A closed inbox hands it back.
    pub(crate) fn post<C>(&mut self, call: C) -> Result<LoopWake, C>
    where
        Q: PushCall<C>,
    {
        match self.state {
            LoopState::Closed => Err(call),
            LoopState::Awake | LoopState::Woken => {
                self.calls.push(call);
                Ok(LoopWake::NotNeeded)
            }
            LoopState::Asleep => {
                self.calls.push(call);
                self.state = LoopState::Woken;
                Ok(LoopWake::Needed)
            }
        }
    }

    /// The loop takes all calls, in exchange for `empty`, an empty queue whose memory is reused. Every slot is free
    /// now: [waiting posters](Self::has_waiting_posters) are to be notified.
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

    /// The loop's wait is over: it was woken, its deadline passed, or it woke spuriously. It looks for calls before it
    /// sleeps again.
    pub(crate) fn resume(&mut self) {
        if self.state != LoopState::Closed {
            self.state = LoopState::Awake;
        }
    }

    /// The loop takes no more calls. Those accepted before are returned.
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
