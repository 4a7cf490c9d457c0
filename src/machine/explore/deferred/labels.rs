//! The names of states and actions, as SPEC.md has them.

use super::Brought;
use crate::machine::deferred::{Chain, Met, Outlet, Place, Stage};
use crate::machine::explore::Rows;

pub(super) fn met<N, R, W>(met: &Met<N, R, W>) -> &'static str {
    match met {
        Met::NotYet => "keep it",
        Met::Tell(_) => "keep it, tell the watcher",
        Met::Pass(..) => "pass the result on",
    }
}

pub(super) fn chain_label(chain: Chain) -> &'static str {
    match (chain.stage(), chain.is_paused()) {
        (Stage::Unfired, false) => "Unfired",
        (Stage::Unfired, true) => "Unfired: paused",
        (Stage::Cancelling, false) => "Cancelling",
        (Stage::Cancelling, true) => "Cancelling: paused",
        (Stage::Running, false) => "Running",
        (Stage::Running, true) => "Running: paused",
        (Stage::Waiting, false) => "Waiting",
        (Stage::Waiting, true) => "Waiting: paused",
        (Stage::Held, _) => "Held",
        (Stage::Resting, false) => "Resting",
        (Stage::Resting, true) => "Resting: paused",
        (Stage::Over, false) => "Over",
        (Stage::Over, true) => "Over: paused",
    }
}

pub(super) fn outlet_label(outlet: &Outlet<usize, Brought, ()>) -> &'static str {
    match outlet {
        Outlet::Open => "Open",
        Outlet::Watched(()) => "Watched",
        Outlet::Linked(_) => "Linked",
        Outlet::Settled(_) => "Settled",
        Outlet::Spent => "Spent",
    }
}

pub(super) fn place_label(place: &Place<usize>) -> &'static str {
    match place {
        Place::Alone => "Alone",
        Place::Outermost { .. } => "Outermost",
        Place::Between => "Between",
        Place::Innermost { .. } => "Innermost",
    }
}

/// Three machines, so three tables: the rows of those whose states have these names, whatever stands behind a colon.
pub(super) fn part(rows: &Rows, states: &[&str]) -> Rows {
    let name = |state: &'static str| state.split_once(':').map_or(state, |(name, _)| name);
    rows.iter().filter(|row| states.contains(&name(row.from))).copied().collect()
}
