//! The looping call explored: calls that take time, return, fail; stops, resets and starts at every moment; ticks held against counting them one by one.

use std::time::Duration;

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::looping::{Looping, Next, Refused};

/// Time goes no further.
const END: u64 = 7;

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// The next call is one interval after the end of the last: ticks drift.
    Drifts,
    /// A stop during a call is forgotten.
    ForgetsTheStop,
    /// The timer is left set by a stop.
    LeavesTheTimer,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Clock {
    bug: Bug,
    looping: Looping,
    interval: u64,
    at_once: bool,
    now: u64,
    /// Ticks lie from here on.
    from: u64,
    /// The timer that is set.
    timer: Option<u64>,
    /// The function is at work.
    calling: bool,
    /// Up to here ticks were counted.
    counted: Option<u64>,
    starts: u8,
    calls: u8,
    /// The Deferred of a start that has not been fired.
    owed: bool,
    stop_asked: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    TimePasses,
    TheTimerRuns,
    TheTimerIsLost,
    TheCallReturns,
    TheCallFails,
    SomebodyStarts,
    SomebodyStops,
    SomebodyResets,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Clock {
    fn new(bug: Bug, interval: u64, at_once: bool) -> Self {
        Self {
            bug,
            looping: Looping::new(),
            interval,
            at_once,
            now: 0,
            from: 0,
            timer: None,
            calling: false,
            counted: None,
            starts: 2,
            calls: 4,
            owed: false,
            stop_asked: false,
            violation: None,
        }
    }

    fn step(
        &self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Looping) -> Result<Next, Refused>,
    ) -> (Self, Result<Next, Refused>) {
        let mut next = self.clone();
        let outcome = transition(&mut next.looping);
        let action = match outcome {
            Ok(Next::Call) => "call the function",
            Ok(Next::Schedule(_)) => "set the timer",
            Ok(Next::End) => "fire the Deferred",
            Ok(Next::Nothing) => "nothing",
            Err(Refused::Running) => "refuse: running",
            Err(Refused::NotRunning) => "refuse: not running",
        };
        steps.row(Row { from: self.looping.label(), event, action, to: next.looping.label() });
        if let Ok(what) = outcome {
            next.carry_out(what);
        }
        (next, outcome)
    }

    fn carry_out(&mut self, what: Next) {
        match what {
            Next::Call => {
                self.calling = true;
                self.timer = None;
                self.count();
            }
            Next::Schedule(at) => {
                let at = if self.bug == Bug::Drifts { self.now + self.interval } else { at.as_secs() };
                self.timer = Some(at);
                let next_tick = match self.interval {
                    0 => Some(self.now),
                    _ => (self.now + 1..).find(|&tick| self.is_tick(tick)),
                };
                if next_tick != Some(at) {
                    self.violation = Some("the next call is at the next tick");
                }
            }
            Next::End => {
                if self.bug != Bug::LeavesTheTimer {
                    self.timer = None;
                }
                if !self.owed {
                    self.violation = Some("the Deferred is fired once");
                }
                (self.owed, self.stop_asked) = (false, false);
            }
            Next::Nothing => {}
        }
    }

    fn is_tick(&self, at: u64) -> bool {
        let first = if self.at_once { self.from } else { self.from + self.interval };
        at >= first && (at - self.from).is_multiple_of(self.interval)
    }

    /// As a child would: tick by tick.
    fn count(&mut self) {
        let count = self.looping.count(seconds(self.now));
        let expected = match (self.interval, self.counted) {
            (0, _) => 1,
            (_, None) => (self.from..=self.now).filter(|&at| self.is_tick(at)).count() as u64,
            (_, Some(last)) => (last + 1..=self.now).filter(|&at| self.is_tick(at)).count() as u64,
        };
        if count != expected || count == 0 {
            self.violation = Some("ticks are counted once each, and a call is made at one");
        }
        self.counted = Some(self.now);
    }

    fn starts(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.starts -= 1;
        let idle = !self.owed && !self.calling;
        if idle {
            (before.from, before.counted, before.owed) = (self.now, None, true);
        }
        let (now, interval) = (seconds(self.now), seconds(self.interval));
        let (mut next, outcome) = before.step(steps, "start", |looping| looping.start(now, interval, self.at_once));
        if outcome.is_ok() != idle {
            next.violation = Some("it is started when it is idle, and only then");
        }
        next
    }

    fn resets(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        if self.timer.is_some() {
            (before.from, before.counted) = (self.now, Some(self.now));
        }
        let (mut next, outcome) = before.step(steps, "reset", |looping| looping.reset(seconds(self.now)));
        if outcome.is_ok() != (self.owed && !self.stop_asked) {
            next.violation = Some("what does not run is not reset");
        }
        next
    }

    fn stops(&self, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.step(steps, "stop", Looping::stop);
        if outcome.is_ok() != (self.owed && !self.stop_asked) {
            next.violation = Some("what does not run is not stopped");
        }
        next.stop_asked |= self.calling && outcome.is_ok();
        if self.bug == Bug::ForgetsTheStop && self.calling {
            next.looping = self.looping;
        }
        next
    }
}

impl World for Clock {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.starts > 0 {
            let next = self.starts(steps);
            steps.unfair(Event::SomebodyStarts, next);
        }
        let next = self.stops(steps);
        steps.unfair(Event::SomebodyStops, next);
        let next = self.resets(steps);
        steps.unfair(Event::SomebodyResets, next);
        if self.calling {
            let mut before = self.clone();
            before.calling = false;
            let (returns, _) = before.step(steps, "over", |looping| Ok(looping.over(seconds(self.now))));
            let (fails, _) = before.step(steps, "failed", |looping| Ok(looping.failed()));
            steps.user_fair(Event::TheCallReturns, returns);
            steps.unfair(Event::TheCallFails, fails);
        }
        match self.timer {
            Some(at) if at <= self.now && self.calls > 0 => {
                let mut before = self.clone();
                before.calls -= 1;
                before.timer = None;
                let (next, _) = before.step(steps, "due", |looping| Ok(looping.due()));
                steps.fair(Event::TheTimerRuns, next);
            }
            Some(_) | None => {
                if self.now < END {
                    steps.unfair(Event::TimePasses, Self { now: self.now + 1, ..self.clone() });
                }
            }
        }
        if self.timer.is_some() {
            let mut before = self.clone();
            before.timer = None;
            let (next, _) = before.step(steps, "lost", |looping| Ok(looping.lost()));
            steps.unfair(Event::TheTimerIsLost, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.timer.is_some() && !self.owed {
            return Some("a timer is set for a loop that has ended");
        }
        if self.timer.is_some() && self.calling {
            return Some("calls overlap");
        }
        if self.owed && self.timer.is_none() && !self.calling {
            return Some("it runs, and is never called again");
        }
        if self.stop_asked && !self.calling {
            return Some("a stop is lost");
        }
        self.violation
    }
}

// Checks: B67, P33
#[test]
fn a_loop_is_called_at_its_ticks_and_its_deferred_fires_once() {
    let mut rows = Rows::new();
    for (interval, at_once, states, steps) in
        [(0, true, 11306, 49293), (1, true, 3411, 14792), (2, true, 1077, 4650), (3, false, 533, 2068)]
    {
        rows.extend(must_hold(Clock::new(Bug::None, interval, at_once), states, steps));
    }
    table_file::assert_current("looping", &table::markdown(&rows));
}

// Checks: B67, P33
#[test]
fn injected_bugs_of_the_looping_call_are_found() {
    let must_find = |bug, what| must_find(Clock::new(bug, 2, true), what);
    must_find(Bug::Drifts, "the next call is at the next tick");
    must_find(Bug::ForgetsTheStop, "what does not run is not stopped");
    must_find(Bug::LeavesTheTimer, "a timer is set for a loop that has ended");
}
