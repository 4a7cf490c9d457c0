//! The list of sleepers that ships, over a table whose entries come up as they are looked at.

#[path = "../../../../src/machine/pool/sleepers.rs"]
mod sleepers;
mod slot_table;
mod view;

pub(crate) use self::view::{List, Sleeper};
