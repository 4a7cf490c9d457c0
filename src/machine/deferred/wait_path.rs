//! Where a chain stands in its wait path: a sequence of chains of which each waits for the next.
//!
//! A path never branches: a chain waits for at most one other, and at most one waits for it, since returning a Deferred
//! from a callback gives it away. And a path changes at its ends only: the innermost chain finishes, or comes to wait
//! for the outermost chain of another path. So it is enough that the two ends know each other, and both questions are
//! answered in constant time, however long the path: *which chain does a cancel reach?* (the innermost), and *would
//! this chain wait for itself?* (only if it is at both ends).

/// Where a chain stands in its wait path. `I` names a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PathPosition<I> {
    /// It waits for none, and none waits for it.
    Alone,
    /// It waits, and none waits for it: the only chain of the path whose Deferred a program may still hold, or a member
    /// of a list.
    Outermost {
        /// The other end.
        innermost: I,
    },
    /// It waits and is waited for. It knows neither end, because nobody asks it.
    Between,
    /// It is waited for and waits for none: the only chain of the path that may be unfired or running.
    Innermost {
        /// The other end.
        outermost: I,
    },
}

/// The two ends of a path, which the caller has to make known to each other. If they are the same chain, it is alone.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathEnds<I> {
    pub(crate) outermost: I,
    pub(crate) innermost: I,
}

impl<I: Clone + PartialEq> PathPosition<I> {
    /// The chain here, `this`, runs and is about to wait for `other`. Returns the ends of the joined path; each of the
    /// two chains is [`Between`](Self::Between) from now on, unless it is an end. `None` if the chain would wait for
    /// itself.
    #[must_use]
    pub(crate) fn join(&self, this: I, other: I, other_position: &Self) -> Option<PathEnds<I>> {
        let outermost = match self {
            Self::Innermost { outermost } => outermost.clone(),
            Self::Alone | Self::Outermost { .. } | Self::Between => this,
        };
        if outermost == other {
            return None;
        }
        let innermost = match other_position {
            Self::Outermost { innermost } => innermost.clone(),
            Self::Alone | Self::Innermost { .. } | Self::Between => other,
        };
        Some(PathEnds { outermost, innermost })
    }

    /// The chain here has handed its result to `waiter`, and leaves the path. Returns the ends of what remains.
    pub(crate) fn leave(self, waiter: I) -> PathEnds<I> {
        match self {
            Self::Innermost { outermost } => PathEnds { outermost, innermost: waiter },
            Self::Alone | Self::Outermost { .. } | Self::Between => {
                PathEnds { outermost: waiter.clone(), innermost: waiter }
            }
        }
    }
}
