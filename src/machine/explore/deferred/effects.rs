//! The effects of the steps: the transitions of the machines, in the order in which the shell makes them.

use super::labels::{cell_label, chain_label, position_label, store_label};
use super::{Awaiting, Bug, DeferredWorld, HeldFor, ModelChain, Origin};
use crate::machine::deferred::{
    Cancel, ChainStage, ChainState, Fire, PathEnds, PathPosition, ResultCell, ResultState, Store, Unpause,
};
use crate::machine::explore::{Row, Steps};

impl DeferredWorld {
    /// One transition of a chain, and its row.
    pub(super) fn chain_step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&mut ChainState) -> A,
        label: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = chain_label(self.chains[at].state);
        let action = transition(&mut self.chains[at].state);
        steps.row(Row { from, event, action: label(&action), to: chain_label(self.chains[at].state) });
        action
    }

    /// A transition without an action.
    pub(super) fn step(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: fn(&mut ChainState),
    ) {
        self.chain_step(steps, at, event, transition, |()| "nothing");
    }

    /// One transition of a result cell, and its row.
    pub(super) fn cell_step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&ResultCell<usize, Origin, ()>) -> A,
        label: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = cell_label(&self.chains[at].cell);
        let mut cell = ResultCell::new(self.chains[at].cell.clone());
        let action = transition(&cell);
        self.chains[at].cell = cell.get_mut().clone();
        steps.row(Row { from, event, action: label(&action), to: cell_label(&self.chains[at].cell) });
        action
    }

    pub(super) fn connect(&mut self, ends: PathEnds<usize>) {
        let PathEnds { outermost, innermost } = ends;
        if outermost == innermost {
            self.chains[outermost].position = PathPosition::Alone;
        } else {
            self.chains[outermost].position = PathPosition::Outermost { innermost };
            self.chains[innermost].position = PathPosition::Innermost { outermost };
        }
    }

    /// The rows of the chains whose position has changed.
    pub(super) fn position_rows(&self, steps: &mut Steps<'_, Self>, before: &[ModelChain], event: &'static str) {
        for (was, is) in before.iter().zip(&self.chains).filter(|(was, is)| was.position != is.position) {
            let action = match is.position {
                PathPosition::Alone | PathPosition::Between => "forget the other end",
                PathPosition::Outermost { .. } | PathPosition::Innermost { .. } => "know the other end",
            };
            steps.row(Row { from: position_label(&was.position), event, action, to: position_label(&is.position) });
        }
    }

    pub(super) fn fire(&mut self, at: usize, action: Fire, origin: Origin) {
        let chain = &mut self.chains[at];
        match action {
            Fire::Run if chain.in_transit.is_some() || chain.in_callback => self.violate("a chain is fired twice"),
            Fire::Run => chain.in_transit = Some(origin),
            // Only a cancelled chain may drop a result.
            Fire::Discard if origin == Origin::Program && chain.canceller_calls == 0 => {
                self.violate("a result of a chain that was not cancelled is dropped");
            }
            Fire::Discard => {}
        }
    }

    pub(super) fn cancel(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let label = |action: &Cancel| match action {
            Cancel::CallCanceller => "call the canceller",
            Cancel::Forward => "cancel the innermost",
            Cancel::Nothing => "nothing",
        };
        let mut target = at;
        let mut action = self.chain_step(steps, at, "cancel", ChainState::cancel, label);
        if action == Cancel::Forward {
            let PathPosition::Outermost { innermost } = self.chains[at].position else {
                return self.violate("a waiting chain that the program holds does not know the innermost");
            };
            target = innermost;
            action = self.chain_step(steps, target, "cancel", ChainState::cancel, label);
        }
        if action == Cancel::CallCanceller {
            self.chains[target].canceller_runs = true;
            self.chains[target].canceller_calls += 1;
            if self.bug == Bug::CancellingLooksUnfired {
                self.chains[target].state = ChainState::new(ChainStage::Unfired);
            }
        }
    }

    /// The result goes to the next callback, or into the cell of the last link.
    pub(super) fn deliver(&mut self, steps: &mut Steps<'_, Self>, at: usize, origin: Origin) {
        self.chains[at].in_transit = None;
        if self.chains[at].links > 0 {
            return self.pass_or_hold(steps, at, HeldFor::Callback(origin));
        }
        match self.cell_step(steps, at, "store", |cell| cell.store(origin), store_label) {
            Store::Kept => self.step(steps, at, "rest", ChainState::rest),
            Store::Pass(waiter, origin) => self.pass_or_hold(steps, at, HeldFor::Waiter(waiter, origin)),
            Store::Wake(()) => self.pass_or_hold(steps, at, HeldFor::Task),
        }
    }

    /// The result goes on, unless the chain is paused.
    pub(super) fn pass_or_hold(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: HeldFor) {
        if self.chains[at].state.is_paused() && self.bug != Bug::PauseIsIgnored {
            self.step(steps, at, "hold", ChainState::hold);
            self.chains[at].held = Some(to);
        } else {
            self.pass(steps, at, to);
        }
    }

    pub(super) fn pass(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: HeldFor) {
        if self.chains[at].state.is_paused() {
            self.violate("a paused chain lets its result go on");
        }
        match to {
            // The loop gives it to the callback at once.
            HeldFor::Callback(_) => {
                self.chains[at].links -= 1;
                self.chains[at].in_callback = true;
            }
            HeldFor::Waiter(waiter, origin) => {
                self.step(steps, at, "hand over", ChainState::hand_over);
                let before = self.chains.clone();
                let ends = self.chains[at].position.clone().leave(waiter);
                if self.bug != Bug::EndsAreStaleAfterLeave {
                    self.chains[at].position = PathPosition::Alone;
                    self.connect(ends);
                }
                self.position_rows(steps, &before, "a result leaves the innermost");
                self.step(steps, waiter, "resume", ChainState::resume);
                self.chains[waiter].waits_for = None;
                self.chains[waiter].in_transit = Some(origin);
            }
            HeldFor::Task => {
                self.step(steps, at, "rest", ChainState::rest);
                if self.bug != Bug::WakerIsForgotten {
                    self.chains[at].awaiting = Awaiting::Woken;
                }
            }
        }
    }

    pub(super) fn unpause(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: fn(&mut ChainState) -> Unpause,
    ) {
        let action = self.chain_step(steps, at, event, transition, |action| match action {
            Unpause::Nothing => "nothing",
            Unpause::Release => "let the result go on",
            Unpause::NotPaused => "refuse: not paused",
        });
        let held = if action == Unpause::Release { self.chains[at].held.take() } else { None };
        match held {
            Some(to) => self.pass(steps, at, to),
            None if action == Unpause::Release => self.violate("a result is released that is not held"),
            None => {}
        }
    }

    /// A task polls the Deferred.
    pub(super) fn poll(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        if matches!(self.chains[at].cell, ResultState::Stored(_)) {
            if !self.chains[at].state.is_paused() {
                let result = self.cell_step(steps, at, "take", ResultCell::take, |_| "return the result");
                assert!(result.is_some());
                self.step(steps, at, "take", ChainState::take);
                self.chains[at].deferred = false;
                self.chains[at].awaiting = Awaiting::No;
                return;
            }
            if self.chains[at].state.stage() == ChainStage::Resting {
                self.step(steps, at, "add", ChainState::add);
                self.pass_or_hold(steps, at, HeldFor::Task);
            }
        } else {
            let watching = self.cell_step(
                steps,
                at,
                "watch",
                |cell| cell.watch(()),
                |watching| match watching {
                    Ok(Some(())) => "return the one before",
                    Ok(None) => "nothing",
                    Err(()) => "refuse",
                },
            );
            if watching.is_err() {
                self.violate("a task that awaits a result cannot watch for it");
            }
        }
        if self.chains[at].awaiting != Awaiting::Woken || self.chains[at].state.stage() != ChainStage::Resting {
            self.chains[at].awaiting = Awaiting::Asleep;
        }
    }

    /// The future is dropped: the Deferred is cancelled, and its result dropped.
    pub(super) fn drop_future(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let _ = self.cell_step(steps, at, "unwatch", ResultCell::unwatch, |watcher| {
            if watcher.is_some() { "return the watcher" } else { "nothing" }
        });
        self.chains[at].awaiting = Awaiting::No;
        self.cancel(steps, at);
        self.chains[at].deferred = false;
    }

    /// A callback of `at` returns the Deferred of `other`.
    pub(super) fn wait(&mut self, steps: &mut Steps<'_, Self>, at: usize, other: usize) {
        self.chains[at].in_callback = false;
        self.chains[other].deferred = false;
        let taken = if self.chains[other].state.is_paused() {
            None
        } else {
            self.cell_step(steps, other, "take", ResultCell::take, |taken| {
                if taken.is_some() { "return the result" } else { "nothing" }
            })
        };
        if let Some(origin) = taken {
            self.step(steps, other, "take", ChainState::take);
            self.chains[at].in_transit = Some(origin);
            return;
        }
        let cycle = self.innermost_of(other) == at;
        let ends = self.chains[at].position.join(at, other, &self.chains[other].position);
        if ends.is_none() != cycle {
            self.violate("a cycle is reported where there is none, or not where there is one");
        }
        if ends.is_none() && self.bug != Bug::CycleIsClosed {
            self.chains[at].in_transit = Some(Origin::SelfWait);
            return;
        }
        // Only the last callback of a chain can be bypassed.
        let may_be_bypassed = self.chains[at].state.may_be_bypassed() || self.bug == Bug::SharedChainIsBypassed;
        let outer = match self.chains[at].links {
            0 if may_be_bypassed => self.cell_step(
                steps,
                at,
                "detach",
                |cell| cell.detach(Ok),
                |next| {
                    if next.is_some() { "return the successor" } else { "nothing" }
                },
            ),
            _ => None,
        };
        let before = self.chains.clone();
        let waiter = match outer {
            Some(outer) => {
                self.step(steps, at, "hand over", ChainState::hand_over);
                if self.bug != Bug::PositionIsStaleAfterBypass {
                    self.chains[at].position = PathPosition::Alone;
                }
                if self.chains[at].pause_handle || self.chains[at].state.is_paused() {
                    self.violate("a chain is bypassed although it can be paused");
                }
                outer
            }
            None => {
                self.step(steps, at, "wait", ChainState::wait);
                self.chains[at].position = PathPosition::Between;
                at
            }
        };
        self.chains[waiter].waits_for = Some(other);
        self.chains[other].position = PathPosition::Between;
        if let Some(ends) = ends {
            self.connect(ends);
        }
        self.position_rows(steps, &before, if outer.is_some() { "a last callback waits" } else { "a callback waits" });
        let result = self.cell_step(steps, other, "take", ResultCell::take, |taken| {
            if taken.is_some() { "return the result" } else { "nothing" }
        });
        match result {
            None => self.cell_step(steps, other, "link", |cell| cell.link(waiter), |()| "keep it"),
            Some(origin) => {
                self.step(steps, other, "add", ChainState::add);
                self.pass_or_hold(steps, other, HeldFor::Waiter(waiter, origin));
            }
        }
    }

    pub(super) fn add(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        self.chains[at].limits.adds -= 1;
        self.chains[at].links += 1;
        let taken = self.cell_step(steps, at, "take for update", ResultCell::take_for_update, |taken| {
            if taken.is_some() { "return the result" } else { "nothing" }
        });
        match taken {
            // The new link has a cell of its own.
            None => {
                self.cell_step(steps, at, "link", |cell| cell.link(at), |()| "keep it");
                self.chains[at].cell = ResultState::Empty;
            }
            Some(origin) => {
                self.step(steps, at, "add", ChainState::add);
                self.pass_or_hold(steps, at, HeldFor::Callback(origin));
            }
        }
    }
}
