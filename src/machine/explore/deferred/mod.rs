//! Exhaustive search of the Deferred: chains that are fired, abandoned, cancelled, added to, paused, awaited and made
//! to wait.
//!
//! Everything may happen at any moment, also while a callback or a canceller runs. `steps` says what may happen in a
//! state, `effects` what it changes, `labels` how the tables name it.

mod effects;
mod labels;
mod steps;

use super::{Steps, World, must_find, must_hold, table, table_file};
use crate::machine::deferred::{ChainStage, ChainState, Fire, PathPosition, ResultState};

/// What made a chain's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Origin {
    /// The resolver, or a callback.
    Program,
    /// A cancel, which the canceller did not answer with a result.
    Cancel,
    /// The drop of the unfired resolver.
    Abandon,
    /// The chain would have waited for itself.
    SelfWait,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A chain waits for itself as if that were no cycle.
    CycleIsClosed,
    /// When a chain finishes, the ends of its path are not updated.
    EndsAreStaleAfterLeave,
    /// A chain that is bypassed keeps its position in the path.
    PositionIsStaleAfterBypass,
    /// After the canceller nothing fails the chain.
    CancelIsNotCompleted,
    /// While the canceller runs, the chain looks unfired.
    CancellingLooksUnfired,
    /// A paused chain passes its result on.
    PauseIsIgnored,
    /// A chain is bypassed although others may pause it.
    SharedChainIsBypassed,
    /// A held result is not released when the last pause handle is dropped.
    HeldResultIsNeverReleased,
    /// The task that awaits a result is not woken.
    WakerIsForgotten,
}

/// What gets a held result when the pauses end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum HeldFor {
    /// The next callback of the chain.
    Callback(Origin),
    /// The chain that waits for this one.
    Waiter(usize, Origin),
    /// The task that awaits it. The result lies in the cell.
    Task,
}

/// A task that awaits the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Awaiting {
    No,
    /// It has polled, and waits to be woken.
    Asleep,
    /// It was woken, and polls again.
    Woken,
}

/// What the program may do with a chain, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Limits {
    adds: u8,
    pauses: u8,
    /// There is a pause handle.
    shared: bool,
    awaited: bool,
}

const ONE_ADD: Limits = Limits { adds: 1, pauses: 0, shared: false, awaited: false };
const NO_ADDS: Limits = Limits { adds: 0, ..ONE_ADD };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ModelChain {
    state: ChainState,
    position: PathPosition<usize>,
    /// The cell of the last link.
    cell: ResultState<usize, Origin, ()>,
    /// Callbacks that have not run.
    links: u8,
    /// The result on its way to the next callback, or out.
    in_transit: Option<Origin>,
    in_callback: bool,
    /// The program holds the resolver.
    resolver: bool,
    /// The program holds the Deferred.
    deferred: bool,
    /// The program holds a pause handle.
    pause_handle: bool,
    limits: Limits,
    held: Option<HeldFor>,
    awaiting: Awaiting,
    canceller_runs: bool,
    canceller_calls: u8,
    /// The chain that it waits for. The positions have to agree with this.
    waits_for: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DeferredWorld {
    bug: Bug,
    /// The program only fires, and returns from callbacks.
    fires_only: bool,
    chains: Vec<ModelChain>,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "which chain it is is read in the trace of a counterexample")]
enum Event {
    Fire(usize),
    Abandon(usize),
    Cancel(usize),
    CancellerReturns(usize),
    ResultMoves(usize),
    CallbackReturnsValue(usize),
    CallbackReturnsDeferred(usize, usize),
    Add(usize),
    Take(usize),
    Pause(usize),
    Unpause(usize),
    Poll(usize),
    DeferredIsDropped(usize),
    PauseHandleIsDropped(usize),
    PausesEndByThemselves(usize),
}

impl DeferredWorld {
    fn new(chains: usize, links: u8, limits: Limits, bug: Bug) -> Self {
        let mut state = ChainState::new(ChainStage::Unfired);
        if limits.shared {
            state.share();
        }
        let chain = ModelChain {
            state,
            position: PathPosition::Alone,
            cell: ResultState::Empty,
            links,
            in_transit: None,
            in_callback: false,
            resolver: true,
            deferred: true,
            pause_handle: limits.shared,
            limits,
            held: None,
            awaiting: Awaiting::No,
            canceller_runs: false,
            canceller_calls: 0,
            waits_for: None,
        };
        Self { bug, fires_only: false, chains: vec![chain; chains], violation: None }
    }

    fn violate(&mut self, what: &'static str) {
        self.violation.get_or_insert(what);
    }

    /// The innermost chain of the path; some chain of a cycle, if there is one.
    fn innermost_of(&self, from: usize) -> usize {
        (0..self.chains.len()).fold(from, |at, _| self.chains[at].waits_for.unwrap_or(at))
    }

    fn waiter_of(&self, at: usize) -> Option<usize> {
        self.chains.iter().position(|chain| chain.waits_for == Some(at))
    }

    /// The chain's position, found by walking along the path.
    fn true_position(&self, at: usize) -> PathPosition<usize> {
        let outermost_of = |from| (0..self.chains.len()).fold(from, |at, _| self.waiter_of(at).unwrap_or(at));
        match (self.waiter_of(at), self.chains[at].waits_for) {
            (None, None) => PathPosition::Alone,
            (None, Some(_)) => PathPosition::Outermost { innermost: self.innermost_of(at) },
            (Some(_), Some(_)) => PathPosition::Between,
            (Some(_), None) => PathPosition::Innermost { outermost: outermost_of(at) },
        }
    }
}

impl World for DeferredWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        for at in 0..self.chains.len() {
            self.program_steps(steps, at);
            self.internal_steps(steps, at);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let each = |holds: fn(&ModelChain) -> bool| self.chains.iter().all(holds);
        let checks = [
            (each(|chain| chain.canceller_calls <= 1), "a canceller is called twice"),
            (
                each(|chain| chain.waits_for.is_some() == (chain.state.stage() == ChainStage::Waiting)),
                "`Waiting` does not agree with what a chain waits for",
            ),
            (
                each(|chain| {
                    let rests = chain.state.stage() == ChainStage::Resting || chain.held == Some(HeldFor::Task);
                    matches!(chain.cell, ResultState::Stored(_)) == rests
                }),
                "`Resting` does not agree with where the result lies",
            ),
            (
                each(|chain| chain.held.is_some() == (chain.state.stage() == ChainStage::Held)),
                "`Held` does not agree with what a chain holds",
            ),
            (
                each(|chain| chain.state.stage() != ChainStage::Held || chain.state.is_paused()),
                "a chain holds a result and is not paused",
            ),
            (each(|chain| (chain.state.pauses() > 0) == chain.state.is_paused()), "a chain miscounts its pauses"),
            (
                each(|chain| chain.state.is_decided() == ({ chain.state }.fire() == Fire::Discard)),
                "a chain is decided and takes a result, or is not and drops it",
            ),
            (
                each(|chain| chain.awaiting != Awaiting::Asleep || chain.state.stage() != ChainStage::Resting),
                "a task awaits a result that is here, and was not woken",
            ),
            (
                each(|chain| {
                    (chain.in_callback || chain.in_transit.is_some()) == (chain.state.stage() == ChainStage::Running)
                }),
                "`Running` does not agree with where the result is",
            ),
            (
                (0..self.chains.len()).all(|at| self.chains[self.innermost_of(at)].waits_for.is_none()),
                "chains wait for each other in a cycle",
            ),
            (
                (0..self.chains.len()).all(|at| self.chains[at].position == self.true_position(at)),
                "a chain has the wrong position",
            ),
        ];
        self.violation.or_else(|| checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what))
    }

    fn stuck(&self) -> Option<&'static str> {
        self.chains
            .iter()
            .any(|chain| chain.state.stage() == ChainStage::Cancelling && !chain.canceller_runs)
            .then_some("a cancelled chain never fails")
    }

    fn unfinished(&self) -> Option<&'static str> {
        let hangs = |chain: &ModelChain| !matches!(chain.state.stage(), ChainStage::Resting | ChainStage::Over);
        self.chains.iter().any(hangs).then_some("a chain hangs although everything was fired or dropped")
    }
}

// Checks: B49, B51, B52, B53, B54, B56, B57, B58, P20
#[test]
fn every_chain_gets_one_result_and_knows_its_position_whatever_happens_meanwhile() {
    let mut rows = must_hold(DeferredWorld::new(2, 2, ONE_ADD, Bug::None), 33664, 175656);
    rows.extend(must_hold(DeferredWorld::new(3, 1, NO_ADDS, Bug::None), 210360, 1474332));
    // It takes four chains to join two paths of two.
    rows.extend(must_hold(
        DeferredWorld { fires_only: true, ..DeferredWorld::new(4, 2, NO_ADDS, Bug::None) },
        124_291,
        451_740,
    ));
    rows.extend(must_hold(
        DeferredWorld::new(1, 2, Limits { adds: 1, pauses: 3, shared: true, awaited: true }, Bug::None),
        5976,
        29716,
    ));
    rows.extend(must_hold(
        DeferredWorld::new(2, 1, Limits { adds: 0, pauses: 1, shared: true, awaited: false }, Bug::None),
        134_352,
        972_648,
    ));
    rows.extend(must_hold(
        DeferredWorld::new(2, 1, Limits { adds: 0, pauses: 1, shared: false, awaited: true }, Bug::None),
        67_777,
        500_518,
    ));
    let three = DeferredWorld::new(3, 1, Limits { adds: 0, pauses: 1, shared: true, awaited: false }, Bug::None);
    rows.extend(must_hold(DeferredWorld { fires_only: true, ..three }, 183_680, 1_233_048));
    let chain = table::rows_of(&rows, &["Unfired", "Cancelling", "Running", "Waiting", "Held", "Resting", "Over"]);
    let cell = table::rows_of(&rows, &["Empty", "Watched", "Linked", "Stored", "Spent"]);
    let position = table::rows_of(&rows, &["Alone", "Outermost", "Between", "Innermost"]);
    table_file::assert_current("deferred/chain", &table::markdown(&chain));
    table_file::assert_current("deferred/result_cell", &table::markdown(&cell));
    table_file::assert_current("deferred/wait_path", &table::markdown(&position));
}

// Checks: B52, B53, B54, B56, B58, P20
#[test]
fn injected_bugs_of_the_deferred_are_found() {
    must_find(DeferredWorld::new(2, 1, NO_ADDS, Bug::CycleIsClosed), "chains wait for each other in a cycle");
    must_find(DeferredWorld::new(2, 1, NO_ADDS, Bug::EndsAreStaleAfterLeave), "a chain has the wrong position");
    must_find(DeferredWorld::new(3, 1, NO_ADDS, Bug::PositionIsStaleAfterBypass), "a chain has the wrong position");
    must_find(DeferredWorld::new(1, 0, NO_ADDS, Bug::CancelIsNotCompleted), "a cancelled chain never fails");
    must_find(DeferredWorld::new(1, 0, NO_ADDS, Bug::CancellingLooksUnfired), "a canceller is called twice");
    let paused = Limits { adds: 0, pauses: 1, shared: true, awaited: true };
    must_find(DeferredWorld::new(1, 1, paused, Bug::PauseIsIgnored), "a paused chain lets its result go on");
    must_find(
        DeferredWorld::new(3, 1, paused, Bug::SharedChainIsBypassed),
        "a chain is bypassed although it can be paused",
    );
    must_find(
        DeferredWorld::new(1, 1, paused, Bug::HeldResultIsNeverReleased),
        "a chain hangs although everything was fired or dropped",
    );
    must_find(
        DeferredWorld::new(1, 1, paused, Bug::WakerIsForgotten),
        "a task awaits a result that is here, and was not woken",
    );
}
