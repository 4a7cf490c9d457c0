//! The place of an item in the order in which items were put, and a map by it: named so that `proofs/` can put its own
//! in their stead.

use std::collections::BTreeMap;

/// How many items were put before it.
pub(crate) type Place = u64;

pub(crate) const FIRST: Place = 0;

/// Items, the first place first.
pub(crate) type ItemsByPlace<T> = BTreeMap<Place, T>;
