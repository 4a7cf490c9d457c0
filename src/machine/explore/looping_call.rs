//! Exhaustive search of the looping call: calls that take time, succeed and fail; starts, stops and resets at every
//! moment; ticks compared with counting them one by one.

use std::time::Duration;

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::looping_call::{LoopAction, LoopRefused, LoopingCall};

/// The last moment of the world, in seconds.
const END: u64 = 7;

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// The next call is made one interval after the end of the last, so ticks drift.
    Drifts,
    /// A stop during a call is forgotten.
    ForgetsTheStop,
    /// A stop leaves the timer set.
    LeavesTheTimer,
    /// The end of the reactor reaches only loops with a timer.
    TellsTimersOnly,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LoopWorld {
    bug: Bug,
    machine: LoopingCall,
    interval: u64,
    at_once: bool,
    now: u64,
    /// Start of the schedule, as the last start or reset set it.
    from: u64,
    /// The time of the timer that is set.
    timer: Option<u64>,
    /// The function runs, or its Deferred has not fired.
    calling: bool,
    /// The function has returned a Deferred.
    awaiting: bool,
    reactor_ended: bool,
    /// Ticks were counted up to this time.
    counted: Option<u64>,
    /// How many times more it may be started, and the timer may fire.
    starts: u8,
    calls: u8,
    /// A start has returned a Deferred, which has not fired.
    owed: bool,
    stop_requested: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    TimePasses,
    TimerFires,
    CallWaits,
    ReactorEnds,
    CallSucceeds,
    CallFails,
    Start,
    Stop,
    Reset,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl LoopWorld {
    fn new(bug: Bug, interval: u64, at_once: bool) -> Self {
        Self {
            bug,
            machine: LoopingCall::new(),
            interval,
            at_once,
            now: 0,
            from: 0,
            timer: None,
            calling: false,
            awaiting: false,
            reactor_ended: false,
            counted: None,
            starts: 2,
            calls: 4,
            owed: false,
            stop_requested: false,
            violation: None,
        }
    }

    fn step(
        &self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut LoopingCall) -> Result<LoopAction, LoopRefused>,
    ) -> (Self, Result<LoopAction, LoopRefused>) {
        let mut next = self.clone();
        let outcome = transition(&mut next.machine);
        let action = match outcome {
            Ok(LoopAction::Call) => "call the function",
            Ok(LoopAction::SetTimer(_)) => "set the timer",
            Ok(LoopAction::End) => "fire the Deferred",
            Ok(LoopAction::EndWithReactor) => "cancel what it waits for, fail the Deferred",
            Ok(LoopAction::Nothing) => "nothing",
            Err(LoopRefused::AlreadyRunning) => "refuse: already running",
            Err(LoopRefused::NotRunning) => "refuse: not running",
        };
        steps.row(Row { from: self.machine.label(), event, action, to: next.machine.label() });
        if let Ok(action) = outcome {
            next.carry_out(action);
        }
        (next, outcome)
    }

    fn carry_out(&mut self, action: LoopAction) {
        match action {
            LoopAction::Call => {
                self.calling = true;
                self.timer = None;
                self.count();
            }
            LoopAction::SetTimer(at) => {
                let at = if self.bug == Bug::Drifts { self.now + self.interval } else { at.as_secs() };
                self.timer = Some(at);
                let next_tick = match self.interval {
                    0 => Some(self.now),
                    _ => (self.now + 1..).find(|&tick| self.is_tick(tick)),
                };
                if next_tick != Some(at) {
                    self.violation = Some("the next call is not at the next tick");
                }
            }
            LoopAction::End | LoopAction::EndWithReactor => {
                if action == LoopAction::EndWithReactor {
                    (self.calling, self.awaiting) = (false, false);
                    if !self.reactor_ended {
                        self.violation = Some("it ends with a reactor that has not ended");
                    }
                }
                if self.bug != Bug::LeavesTheTimer {
                    self.timer = None;
                }
                if !self.owed {
                    self.violation = Some("the Deferred is fired twice");
                }
                (self.owed, self.stop_requested) = (false, false);
            }
            LoopAction::Nothing => {}
        }
    }

    fn is_tick(&self, at: u64) -> bool {
        let first = if self.at_once { self.from } else { self.from + self.interval };
        at >= first && (at - self.from).is_multiple_of(self.interval)
    }

    /// Compares the machine's count with one made tick by tick.
    fn count(&mut self) {
        let count = self.machine.count_ticks(seconds(self.now));
        let expected = match (self.interval, self.counted) {
            (0, _) => 1,
            (_, None) => (self.from..=self.now).filter(|&at| self.is_tick(at)).count() as u64,
            (_, Some(last)) => (last + 1..=self.now).filter(|&at| self.is_tick(at)).count() as u64,
        };
        if count != expected || count == 0 {
            self.violation = Some("a tick is counted twice or not at all, or a call is made at none");
        }
        self.counted = Some(self.now);
    }

    fn start(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.starts -= 1;
        let idle = !self.owed && !self.calling;
        if idle {
            (before.from, before.counted, before.owed) = (self.now, None, true);
        }
        let (now, interval) = (seconds(self.now), seconds(self.interval));
        let (mut next, outcome) = before.step(steps, "start", |machine| machine.start(now, interval, self.at_once));
        if outcome.is_ok() != idle {
            next.violation = Some("a start is accepted although it runs, or refused although it does not");
        }
        if outcome.is_ok() && !next.machine.is_running() {
            next.violation = Some("it was started, and says that it does not run");
        }
        next
    }

    fn reset(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        if self.timer.is_some() {
            (before.from, before.counted) = (self.now, Some(self.now));
        }
        let (mut next, outcome) = before.step(steps, "reset", |machine| machine.reset(seconds(self.now)));
        if outcome.is_ok() != (self.owed && !self.stop_requested) {
            next.violation = Some("a reset is accepted although it does not run, or refused although it does");
        }
        next
    }

    fn stop(&self, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.step(steps, "stop", LoopingCall::stop);
        if outcome.is_ok() != (self.owed && !self.stop_requested) {
            next.violation = Some("a stop is accepted although it does not run, or refused although it does");
        }
        if next.machine.is_running() {
            next.violation = Some("it was stopped, and says that it runs");
        }
        next.stop_requested |= self.calling && outcome.is_ok();
        if self.bug == Bug::ForgetsTheStop && self.calling {
            next.machine = self.machine;
        }
        next
    }
}

impl World for LoopWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.starts > 0 && !self.reactor_ended {
            let next = self.start(steps);
            steps.unfair(Event::Start, next);
        }
        let next = self.stop(steps);
        steps.unfair(Event::Stop, next);
        let next = self.reset(steps);
        steps.unfair(Event::Reset, next);
        if self.calling {
            if !self.awaiting {
                let before = Self { awaiting: true, ..self.clone() };
                let (next, _) = before.step(steps, "call waits", |machine| Ok(machine.call_waits()));
                steps.user_fair(Event::CallWaits, next);
            }
            let before = Self { calling: false, awaiting: false, ..self.clone() };
            let now = (!self.reactor_ended).then(|| seconds(self.now));
            let (succeeds, _) = before.step(steps, "call succeeded", |machine| Ok(machine.call_succeeded(now)));
            let (fails, _) = before.step(steps, "call failed", |machine| Ok(machine.call_failed()));
            steps.user_fair(Event::CallSucceeds, succeeds);
            steps.unfair(Event::CallFails, fails);
        }
        match self.timer {
            Some(at) if at <= self.now && self.calls > 0 && !self.reactor_ended => {
                let mut before = self.clone();
                before.calls -= 1;
                before.timer = None;
                let (next, _) = before.step(steps, "timer fired", |machine| Ok(machine.timer_fired()));
                steps.fair(Event::TimerFires, next);
            }
            Some(_) | None => {
                if self.now < END {
                    steps.unfair(Event::TimePasses, Self { now: self.now + 1, ..self.clone() });
                }
            }
        }
        if !self.reactor_ended {
            let before = Self { reactor_ended: true, ..self.clone() };
            let told = self.timer.is_some() || self.bug != Bug::TellsTimersOnly;
            let (next, _) = before.step(steps, "reactor ended", |machine| {
                Ok(if told { machine.reactor_ended() } else { LoopAction::Nothing })
            });
            steps.unfair(Event::ReactorEnds, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.timer.is_some() && !self.owed {
            return Some("a timer is set for a loop that has ended");
        }
        if self.timer.is_some() && self.calling {
            return Some("calls overlap");
        }
        if self.reactor_ended && self.owed && (!self.calling || self.awaiting) {
            return Some("the reactor has ended, and who waits for the loop is not told");
        }
        if self.owed && self.timer.is_none() && !self.calling {
            return Some("it runs, and no call is to come");
        }
        if self.stop_requested && !self.calling {
            return Some("a stop is lost");
        }
        self.violation
    }
}

// Checks: B67, P33, P90
#[test]
fn calls_are_made_at_ticks_and_the_deferred_of_the_loop_fires_once() {
    let mut rows = Rows::new();
    for (interval, at_once, states, steps) in
        [(0, true, 23278, 124064), (1, true, 6983, 36847), (2, true, 2309, 12205), (3, false, 949, 4134)]
    {
        rows.extend(must_hold(LoopWorld::new(Bug::None, interval, at_once), states, steps));
    }
    table_file::assert_current("looping_call", &table::markdown(&rows));
}

// Checks: B67, P33
#[test]
fn injected_bugs_of_the_looping_call_are_found() {
    let must_find = |bug, what| must_find(LoopWorld::new(bug, 2, true), what);
    must_find(Bug::Drifts, "the next call is not at the next tick");
    must_find(Bug::ForgetsTheStop, "a stop is accepted although it does not run, or refused although it does");
    must_find(Bug::LeavesTheTimer, "a timer is set for a loop that has ended");
    must_find(Bug::TellsTimersOnly, "the reactor has ended, and who waits for the loop is not told");
}
