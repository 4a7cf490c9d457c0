//! Ranks: numbers that are compared as words in a dictionary are. One that falls with each step and is never negative
//! has an end.

use crate::symbol::{Condition, Int};

/// Whether the rank has become lower.
pub fn is_lower(before: &[Int], after: &[Int]) -> Condition {
    let words = before.iter().zip(after).rev();
    words.fold(Condition::FALSE, |rest, (before, after)| after.less(*before) | (after.equals(*before) & rest))
}

pub fn is_not_negative(rank: &[Int]) -> Condition {
    Condition::all(rank.iter().map(|number| Int::ZERO.at_most(*number)))
}
