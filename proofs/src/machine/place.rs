//! Places as symbolic integers, and a map by places that knows how many items it holds, the first of them until it is
//! taken, and whether the item of one place, whichever that is, is among them.

use super::count::{Count, ZERO};
use crate::explore::prove;
use crate::symbol::{Condition, Int};

pub(crate) type Place = Count;

pub(crate) const FIRST: Place = ZERO;

pub(crate) fn places(count: Count) -> Place {
    count
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemsByPlace<T> {
    first: Option<(Place, T)>,
    /// Those that are not known.
    behind: Count,
    watched: Int,
    pub has_watched: Condition,
}

impl<T> ItemsByPlace<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None, behind: ZERO, watched: Int::ZERO, has_watched: Condition::FALSE }
    }

    /// A map without an item, or of a first one and others behind it.
    pub(crate) fn of(first: Option<(Place, T)>, behind: Count, watched: Int, has_watched: Condition) -> Self {
        Self { first, behind, watched, has_watched }
    }

    /// Whether there is such a map, whose items have places before `end`.
    pub(crate) fn can_be(&self, end: Int) -> Condition {
        let Some((Count(first), _)) = &self.first else { return self.behind.0.is_zero() & !self.has_watched };
        let others = self.watched.less(end) & first.less(self.watched) & self.behind.0.is_positive();
        let is_there = Int::choose(self.watched.equals(*first), Int::from(1), Int::choose(others, 1, 0));
        let must_be = self.watched.equals(*first).implies(self.has_watched);
        let room = Int::ZERO.at_most(*first) & (*first + self.behind.0).less(end);
        Int::ZERO.at_most(self.behind.0) & room & must_be & self.has_watched.implies(is_there.is_positive())
    }

    /// This is the first place of all.
    pub(crate) fn is_first(&self, place: Int) -> Condition {
        self.first.as_ref().map_or(Condition::FALSE, |(first, _)| first.0.equals(place))
    }

    pub(crate) fn len(&self) -> Count {
        Count(self.behind.0 + i64::from(self.first.is_some()))
    }

    pub(crate) fn insert(&mut self, place: Place, item: T) -> Option<T> {
        let is_watched = place.0.equals(self.watched);
        prove("no two items come back to one place", !(is_watched & self.has_watched));
        self.has_watched = self.has_watched | is_watched;
        match &mut self.first {
            None => self.first = Some((place, item)),
            Some(first) => {
                self.behind += 1;
                if place < first.0 {
                    *first = (place, item);
                }
            }
        }
        None
    }

    pub(crate) fn pop_first(&mut self) -> Option<(Place, T)> {
        prove("no transition takes two items", self.behind.0.is_zero() | self.first.is_some());
        let first = self.first.take()?;
        self.has_watched = self.has_watched & !first.0.0.equals(self.watched);
        Some(first)
    }
}
