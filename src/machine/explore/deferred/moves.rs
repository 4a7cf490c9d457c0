//! What happens to the chains, one transition of the machines after the other, as the shell makes them.

use std::cell::Cell;

use super::labels::{chain_label, met, outlet_label, place_label};
use super::{Awaiting, Brought, Bug, Chains, Held, One};
use crate::machine::deferred::{
    Cancel, ChainStage, ChainState, Fire, PathEnds, PathPosition, ResultState, Store, Unpause,
};
use crate::machine::explore::{Row, Steps};

impl Chains {
    /// One transition of a chain's machine, and its row.
    pub(super) fn chain<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&mut ChainState) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = chain_label(self.all[at].chain);
        let owed = transition(&mut self.all[at].chain);
        steps.row(Row { from, event, action: action(&owed), to: chain_label(self.all[at].chain) });
        owed
    }

    /// A transition that owes nothing.
    pub(super) fn moves(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        to: fn(&mut ChainState),
    ) {
        self.chain(steps, at, event, to, |()| "nothing");
    }

    /// One transition of the way out, and its row.
    pub(super) fn outlet<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&Cell<ResultState<usize, Brought, ()>>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = outlet_label(&self.all[at].outlet);
        let owed = transition(Cell::from_mut(&mut self.all[at].outlet));
        steps.row(Row { from, event, action: action(&owed), to: outlet_label(&self.all[at].outlet) });
        owed
    }

    pub(super) fn draw(&mut self, line: PathEnds<usize>) {
        let PathEnds { outermost, innermost } = line;
        if outermost == innermost {
            self.all[outermost].place = PathPosition::Alone;
        } else {
            self.all[outermost].place = PathPosition::Outermost { innermost };
            self.all[innermost].place = PathPosition::Innermost { outermost };
        }
    }

    /// The rows of those who stand elsewhere now, or know another end.
    pub(super) fn moved(&self, steps: &mut Steps<'_, Self>, before: &[One], event: &'static str) {
        for (was, is) in before.iter().zip(&self.all).filter(|(was, is)| was.place != is.place) {
            let action = match is.place {
                PathPosition::Alone | PathPosition::Between => "forget the other end",
                PathPosition::Outermost { .. } | PathPosition::Innermost { .. } => "know the other end",
            };
            steps.row(Row { from: place_label(&was.place), event, action, to: place_label(&is.place) });
        }
    }

    pub(super) fn fire(&mut self, at: usize, owed: Fire, brought: Brought) {
        let one = &mut self.all[at];
        match owed {
            Fire::Run if one.carried.is_some() || one.in_callback => self.fail("a chain is fired twice"),
            Fire::Run => one.carried = Some(brought),
            // What is dropped has to be late: only a cancel makes it so.
            Fire::Discard if brought == Brought::ByAProgram && one.cancellers_called == 0 => {
                self.fail("a result is dropped that nobody said was unwanted");
            }
            Fire::Discard => {}
        }
    }

    pub(super) fn cancel(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let said = |asked: &Cancel| match asked {
            Cancel::CallCanceller => "call the canceller",
            Cancel::Forward => "cancel the innermost",
            Cancel::Nothing => "nothing",
        };
        let mut target = at;
        let mut asked = self.chain(steps, at, "cancel", ChainState::cancel, said);
        if asked == Cancel::Forward {
            let PathPosition::Outermost { innermost } = self.all[at].place else {
                return self.fail("a chain that waits and is held does not know whom to cancel");
            };
            target = innermost;
            asked = self.chain(steps, target, "cancel", ChainState::cancel, said);
        }
        if asked == Cancel::CallCanceller {
            self.all[target].calling = true;
            self.all[target].cancellers_called += 1;
            if self.bug == Bug::ForgetsThatItIsCancelled {
                self.all[target].chain = ChainState::new(ChainStage::Unfired);
            }
        }
    }

    /// The result goes to the next callback, or out.
    pub(super) fn deliver(&mut self, steps: &mut Steps<'_, Self>, at: usize, brought: Brought) {
        self.all[at].carried = None;
        if self.all[at].links > 0 {
            return self.go_on_or_hold(steps, at, Held::ACallback(brought));
        }
        match self.outlet(steps, at, "store", |outlet| ResultState::store(outlet, brought), met) {
            Store::Kept => self.moves(steps, at, "rest", ChainState::rest),
            Store::Pass(waiter, brought) => self.go_on_or_hold(steps, at, Held::AWaiter(waiter, brought)),
            Store::Wake(()) => self.go_on_or_hold(steps, at, Held::WhoAwaitsIt),
        }
    }

    /// A result could go on.
    pub(super) fn go_on_or_hold(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: Held) {
        if self.all[at].chain.is_paused() && self.bug != Bug::PassesOnAlthoughPaused {
            self.moves(steps, at, "hold", ChainState::hold);
            self.all[at].held = Some(to);
        } else {
            self.go_on(steps, at, to);
        }
    }

    pub(super) fn go_on(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: Held) {
        if self.all[at].chain.is_paused() {
            self.fail("a paused chain lets its result go on");
        }
        match to {
            // The callback gets it from the one who runs callbacks, so it needs no step of its own here.
            Held::ACallback(_) => {
                self.all[at].links -= 1;
                self.all[at].in_callback = true;
            }
            Held::AWaiter(waiter, brought) => {
                self.moves(steps, at, "hand over", ChainState::hand_over);
                let before = self.all.clone();
                let line = self.all[at].place.clone().leave(waiter);
                if self.bug != Bug::LeavesUnseen {
                    self.all[at].place = PathPosition::Alone;
                    self.draw(line);
                }
                self.moved(steps, &before, "a result leaves the innermost");
                self.moves(steps, waiter, "resume", ChainState::resume);
                self.all[waiter].waits_for = None;
                self.all[waiter].carried = Some(brought);
            }
            Held::WhoAwaitsIt => {
                self.moves(steps, at, "rest", ChainState::rest);
                if self.bug != Bug::TellsNobody {
                    self.all[at].awaiting = Awaiting::Told;
                }
            }
        }
    }

    pub(super) fn unpause(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        ends: fn(&mut ChainState) -> Unpause,
    ) {
        let owed = self.chain(steps, at, event, ends, |owed| match owed {
            Unpause::Nothing => "nothing",
            Unpause::Release => "let the result go on",
            Unpause::NotPaused => "refuse: not paused",
        });
        let held = if owed == Unpause::Release { self.all[at].held.take() } else { None };
        match held {
            Some(to) => self.go_on(steps, at, to),
            None if owed == Unpause::Release => self.fail("a pause held nothing and lets it go on"),
            None => {}
        }
    }

    /// Whoever awaits the result looks for it.
    pub(super) fn poll(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        if matches!(self.all[at].outlet, ResultState::Stored(_)) {
            if !self.all[at].chain.is_paused() {
                let result = self.outlet(steps, at, "take", ResultState::take, |_| "hand out the result");
                assert!(result.is_some());
                self.moves(steps, at, "take", ChainState::take);
                self.all[at].handle = false;
                self.all[at].awaiting = Awaiting::Nobody;
                return;
            }
            if self.all[at].chain.stage() == ChainStage::Resting {
                self.moves(steps, at, "add", ChainState::add);
                self.go_on_or_hold(steps, at, Held::WhoAwaitsIt);
            }
        } else {
            let watching = self.outlet(
                steps,
                at,
                "watch",
                |outlet| ResultState::watch(outlet, ()),
                |watching| match watching {
                    Ok(Some(())) => "hand out the one who watched before",
                    Ok(None) => "nothing",
                    Err(()) => "hand the watcher back",
                },
            );
            if watching.is_err() {
                self.fail("whoever awaits a result cannot watch for it");
            }
        }
        if self.all[at].awaiting != Awaiting::Told || self.all[at].chain.stage() != ChainStage::Resting {
            self.all[at].awaiting = Awaiting::ToBeTold;
        }
    }

    /// Nobody awaits the result any more: it is cancelled, and whatever it comes to is dropped.
    pub(super) fn drop_await(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let _ = self.outlet(steps, at, "unwatch", ResultState::unwatch, |watcher| {
            if watcher.is_some() { "hand out the watcher" } else { "nothing" }
        });
        self.all[at].awaiting = Awaiting::Nobody;
        self.cancel(steps, at);
        self.all[at].handle = false;
    }

    /// A callback of `at` returns the tail of `other`.
    pub(super) fn wait(&mut self, steps: &mut Steps<'_, Self>, at: usize, other: usize) {
        self.all[at].in_callback = false;
        self.all[other].handle = false;
        let taken = if self.all[other].chain.is_paused() {
            None
        } else {
            self.outlet(steps, other, "take", ResultState::take, |taken| {
                if taken.is_some() { "hand out the result" } else { "nothing" }
            })
        };
        if let Some(brought) = taken {
            self.moves(steps, other, "take", ChainState::take);
            self.all[at].carried = Some(brought);
            return;
        }
        let ring = self.ends_at(other, at);
        let line = self.all[at].place.join(at, other, &self.all[other].place);
        if line.is_none() != ring {
            self.fail("a self-wait is seen where there is none, or not seen where there is one");
        }
        if line.is_none() && self.bug != Bug::LetsItWaitForItself {
            self.all[at].carried = Some(Brought::ByWaitingForItself);
            return;
        }
        // A waiter is the way out of a whole chain: of none whose result still has callbacks to go to.
        let may_be_bypassed = self.all[at].chain.may_be_bypassed() || self.bug == Bug::StepsOutAlthoughShared;
        let outer = match self.all[at].links {
            0 if may_be_bypassed => self.outlet(
                steps,
                at,
                "detach",
                |outlet| ResultState::detach(outlet, Ok),
                |next| {
                    if next.is_some() { "hand out the successor" } else { "nothing" }
                },
            ),
            _ => None,
        };
        let before = self.all.clone();
        let waiter = match outer {
            Some(outer) => {
                self.moves(steps, at, "hand over", ChainState::hand_over);
                if self.bug != Bug::StepsOutUnseen {
                    self.all[at].place = PathPosition::Alone;
                }
                if self.all[at].brake || self.all[at].chain.is_paused() {
                    self.fail("a chain steps out of its line where a pause of it no longer matters");
                }
                outer
            }
            None => {
                self.moves(steps, at, "wait", ChainState::wait);
                self.all[at].place = PathPosition::Between;
                at
            }
        };
        self.all[waiter].waits_for = Some(other);
        self.all[other].place = PathPosition::Between;
        if let Some(line) = line {
            self.draw(line);
        }
        self.moved(steps, &before, if outer.is_some() { "a last callback waits" } else { "a callback waits" });
        let rest = self.outlet(steps, other, "take", ResultState::take, |taken| {
            if taken.is_some() { "hand out the result" } else { "nothing" }
        });
        match rest {
            None => self.outlet(steps, other, "link", |outlet| ResultState::link(outlet, waiter), |()| "keep it"),
            Some(brought) => {
                self.moves(steps, other, "add", ChainState::add);
                self.go_on_or_hold(steps, other, Held::AWaiter(waiter, brought));
            }
        }
    }

    pub(super) fn add(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        self.all[at].may.add -= 1;
        self.all[at].links += 1;
        let lent = self.outlet(steps, at, "take for update", ResultState::take_for_update, |lent| {
            if lent.is_some() { "hand out the result" } else { "nothing" }
        });
        match lent {
            // Which link it is makes no difference here: the new one has a way out of its own.
            None => {
                self.outlet(steps, at, "link", |outlet| ResultState::link(outlet, at), |()| "keep it");
                self.all[at].outlet = ResultState::Empty;
            }
            Some(brought) => {
                self.moves(steps, at, "add", ChainState::add);
                self.go_on_or_hold(steps, at, Held::ACallback(brought));
            }
        }
    }
}
