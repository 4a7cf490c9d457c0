//! The machines of a Deferred: the state of its chain, of the cell behind each callback, and of the waits between chains.

mod chain;
mod result_cell;
mod wait_path;

pub(crate) use self::chain::{Cancel, ChainStage, ChainState, Fire, Unpause};
pub(crate) use self::result_cell::{ResultState, Store};
pub(crate) use self::wait_path::{PathEnds, PathPosition};
