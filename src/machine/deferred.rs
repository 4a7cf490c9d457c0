//! The machines of a Deferred: what its chain is doing, what comes out of each link, and where the chain stands among those that
//! wait for each other.
//!
//! ```text
//!               fire, abandon                    rest                take
//!   Unfired ───────────────────────▶ Running ──────────▶ Resting ──────────▶ Over
//!      │                             ▲ ▲ │ ▲                │                 ▲
//!      │ cancel      fire, uncalled  │ │ │ └──────add───────┘                 │
//!      └───────▶ Cancelling ─────────┘ │ ├────────────hand over───────────────┘
//!                                      │ │ wait
//!                               resume │ ▼
//!                                    Waiting
//! ```

use std::mem;

/// What a chain is doing: its head, its callbacks and the result that travels down them.
///
/// `pause` will be a count beside this and not a state in it: a user's pauses and the chain's own waits never mix (`B53`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Chain {
    /// Nobody fired it. No callback of it has run.
    Unfired,
    /// It was cancelled and its canceller runs now, which may yet fire it. It cannot be cancelled again.
    Cancelling,
    /// The result travels: a callback runs, or is about to. Somewhere up this thread's stack is the loop that runs it.
    Running,
    /// A callback returned a Deferred that has no result yet. No callback of this chain runs.
    Waiting,
    /// The result lies at the tail, where no callback has taken it yet.
    Resting,
    /// The result has left the chain: another chain has it, or the program. Nothing can be added any more.
    Over,
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
    /// The firing half brings a result, which may come late.
    pub(crate) fn fire(&mut self) -> Fire {
        match self {
            Self::Unfired | Self::Cancelling => self.run(),
            Self::Running | Self::Waiting | Self::Resting | Self::Over => Fire::Discard,
        }
    }

    /// The firing half is dropped unfired. While the canceller runs this is how it says "stopped": what follows is `Cancelled`.
    pub(crate) fn abandon(&mut self) -> Fire {
        match self {
            Self::Unfired => self.run(),
            Self::Cancelling | Self::Running | Self::Waiting | Self::Resting | Self::Over => Fire::Discard,
        }
    }

    /// The holder of the tail wants no result any more.
    pub(crate) fn cancel(&mut self) -> Cancel {
        match self {
            Self::Unfired => {
                *self = Self::Cancelling;
                Cancel::CallCanceller
            }
            Self::Waiting => Cancel::Forward,
            Self::Cancelling | Self::Running | Self::Resting | Self::Over => Cancel::Nothing,
        }
    }

    /// The canceller returned, or there is none. If it did not fire the chain, `Cancelled` is the result.
    pub(crate) fn uncalled(&mut self) -> Fire {
        match self {
            Self::Cancelling => self.run(),
            Self::Unfired | Self::Running | Self::Waiting | Self::Resting | Self::Over => Fire::Discard,
        }
    }

    fn run(&mut self) -> Fire {
        *self = Self::Running;
        Fire::Run
    }

    /// The running callback returned a Deferred without a result.
    pub(crate) fn wait(&mut self) {
        self.go(Self::Running, Self::Waiting);
    }

    /// The Deferred that a callback had returned has its result now.
    pub(crate) fn resume(&mut self) {
        self.go(Self::Waiting, Self::Running);
    }

    /// The result came to the tail and found no callback.
    pub(crate) fn rest(&mut self) {
        self.go(Self::Running, Self::Resting);
    }

    /// A callback was added to a tail where the result lay: it runs at once.
    pub(crate) fn add(&mut self) {
        self.go(Self::Resting, Self::Running);
    }

    /// The result, or the wait for it, goes to the chain that waits for this one.
    pub(crate) fn hand_over(&mut self) {
        self.go(Self::Running, Self::Over);
    }

    /// The result that lay at the tail is taken away.
    pub(crate) fn take(&mut self) {
        self.go(Self::Resting, Self::Over);
    }

    /// Whether a result that the firing half brought now would be dropped.
    pub(crate) fn is_decided(self) -> bool {
        !matches!(self, Self::Unfired | Self::Cancelling)
    }

    fn go(&mut self, from: Self, to: Self) {
        debug_assert_eq!(*self, from, "a chain that goes to {to:?}");
        *self = to;
    }
}

/// What comes out of one link, or out of the head: a result and a successor, in whichever order they come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outlet<N, R> {
    /// Neither a result nor a successor.
    Open,
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
pub(crate) enum Met<N, R> {
    /// One of them is kept until the other comes.
    NotYet,
    /// Both are here: pass the result on.
    Pass(N, R),
}

impl<N, R> Outlet<N, R> {
    /// The result comes. It comes once.
    pub(crate) fn settle(&mut self, result: R) -> Met<N, R> {
        match mem::replace(self, Self::Spent) {
            Self::Linked(next) => Met::Pass(next, result),
            was => {
                debug_assert!(matches!(was, Self::Open), "a link has one result");
                *self = Self::Settled(result);
                Met::NotYet
            }
        }
    }

    /// The successor comes. It comes once.
    pub(crate) fn attach(&mut self, next: N) -> Met<N, R> {
        match mem::replace(self, Self::Spent) {
            Self::Settled(result) => Met::Pass(next, result),
            was => {
                debug_assert!(matches!(was, Self::Open), "a link has one successor");
                *self = Self::Linked(next);
                Met::NotYet
            }
        }
    }

    /// Takes the result away, if it lies here.
    #[must_use]
    pub(crate) fn take(&mut self) -> Option<R> {
        match mem::replace(self, Self::Spent) {
            Self::Settled(result) => Some(result),
            was => {
                *self = was;
                None
            }
        }
    }

    /// Takes the successor away, if there is one and it is of this kind: something else will bring it the result.
    #[must_use]
    pub(crate) fn detach<M>(&mut self, kind: impl FnOnce(N) -> Result<M, N>) -> Option<M> {
        match mem::replace(self, Self::Spent) {
            Self::Linked(next) => match kind(next) {
                Ok(next) => Some(next),
                Err(next) => {
                    *self = Self::Linked(next);
                    None
                }
            },
            was => {
                *self = was;
                None
            }
        }
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
    /// It waits, and none waits for it: the only one of its line that a program may still hold.
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
