//! The machines of a Deferred: its chain, the cell behind each callback, and the waits between chains.

mod chain;
mod result_cell;
#[cfg(test)]
mod tests;
mod wait_path;

pub(crate) use self::chain::{Cancel, ChainStage, ChainState, Fire, Unpause};
pub(crate) use self::result_cell::{ResultCell, ResultState, Store};
pub(crate) use self::wait_path::{PathEnds, PathPosition};
