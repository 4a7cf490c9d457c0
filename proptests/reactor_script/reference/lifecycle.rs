//! The rules of the turn, of events and of the reactor's end.

use std::mem;
use std::time::Duration;

use selvedge::{
    error::{StopError, Unavailable},
    reactor::Turn,
    report::Incident,
};

use super::{
    Answer, Content, Ending, ErrorKind, EventName, Firing, FiringHalf, Flow, Model, Posted, Reach, Stage, TimerState,
    TriggerPhase, TriggerResult,
};
use crate::reactor_script::trace::{Event, Place};

impl Model {
    /// Ends the reactor after the script. True if `run` would never return.
    pub(super) fn end_by(&mut self, ending: Ending) -> bool {
        if ending != Ending::Drop {
            let _ = self.post(Posted::StopAsked, false);
            loop {
                let turn = self.turn().expect("nobody else is inside a turn");
                if ending == Ending::TurnOut {
                    self.say(Answer::Turned(turn));
                }
                match turn {
                    Turn::Again => {}
                    // P88: a job holds the time, and here only the program ends jobs.
                    Turn::Wait(_) if ending == Ending::Run && !self.running_jobs.is_empty() => return true,
                    Turn::Wait(time) => self.advance(time),
                    Turn::Idle if ending == Ending::Run => return true,
                    Turn::Idle | Turn::Ended => break,
                }
            }
        }
        self.gone = true;
        self.end();
        while !self.running_jobs.is_empty() {
            self.finish_job(0);
        }
        for job in 0..self.jobs.len() {
            if self.jobs[job].held {
                let rest = self.jobs[job].rest;
                self.say(Answer::JobResult(rest));
            }
        }
        false
    }

    pub(super) fn stop(&mut self) -> Answer {
        match self.stage {
            Stage::Fresh | Stage::Ended => Answer::Stop(StopError::NotRunning),
            Stage::Starting | Stage::Running if !self.stop_asked => {
                self.stop_asked = true;
                Answer::Fine
            }
            _ => Answer::Stop(StopError::AlreadyStopping),
        }
    }

    /// B5: posted calls, then due timers, then shutdown if requested. `None` for a turn inside a turn (B11).
    pub(super) fn turn(&mut self) -> Option<Turn> {
        if self.turning {
            return None;
        }
        // What follows in a turn does not wait for the drop that the turn is inside of.
        let outside = self.dropped.take();
        let turn = self.turn_outside_of_drops();
        self.dropped = outside;
        Some(turn)
    }

    fn turn_outside_of_drops(&mut self) -> Turn {
        if self.stage == Stage::Ended {
            return Turn::Ended;
        }
        self.turning = true;
        if self.stage == Stage::Fresh {
            self.stage = Stage::Starting;
            self.fire(EventName::Startup);
        }
        // B7: only those posted so far. What they post waits for the next turn.
        for posted in mem::take(&mut self.posted) {
            self.run_posted(posted);
        }
        self.run_due();
        match self.stage {
            Stage::Starting | Stage::Running if self.stop_asked => {
                self.stage = Stage::Stopping;
                // P92: startup goes no further.
                self.drop_triggers(|trigger| trigger.event == EventName::Startup);
                self.fire(EventName::Shutdown);
            }
            Stage::ShutDown => {
                self.stage = Stage::Closed;
                // Accepted calls still run; from here on, none is accepted.
                self.closed = true;
                for posted in mem::take(&mut self.posted) {
                    self.run_posted(posted);
                }
                self.end();
            }
            _ => {}
        }
        self.turning = false;
        self.wants()
    }

    fn wants(&self) -> Turn {
        let deadline =
            self.timers.iter().filter(|timer| timer.state == TimerState::Pending).map(|timer| timer.at).min();
        // P86: the greatest Duration is never.
        let deadline = deadline.filter(|&at| at < Duration::MAX);
        match (self.stage, deadline) {
            (Stage::Ended, _) => Turn::Ended,
            (Stage::ShutDown, _) => Turn::Again,
            _ if !self.posted.is_empty() => Turn::Again,
            (_, None) => Turn::Idle,
            (_, Some(at)) if at <= self.now => Turn::Again,
            (_, Some(at)) => Turn::Wait(at - self.now),
        }
    }

    fn run_posted(&mut self, posted: Posted) {
        let flow = match posted {
            Posted::Post(traced) => self.call(traced, Reach::Given),
            Posted::StopAsked => {
                self.stop();
                Ok(())
            }
            Posted::Call(value, traced) => match self.refusal(value) {
                None => self.use_value(value, traced, Reach::Given),
                Some(error) => {
                    self.report(Incident::OwnedValue, ErrorKind::Value(error));
                    self.drop_unrun(traced)
                }
            },
            Posted::Release(value) if self.values[value].owned => self.drop_value(value),
            Posted::Result(job) => {
                self.deliver(job);
                Ok(())
            }
            Posted::PoolStopped(firing) => {
                self.trigger_done(firing);
                Ok(())
            }
            Posted::Release(_) | Posted::Forget => Ok(()),
        };
        self.contain(Incident::Call, flow);
    }

    fn refusal(&self, value: usize) -> Option<Unavailable> {
        match &self.values[value] {
            value if !value.owned => Some(Unavailable::Gone),
            value if value.in_use => Some(Unavailable::InUse),
            _ => None,
        }
    }

    /// B15, B21: the time is read once; timers scheduled meanwhile wait. Order: deadline, then scheduling.
    fn run_due(&mut self) {
        let (now, before) = (self.now, self.scheduled);
        loop {
            let due = self
                .timers
                .iter_mut()
                .filter(|timer| timer.state == TimerState::Pending && timer.at <= now && timer.order < before);
            let Some(timer) = due.min_by_key(|timer| (timer.at, timer.order)) else { return };
            timer.state = TimerState::Called;
            let traced = timer.traced.take().expect("a pending timer has its closure");
            let flow = self.call(traced, Reach::Given);
            self.contain(Incident::Timer, flow);
        }
    }

    /// B22: before, during, after. B23: while the event is being fired, once more after that.
    pub(super) fn fire(&mut self, event: EventName) {
        if let Some(firing) = self.firings.iter_mut().find(|firing| firing.event == event && !firing.over) {
            firing.again += 1;
            return;
        }
        self.firings.push(Firing { event, phase: TriggerPhase::Before, waits: 0, again: 0, over: false });
        self.begin_phase(self.firings.len() - 1);
    }

    fn begin_phase(&mut self, firing: usize) {
        if self.runs_triggers(firing) {
            self.do_own_part(firing);
        }
        self.run_phase(firing);
    }

    /// P91, P92: triggers of startup run until shutdown begins, others until the end.
    fn runs_triggers(&self, firing: usize) -> bool {
        match self.firings[firing].event {
            EventName::Startup => matches!(self.stage, Stage::Starting | Stage::Running),
            EventName::Shutdown | EventName::Alarm => self.stage != Stage::Ended,
        }
    }

    /// Whether a trigger of the reactor's own events can still run.
    pub(super) fn can_run(&self, event: EventName, phase: TriggerPhase) -> bool {
        let firing = self.firings.iter().find(|firing| firing.event == event && !firing.over);
        let reached = firing.map(|firing| firing.phase <= phase);
        match (event, self.stage) {
            (_, Stage::Ended) => false,
            (EventName::Startup, Stage::Fresh) => true,
            (EventName::Startup, Stage::Starting | Stage::Running) => reached.unwrap_or(false),
            (EventName::Startup, _) => false,
            (EventName::Shutdown, stage) => {
                reached.unwrap_or(matches!(stage, Stage::Fresh | Stage::Starting | Stage::Running | Stage::Stopping))
            }
            (EventName::Alarm, _) => true,
        }
    }

    fn drop_triggers(&mut self, which: impl Fn(&super::Trigger) -> bool) {
        loop {
            let left = self.triggers.iter_mut().filter(|trigger| trigger.traced.is_some() && which(trigger));
            let Some(trigger) = left.min_by_key(|trigger| (trigger.event, trigger.phase)) else { break };
            let traced = trigger.traced.take().expect("just seen");
            self.drop_contained(traced);
        }
    }

    /// B22, B24: each once, in the order of adding, including those added meanwhile.
    fn run_phase(&mut self, firing: usize) {
        let Firing { event, phase, .. } = self.firings[firing];
        self.firings[firing].waits += 1;
        while self.runs_triggers(firing) {
            let next = self
                .triggers
                .iter_mut()
                .find(|trigger| (trigger.event, trigger.phase) == (event, phase) && trigger.traced.is_some());
            let Some(trigger) = next else { break };
            let (traced, result) = (trigger.traced.take().expect("just seen"), trigger.result);
            match (self.call(traced, Reach::Given), result) {
                (Err(_), _) => self.report(Incident::Trigger, ErrorKind::Panicked),
                (Ok(()), TriggerResult::Fine) => {}
                (Ok(()), TriggerResult::Refuse) => self.report(Incident::Trigger, ErrorKind::Refused),
                (Ok(()), TriggerResult::Wait) => {
                    self.firings[firing].waits += 1;
                    self.waiting.push(Some(firing));
                }
            }
        }
        self.firings[firing].waits -= 1;
        self.end_phase(firing);
    }

    /// The reactor's own steps, before the program's triggers. B2: it is running from *during startup* to *during
    /// shutdown*.
    fn do_own_part(&mut self, firing: usize) {
        match (self.firings[firing].event, self.firings[firing].phase) {
            (EventName::Startup, TriggerPhase::During) if self.stage == Stage::Starting => {
                self.stage = Stage::Running;
                self.running = true;
            }
            (EventName::Shutdown, TriggerPhase::During) => {
                self.running = false;
                // B26: the pool is stopped and waited for without blocking. Without threads it stops at once.
                self.firings[firing].waits += 1;
                let _ = self.post(Posted::PoolStopped(firing), false);
            }
            _ => {}
        }
    }

    /// A Deferred has fired. B24: what was added to the phase since then still runs in it.
    pub(super) fn trigger_done(&mut self, firing: usize) {
        self.firings[firing].waits -= 1;
        if self.firings[firing].waits == 0 && !self.gone {
            self.run_phase(firing);
        }
    }

    /// B23: the next phase begins when all Deferreds of this one have fired.
    fn end_phase(&mut self, firing: usize) {
        if self.firings[firing].waits > 0 || self.gone {
            return;
        }
        match (self.firings[firing].phase, self.firings[firing].event) {
            (TriggerPhase::Before, _) => self.firings[firing].phase = TriggerPhase::During,
            (TriggerPhase::During, _) => self.firings[firing].phase = TriggerPhase::After,
            (TriggerPhase::After, _) if self.firings[firing].again > 0 => {
                self.firings[firing].again -= 1;
                self.firings[firing].phase = TriggerPhase::Before;
            }
            (TriggerPhase::After, event) => {
                self.firings[firing].over = true;
                if event == EventName::Shutdown && self.stage == Stage::Stopping {
                    self.stage = Stage::ShutDown;
                }
                return;
            }
        }
        self.begin_phase(firing);
    }

    /// Nothing runs any more: what is left is dropped unrun, and whoever waits for the reactor gets an error.
    fn end(&mut self) {
        self.stage = Stage::Ended;
        self.running = false;
        self.closed = true;
        for posted in mem::take(&mut self.posted) {
            match posted {
                Posted::Post(traced) | Posted::Call(_, traced) => self.drop_contained(traced),
                Posted::Result(job) => self.drop_result(job),
                _ => {}
            }
        }
        while let Some(value) = self.values.iter().position(|value| value.owned) {
            match self.values[value].content {
                Content::Traced(_) => {
                    let flow = self.drop_value(value);
                    self.contain(Incident::Drop, flow);
                }
                Content::FiringHalf(job) => {
                    self.values[value].owned = false;
                    self.drop_firing_half(FiringHalf::OfJob(job));
                }
            }
        }
        loop {
            let pending = self.timers.iter_mut().filter(|timer| timer.state == TimerState::Pending);
            let Some(timer) = pending.min_by_key(|timer| (timer.at, timer.order)) else { break };
            timer.state = TimerState::Cancelled;
            let traced = timer.traced.take().expect("a pending timer has its closure");
            self.drop_contained(traced);
        }
        self.drop_triggers(|_| true);
    }

    /// The reactor releases a value. A value in use is dropped when its user is done.
    pub(super) fn drop_value(&mut self, value: usize) -> Flow {
        self.values[value].owned = false;
        if self.values[value].in_use {
            return Ok(());
        }
        let Content::Traced(traced) = &mut self.values[value].content else { return Ok(()) };
        match traced.take() {
            Some(traced) => self.drop_unrun(traced),
            None => Ok(()),
        }
    }

    /// R41: a failure that nobody waits for any more is told.
    pub(super) fn drop_result(&mut self, job: usize) {
        match self.jobs[job].end {
            super::JobEnd::Fine => self.drop_job_value(job, Place::Here),
            super::JobEnd::Refuse => self.report(Incident::Job, ErrorKind::Refused),
            super::JobEnd::Panic => self.report(Incident::Job, ErrorKind::Panicked),
        }
    }

    pub(super) fn drop_job_value(&mut self, job: usize, place: Place) {
        if self.jobs[job].end == super::JobEnd::Fine {
            self.trace.push(Event::JobValueDropped(self.jobs[job].id, place));
        }
    }

    /// P86: the last moment is before never.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now = self.now.saturating_add(by).min(Duration::MAX - Duration::from_nanos(1));
    }

    pub(super) fn schedule(&mut self, at: Duration) -> (Duration, u64) {
        self.scheduled += 1;
        (at, self.scheduled - 1)
    }
}
