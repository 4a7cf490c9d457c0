//! The rules of timers, values, triggers and jobs.

use std::collections::VecDeque;
use std::time::Duration;

use selvedge::{
    error::{DelayedCallError, Unavailable},
    report::Incident,
};

use super::{
    Answer, Closure, Content, ErrorKind, EventName, FiringHalf, Flow, Job, JobEnd, Model, Posted, Reach, Stage, Timer,
    TimerState, Traced, Trigger, TriggerPhase, TriggerResult, Value,
};
use crate::codec::Nth;
use crate::reactor_script::manual_workers::WORKERS;
use crate::reactor_script::program::Op;
use crate::reactor_script::trace::{Event, Place};

impl Model {
    /// B10: at once if running, otherwise after startup.
    pub(super) fn when_running(&mut self, closure: &Closure) {
        let traced = self.traced(closure);
        if self.running {
            let flow = self.call(traced, Reach::Given);
            self.contain(Incident::Call, flow);
        } else {
            self.add_trigger(EventName::Startup, TriggerPhase::After, TriggerResult::Fine, false, traced);
        }
    }

    /// P92: one that can never run is dropped at once.
    pub(super) fn add_trigger(
        &mut self,
        event: EventName,
        phase: TriggerPhase,
        result: TriggerResult,
        has_id: bool,
        traced: Traced,
    ) {
        let traced = if self.can_run(event, phase) {
            Some(traced)
        } else {
            self.drop_contained(traced);
            None
        };
        self.triggers.push(Trigger { event, phase, result, has_id, traced });
    }

    /// B16: huge delays saturate.
    pub(super) fn later(&mut self, delay: Duration, closure: &Closure) {
        let traced = self.traced(closure);
        let (at, order) = self.schedule(self.now.saturating_add(delay));
        // P91: a reactor that has ended takes none.
        if self.gone || self.stage == Stage::Ended {
            self.drop_contained(traced);
            self.timers.push(Timer { at, order, state: TimerState::Cancelled, traced: None });
            return self.say(Answer::Time { active: false, at });
        }
        self.timers.push(Timer { at, order, state: TimerState::Pending, traced: Some(traced) });
        self.say(Answer::Time { active: true, at });
    }

    /// B17, B18. If `to` returns `None`, the timer is cancelled and its closure dropped at once.
    pub(super) fn change_timer(&mut self, nth: Nth, to: impl FnOnce(Duration, Duration) -> Option<Duration>) {
        if self.gone {
            return self.say(Answer::Unreachable);
        }
        let Some(n) = nth.of(self.timers.len()) else { return self.say(Answer::Nothing) };
        let answer = match self.timers[n].state {
            TimerState::Called => Answer::Timer(DelayedCallError::AlreadyCalled),
            TimerState::Cancelled => Answer::Timer(DelayedCallError::AlreadyCancelled),
            TimerState::Pending => {
                match to(self.timers[n].at, self.now) {
                    Some(at) => (self.timers[n].at, self.timers[n].order) = self.schedule(at),
                    None => {
                        self.timers[n].state = TimerState::Cancelled;
                        let traced = self.timers[n].traced.take().expect("a pending timer has its closure");
                        self.drop_contained(traced);
                    }
                }
                Answer::Fine
            }
        };
        self.say(answer);
        let timer = &self.timers[n];
        self.say(Answer::Time { active: timer.state == TimerState::Pending, at: timer.at });
    }

    pub(super) fn own(&mut self, on_drop: &[Op]) {
        let traced = self.traced(&Closure { body: Vec::new(), on_drop: on_drop.to_vec() });
        // P91: a reactor that has ended takes none.
        let owned = !self.gone && self.stage != Stage::Ended;
        let kept = if owned {
            Some(traced)
        } else {
            self.drop_contained(traced);
            None
        };
        self.program_values.push(self.values.len());
        self.values.push(Value { content: Content::Traced(kept), owned, in_use: false, owner: true, visits: 0 });
    }

    fn value(&self, nth: Nth) -> Option<usize> {
        nth.of(self.program_values.len()).map(|n| self.program_values[n])
    }

    /// Takes the owner of a value from the program, unless it is gone or in use by a `With`.
    fn give_up_owner(&mut self, nth: Nth) -> Option<usize> {
        match self.value(nth) {
            Some(n) if self.values[n].visits > 0 => {
                self.say(Answer::Held);
                None
            }
            Some(n) if self.values[n].owner => {
                self.values[n].owner = false;
                Some(n)
            }
            _ => {
                self.say(Answer::Nothing);
                None
            }
        }
    }

    pub(super) fn disown(&mut self, nth: Nth) {
        if let Some(value) = self.give_up_owner(nth) {
            let flow = self.drop_value(value);
            self.contain(Incident::Drop, flow);
        }
    }

    pub(super) fn leave(&mut self, nth: Nth) {
        self.give_up_owner(nth);
    }

    /// The program gets the value and drops it; a value in use stays with the reactor.
    pub(super) fn take_back(&mut self, nth: Nth) -> Flow {
        let Some(n) = self.give_up_owner(nth) else { return Ok(()) };
        if self.values[n].in_use {
            self.say(Answer::Value(Unavailable::InUse));
            return Ok(());
        }
        self.values[n].owned = false;
        let Content::Traced(traced) = &mut self.values[n].content else { unreachable!("not the program's") };
        match traced.take() {
            Some(traced) => {
                self.say(Answer::Fine);
                self.drop_unrun(traced)
            }
            None => {
                self.say(Answer::Value(Unavailable::Gone));
                Ok(())
            }
        }
    }

    pub(super) fn visit(&mut self, nth: Nth, closure: &Closure, reach: Reach) -> Flow {
        let Some(n) = self.value(nth).filter(|&n| self.values[n].owner) else {
            self.say(Answer::Nothing);
            return Ok(());
        };
        let traced = self.traced(closure);
        let refusal = match &self.values[n] {
            Value { in_use: true, .. } => Some(Unavailable::InUse),
            Value { content: Content::Traced(None), .. } => Some(Unavailable::Gone),
            _ => None,
        };
        self.values[n].visits += 1;
        let flow = match refusal {
            Some(_) => self.drop_unrun(traced),
            None => self.use_value(n, traced, reach),
        };
        self.values[n].visits -= 1;
        flow?;
        self.say(refusal.map_or(Answer::Fine, Answer::Value));
        Ok(())
    }

    /// Uses a value. If it was released meanwhile, it is dropped now.
    pub(super) fn use_value(&mut self, value: usize, traced: Traced, reach: Reach) -> Flow {
        self.values[value].in_use = true;
        let flow = self.call(traced, reach);
        self.values[value].in_use = false;
        if !self.values[value].owned || self.gone {
            let gone = self.drop_value(value);
            self.contain(Incident::Drop, gone);
        }
        flow
    }

    pub(super) fn call_value(&mut self, nth: Nth, closure: &Closure) -> Flow {
        let Some(n) = self.value(nth) else {
            self.say(Answer::Nothing);
            return Ok(());
        };
        let traced = self.traced(closure);
        self.post(Posted::Call(n, traced), true)
    }

    pub(super) fn release(&mut self, nth: Nth) -> Flow {
        match self.value(nth) {
            Some(n) => self.post(Posted::Release(n), true),
            None => {
                self.say(Answer::Nothing);
                Ok(())
            }
        }
    }

    /// B25. Only `AddTrigger` gives ids, in order: the nth id is the nth trigger not added by `call_when_running`.
    pub(super) fn remove(&mut self, nth: Nth) {
        let with_id: Vec<usize> = (0..self.triggers.len()).filter(|&n| self.triggers[n].has_id).collect();
        let Some(n) = nth.of(with_id.len()) else { return self.say(Answer::Nothing) };
        match self.triggers[with_id[n]].traced.take() {
            Some(traced) => {
                self.drop_contained(traced);
                self.say(Answer::Fine);
            }
            None => self.say(Answer::UnknownTrigger),
        }
    }

    pub(super) fn resolve(&mut self, nth: Nth, well: bool) {
        match nth.of(self.waiting.len()).and_then(|n| self.waiting[n].take()) {
            Some(firing) => {
                // B23: a failed Deferred does not block the phase.
                if !well {
                    self.report(Incident::Trigger, ErrorKind::Refused);
                }
                self.trigger_done(firing);
            }
            None => self.say(Answer::Nothing),
        }
    }

    /// Dropping a firing half fails its Deferred; nested drops wait until the outer one is done.
    pub(super) fn abandon(&mut self, nth: Nth) {
        let Some(firing) = nth.of(self.waiting.len()).and_then(|n| self.waiting[n].take()) else {
            return self.say(Answer::Nothing);
        };
        self.drop_firing_half(FiringHalf::OfTrigger(firing));
    }

    /// Processes nested drops one after the other.
    pub(super) fn drop_firing_half(&mut self, half: FiringHalf) {
        if let Some(later) = &mut self.dropped {
            later.push_back(half);
            return;
        }
        self.dropped = Some(VecDeque::from([half]));
        while let Some(half) = self.dropped.as_mut().and_then(VecDeque::pop_front) {
            match half {
                FiringHalf::OfTrigger(firing) => {
                    self.report(Incident::Trigger, ErrorKind::Abandoned);
                    self.trigger_done(firing);
                }
                FiringHalf::OfJob(job) => self.fire_job(job, ErrorKind::Stopped),
            }
        }
        self.dropped = None;
    }

    pub(super) fn defer(&mut self, end: JobEnd, body: &[Op]) {
        let traced = self.traced(&Closure::default());
        let callback = self.traced(&Closure { body: body.to_vec(), on_drop: Vec::new() });
        let id = traced.id;
        // P91: its result could not come any more.
        if self.closed {
            self.drop_contained(traced);
            self.trace.push(Event::Given(id, ErrorKind::Stopped));
            let flow = self.call(callback, Reach::Asked);
            let rest = Some(if flow.is_ok() { ErrorKind::Fine } else { ErrorKind::Panicked });
            self.jobs.push(Job { end, traced: None, id, callback: None, rest, held: true, alive: true });
            return;
        }
        let (job, callback) = (self.jobs.len(), Some(callback));
        self.jobs.push(Job { end, traced: Some(traced), id, callback, rest: None, held: true, alive: true });
        self.values.push(Value {
            content: Content::FiringHalf(job),
            owned: true,
            in_use: false,
            owner: false,
            visits: 0,
        });
        self.waiting_jobs.push_back(job);
        self.begin_jobs();
    }

    /// B30: first in, first out.
    fn begin_jobs(&mut self) {
        while self.running_jobs.len() < WORKERS {
            let Some(job) = self.waiting_jobs.pop_front() else { return };
            let traced = self.jobs[job].traced.take().expect("what was cancelled no longer waits");
            self.trace.push(Event::Began(traced.id, Place::Elsewhere));
            self.running_jobs.push(job);
        }
    }

    /// A job ends and its result is posted. After the reactor's end the result is dropped on the worker.
    pub(super) fn finish_job(&mut self, which: usize) {
        let job = self.running_jobs.remove(which);
        self.trace.push(Event::Ended(self.jobs[job].id, Place::Elsewhere));
        if self.closed {
            self.drop_job_value(job, Place::Elsewhere);
        }
        let _ = self.post(Posted::Result(job), false);
        self.begin_jobs();
    }

    pub(super) fn deliver(&mut self, job: usize) {
        let half = self.values.iter_mut().find(|value| matches!(value.content, Content::FiringHalf(j) if j == job));
        half.expect("made with the job").owned = false;
        if self.jobs[job].callback.is_none() {
            // B46: cancelled while it ran, so the late result is dropped.
            return self.drop_result(job);
        }
        self.fire_job(
            job,
            match self.jobs[job].end {
                JobEnd::Fine => ErrorKind::Fine,
                JobEnd::Refuse => ErrorKind::Refused,
                JobEnd::Panic => ErrorKind::Panicked,
            },
        );
    }

    /// Fires a job's Deferred, unless it has fired already.
    pub(super) fn fire_job(&mut self, job: usize, result: ErrorKind) {
        let Some(callback) = self.jobs[job].callback.take() else { return };
        self.trace.push(Event::Given(self.jobs[job].id, result));
        if result == ErrorKind::Fine {
            self.drop_job_value(job, Place::Here);
        }
        let flow = self.call(callback, Reach::Asked);
        self.jobs[job].rest = Some(if flow.is_ok() { ErrorKind::Fine } else { ErrorKind::Panicked });
        // B60: the error is unhandled, and nobody holds the Deferred.
        if flow.is_err() && !self.jobs[job].alive {
            self.report(Incident::Unhandled, ErrorKind::Panicked);
        }
    }

    pub(super) fn cancel_job(&mut self, nth: Nth) {
        let Some(n) = nth.of(self.jobs.len()).filter(|&n| self.jobs[n].held) else { return self.say(Answer::Nothing) };
        self.jobs[n].held = false;
        if self.jobs[n].callback.is_some() {
            // B34, B46: a queued job is removed and never runs.
            if let Some(traced) = self.jobs[n].traced.take() {
                self.waiting_jobs.retain(|&job| job != n);
                let _ = self.post(Posted::Forget, false);
                let _ = self.drop_unrun(traced);
            }
            self.fire_job(n, ErrorKind::Cancelled);
        }
        self.jobs[n].alive = false;
        let rest = self.jobs[n].rest;
        self.say(Answer::JobResult(rest));
    }
}
