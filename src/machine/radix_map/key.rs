//! Keys as lists of digits: named so that `proofs/` can put its own in their stead.

/// A key, or the digits of one above some level.
pub(crate) type Key = u64;

pub(super) const NO_DIGITS: Key = 0;

/// One digit of `BITS` bits.
pub(super) type Digit = usize;

/// A digit of a key: that by which a node of this level is indexed.
#[inline]
pub(super) fn digit<const BITS: u32>(key: Key, level: u32) -> Digit {
    (key >> (BITS * level)) as usize & ((1 << BITS) - 1)
}

/// All digits of a key above that of a level.
#[inline]
pub(super) fn prefix<const BITS: u32>(key: Key, level: u32) -> Key {
    key.checked_shr(BITS * (level + 1)).unwrap_or(0)
}

/// The digits of `prefix`, and one more.
#[inline]
pub(super) fn followed_by<const BITS: u32>(prefix: Key, digit: Digit) -> Key {
    prefix << BITS | digit as Key
}
