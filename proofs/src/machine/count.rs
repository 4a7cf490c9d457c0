//! The machines' counts as symbolic integers: what `src/machine/count.rs` is where the machines ship.
//!
//! An operation builds a term; a comparison is [decided](decide) for the path. Each addition and subtraction must be
//! [proved](prove) to stay within a machine integer: the shipped one would panic or wrap. A minimum, a maximum and a
//! saturating operation cannot fail.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Sub, SubAssign};

use crate::explore::{decide, prove};
use crate::symbol::Int;

/// A number of workers, of submitters, of jobs: from zero to [`MAX`](Self::MAX).
#[derive(Debug, Clone, Copy)]
pub struct Count(pub Int);

pub(crate) const ZERO: Count = Count(Int::ZERO);
pub(crate) const ONE: Count = Count(Int::Constant(1));

/// Totals are not proved: no transition reads them.
pub(crate) fn in_total(_count: Count) -> u64 {
    0
}

pub(crate) fn counted(len: usize) -> Count {
    Count(Int::from(len as i64))
}

impl Count {
    /// The greatest machine integer, however wide those are.
    pub const MAX: Self = Self(Int::GREATEST);

    pub fn min(self, other: impl Into<Self>) -> Self {
        Self(self.0.min(other.into().0))
    }

    pub fn max(self, other: impl Into<Self>) -> Self {
        Self(self.0.max(other.into().0))
    }

    pub fn saturating_sub(self, other: impl Into<Self>) -> Self {
        Self((self.0 - other.into().0).max(0))
    }

    pub fn checked_sub(self, other: impl Into<Self>) -> Option<Self> {
        let other = other.into();
        if self < other { None } else { Some(Self(self.0 - other.0)) }
    }

    pub fn saturating_add(self, other: impl Into<Self>) -> Self {
        Self((self.0 + other.into().0).min(Int::GREATEST))
    }
}

impl From<i32> for Count {
    fn from(value: i32) -> Self {
        Self(Int::from(i64::from(value)))
    }
}

impl From<bool> for Count {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl Default for Count {
    fn default() -> Self {
        ZERO
    }
}

impl<T: Into<Count>> Add<T> for Count {
    type Output = Self;

    fn add(self, other: T) -> Self {
        let sum = self.0 + other.into().0;
        prove("no addition overflows", sum.at_most(Int::GREATEST));
        Self(sum)
    }
}

impl<T: Into<Count>> Sub<T> for Count {
    type Output = Self;

    fn sub(self, other: T) -> Self {
        let difference = self.0 - other.into().0;
        prove("no subtraction underflows", Int::ZERO.at_most(difference));
        Self(difference)
    }
}

impl<T: Into<Count>> AddAssign<T> for Count {
    fn add_assign(&mut self, other: T) {
        *self = *self + other;
    }
}

impl<T: Into<Count>> SubAssign<T> for Count {
    fn sub_assign(&mut self, other: T) {
        *self = *self - other;
    }
}

impl PartialEq for Count {
    fn eq(&self, other: &Self) -> bool {
        decide(self.0.equals(other.0))
    }
}

impl Eq for Count {}

/// Equal only where the terms are: no map of the machine has counts as keys.
impl Hash for Count {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq<i32> for Count {
    fn eq(&self, other: &i32) -> bool {
        *self == Self::from(*other)
    }
}

impl PartialOrd for Count {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(if self == other {
            Ordering::Equal
        } else if self < other {
            Ordering::Less
        } else {
            Ordering::Greater
        })
    }

    fn lt(&self, other: &Self) -> bool {
        decide(self.0.less(other.0))
    }

    fn le(&self, other: &Self) -> bool {
        decide(self.0.at_most(other.0))
    }

    fn gt(&self, other: &Self) -> bool {
        other < self
    }

    fn ge(&self, other: &Self) -> bool {
        other <= self
    }
}

impl PartialOrd<i32> for Count {
    fn partial_cmp(&self, other: &i32) -> Option<Ordering> {
        self.partial_cmp(&Self::from(*other))
    }

    fn lt(&self, other: &i32) -> bool {
        *self < Self::from(*other)
    }

    fn le(&self, other: &i32) -> bool {
        *self <= Self::from(*other)
    }

    fn gt(&self, other: &i32) -> bool {
        *self > Self::from(*other)
    }

    fn ge(&self, other: &i32) -> bool {
        *self >= Self::from(*other)
    }
}
