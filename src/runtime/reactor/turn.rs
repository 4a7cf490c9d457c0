//! The loop: [`Reactor::run`] repeats turns and waits between them; a turn runs posted calls, due timers and the steps
//! of shutdown.
//!
//! The reactor's [`Lifecycle`] decides which events a turn fires. `begin_turn` asks for *startup* in the first turn;
//! `end_turn` asks for *shutdown* if a stop was requested, and for the end of the reactor once shutdown is over.
//!
//! A call that is posted after a turn has returned [`Turn::Idle`], and before the loop waits, is not lost:
//! `Inbox::wait` looks for calls once more, and falls asleep under the same hold of the lock.

use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{InsideEffect, run_waiting_effects};
use super::super::reactor_thread::EndingGuard;
use super::super::report::Incident;
use super::super::sync::trace;
use super::around_turns::LoopActivity;
use super::clock::Clock;
use super::shutdown::Shutdown;
use super::timers::DueCall;
use super::triggers::{Event, Firing, Phase};
use super::{Core, Reactor};
use crate::error::Reentered;
use crate::machine::lifecycle::{EndOfTurn, Lifecycle, LifecycleState};

/// When a reactor wants its next turn. "Posted" is all that comes from elsewhere: calls, results of jobs, wakes of
/// tasks, answers, cancels, a stop, the end of a pool. How a loop of another kind learns of it:
/// [`ReactorBuilder::on_wake`](crate::reactor::ReactorBuilder::on_wake).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// At once: there is something to run.
    Again,
    /// After this time, for a timer; earlier if something is posted. The time is of the reactor's own clock, which a
    /// program that has set a [`VirtualClock`](crate::testing::VirtualClock) advances itself.
    Wait(Duration),
    /// When something is posted.
    Idle,
    /// Never: the reactor has stopped.
    Ended,
}

impl Turn {
    /// How long a host may wait for what else it waits for, in the form in which the pollers of sockets take it:
    /// nothing after [`Again`](Self::Again) and [`Ended`](Self::Ended), and without limit, `None`, after
    /// [`Idle`](Self::Idle).
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::Turn};
    ///
    /// let (wake, wakes) = std::sync::mpsc::channel();
    /// let reactor = Reactor::builder().on_wake(move || wake.send(()).unwrap_or_default()).build()?;
    /// reactor.handle().stop();
    /// loop {
    ///     let turn = reactor.turn()?;
    ///     if turn == Turn::Ended {
    ///         break;
    ///     }
    ///     // In place of a poller.
    ///     let _ = match turn.timeout() {
    ///         Some(time) => wakes.recv_timeout(time).is_ok(),
    ///         None => wakes.recv().is_ok(),
    ///     };
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn timeout(self) -> Option<Duration> {
        match self {
            Self::Again | Self::Ended => Some(Duration::ZERO),
            Self::Wait(time) => Some(time),
            Self::Idle => None,
        }
    }
}

/// Marks the reactor as inside a turn until it is dropped.
struct Turning<'a>(&'a Core);

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        self.0.turning.set(false);
    }
}

impl Reactor {
    /// Runs the reactor until it is stopped: fires *startup*, runs turns and waits between them, fires *shutdown*, and
    /// returns.
    ///
    /// The loop keeps running during shutdown, so that jobs which wait for it can finish; their results still reach
    /// their Deferreds. When `run` returns, every accepted call has run, every thread of the reactor's pools has been
    /// joined, and every Deferred that still waited for the reactor has failed with
    /// [`ReactorStopped`](crate::error::ReactorStopped). Only with a
    /// [time limit](crate::reactor::ReactorBuilder::stop_within) may threads be left; what is returned says which.
    /// Other pools, and jobs of a pool that is not the reactor's, are not waited for: when `main` returns, the process
    /// ends, and accepted jobs that have not run are lost. To wait for them, [stop](crate::ThreadPool::stop) their pool
    /// first.
    ///
    /// A thread runs one reactor at a time: if a callback of this reactor runs another one, this one goes on when that
    /// has ended. Run the other on a thread of its own, or [turn](Self::turn) both in one loop.
    ///
    /// A reactor that was hosted may be run too: it waits by itself then, and its
    /// [hook](crate::reactor::ReactorBuilder::on_wake) is dropped as `run` begins.
    pub fn run(self) -> Shutdown {
        self.core.shared.inbox.retire_hook();
        run_waiting_effects();
        loop {
            // An error inside a turn of its own, which a `LocalHandle` has begun: the reactor ends with that.
            let Ok(turn) = self.run_turn() else { return Shutdown::default() };
            let inbox = &self.core.shared.inbox;
            match (turn, &self.core.clock) {
                (Turn::Ended, _) => return self.ended().unwrap_or_default(),
                (Turn::Again, _) => {}
                (Turn::Wait(_), Clock::Virtual(now)) => {
                    if self.holds_time(now) {
                        inbox.wait(None);
                    } else if let Some(next) = self.next_deadline() {
                        now.clock.advance_to(next);
                    }
                }
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

    /// Runs one turn, without ever waiting: the calls that were posted before it began, in order; then the timers that
    /// are due; then the start of shutdown, if a stop was requested. What is posted meanwhile, and timers that timers
    /// add, wait for the next turn.
    ///
    /// For programs that have a loop of their own, which turns the reactor once, waits as the [`Turn`] says, and turns
    /// it again, until that is [`Turn::Ended`]. [`Turn::timeout`] is the time to wait as pollers take it. What wakes
    /// such a loop is a hook: see [`ReactorBuilder::on_wake`](crate::reactor::ReactorBuilder::on_wake). The first turn
    /// starts the reactor; after the last, `turn` does nothing. Turns alone shut a reactor down completely: what
    /// shutdown waits for is posted.
    ///
    /// Cost: one short lock, and two more if the reactor has a hook and comes to rest.
    ///
    /// # Errors
    /// A turn is running already.
    pub fn turn(&self) -> Result<Turn, Reentered> {
        let turn = self.run_turn()?;
        Ok(if self.core.shared.inbox.is_hosted() { self.park(turn) } else { turn })
    }

    /// A turn of `run` or of a host.
    fn run_turn(&self) -> Result<Turn, Reentered> {
        let core = &*self.core;
        if core.turning.replace(true) {
            return Err(Reentered);
        }
        let _turning = Turning(core);
        let _scope = core.reporter.enter();
        let _inside_effect = InsideEffect::enter();
        let _virtual_time = self.enter_virtual_time();
        core.unpark();
        if core.has_ended() {
            return Ok(Turn::Ended);
        }
        Ok(if core.hooks.are_set() { self.turn_hooked() } else { self.turn_once() })
    }

    #[cold]
    #[inline(never)]
    fn turn_hooked(&self) -> Turn {
        let mut turn = Turn::Again;
        let core = &*self.core;
        core.hooks.run_around(LoopActivity::Turn, self, &core.reporter, || turn = self.turn_once());
        // A guard that was dropped after the turn may have made another due.
        if turn == Turn::Ended { turn } else { self.next_turn() }
    }

    /// What a turn is, inside its hooks.
    // Most reactors have none, and then it is a part of `run_turn`.
    #[inline(always)]
    fn turn_once(&self) -> Turn {
        let core = &*self.core;
        if core.transition(Lifecycle::begin_turn) {
            self.fire(Event::STARTUP);
        }
        self.run_posted();
        self.run_due();
        self.hurry_shutdown();
        match core.transition(Lifecycle::end_turn) {
            EndOfTurn::Continue => {}
            EndOfTurn::FireShutdown => {
                core.triggers.give_up_startup();
                self.limit_shutdown();
                self.fire(Event::SHUTDOWN);
            }
            EndOfTurn::Finish => {
                self.run_last_calls();
                self.list_late_pools();
                core.end();
                return Turn::Ended;
            }
        }
        self.next_turn()
    }

    fn run_posted(&self) {
        let core = &*self.core;
        // A call that begins another turn is refused before it comes here.
        let mut batch = core.batch.borrow_mut();
        core.shared.inbox.take(&mut batch);
        batch.run(self, &core.reporter);
    }

    fn run_due(&self) {
        let core = &*self.core;
        if core.timers.len() == 0 {
            return;
        }
        core.timers.begin_pass(core.clock.now());
        while let Some(call) = core.timers.next_due() {
            trace::other("runs", || "a timer".into());
            if core.hooks.are_set() {
                self.run_hooked(&call);
            } else {
                core.reporter.contain(Incident::Timer, || call.function().run(self));
            }
        }
    }

    /// A timer, inside the hooks.
    #[cold]
    #[inline(never)]
    fn run_hooked(&self, call: &DueCall) {
        let core = &*self.core;
        let activity = call.function().activity();
        let run = || _ = core.reporter.contain(Incident::Timer, || call.function().run(self));
        core.hooks.run_around(activity, self, &core.reporter, run);
    }

    /// Closing the inbox and taking what is left are one step: every call either runs here or is handed back.
    fn run_last_calls(&self) {
        // What such a call begins may fail at once, because nothing can be posted any more.
        let _ending = EndingGuard::enter();
        self.core.shared.inbox.close().run(self, &self.core.reporter);
    }

    /// When the next turn is due.
    pub(crate) fn next_turn(&self) -> Turn {
        let core = &*self.core;
        if core.lifecycle.get().owes_turn() || core.shared.inbox.has_calls() {
            return Turn::Again;
        }
        match self.next_deadline() {
            None => Turn::Idle,
            Some(at) => match at.saturating_sub(core.clock.now()) {
                Duration::ZERO => Turn::Again,
                time => Turn::Wait(time),
            },
        }
    }

    /// The reactor's own steps, as an event's phase begins: before any trigger of that phase.
    pub(super) fn own_step(&self, phase: Phase, firing: &Rc<Firing>) {
        let core = &*self.core;
        if phase != Phase::During {
            return;
        }
        if *firing.event() == Event::STARTUP {
            core.transition(Lifecycle::started);
            for pool in core.shared.pools.own() {
                // Fails only if the program has stopped the pool already.
                let _ = pool.start_lazily();
            }
        } else if *firing.event() == Event::SHUTDOWN {
            core.transition(Lifecycle::no_longer_running);
            // All begin to stop before the first is waited for, so a slow pool delays no other.
            for pool in core.shared.pools.own() {
                firing.wait_for(self.stop_pool(pool));
            }
        }
    }
}

impl Core {
    /// An event has been fired.
    pub(super) fn event_over(&self, event: &Event) {
        if *event == Event::SHUTDOWN {
            self.transition(Lifecycle::shutdown_done);
        }
    }

    /// One transition of the lifecycle.
    pub(super) fn transition<R>(&self, event: impl FnOnce(&mut Lifecycle) -> R) -> R {
        let mut lifecycle = self.lifecycle.get();
        let result = event(&mut lifecycle);
        if self.lifecycle.replace(lifecycle) != lifecycle {
            self.due_by(Duration::ZERO);
        }
        result
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lifecycle.get().state() == LifecycleState::Ended
    }

    /// Ends the reactor: fails what waits for it, then drops everything else, on this thread.
    fn end(&self) {
        let _ending = EndingGuard::enter();
        self.parked.take();
        self.transition(Lifecycle::end);
        let unrun = self.shared.inbox.close();
        // What the calls captured may wait for those who are blocked.
        self.owned.clear_blocked_callers();
        unrun.drop_unrun();
        self.clock.forget_pools(&self.shared);
        self.owned.clear();
        self.timers.clear();
        self.triggers.clear();
        drop(self.thread.take());
        self.shared.inbox.retire_hook();
    }
}

impl Drop for Core {
    /// Drops what was given to the reactor and has not run, and tells its pools to stop. A reactor that has run to its
    /// end may have been given more since: that is dropped here too, with any panic contained.
    fn drop(&mut self) {
        let _scope = self.reporter.enter();
        self.end();
        for pool in self.shared.pools.own() {
            pool.ask_to_stop(self.shutdown.policy);
        }
        self.hooks.clear();
    }
}
