//! What may happen next: what the program does with what it holds, and what is under way by itself.

use super::{Awaiting, Brought, Bug, Chains, Event};
use crate::machine::deferred::{ChainStage, ChainState, Fire, ResultState};
use crate::machine::explore::Steps;

impl Chains {
    pub(super) fn program_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let fired = |owed: &Fire| match owed {
            Fire::Run => "send the result down",
            Fire::Discard => "drop the result",
        };
        let one = &self.all[at];
        if one.resolver {
            let mut next = self.clone();
            next.all[at].resolver = false;
            let mut abandoned = next.clone();
            let owed = next.chain(steps, at, "fire", ChainState::fire, fired);
            next.fire(at, owed, Brought::ByAProgram);
            steps.user_fair(Event::IsFired(at), next);
            if !self.calm {
                let owed = abandoned.chain(steps, at, "abandon", ChainState::abandon, fired);
                abandoned.fire(at, owed, Brought::ByAbandoning);
                steps.user_fair(Event::IsAbandoned(at), abandoned);
            }
        }
        let never_pauses = one.may.pause == 0 && !one.chain.is_paused() && !one.brake;
        if (one.handle || one.brake) && !never_pauses {
            self.pausing_steps(steps, at);
        }
        if !one.handle || self.calm {
            return;
        }
        let mut next = self.clone();
        next.cancel(steps, at);
        steps.unfair(Event::IsCancelled(at), next);
        if one.may.await_it {
            let mut next = self.clone();
            next.poll(steps, at);
            if one.awaiting == Awaiting::Told {
                steps.user_fair(Event::IsPolled(at), next);
            } else {
                steps.unfair(Event::IsPolled(at), next);
            }
        }
        if one.awaiting != Awaiting::Nobody {
            let mut next = self.clone();
            next.drop_await(steps, at);
            steps.unfair(Event::ItsTailIsDropped(at), next);
            return;
        }
        let mut next = self.clone();
        next.all[at].handle = false;
        let mut taken = next.clone();
        steps.unfair(Event::ItsTailIsDropped(at), next);
        if matches!(one.outlet, ResultState::Stored(_)) && !one.chain.is_paused() {
            let result = taken.outlet(steps, at, "take", ResultState::take, |_| "hand out the result");
            taken.moves(steps, at, "take", ChainState::take);
            assert!(result.is_some());
            steps.unfair(Event::IsTakenFrom(at), taken);
        }
        if one.may.add > 0 {
            let mut next = self.clone();
            next.add(steps, at);
            steps.unfair(Event::IsAddedTo(at), next);
        }
    }

    /// What can be done by whoever may pause it.
    pub(super) fn pausing_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let one = &self.all[at];
        if one.may.pause > 0 {
            let mut next = self.clone();
            next.all[at].may.pause -= 1;
            next.moves(steps, at, "pause", ChainState::pause);
            steps.unfair(Event::IsPaused(at), next);
        }
        let mut next = self.clone();
        next.unpause(steps, at, "unpause", ChainState::unpause);
        if one.chain.is_paused() {
            steps.user_fair(Event::IsUnpaused(at), next);
        } else {
            steps.unfair(Event::IsUnpaused(at), next);
        }
        if one.brake {
            let mut next = self.clone();
            next.all[at].brake = false;
            steps.user_fair(Event::ItsBrakeIsDropped(at), next);
        }
    }

    pub(super) fn own_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let one = &self.all[at];
        let abandoned = !one.handle && !one.brake && one.chain.stage() == ChainStage::Held;
        if abandoned && self.bug != Bug::HoldsForGood {
            let mut next = self.clone();
            next.unpause(steps, at, "unpause all", ChainState::unpause_all);
            steps.fair(Event::ItsPauseEndsByItself(at), next);
        }
        if one.calling {
            let mut next = self.clone();
            next.all[at].calling = false;
            if self.bug != Bug::ForgetsToFail {
                let owed =
                    next.chain(steps, at, "canceller returned", ChainState::canceller_returned, |owed| match owed {
                        Fire::Run => "fail with Cancelled",
                        Fire::Discard => "nothing",
                    });
                next.fire(at, owed, Brought::ByCancelling);
            }
            steps.fair(Event::ItsCancellerReturns(at), next);
        }
        if let Some(brought) = one.carried {
            let mut next = self.clone();
            next.deliver(steps, at, brought);
            steps.fair(Event::ItsResultGoesOn(at), next);
        }
        if one.in_callback {
            let mut next = self.clone();
            next.all[at].in_callback = false;
            next.all[at].carried = Some(Brought::ByAProgram);
            steps.user_fair(Event::ItsCallbackReturnsAValue(at), next);
            let returnable = |other: &usize| self.all[*other].handle && self.all[*other].awaiting == Awaiting::Nobody;
            for other in (0..self.all.len()).filter(returnable) {
                let mut next = self.clone();
                next.wait(steps, at, other);
                steps.user_fair(Event::ItsCallbackReturns(at, other), next);
            }
        }
    }
}
