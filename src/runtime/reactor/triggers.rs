//! Event triggers: functions that run before, during or after startup, shutdown, or a program's own event.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::super::deferred::{Outcome, Settled};
use super::super::report::{Incident, Scope, drop_contained, report_and_drop};
use super::super::sync::{catch, unique_number};
use super::{Core, LocalCall, Reactor};
use crate::error::UnknownTrigger;
use crate::failure::Failure;

/// An event with triggers: one of the reactor's own two, or any name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event(Cow<'static, str>);

impl Event {
    /// The reactor starts.
    pub const STARTUP: Self = Self(Cow::Borrowed("startup"));
    /// The reactor shuts down, because it was asked to stop.
    pub const SHUTDOWN: Self = Self(Cow::Borrowed("shutdown"));
}

impl From<&'static str> for Event {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl From<String> for Event {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When a trigger runs, relative to its event. A phase begins when all triggers of the phase before have run and all
/// Deferreds that they returned have fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// First, while everything still works as before.
    Before,
    /// Second: the event itself.
    During,
    /// Last.
    After,
}

impl Phase {
    fn next(self) -> Option<Self> {
        match self {
            Self::Before => Some(Self::During),
            Self::During => Some(Self::After),
            Self::After => None,
        }
    }
}

/// Identifies one trigger among those of all reactors, to remove it; ids are never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[must_use = "without its id a trigger cannot be removed; use `let _ =` if it is to stay"]
pub struct TriggerId {
    event: Event,
    phase: Phase,
    number: u64,
    /// The number of its reactor. An address would not do: a later reactor may have the same one.
    reactor: usize,
}

/// A trigger's function. It may hold the phase for a Deferred.
type Trigger = Box<dyn FnOnce(&Reactor, &PhaseHold)>;

/// The triggers that have not run.
pub(super) struct Triggers {
    pending: RefCell<BTreeMap<(Event, Phase, u64), Trigger>>,
    added: Cell<u64>,
    reactor: usize,
}

impl Triggers {
    pub(super) fn new() -> Self {
        Self { pending: RefCell::default(), added: Cell::new(0), reactor: unique_number() }
    }

    pub(super) fn add<R, F>(&self, phase: Phase, event: Event, f: F) -> TriggerId
    where
        F: FnOnce(&Reactor) -> R + 'static,
        R: Outcome<Failure, Value = ()>,
    {
        let number = self.added.get();
        self.added.set(number + 1);
        let trigger: Trigger = Box::new(move |reactor, hold| match catch(|| f(reactor).settle()) {
            Ok(Settled::Now(Ok(()))) => {}
            Ok(Settled::Now(Err(failure))) => report_and_drop(Incident::Trigger, failure, None),
            Ok(Settled::Later(deferred)) => {
                let held = hold.hold();
                let watched = deferred.add_both(move |result| {
                    let _scope = held.scope();
                    if let Err(failure) = result {
                        report_and_drop(Incident::Trigger, failure, None);
                    }
                    held.release();
                });
                drop(watched);
            }
            Err(panic) => report_and_drop(Incident::Trigger, panic, None),
        });
        self.pending.borrow_mut().insert((event.clone(), phase, number), trigger);
        TriggerId { event, phase, number, reactor: self.reactor }
    }

    pub(super) fn remove(&self, id: TriggerId) -> Result<(), UnknownTrigger> {
        if id.reactor != self.reactor {
            return Err(UnknownTrigger);
        }
        let trigger = self.pending.borrow_mut().remove(&(id.event, id.phase, id.number)).ok_or(UnknownTrigger)?;
        drop_contained(trigger);
        Ok(())
    }

    /// Takes the next trigger of a phase, in the order of adding. It may have been added by the trigger before it.
    fn next(&self, event: &Event, phase: Phase) -> Option<Trigger> {
        let mut pending = self.pending.borrow_mut();
        let all = (event.clone(), phase, 0)..=(event.clone(), phase, u64::MAX);
        let key = pending.range(all).next()?.0.clone();
        pending.remove(&key)
    }

    pub(super) fn clear(&self) {
        loop {
            let first = self.pending.borrow_mut().pop_first();
            let Some((_, trigger)) = first else { return };
            drop_contained(trigger);
        }
    }
}

/// An event that is being fired: its phase, what the phase still waits for, and what to call after the last phase.
struct Firing {
    event: Event,
    phase: Cell<Phase>,
    /// Deferreds that have not fired, plus one while the phase's triggers run.
    waits: Cell<usize>,
    then: Cell<Option<LocalCall>>,
    core: std::rc::Weak<Core>,
}

/// Holds the current phase of a firing: the next phase begins when all holds are released.
struct PhaseHold(Rc<Firing>);

impl PhaseHold {
    /// Holds the phase once more.
    fn hold(&self) -> Self {
        self.0.waits.set(self.0.waits.get() + 1);
        Self(Rc::clone(&self.0))
    }

    /// Directs reports to the reactor's own sink, also when the Deferred fires outside a turn.
    fn scope(&self) -> Option<Scope> {
        self.0.core.upgrade().map(|core| core.reporter.enter())
    }

    /// Releases the hold. The last release begins the next phase.
    fn release(self) {
        let left = self.0.waits.get() - 1;
        self.0.waits.set(left);
        if left > 0 {
            return;
        }
        if let Some(core) = self.0.core.upgrade() {
            let reactor = Reactor { core };
            match self.0.phase.get().next() {
                Some(phase) => Self::run(self.0, phase, &reactor),
                None => {
                    if let Some(then) = self.0.then.take() {
                        then(&reactor);
                    }
                }
            }
        }
    }

    /// Runs the triggers of a phase, then releases the phase's own hold.
    fn run(firing: Rc<Firing>, phase: Phase, reactor: &Reactor) {
        firing.phase.set(phase);
        firing.waits.set(1);
        let hold = Self(firing);
        while let Some(trigger) = reactor.core.triggers.next(&hold.0.event, phase) {
            trigger(reactor, &hold);
        }
        hold.release();
    }
}

/// Fires an event: runs the three phases, then calls `then`. All of it happens inside this call, up to a trigger that
/// returns a Deferred which has not fired: the rest happens when that fires.
pub(super) fn fire(reactor: &Reactor, event: Event, then: LocalCall) {
    let firing = Rc::new(Firing {
        event,
        phase: Cell::new(Phase::Before),
        waits: Cell::new(0),
        then: Cell::new(Some(then)),
        core: Rc::downgrade(&reactor.core),
    });
    PhaseHold::run(firing, Phase::Before, reactor);
}
