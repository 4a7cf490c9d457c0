//! The checker: searches for an order of a history's operations that both the clock and the specification allow.
//!
//! This is Wing and Gong's algorithm: the next operation may be any one invoked before the first return among those
//! left. With Lowe's memoization: each pair of a set of done operations and a state is tried once.

use std::collections::HashSet;
use std::fmt::{self, Debug, Write};
use std::hash::Hash;

/// What an object is, as long as one thread alone uses it.
pub trait Specification: Clone + Eq + Hash + Debug {
    /// An operation, and what it returned.
    type Operation: Debug;

    /// The state after the operation, or none if it cannot return here what it returned.
    fn step(&self, operation: &Self::Operation) -> Option<Self>;
}

/// An operation, and when it was going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<O> {
    pub invoked: u64,
    pub returned: u64,
    pub operation: O,
}

/// Why a history is not linearizable: the furthest that any order came.
pub struct Impossible<S: Specification> {
    /// The state that nothing of what is left can follow.
    state: S,
    left: Vec<String>,
}

/// As many operations as the mark of those done has bits.
pub const LONGEST: usize = 128;

/// The order of operations that explains the history, by their places in it.
///
/// # Errors
/// There is none.
pub fn linearize<S: Specification>(initial: S, history: &[Record<S::Operation>]) -> Result<Vec<usize>, Impossible<S>> {
    assert!(history.len() <= LONGEST, "{} operations are too many for one history", history.len());
    let mut search = Search { history, tried: HashSet::new(), order: Vec::new(), best: (0, 0, initial.clone()) };
    if search.goes_on(0, initial) {
        return Ok(search.order);
    }
    let (_, done, state) = search.best;
    let left = history.iter().enumerate().filter(|(n, _)| done & 1 << n == 0);
    Err(Impossible { state, left: left.map(|(_, record)| format!("{record:?}")).collect() })
}

struct Search<'a, S: Specification> {
    history: &'a [Record<S::Operation>],
    tried: HashSet<(u128, S)>,
    order: Vec<usize>,
    /// How many operations the furthest order had, which, and where they led.
    best: (usize, u128, S),
}

impl<S: Specification> Search<'_, S> {
    fn goes_on(&mut self, done: u128, state: S) -> bool {
        if self.order.len() == self.history.len() {
            return true;
        }
        if self.order.len() > self.best.0 {
            self.best = (self.order.len(), done, state.clone());
        }
        let left = || self.history.iter().enumerate().filter(move |(n, _)| done & 1 << n == 0);
        let first_return = left().map(|(_, record)| record.returned).min().unwrap_or(u64::MAX);
        let candidates: Vec<usize> =
            left().filter(|(_, record)| record.invoked <= first_return).map(|(n, _)| n).collect();
        for next in candidates {
            let Some(after) = state.step(&self.history[next].operation) else { continue };
            let done = done | 1 << next;
            if !self.tried.insert((done, after.clone())) {
                continue;
            }
            self.order.push(next);
            if self.goes_on(done, after) {
                return true;
            }
            self.order.pop();
        }
        false
    }
}

impl<S: Specification> Debug for Impossible<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = String::new();
        for record in &self.left {
            write!(left, "\n    {record}")?;
        }
        write!(f, "no order explains it; the furthest comes to {:?} and leaves{left}", self.state)
    }
}
