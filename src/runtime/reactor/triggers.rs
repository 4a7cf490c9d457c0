//! Event triggers: what is to happen before, during and after the startup, the shutdown, or an event of the program's own.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::super::deferred::{Outcome, Settled};
use super::super::report::{Incident, Scope, drop_contained, report};
use super::super::sync::{catch, unique_number};
use super::{Core, LocalCall, Reactor};
use crate::error::UnknownTrigger;
use crate::failure::Failure;

/// An event that triggers can be attached to: the reactor's own two, or any name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event(Cow<'static, str>);

impl Event {
    /// The reactor starts to run.
    pub const STARTUP: Self = Self(Cow::Borrowed("startup"));
    /// The reactor was asked to stop.
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

/// When, with respect to an event, a trigger runs. A phase begins when all triggers of the one before have run, and all the Deferreds
/// they returned have fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// While all is still as it was.
    Before,
    /// The event itself.
    During,
    /// When it is done.
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

/// Tells a trigger from all others, of whatever reactor, for ever: with it, the trigger can be removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[must_use = "without its id a trigger cannot be removed; use `let _ =` if it is to stay"]
pub struct TriggerId {
    event: Event,
    phase: Phase,
    number: u64,
    /// The number of its reactor. An address would not do: the next reactor may be made where the last one was.
    reactor: usize,
}

/// What a trigger does; it may leave something to wait for.
type Trigger = Box<dyn FnOnce(&Reactor, &Waiting)>;

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
        let trigger: Trigger = Box::new(move |reactor, waiting| match catch(|| f(reactor).settle()) {
            Ok(Settled::Now(Ok(()))) => {}
            Ok(Settled::Now(Err(failure))) => report(Incident::Trigger, &failure, None),
            Ok(Settled::Later(deferred)) => {
                let waiting = waiting.hold();
                let watched = deferred.add_both(move |result| {
                    let _scope = waiting.scope();
                    if let Err(failure) = result {
                        report(Incident::Trigger, &failure, None);
                    }
                    waiting.release();
                });
                drop(watched);
            }
            Err(panic) => report(Incident::Trigger, &panic, None),
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

    /// The next trigger of a phase, in the order they were added: one that was added a moment ago, by a trigger, included.
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

/// One firing of an event: what it still waits for in its phase, and what comes when it is over.
struct Firing {
    event: Event,
    phase: Cell<Phase>,
    /// Deferreds that have not fired, and one more while the phase's triggers run.
    waits: Cell<usize>,
    then: Cell<Option<LocalCall>>,
    core: std::rc::Weak<Core>,
}

/// A hold on the present phase of a firing.
struct Waiting(Rc<Firing>);

impl Waiting {
    fn hold(&self) -> Self {
        self.0.waits.set(self.0.waits.get() + 1);
        Self(Rc::clone(&self.0))
    }

    /// Reports go to the reactor's own sink, also where a Deferred that was waited for is fired outside of its turns.
    fn scope(&self) -> Option<Scope> {
        self.0.core.upgrade().map(|core| core.reporter.enter())
    }

    /// The last one leads over to the next phase.
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

    /// Runs a phase's triggers, and as long as nothing is to be waited for, the next one's.
    fn run(firing: Rc<Firing>, phase: Phase, reactor: &Reactor) {
        firing.phase.set(phase);
        firing.waits.set(1);
        let waiting = Self(firing);
        while let Some(trigger) = reactor.core.triggers.next(&waiting.0.event, phase) {
            trigger(reactor, &waiting);
        }
        waiting.release();
    }
}

/// Fires an event: *before*, *during*, *after*, then `then`. All of it happens now, unless a trigger returns a Deferred that has not fired;
/// the rest then happens when it fires.
pub(super) fn fire(reactor: &Reactor, event: Event, then: LocalCall) {
    let firing = Rc::new(Firing {
        event,
        phase: Cell::new(Phase::Before),
        waits: Cell::new(0),
        then: Cell::new(Some(then)),
        core: Rc::downgrade(&reactor.core),
    });
    Waiting::run(firing, Phase::Before, reactor);
}
