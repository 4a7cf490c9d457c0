//! The turn: posted calls, due timers, shutdown if it was asked for; and what comes before the first and after the last.

use std::time::Duration;

use super::super::report::Incident;
use super::clock::Clock;
use super::triggers::{Event, Phase, fire};
use super::{Core, Reactor};
use crate::error::Reentered;
use crate::machine::lifecycle::{EndOfTurn, Lifecycle, LifecycleState};

/// When a reactor that is turned by hand wants its next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// At once: there is something to run.
    Again,
    /// When this time has passed, for a timer; or sooner, if something is posted.
    Wait(Duration),
    /// When something is posted.
    Idle,
    /// Never: the reactor has stopped, and runs nothing any more.
    Ended,
}

/// Marks the reactor as being inside a turn, for as long as it lives.
struct Turning<'a>(&'a Core);

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        self.0.turning.set(false);
    }
}

impl Reactor {
    /// Runs the reactor until it is stopped: fires *startup*, turns and waits, fires *shutdown*, and returns.
    ///
    /// During shutdown the loop goes on, so that jobs of the pool that wait for it can finish; their results still reach their Deferreds.
    /// When it is over, every call that was accepted has run, every thread of the pool has been joined, and whatever still waited for
    /// the reactor has been failed with [`ReactorStopped`](crate::error::ReactorStopped).
    pub fn run(self) {
        loop {
            // Nobody else can be inside a turn: `run` was given the reactor itself.
            let Ok(turn) = self.turn() else { return };
            let inbox = &self.core.shared.inbox;
            match (turn, &self.core.clock) {
                (Turn::Ended, _) => return,
                (Turn::Again, _) => {}
                (Turn::Wait(time), Clock::Virtual(clock)) => clock.advance(time),
                (Turn::Wait(time), Clock::Real(_)) => {
                    if !inbox.spin_until_nonempty() {
                        inbox.wait(Some(time));
                    }
                }
                (Turn::Idle, _) => {
                    if !inbox.spin_until_nonempty() {
                        inbox.wait(None);
                    }
                }
            }
        }
    }

    /// Runs one turn, and never waits: the calls that were posted when it began, in order; then the timers that are due; then
    /// the beginning of shutdown, if it was asked for. What is posted or added meanwhile has to wait for the next turn.
    ///
    /// For programs with a loop of their own. The first turn starts the reactor. A turn after the last one does nothing.
    ///
    /// # Errors
    /// This is inside a turn already.
    pub fn turn(&self) -> Result<Turn, Reentered> {
        let core = &*self.core;
        if core.turning.replace(true) {
            return Err(Reentered);
        }
        let _turning = Turning(core);
        let _scope = core.reporter.enter();
        if core.has_ended() {
            return Ok(Turn::Ended);
        }
        if core.step(Lifecycle::begin_turn) {
            fire(self, Event::STARTUP, Box::new(|_| ()));
        }
        self.run_posted();
        self.run_due();
        match core.step(Lifecycle::end_turn) {
            EndOfTurn::Continue => {}
            EndOfTurn::FireShutdown => {
                fire(self, Event::SHUTDOWN, Box::new(|reactor| reactor.core.step(Lifecycle::shutdown_done)))
            }
            EndOfTurn::Finish => {
                self.run_last_calls();
                core.end();
                return Ok(Turn::Ended);
            }
        }
        Ok(self.wants())
    }

    fn run_posted(&self) {
        let core = &*self.core;
        let mut batch = core.batch.take();
        core.shared.inbox.take(&mut batch);
        batch.run(self, &core.reporter);
        core.batch.set(batch);
    }

    fn run_due(&self) {
        let core = &*self.core;
        if core.timers.len() == 0 {
            return;
        }
        let pass = core.timers.pass(core.clock.now());
        while let Some(call) = core.timers.next_due(pass) {
            core.reporter.contain(Incident::Timer, || call(self));
        }
    }

    /// Closing and taking the rest are one step: a call is either among these or was handed back.
    fn run_last_calls(&self) {
        self.core.shared.inbox.close().run(self, &self.core.reporter);
    }

    fn wants(&self) -> Turn {
        let core = &*self.core;
        // The end of shutdown may have been reached a moment ago, in this turn: the next one acts on it.
        if core.lifecycle.get().state() == LifecycleState::Finishing || core.shared.inbox.has_calls() {
            return Turn::Again;
        }
        match core.timers.next_deadline() {
            None => Turn::Idle,
            Some(at) => match at.saturating_sub(core.clock.now()) {
                Duration::ZERO => Turn::Again,
                time => Turn::Wait(time),
            },
        }
    }

    /// What the reactor itself does at startup and shutdown, ahead of any trigger of the program.
    pub(super) fn add_own_triggers(&self) {
        let _ = self.add_event_trigger(Phase::During, Event::STARTUP, |reactor| {
            reactor.core.step(Lifecycle::started);
            for pool in reactor.core.shared.pools.own() {
                // Refused only if the program has stopped the pool already: it wants none.
                let _ = pool.start_lazily();
            }
        });
        let _ = self.add_event_trigger(Phase::During, Event::SHUTDOWN, |reactor| {
            reactor.core.step(Lifecycle::no_longer_running);
        });
        // One trigger each: all pools are told to stop before any is waited for, so that one that is slow holds up no other.
        for pool in self.core.shared.pools.own() {
            let pool = pool.clone();
            let _ = self.add_event_trigger(Phase::During, Event::SHUTDOWN, move |reactor| reactor.stop_pool(&pool));
        }
    }
}

impl Core {
    /// One transition of the lifecycle.
    pub(super) fn step<R>(&self, event: impl FnOnce(&mut Lifecycle) -> R) -> R {
        let mut lifecycle = self.lifecycle.get();
        let result = event(&mut lifecycle);
        self.lifecycle.set(lifecycle);
        result
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lifecycle.get().state() == LifecycleState::Ended
    }

    /// Nothing runs any more. What waits for the reactor is failed first, then everything else is dropped, on this thread.
    fn end(&self) {
        self.step(Lifecycle::end);
        self.shared.inbox.close().drop_unrun();
        self.owned.clear();
        self.timers.clear();
        self.triggers.clear();
    }
}

impl Drop for Core {
    /// What the reactor was given and has not run is dropped here, unrun, and its pools are told to stop. Of one that was run to its end, that
    /// is what it was given after: its drop is as much the reactor's as all the others, and may panic as they may.
    fn drop(&mut self) {
        let _scope = self.reporter.enter();
        self.end();
        for pool in self.shared.pools.own() {
            pool.begin_stop(|| ());
        }
    }
}
