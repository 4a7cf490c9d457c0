//! The machines of a Deferred: what its chain is doing, what comes out of each link, and where the chain stands among those that
//! wait for each other.
//!
//! ```text
//!               fire, abandon                    rest                take
//!   Unfired ───────────────────────▶ Running ──────────▶ Resting ──────────▶ Over
//!      │                            ▲ ▲ ▲ │ ▲               │                 ▲
//!      │ cancel      fire, uncalled │ │ │ │ └─────add───────┘                 │
//!      └───────▶ Cancelling ────────┘ │ │ ├───────────hand over───────────────┘
//!                                     │ │ ├──────────hold─────────▶ Held
//!                              resume │ │ │ wait                     │
//!                                     │ │ ▼                          │
//!                                  Waiting └────────unpause──────────┘
//! ```
//!
//! Beside the stage stands the count of its pauses. They say nothing of one another: a chain may be paused in any stage, and what it waits for by itself
//! is no pause (`B53`). A pause is looked at in one place, where a result is about to go on from one link to the next.

use std::cell::Cell;
use std::mem;

/// What a chain is doing with its head, its callbacks and the result that travels down them; and how often it is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Chain {
    stage: Stage,
    /// Somebody beside the holder of the tail may pause it. It then never steps out of its line, where a pause would no longer reach it.
    shared: bool,
    /// Pauses that were not ended. As many as fit beside the stage: they cost no room.
    pauses: u32,
}

/// What a chain is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nobody fired it. No callback of it has run.
    Unfired,
    /// It was cancelled and its canceller runs now, which may yet fire it. It cannot be cancelled again.
    Cancelling,
    /// The result travels: a callback runs, or is about to. Somewhere up this thread's stack is the loop that runs it.
    Running,
    /// A callback returned a Deferred that has no result yet. No callback of this chain runs.
    Waiting,
    /// It is paused, and has a result that could go on: to a callback, to the chain that waits for this one, to who awaits it. Impossible without a pause.
    Held,
    /// The result lies at the tail, where no callback has taken it yet.
    Resting,
    /// The result has left the chain: another chain has it, or the program. Nothing can be added any more.
    Over,
}

/// What the end of a pause asks for.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpause {
    /// The chain was paused more than once, or has nothing that waits for the pause's end.
    Nothing,
    /// Let the result go on that was held.
    GoOn,
    /// There is no pause that this would end.
    Unmatched,
}

/// What becomes of a result that somebody brings.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fire {
    /// It is the chain's: send it down.
    Run,
    /// The chain was cancelled meanwhile and has its result: drop this one, silently.
    Discard,
}

/// What a cancel asks for.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// Call the canceller, if there is one, then say [`uncalled`](Chain::uncalled).
    CallCanceller,
    /// Cancel what this chain waits for, instead.
    Forward,
    /// It has its result, or is being cancelled already.
    Nothing,
}

impl Chain {
    /// A chain that is neither paused nor shared.
    pub(crate) fn new(stage: Stage) -> Self {
        Self { stage, shared: false, pauses: 0 }
    }

    pub(crate) fn stage(self) -> Stage {
        self.stage
    }

    pub(crate) fn pauses(self) -> u32 {
        self.pauses
    }

    /// Whether a result has to stay where it is.
    pub(crate) fn is_paused(self) -> bool {
        self.pauses > 0
    }

    /// Somebody beside the holder of the tail may pause it from now on.
    pub(crate) fn share(&mut self) {
        self.shared = true;
    }

    /// Whether it may hand its wait over and be forgotten: nobody can pause it, now or later.
    pub(crate) fn may_step_out(self) -> bool {
        !self.shared && self.pauses == 0
    }

    /// Nothing goes on from here until this is taken back.
    pub(crate) fn pause(&mut self) {
        self.pauses = self.pauses.saturating_add(1);
    }

    /// One pause ends.
    pub(crate) fn unpause(&mut self) -> Unpause {
        match self.pauses {
            0 => return Unpause::Unmatched,
            1 => {}
            _ => {
                self.pauses -= 1;
                return Unpause::Nothing;
            }
        }
        self.pauses = 0;
        match self.stage {
            Stage::Held => {
                self.stage = Stage::Running;
                Unpause::GoOn
            }
            Stage::Unfired | Stage::Cancelling | Stage::Running | Stage::Waiting | Stage::Resting | Stage::Over => {
                Unpause::Nothing
            }
        }
    }

    /// Nobody is left who could end its pauses: they end.
    pub(crate) fn unpause_for_good(&mut self) -> Unpause {
        match self.pauses {
            0 => Unpause::Unmatched,
            _ => {
                self.pauses = 1;
                self.unpause()
            }
        }
    }

    /// A result could go on, and the chain is paused.
    pub(crate) fn hold(&mut self) {
        debug_assert!(self.is_paused(), "nothing is held without a pause");
        self.go(Stage::Running, Stage::Held);
    }

    /// The firing half brings a result, which may come late.
    pub(crate) fn fire(&mut self) -> Fire {
        match self.stage {
            Stage::Unfired | Stage::Cancelling => self.run(),
            Stage::Running | Stage::Waiting | Stage::Held | Stage::Resting | Stage::Over => Fire::Discard,
        }
    }

    /// The firing half is dropped unfired. While the canceller runs this is how it says "stopped": what follows is `Cancelled`.
    pub(crate) fn abandon(&mut self) -> Fire {
        match self.stage {
            Stage::Unfired => self.run(),
            Stage::Cancelling | Stage::Running | Stage::Waiting | Stage::Held | Stage::Resting | Stage::Over => {
                Fire::Discard
            }
        }
    }

    /// The holder of the tail wants no result any more.
    pub(crate) fn cancel(&mut self) -> Cancel {
        match self.stage {
            Stage::Unfired => {
                self.stage = Stage::Cancelling;
                Cancel::CallCanceller
            }
            Stage::Waiting => Cancel::Forward,
            Stage::Cancelling | Stage::Running | Stage::Held | Stage::Resting | Stage::Over => Cancel::Nothing,
        }
    }

    /// The canceller returned, or there is none. If it did not fire the chain, `Cancelled` is the result.
    pub(crate) fn uncalled(&mut self) -> Fire {
        match self.stage {
            Stage::Cancelling => self.run(),
            Stage::Unfired | Stage::Running | Stage::Waiting | Stage::Held | Stage::Resting | Stage::Over => {
                Fire::Discard
            }
        }
    }

    fn run(&mut self) -> Fire {
        self.stage = Stage::Running;
        Fire::Run
    }

    /// The running callback returned a Deferred without a result.
    pub(crate) fn wait(&mut self) {
        self.go(Stage::Running, Stage::Waiting);
    }

    /// The Deferred that a callback had returned has its result now.
    pub(crate) fn resume(&mut self) {
        self.go(Stage::Waiting, Stage::Running);
    }

    /// The result came to the tail and found no callback.
    pub(crate) fn rest(&mut self) {
        self.go(Stage::Running, Stage::Resting);
    }

    /// A successor came to a tail where the result lay: it goes on at once, unless it is held.
    pub(crate) fn add(&mut self) {
        self.go(Stage::Resting, Stage::Running);
    }

    /// The result, or the wait for it, goes to the chain that waits for this one.
    pub(crate) fn hand_over(&mut self) {
        self.go(Stage::Running, Stage::Over);
    }

    /// The result that lay at the tail is taken away.
    pub(crate) fn take(&mut self) {
        self.go(Stage::Resting, Stage::Over);
    }

    /// Whether a result that the firing half brought now would be dropped.
    pub(crate) fn is_decided(self) -> bool {
        !matches!(self.stage, Stage::Unfired | Stage::Cancelling)
    }

    fn go(&mut self, from: Stage, to: Stage) {
        debug_assert_eq!(self.stage, from, "a chain that goes to {to:?}");
        self.stage = to;
    }
}

/// What comes out of one link, or out of the head: a result and a successor, in whichever order they come. Where no successor is to come,
/// somebody may watch for the result instead.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outlet<N, R, W> {
    /// Neither a result nor a successor.
    Open,
    /// As [`Open`](Self::Open), and somebody wants to be told of the result.
    Watched(W),
    /// A successor waits for the result. There is none yet.
    Linked(N),
    /// The result lies here. No successor has asked for it yet.
    Settled(R),
    /// The result has gone on. Neither can come again.
    Spent,
}

/// What is owed when result and successor may have met.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met<N, R, W> {
    /// One of them is kept until the other comes.
    NotYet,
    /// Both are here: pass the result on.
    Pass(N, R),
    /// The result is kept; tell the one who watches, once the chain knows that it rests.
    Tell(W),
}

/// Events change the place itself, and each moves no more than it has to: taken out as a whole and put back, a state would be copied twice for every
/// link that a result passes. Nothing of a user's runs or is dropped while the place is empty.
impl<N, R, W> Outlet<N, R, W> {
    /// The result comes. It comes once.
    #[inline]
    pub(crate) fn settle(place: &Cell<Self>, result: R) -> Met<N, R, W> {
        match place.replace(Self::Spent) {
            Self::Linked(next) => Met::Pass(next, result),
            Self::Watched(watcher) => {
                Self::put(place, Self::Settled(result));
                Met::Tell(watcher)
            }
            was => {
                was.was_open("a link has one result");
                Self::put(place, Self::Settled(result));
                Met::NotYet
            }
        }
    }

    /// The successor comes, once, to where no result lies.
    #[inline]
    pub(crate) fn link(place: &Cell<Self>, next: N) {
        place.replace(Self::Linked(next)).was_open("a link has one successor");
    }

    /// Takes the result away, if it lies here.
    #[must_use]
    #[inline]
    pub(crate) fn take(place: &Cell<Self>) -> Option<R> {
        match place.replace(Self::Spent) {
            Self::Settled(result) => Some(result),
            was => {
                Self::put(place, was);
                None
            }
        }
    }

    /// Takes the result away, if it lies here, to bring back what becomes of it: the place stays open for that.
    #[must_use]
    #[inline]
    pub(crate) fn lend(place: &Cell<Self>) -> Option<R> {
        match place.replace(Self::Open) {
            Self::Settled(result) => Some(result),
            was => {
                Self::put(place, was);
                None
            }
        }
    }

    /// What has become of a result that was lent [settles](Self::settle) here. Nobody came meanwhile: who brings it back is the only one who might have.
    #[inline]
    pub(crate) fn bring_back(place: &Cell<Self>, result: R) {
        place.replace(Self::Settled(result)).was_open("a lent result is waited for by nobody else");
    }

    /// Somebody watches from now on; the one who did before is handed out. Where there is nothing to watch for, the watcher is handed back.
    pub(crate) fn watch(place: &Cell<Self>, watcher: W) -> Result<Option<W>, W> {
        match place.replace(Self::Spent) {
            Self::Open => {
                Self::put(place, Self::Watched(watcher));
                Ok(None)
            }
            Self::Watched(before) => {
                Self::put(place, Self::Watched(watcher));
                Ok(Some(before))
            }
            was @ (Self::Linked(_) | Self::Settled(_) | Self::Spent) => {
                Self::put(place, was);
                Err(watcher)
            }
        }
    }

    /// Nobody watches any more.
    #[must_use]
    pub(crate) fn unwatch(place: &Cell<Self>) -> Option<W> {
        match place.replace(Self::Open) {
            Self::Watched(watcher) => Some(watcher),
            was => {
                Self::put(place, was);
                None
            }
        }
    }

    /// Takes the successor away, if there is one and it is of this kind: something else will bring it the result.
    #[must_use]
    #[inline]
    pub(crate) fn detach<M>(place: &Cell<Self>, kind: impl FnOnce(N) -> Result<M, N>) -> Option<M> {
        match place.replace(Self::Spent) {
            Self::Linked(next) => match kind(next) {
                Ok(next) => Some(next),
                Err(next) => {
                    Self::put(place, Self::Linked(next));
                    None
                }
            },
            was => {
                Self::put(place, was);
                None
            }
        }
    }

    /// One look.
    pub(crate) fn look<A>(place: &Cell<Self>, at: impl FnOnce(&Self) -> A) -> A {
        let is = place.replace(Self::Spent);
        let seen = at(&is);
        Self::put(place, is);
        seen
    }

    #[inline]
    fn was_open(self, because: &str) {
        match self {
            Self::Open => {}
            was => was.was_not_open(because),
        }
    }

    /// Out of the way: what may drop something, may unwind.
    #[cold]
    fn was_not_open(self, because: &str) {
        debug_assert!(false, "{because}");
    }

    /// What stands there is `Spent` or `Open`. `set` would have to find out that there is nothing to drop in that.
    #[inline]
    fn put(place: &Cell<Self>, state: Self) {
        mem::forget(place.replace(state));
    }
}

/// Where a chain stands in its line: the chains of which each waits for the next.
///
/// A line never branches. A chain waits for one other at most, and one at most waits for it, since returning a Deferred from a
/// callback gives it away. And a line changes at its ends only: the innermost chain finishes, or comes to wait for the outermost one of another line. So
/// it is enough that the two ends know each other, and both questions have an answer in constant time, however long the line: *whom does
/// a cancel reach?* (the innermost), and *would this chain wait for itself?* (only if it is at both ends).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place<I> {
    /// It waits for none, and none waits for it.
    Alone,
    /// It waits, and none waits for it: the only one of its line that a program may still hold, or what stands for a list that it is a member of.
    Outermost {
        /// The other end.
        innermost: I,
    },
    /// It waits and is waited for. It knows neither end: nobody asks it.
    Between,
    /// It is waited for and waits for none: the only one of its line that may be unfired or run.
    Innermost {
        /// The other end.
        outermost: I,
    },
}

/// The two ends of a line, which the caller has to make known to each other. If they are one and the same, it is alone.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<I> {
    pub(crate) outermost: I,
    pub(crate) innermost: I,
}

impl<I: Clone + PartialEq> Place<I> {
    /// A chain that stands here runs, and is about to wait for `other`. Both are [`Between`](Self::Between) from now on, unless they are an end of the
    /// joined line. None if the chain would wait for itself.
    #[must_use]
    pub(crate) fn join(&self, this: I, other: I, others_place: &Self) -> Option<Line<I>> {
        let outermost = match self {
            Self::Innermost { outermost } => outermost.clone(),
            Self::Alone | Self::Outermost { .. } | Self::Between => this,
        };
        if outermost == other {
            return None;
        }
        let innermost = match others_place {
            Self::Outermost { innermost } => innermost.clone(),
            Self::Alone | Self::Innermost { .. } | Self::Between => other,
        };
        Some(Line { outermost, innermost })
    }

    /// A chain that stands here has handed its result to `waiter`, and leaves the line.
    pub(crate) fn leave(self, waiter: I) -> Line<I> {
        match self {
            Self::Innermost { outermost } => Line { outermost, innermost: waiter },
            Self::Alone | Self::Outermost { .. } | Self::Between => {
                Line { outermost: waiter.clone(), innermost: waiter }
            }
        }
    }
}
