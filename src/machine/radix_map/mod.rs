//! A map from numbers to values in which an operation takes one step for each level, and moves no other value.

mod children;
mod key;
mod map;

#[cfg(test)]
mod tests;

pub(crate) use self::map::{Emptied, RadixMap};
