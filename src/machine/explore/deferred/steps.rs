//! What may happen in a state: what the program may do with what it holds, and what happens without it.

use super::{Awaiting, Bug, DeferredWorld, Event, Origin};
use crate::machine::deferred::{ChainStage, ChainState, Fire, ResultCell, ResultState};
use crate::machine::explore::Steps;

impl DeferredWorld {
    pub(super) fn program_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let label = |action: &Fire| match action {
            Fire::Run => "send the result down",
            Fire::Discard => "drop the result",
        };
        let chain = &self.chains[at];
        if chain.resolver {
            let mut next = self.clone();
            next.chains[at].resolver = false;
            let mut abandoned = next.clone();
            let action = next.chain_step(steps, at, "fire", ChainState::fire, label);
            next.fire(at, action, Origin::Program);
            steps.user_fair(Event::Fire(at), next);
            if !self.fires_only {
                let action = abandoned.chain_step(steps, at, "abandon", ChainState::abandon, label);
                if action == Fire::Run && chain.state.stage() == ChainStage::Cancelling {
                    abandoned.violate("a chain that is cancelled fails as abandoned");
                }
                abandoned.fire(at, action, Origin::Abandon);
                steps.user_fair(Event::Abandon(at), abandoned);
            }
        }
        let never_pauses = chain.limits.pauses == 0 && !chain.state.is_paused() && !chain.pause_handle;
        if (chain.deferred || chain.pause_handle) && !never_pauses {
            self.pause_steps(steps, at);
        }
        if !chain.deferred || self.fires_only {
            return;
        }
        let mut next = self.clone();
        next.cancel(steps, at);
        steps.unfair(Event::Cancel(at), next);
        if chain.limits.awaited {
            let mut next = self.clone();
            next.poll(steps, at);
            if chain.awaiting == Awaiting::Woken {
                steps.user_fair(Event::Poll(at), next);
            } else {
                steps.unfair(Event::Poll(at), next);
            }
        }
        if chain.awaiting != Awaiting::No {
            let mut next = self.clone();
            next.drop_future(steps, at);
            steps.unfair(Event::DeferredIsDropped(at), next);
            return;
        }
        let mut next = self.clone();
        next.chains[at].deferred = false;
        let mut taken = next.clone();
        steps.unfair(Event::DeferredIsDropped(at), next);
        if matches!(chain.cell, ResultState::Stored(_)) && !chain.state.is_paused() {
            let result = taken.cell_step(steps, at, "take", ResultCell::take, |_| "return the result");
            taken.step(steps, at, "take", ChainState::take);
            assert!(result.is_some());
            steps.unfair(Event::Take(at), taken);
        }
        if chain.limits.adds > 0 {
            let mut next = self.clone();
            next.add(steps, at);
            steps.unfair(Event::Add(at), next);
        }
    }

    /// The steps of those who may pause the chain.
    pub(super) fn pause_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let chain = &self.chains[at];
        if chain.limits.pauses > 0 {
            let mut next = self.clone();
            next.chains[at].limits.pauses -= 1;
            next.step(steps, at, "pause", ChainState::pause);
            steps.unfair(Event::Pause(at), next);
        }
        let mut next = self.clone();
        next.unpause(steps, at, "unpause", ChainState::unpause);
        if chain.state.is_paused() {
            steps.user_fair(Event::Unpause(at), next);
        } else {
            steps.unfair(Event::Unpause(at), next);
        }
        if chain.pause_handle {
            let mut next = self.clone();
            next.chains[at].pause_handle = false;
            steps.user_fair(Event::PauseHandleIsDropped(at), next);
        }
    }

    pub(super) fn internal_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let chain = &self.chains[at];
        let abandoned = !chain.deferred && !chain.pause_handle && chain.state.stage() == ChainStage::Held;
        if abandoned && self.bug != Bug::HeldResultIsNeverReleased {
            let mut next = self.clone();
            next.unpause(steps, at, "unpause all", ChainState::unpause_all);
            steps.fair(Event::PausesEndByThemselves(at), next);
        }
        if chain.canceller_runs {
            let mut next = self.clone();
            next.chains[at].canceller_runs = false;
            if self.bug != Bug::CancelIsNotCompleted {
                let action =
                    next.chain_step(steps, at, "canceller returned", ChainState::canceller_returned, |action| {
                        match action {
                            Fire::Run => "fail with Cancelled",
                            Fire::Discard => "nothing",
                        }
                    });
                next.fire(at, action, Origin::Cancel);
            }
            steps.fair(Event::CancellerReturns(at), next);
        }
        if let Some(origin) = chain.in_transit {
            let mut next = self.clone();
            next.deliver(steps, at, origin);
            steps.fair(Event::ResultMoves(at), next);
        }
        if chain.in_callback {
            let mut next = self.clone();
            next.chains[at].in_callback = false;
            next.chains[at].in_transit = Some(Origin::Program);
            steps.user_fair(Event::CallbackReturnsValue(at), next);
            let returnable =
                |other: &usize| self.chains[*other].deferred && self.chains[*other].awaiting == Awaiting::No;
            for other in (0..self.chains.len()).filter(returnable) {
                let mut next = self.clone();
                next.wait(steps, at, other);
                steps.user_fair(Event::CallbackReturnsDeferred(at, other), next);
            }
        }
    }
}
