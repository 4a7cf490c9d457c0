//! The names of states and actions, as SPEC.md has them.

use super::Brought;
use crate::machine::deferred::{ChainStage, ChainState, PathPosition, ResultState, Store};
use crate::machine::explore::Rows;

pub(super) fn met<N, R, W>(met: &Store<N, R, W>) -> &'static str {
    match met {
        Store::Kept => "keep it",
        Store::Wake(_) => "keep it, wake the watcher",
        Store::Pass(..) => "pass the result on",
    }
}

pub(super) fn chain_label(chain: ChainState) -> &'static str {
    match (chain.stage(), chain.is_paused()) {
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

pub(super) fn outlet_label(outlet: &ResultState<usize, Brought, ()>) -> &'static str {
    match outlet {
        ResultState::Empty => "Empty",
        ResultState::Watched(()) => "Watched",
        ResultState::Linked(_) => "Linked",
        ResultState::Stored(_) => "Stored",
        ResultState::Spent => "Spent",
    }
}

pub(super) fn place_label(place: &PathPosition<usize>) -> &'static str {
    match place {
        PathPosition::Alone => "Alone",
        PathPosition::Outermost { .. } => "Outermost",
        PathPosition::Between => "Between",
        PathPosition::Innermost { .. } => "Innermost",
    }
}

/// Three machines, so three tables: the rows of those whose states have these names, whatever stands behind a colon.
pub(super) fn part(rows: &Rows, states: &[&str]) -> Rows {
    let name = |state: &'static str| state.split_once(':').map_or(state, |(name, _)| name);
    rows.iter().filter(|row| states.contains(&name(row.from))).copied().collect()
}
