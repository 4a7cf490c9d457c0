//! A map by numbers, of which the first entry is known until it is taken out, and those of two numbers, whichever those
//! are: no transition reads more.

use super::count::{Count, ZERO};
use crate::explore::{decide, prove};
use crate::symbol::{Condition, Int};

#[derive(Debug, Clone)]
pub(crate) struct RadixMap<T> {
    numbers: [Int; 2],
    first: Option<(Int, T)>,
    /// The entries of the two numbers, where they are behind the first.
    watched: [Option<(Int, T)>; 2],
    others: Count,
}

/// Memory.
pub(crate) struct Emptied<T>(Vec<T>);

impl<T> Default for RadixMap<T> {
    fn default() -> Self {
        Self::of(watched_numbers(), None, [None, None], ZERO)
    }
}

/// The numbers that are watched in a map that comes into being.
fn watched_numbers() -> [Int; 2] {
    [Int::unknown(WATCHED[0]), Int::unknown(WATCHED[1])]
}

pub(crate) const WATCHED: [&str; 2] = ["watched ticket", "another watched ticket"];

impl<T> RadixMap<T> {
    pub(crate) fn of(
        numbers: [Int; 2],
        first: Option<(Int, T)>,
        watched: [Option<(Int, T)>; 2],
        others: Count,
    ) -> Self {
        Self { numbers, first, watched, others }
    }

    pub(crate) fn ticket(&self, which: usize) -> Int {
        self.numbers[which]
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = (Int, &T)> {
        self.first.iter().chain(self.watched.iter().flatten()).map(|(number, entry)| (*number, entry))
    }

    pub(crate) fn len(&self) -> Count {
        Count(self.others.0 + self.known().count() as i64)
    }

    /// The number is greater than all that are in the map.
    pub(crate) fn insert(&mut self, number: Count, entry: T) {
        let is_there = self.known().fold(Condition::FALSE, |any, (known, _)| any | known.equals(number.0));
        prove("a ticket is given once", !is_there);
        if self.len() == 0 {
            self.first = Some((number.0, entry));
        } else if let Some(which) = (0..2).find(|which| decide(number.0.equals(self.numbers[*which]))) {
            self.watched[which] = Some((number.0, entry));
        } else {
            self.others += 1;
        }
    }

    pub(crate) fn pop_first_if(&mut self, is_asked_for: impl FnOnce(&T) -> bool) -> Option<T> {
        prove("no transition takes two jobs", self.len().0.is_zero() | self.first.is_some());
        self.first.take_if(|(_, entry)| is_asked_for(entry)).map(|(_, entry)| entry)
    }

    /// The number is that of the first entry, of a watched one, or of none: what is true of these is true of each.
    pub(crate) fn remove(&mut self, number: Count) -> Option<T> {
        let entries = std::iter::once(&mut self.first).chain(&mut self.watched);
        entries
            .filter_map(|entry| entry.take_if(|(known, _)| decide(known.equals(number.0))))
            .next()
            .map(|(_, entry)| entry)
    }

    pub(crate) fn take_emptied(&mut self) -> Option<Emptied<T>> {
        None
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Count, &T)> {
        self.known().map(|(number, entry)| (Count(number), entry))
    }
}
