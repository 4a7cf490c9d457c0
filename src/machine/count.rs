//! The type of the machines' counts, named so that `proofs/` can put a symbolic integer in its place.

/// A number of workers, of submitters, of jobs.
pub(crate) type Count = usize;

pub(crate) const ZERO: Count = 0;
pub(crate) const ONE: Count = 1;

/// The same number, as a part of a total over a machine's whole life.
#[inline]
pub(crate) fn in_total(count: Count) -> u64 {
    count as u64
}

/// The number of what a collection of the standard library holds.
#[inline]
pub(crate) fn counted(len: usize) -> Count {
    len
}
