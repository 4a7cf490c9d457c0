//! The radix map that ships, over keys that are lists of symbolic digits, and nodes that come up as they are looked at.

mod children;
mod key;
#[path = "../../../../src/machine/radix_map/map.rs"]
mod map;
mod view;

pub(crate) use self::key::{DIGITS, Key};
pub(crate) use self::view::Tree;
