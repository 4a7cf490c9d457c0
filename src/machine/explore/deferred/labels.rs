//! The names of states and actions in the transition tables.

use super::Origin;
use crate::machine::deferred::{ChainStage, ChainState, PathPosition, ResultState, Store};

pub(super) fn store_label<N, R, W>(action: &Store<N, R, W>) -> &'static str {
    match action {
        Store::Kept => "keep it",
        Store::Wake(_) => "keep it, wake the watcher",
        Store::Pass(..) => "pass the result on",
    }
}

pub(super) fn chain_label(state: ChainState) -> &'static str {
    match (state.stage(), state.is_paused()) {
        (ChainStage::Unfired, false) => "Unfired",
        (ChainStage::Unfired, true) => "Unfired: paused",
        (ChainStage::Cancelling, false) => "Cancelling",
        (ChainStage::Cancelling, true) => "Cancelling: paused",
        (ChainStage::Running, false) => "Running",
        (ChainStage::Running, true) => "Running: paused",
        (ChainStage::Waiting, false) => "Waiting",
        (ChainStage::Waiting, true) => "Waiting: paused",
        (ChainStage::Held, _) => "Held",
        (ChainStage::Resting, false) => "Resting",
        (ChainStage::Resting, true) => "Resting: paused",
        (ChainStage::Over, false) => "Over",
        (ChainStage::Over, true) => "Over: paused",
    }
}

pub(super) fn cell_label(cell: &ResultState<usize, Origin, ()>) -> &'static str {
    match cell {
        ResultState::Empty => "Empty",
        ResultState::Watched(()) => "Watched",
        ResultState::Linked(_) => "Linked",
        ResultState::Stored(_) => "Stored",
        ResultState::Spent => "Spent",
    }
}

pub(super) fn position_label(position: &PathPosition<usize>) -> &'static str {
    match position {
        PathPosition::Alone => "Alone",
        PathPosition::Outermost { .. } => "Outermost",
        PathPosition::Between => "Between",
        PathPosition::Innermost { .. } => "Innermost",
    }
}
