//! Event triggers: functions that run before, during or after startup, shutdown, or a program's own event.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::{Rc, Weak};

use super::super::deferred::{Deferred, Outcome, Settled};
use super::super::report::{Incident, drop_contained, report_and_drop};
use super::super::sync::{catch, unique_number};
use super::{Core, Reactor};
use crate::error::UnknownTrigger;
use crate::failure::Failure;
pub use crate::machine::firing::Phase;
use crate::machine::firing::{Firing as State, FiringAction};
use crate::machine::lifecycle::{Lifecycle, LifecycleState};

/// An event with triggers: one of the reactor's own two, which only the reactor fires, or any name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event(Cow<'static, str>);

impl Event {
    /// The reactor starts.
    pub const STARTUP: Self = Self(Cow::Borrowed("startup"));
    /// The reactor shuts down, because it was asked to stop.
    pub const SHUTDOWN: Self = Self(Cow::Borrowed("shutdown"));
}

impl Event {
    /// Whether it is one of the reactor's own, which only the reactor fires.
    pub(super) fn is_built_in(&self) -> bool {
        *self == Self::STARTUP || *self == Self::SHUTDOWN
    }
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

/// Identifies one trigger among those of all reactors, to remove it; ids are never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TriggerId {
    event: Event,
    phase: Phase,
    number: u64,
    /// The number of its reactor. An address would not do: a later reactor may have the same one.
    reactor: usize,
}

/// A trigger's function. It may make the phase wait for a Deferred.
type Trigger = Box<dyn FnOnce(&Reactor, &Rc<Firing>)>;

/// The triggers that have not run, and the events that are being fired.
pub(super) struct Triggers {
    pending: RefCell<BTreeMap<(Event, Phase, u64), Trigger>>,
    firings: RefCell<BTreeMap<Event, Rc<Firing>>>,
    added: Cell<u64>,
    reactor: usize,
}

impl Triggers {
    pub(super) fn new() -> Self {
        Self { pending: RefCell::default(), firings: RefCell::default(), added: Cell::new(0), reactor: unique_number() }
    }

    /// Adds a trigger. One that can never run is dropped here.
    pub(super) fn add<R, F>(&self, lifecycle: Lifecycle, phase: Phase, event: Event, f: F) -> TriggerId
    where
        F: FnOnce(&Reactor) -> R + 'static,
        R: Outcome<Failure, Value = ()>,
    {
        let number = self.added.get();
        self.added.set(number + 1);
        if self.can_run(lifecycle, phase, &event) {
            let trigger: Trigger = Box::new(move |reactor, firing| match catch(|| f(reactor).settle()) {
                Ok(Settled::Now(Ok(()))) => {}
                Ok(Settled::Now(Err(failure))) => report_and_drop(Incident::Trigger, failure, None),
                Ok(Settled::Later(deferred)) => firing.wait_for(deferred),
                Err(panic) => report_and_drop(Incident::Trigger, Failure::without_backtrace(panic), None),
            });
            self.pending.borrow_mut().insert((event.clone(), phase, number), trigger);
        } else {
            drop_contained(f);
        }
        TriggerId { event, phase, number, reactor: self.reactor }
    }

    /// The reactor's own events are fired once, and no phase of them begins twice.
    fn can_run(&self, lifecycle: Lifecycle, phase: Phase, event: &Event) -> bool {
        let reached = |otherwise| self.firings.borrow().get(event).map_or(otherwise, |firing| firing.reaches(phase));
        match (event, lifecycle.state()) {
            (_, LifecycleState::Ended) => false,
            (event, state) if *event == Event::STARTUP => {
                lifecycle.startup_goes_on() && reached(false) || state == LifecycleState::New
            }
            (event, state) if *event == Event::SHUTDOWN => reached(state <= LifecycleState::Stopping),
            _ => true,
        }
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
        self.take_first((event.clone(), phase, 0)..=(event.clone(), phase, u64::MAX))
    }

    fn take_first(&self, among: RangeInclusive<(Event, Phase, u64)>) -> Option<Trigger> {
        let mut pending = self.pending.borrow_mut();
        let key = pending.range(among).next()?.0.clone();
        pending.remove(&key)
    }

    /// Drops the triggers of startup: shutdown has begun.
    pub(super) fn give_up_startup(&self) {
        let all = || (Event::STARTUP, Phase::Before, 0)..=(Event::STARTUP, Phase::After, u64::MAX);
        while let Some(trigger) = self.take_first(all()) {
            drop_contained(trigger);
        }
    }

    pub(super) fn clear(&self) {
        self.firings.take();
        loop {
            let first = self.pending.borrow_mut().pop_first();
            let Some((_, trigger)) = first else { return };
            drop_contained(trigger);
        }
    }
}

/// An event that is being fired, shared by the loop over its triggers and the Deferreds that they returned.
pub(super) struct Firing {
    event: Event,
    state: Cell<State>,
    core: Weak<Core>,
}

impl Firing {
    /// One transition of the state machine.
    fn transition<A>(&self, event: impl FnOnce(&mut State) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    fn reaches(&self, phase: Phase) -> bool {
        self.state.get().reaches(phase)
    }

    /// Makes the phase wait for a Deferred.
    pub(super) fn wait_for(self: &Rc<Self>, deferred: Deferred<()>) {
        self.transition(State::wait);
        let this = Rc::clone(self);
        let watched = deferred.add_both(move |result| {
            // Directs the report to the reactor's own sink, also when the Deferred fires in a turn of another.
            let _scope = this.core.upgrade().map(|core| core.reporter.enter());
            if let Err(failure) = result {
                report_and_drop(Incident::Trigger, failure, None);
            }
            this.carry_out(this.transition(State::deferred_fired));
        });
        drop(watched);
    }

    fn carry_out(self: &Rc<Self>, mut action: FiringAction) {
        loop {
            match action {
                FiringAction::Nothing => return,
                FiringAction::Run { phase, first } => {
                    if first && let Some(reactor) = self.reactor() {
                        reactor.own_step(phase, self);
                    }
                    // Asked for each: after a trigger that drops the reactor, none runs.
                    while let Some(reactor) = self.reactor()
                        && let Some(trigger) = reactor.core.triggers.next(&self.event, phase)
                    {
                        trigger(&reactor, self);
                    }
                }
                FiringAction::Over => {
                    let Some(core) = self.core.upgrade() else { return };
                    core.triggers.firings.borrow_mut().remove(&self.event);
                    return core.event_over(&self.event);
                }
            }
            action = self.transition(State::triggers_done);
        }
    }

    /// The reactor, if triggers of this event still run.
    fn reactor(&self) -> Option<Reactor> {
        let core = self.core.upgrade()?;
        let lifecycle = core.lifecycle.get();
        let goes_on = if self.event == Event::STARTUP { lifecycle.startup_goes_on() } else { !core.has_ended() };
        goes_on.then_some(Reactor { core })
    }

    pub(super) fn event(&self) -> &Event {
        &self.event
    }
}

impl Reactor {
    /// Fires an event: runs the three phases inside this call, up to a trigger that returns a Deferred which has not
    /// fired: the rest happens when that fires. If the event is being fired already, it is fired once more after that.
    pub(super) fn fire(&self, event: Event) {
        let triggers = &self.core.triggers;
        let firing = triggers.firings.borrow().get(&event).map(Rc::clone);
        if let Some(firing) = firing {
            return firing.transition(State::fire_again);
        }
        let (state, action) = State::begin();
        let firing = Firing { event: event.clone(), state: Cell::new(state), core: Rc::downgrade(&self.core) };
        let firing = Rc::new(firing);
        triggers.firings.borrow_mut().insert(event, Rc::clone(&firing));
        firing.carry_out(action);
    }

    /// Lets the firing of an event go on without the Deferreds that it waits for.
    pub(super) fn hurry(&self, event: &Event) {
        let firing = self.core.triggers.firings.borrow().get(event).map(Rc::clone);
        if let Some(firing) = firing {
            firing.carry_out(firing.transition(State::hurry));
        }
    }
}
