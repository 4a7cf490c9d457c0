//! The place of an item, or of a job, in the order in which they came, and a map by it: named so that `proofs/` can put
//! its own in their stead.

use std::collections::BTreeMap;

use super::count::Count;

/// How many came before it.
pub(crate) type Place = u64;

pub(crate) const FIRST: Place = 0;

/// So many places.
#[inline]
pub(crate) fn places(count: Count) -> Place {
    count as Place
}

/// Items, the first place first.
pub(crate) type ItemsByPlace<T> = BTreeMap<Place, T>;
