//! The expected trace of a program: SPEC.md's rules, followed in flat lists by linear search.
//!
//! Written to be obviously right, from the rules and the documentation, not from the code; it is slow and shares no
//! data structure with the code. Where the rules are silent (the order of drops at the end, for example) it pins what
//! the code does.

mod lifecycle;
mod resources;

use std::collections::VecDeque;
use std::time::Duration;

use selvedge::report::Incident;

use super::program::{Closure, Ending, EventName, JobEnd, Op, Program, TriggerPhase, TriggerResult};
use super::trace::{Answer, ErrorKind, Event, Id, Place};
use crate::codec::{Body, OnDrop};

/// What is expected of a program.
pub struct Outcome {
    pub trace: Vec<Event>,
    /// How many closures and values it made.
    pub made: Id,
    /// Its ending is `run`, which would never return.
    pub waits_for_ever: bool,
}

/// Follows the rules and returns the expected trace.
pub fn run(program: &Program) -> Outcome {
    let mut model = Model::default();
    for op in &program.script {
        if model.perform(op, Reach::Given).is_err() {
            model.trace.push(Event::Escaped);
        }
    }
    let waits_for_ever = model.end_by(program.ending);
    Outcome { trace: model.trace, made: model.made, waits_for_ever }
}

/// A panic is unwinding.
struct Unwinding;

type Flow = Result<(), Unwinding>;

/// Whether a callback was given its reactor, or has to use the local handle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Given,
    Asked,
}

/// Where the reactor is in its life.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Stage {
    #[default]
    Fresh,
    Starting,
    Running,
    Stopping,
    ShutDown,
    /// The last calls run.
    Closed,
    Ended,
}

/// A closure or a value that has not been dropped yet.
struct Traced {
    id: Id,
    closure: Closure,
}

/// What waits in the inbox.
enum Posted {
    Post(Traced),
    /// `Handle::stop`.
    StopAsked,
    Call(usize, Traced),
    Release(usize),
    Result(usize),
    /// A cancelled job was dropped. Its post does nothing, but it counts as one.
    Forget,
    /// The reactor's own pool has stopped: this firing of shutdown no longer waits for it.
    PoolStopped(usize),
}

struct Timer {
    at: Duration,
    /// Grows with each scheduling: orders equal deadlines, and tells whether a timer belongs to a pass.
    order: u64,
    state: TimerState,
    traced: Option<Traced>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TimerState {
    Pending,
    Called,
    Cancelled,
}

struct Trigger {
    event: EventName,
    phase: TriggerPhase,
    result: TriggerResult,
    /// The program has its id. False if `call_when_running` added it.
    has_id: bool,
    /// `None` once it has run or was removed.
    traced: Option<Traced>,
}

/// One firing of an event.
struct Firing {
    event: EventName,
    phase: TriggerPhase,
    /// The number of unfired Deferreds, plus one while the triggers of the phase run.
    waits: usize,
    /// How often it was to be fired again meanwhile.
    again: usize,
    over: bool,
}

/// A reactor-owned value, or one of the reactor's own: the firing half of a job's Deferred.
struct Value {
    content: Content,
    /// The reactor knows it.
    owned: bool,
    in_use: bool,
    /// The program holds the owner.
    owner: bool,
    /// How many `With`s are using the owner.
    visits: usize,
}

enum Content {
    Traced(Option<Traced>),
    FiringHalf(usize),
}

struct Job {
    end: JobEnd,
    /// What the worker runs. `None` once it has begun, or was cancelled before.
    traced: Option<Traced>,
    id: Id,
    callback: Option<Traced>,
    /// The result of the Deferred, once its callback has run.
    rest: Option<ErrorKind>,
    /// The program holds the Deferred.
    held: bool,
    /// The Deferred exists: the program or a running operation holds it.
    alive: bool,
}

/// A firing half that was dropped unfired.
enum FiringHalf {
    /// Of a Deferred that a trigger returned; the firing that waited for it.
    OfTrigger(usize),
    /// Of a job's Deferred; the reactor held it until its end.
    OfJob(usize),
}

#[derive(Default)]
struct Model {
    trace: Vec<Event>,
    made: Id,
    now: Duration,
    stage: Stage,
    running: bool,
    stop_asked: bool,
    turning: bool,
    /// The inbox is closed.
    closed: bool,
    /// The reactor is being dropped, or gone.
    gone: bool,
    posted: Vec<Posted>,
    timers: Vec<Timer>,
    scheduled: u64,
    triggers: Vec<Trigger>,
    firings: Vec<Firing>,
    /// Deferreds that triggers returned: which firing waits for each, until it is fired.
    waiting: Vec<Option<usize>>,
    /// Queue of dropped firing halves; `Some` while one of them is processed.
    dropped: Option<VecDeque<FiringHalf>>,
    values: Vec<Value>,
    /// Indexes of the values that the program made.
    program_values: Vec<usize>,
    jobs: Vec<Job>,
    running_jobs: Vec<usize>,
    waiting_jobs: VecDeque<usize>,
    sizes: Option<(usize, usize)>,
}

impl Model {
    fn say(&mut self, answer: Answer) {
        self.trace.push(Event::Answered(answer));
    }

    fn report(&mut self, incident: Incident, why: ErrorKind) {
        self.trace.push(Event::Report(incident, why));
    }

    /// B8, B19, B24: a panic is reported, and the rest continues.
    fn contain(&mut self, incident: Incident, flow: Flow) {
        if flow.is_err() {
            self.report(incident, ErrorKind::Panicked);
        }
    }

    fn traced(&mut self, closure: &Closure) -> Traced {
        self.made += 1;
        Traced { id: self.made - 1, closure: closure.clone() }
    }

    /// Calls a closure. Its captures are dropped when it returns or panics.
    fn call(&mut self, traced: Traced, reach: Reach) -> Flow {
        self.trace.push(Event::Began(traced.id, Place::Here));
        let flow = self.perform_all(&traced.closure.body, reach);
        self.trace.push(Event::Ended(traced.id, Place::Here));
        flow
    }

    /// Drops a closure that was never called, or a value.
    fn drop_unrun(&mut self, traced: Traced) -> Flow {
        self.trace.push(Event::Dropped(traced.id, Place::Here));
        self.perform_all(&traced.closure.on_drop, Reach::Asked)
    }

    /// The same, where the reactor drops it.
    fn drop_contained(&mut self, traced: Traced) {
        let flow = self.drop_unrun(traced);
        self.contain(Incident::Drop, flow);
    }

    fn perform_all(&mut self, ops: &[Op], reach: Reach) -> Flow {
        ops.iter().try_for_each(|op| self.perform(op, reach))
    }

    fn perform(&mut self, op: &Op, reach: Reach) -> Flow {
        let needs_reactor = matches!(
            op,
            Op::WhenRunning(_)
                | Op::Later(..)
                | Op::Own(_)
                | Op::AddTrigger(..)
                | Op::RemoveTrigger(_)
                | Op::FireEvent
                | Op::Turn
                | Op::Stop
                | Op::Inspect
                | Op::Defer(..)
        );
        if needs_reactor && reach == Reach::Asked && (self.gone || self.stage == Stage::Ended) {
            self.say(Answer::Unreachable);
            return Ok(());
        }
        match op {
            Op::Post(closure) => {
                let traced = self.traced(closure);
                return self.post(Posted::Post(traced), true);
            }
            Op::HandleStop => return self.post(Posted::StopAsked, false),
            Op::WhenRunning(closure) => self.when_running(closure),
            Op::Advance(delay) => self.advance(delay.duration()),
            Op::Later(delay, closure) => self.later(delay.duration(), closure),
            Op::Cancel(nth) => self.change_timer(*nth, |_, _| None),
            Op::Reset(nth, delay) => self.change_timer(*nth, |_, now| Some(now.saturating_add(delay.duration()))),
            Op::Postpone(nth, delay) => self.change_timer(*nth, |at, _| Some(at.saturating_add(delay.duration()))),
            Op::Own(OnDrop(on_drop)) => self.own(on_drop),
            Op::DropOwner(nth) => self.disown(*nth),
            Op::Leave(nth) => self.leave(*nth),
            Op::IntoInner(nth) => return self.take_back(*nth),
            Op::With(nth, closure) => return self.visit(*nth, closure, reach),
            Op::Call(nth, closure) => return self.call_value(*nth, closure),
            Op::Release(nth) => return self.release(*nth),
            Op::AddTrigger(trigger, closure) => {
                let traced = self.traced(closure);
                self.add_trigger(trigger.event, trigger.phase, trigger.result, true, traced);
            }
            Op::RemoveTrigger(nth) => self.remove(*nth),
            Op::FireEvent => self.fire(EventName::Alarm),
            Op::Resolve(nth, well) => self.resolve(*nth, *well),
            Op::Abandon(nth) => self.abandon(*nth),
            Op::Turn => {
                let turned = self.turn();
                self.say(turned.map_or(Answer::Reentered, Answer::Turned));
            }
            Op::Stop => {
                let stopped = self.stop();
                self.say(stopped);
            }
            Op::Suggest(size) => self.suggest((*size).into()),
            Op::Inspect => {
                let timers = self.timers.iter().filter(|timer| timer.state == TimerState::Pending).count();
                self.say(Answer::State { running: self.running, timers, now: self.now });
            }
            Op::Defer(end, Body(body)) => self.defer(*end, body),
            Op::FinishJob(nth) => match nth.of(self.running_jobs.len()) {
                Some(which) => self.finish_job(which),
                None => self.say(Answer::Nothing),
            },
            Op::CancelJob(nth) => self.cancel_job(*nth),
            Op::Panic => return Err(Unwinding),
        }
        Ok(())
    }

    /// B6: one total order, never inline. After the end a post is returned, and the program drops it.
    fn post(&mut self, posted: Posted, answer: bool) -> Flow {
        if !self.closed {
            self.posted.push(posted);
            if answer {
                self.say(Answer::Fine);
            }
            return Ok(());
        }
        if answer {
            self.say(Answer::Rejected);
        }
        match posted {
            Posted::Post(traced) | Posted::Call(_, traced) => self.drop_unrun(traced),
            _ => Ok(()),
        }
    }

    /// S12: a lower maximum lowers the minimum.
    fn suggest(&mut self, size: usize) {
        let (min, _) = self.sizes.unwrap_or((0, 4));
        let (min, max) = (min.min(size), size);
        self.sizes = Some((min, max));
        self.say(Answer::Sizes { min, max });
    }
}
