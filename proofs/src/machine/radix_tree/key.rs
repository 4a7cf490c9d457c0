//! Keys as lists of symbolic digits, as many as a 64-bit number has of four bits each.

use crate::explore::{decide, prove};
use crate::symbol::{Condition, Int};

pub(crate) const DIGITS: usize = 16;

/// The digits of a key, the lowest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(pub(crate) [Int; DIGITS]);

pub(super) const NO_DIGITS: Key = Key([Int::ZERO; DIGITS]);

pub(super) type Digit = Int;

pub(super) fn digit<const BITS: u32>(key: Key, level: u32) -> Digit {
    key.0[level as usize]
}

pub(super) fn prefix<const BITS: u32>(key: Key, level: u32) -> Key {
    Key(std::array::from_fn(|at| key.0.get(at + level as usize + 1).copied().unwrap_or(Int::ZERO)))
}

pub(super) fn followed_by<const BITS: u32>(prefix: Key, digit: Digit) -> Key {
    prove("no key has more digits than there are", prefix.0[DIGITS - 1].is_zero());
    Key(std::array::from_fn(|at| if at == 0 { digit } else { prefix.0[at - 1] }))
}

impl Key {
    pub(crate) fn is(self, other: Self) -> Condition {
        Condition::all(self.0.iter().zip(other.0).map(|(digit, other)| digit.equals(other)))
    }

    pub(crate) fn at_most(self, other: Self) -> Condition {
        let digits = self.0.iter().zip(other.0);
        digits.fold(Condition::TRUE, |lower, (digit, other)| digit.less(other) | (digit.equals(other) & lower))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        decide(self.is(*other))
    }
}
