//! One task of a cooperator: its iterator, its pauses, what it waits for, and those who wait for its end.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::deferred::{Deferred, Resolver, Settled};
use super::super::report::{Incident, drop_contained, report};
use super::super::sync::catch;
use super::cooperator::Shared;
use super::when_over;
use crate::error::{NotPaused, ReactorStopped, TaskFinished};
use crate::failure::Failure;
use crate::machine::cooperative::{Do, End, Stepped, Task};
use crate::machine::line::{Key, Line};

/// One step of an iterator; none, if it has come to its end.
pub(super) type Work = Box<dyn FnMut() -> Option<Settled<(), Failure>>>;

pub(super) struct Member {
    machine: Cell<Task>,
    /// None while it runs, and when the task has ended.
    work: Cell<Option<Work>>,
    /// Its place among those that are ready, while it is one.
    ready: Cell<Option<Key>>,
    /// Its place among those that have not ended.
    registered: Cell<Option<Key>>,
    /// What it waits for.
    waits: Cell<Option<Deferred<()>>>,
    asked: RefCell<Line<Resolver<()>>>,
    /// How it failed, until somebody asks.
    failure: Cell<Option<Failure>>,
    /// Its cooperator, which has to be told when it goes without having ended.
    of: Weak<Shared>,
    made_at: &'static Location<'static>,
}

impl Member {
    pub(super) fn new(work: Work, of: Weak<Shared>, made_at: &'static Location<'static>) -> Rc<Self> {
        Rc::new(Self {
            machine: Cell::new(Task::Ready),
            work: Cell::new(Some(work)),
            ready: Cell::default(),
            registered: Cell::default(),
            waits: Cell::default(),
            asked: RefCell::new(Line::new()),
            failure: Cell::default(),
            of,
            made_at,
        })
    }

    pub(super) fn registered(&self, place: Key) {
        self.registered.set(Some(place));
    }

    pub(super) fn queued(&self, place: Key) {
        self.ready.set(Some(place));
    }

    /// One event of the machine.
    fn step<A>(&self, event: impl FnOnce(&mut Task) -> A) -> A {
        let mut machine = self.machine.get();
        let action = event(&mut machine);
        self.machine.set(machine);
        action
    }

    /// Carries out what the machine asks for; `result` is what those are told who wait for the end.
    fn carry_out(self: &Rc<Self>, what: Do, of: &Rc<Shared>, result: Result<(), Failure>) {
        match what {
            Do::Join => of.join(Rc::clone(self)),
            _ => self.carry_out_end(what, of, result),
        }
    }

    /// The same, where the task does not go on.
    fn carry_out_end(&self, what: Do, of: &Shared, result: Result<(), Failure>) {
        match what {
            Do::Nothing | Do::Join => return drop_contained(result),
            Do::Leave => return self.leave(of),
            Do::Cancel => return self.cancel_what_it_waits_for(),
            Do::LeaveAndTell => self.leave(of),
            Do::CancelAndTell => self.cancel_what_it_waits_for(),
            Do::Tell => {}
        }
        if let Some(place) = self.registered.take() {
            of.forget(place);
        }
        drop_contained(self.work.take());
        self.tell(result);
    }

    fn leave(&self, of: &Shared) {
        if let Some(place) = self.ready.take() {
            of.leave(place);
        }
    }

    fn cancel_what_it_waits_for(&self) {
        if let Some(waits) = self.waits.take() {
            waits.cancel();
        }
    }

    /// Steps the iterator once. It is out of the line.
    pub(super) fn one_step(self: &Rc<Self>, of: &Rc<Shared>) {
        self.ready.set(None);
        self.step(Task::begin);
        let Some(mut work) = self.work.take() else { return };
        let came = catch(&mut work);
        let goes_on = matches!(came, Ok(Some(_))) && self.machine.get().end().is_none();
        if goes_on {
            self.work.set(Some(work));
        } else {
            // It has come to its end, or was ended in its own step.
            drop_contained(work);
        }
        match came {
            Ok(Some(Settled::Now(Ok(())))) => self.stepped(Stepped::More, of, Ok(())),
            Ok(Some(Settled::Now(Err(failure)))) => self.stepped(Stepped::Failed, of, Err(failure)),
            Ok(Some(Settled::Later(deferred))) => self.wait(deferred, of),
            Ok(None) => self.stepped(Stepped::Done, of, Ok(())),
            Err(panic) => self.stepped(Stepped::Failed, of, Err(Failure::from(panic))),
        }
    }

    fn stepped(self: &Rc<Self>, stepped: Stepped, of: &Rc<Shared>, result: Result<(), Failure>) {
        let what = self.step(|machine| machine.stepped(stepped));
        if let (Err(failure), Do::Nothing) = (&result, what) {
            // Nobody will hear of it any more: it was stopped in this very step.
            report(Incident::Unhandled, failure, Some(self.made_at));
        }
        self.carry_out(what, of, result);
    }

    fn wait(self: &Rc<Self>, deferred: Deferred<()>, of: &Rc<Shared>) {
        let what = self.step(|machine| machine.stepped(Stepped::Waits));
        let (this, back) = (Rc::clone(self), Rc::clone(of));
        let waits = when_over(deferred, move |result| {
            drop(this.waits.take());
            let what = this.step(|machine| machine.woken(result.is_err()));
            this.carry_out(what, &back, result);
        });
        // If it had its result already, the task goes on already.
        if waits.is_some() {
            self.waits.set(waits);
            self.carry_out(what, of, Ok(()));
        }
    }

    pub(super) fn pause(&self, of: &Shared) -> Result<(), TaskFinished> {
        let what = self.step(Task::pause).map_err(finished)?;
        self.carry_out_end(what, of, Ok(()));
        Ok(())
    }

    pub(super) fn resume(self: &Rc<Self>, of: &Rc<Shared>) -> Result<(), NotPaused> {
        let what = self.step(Task::resume).map_err(|_| NotPaused)?;
        self.carry_out(what, of, Ok(()));
        Ok(())
    }

    pub(super) fn stop(&self, of: &Shared, end: End) -> Result<(), TaskFinished> {
        let what = self.step(|machine| machine.stop(end)).map_err(finished)?;
        self.carry_out_end(what, of, Ok(()));
        Ok(())
    }

    /// Asks for the end. `cancelled` is called if the question is taken back.
    #[track_caller]
    pub(super) fn when_done(self: &Rc<Self>, cancelled: impl FnOnce(&Rc<Self>) + 'static) -> Deferred<()> {
        if let Some(end) = self.machine.get().end() {
            return Deferred::from(told(end, self.failure.take()));
        }
        let key = self.asked.borrow().next_key();
        let this = Rc::downgrade(self);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let Some(this) = this.upgrade() else { return };
            let takes_back = this.asked.borrow_mut().remove(key);
            drop(takes_back);
            cancelled(&this);
        });
        self.asked.borrow_mut().push(resolver);
        deferred
    }

    /// Tells those who have asked, in the order of asking. An error goes to the first; if there is none, to whoever asks first.
    fn tell(&self, result: Result<(), Failure>) {
        let Some(end) = self.machine.get().end() else { return };
        let mut failure = result.err();
        loop {
            let next = self.asked.borrow_mut().pop();
            let Some(asked) = next else { break };
            asked.resolve(told(end, failure.take()));
        }
        self.failure.set(failure);
    }
}

/// What somebody is told who asks for the end.
fn told(end: End, failure: Option<Failure>) -> Result<(), Failure> {
    match (failure, end) {
        (Some(failure), _) => Err(failure),
        (None, End::Done) => Ok(()),
        (None, End::ReactorStopped) => Err(Failure::from(ReactorStopped)),
        (None, End::Stopped | End::Failed | End::SchedulerStopped) => Err(Failure::new(finished(end))),
    }
}

fn finished(end: End) -> TaskFinished {
    match end {
        End::Done => TaskFinished::Done,
        End::Stopped => TaskFinished::Stopped,
        End::Failed => TaskFinished::Failed,
        // It ended because its reactor did, and so has its cooperator.
        End::SchedulerStopped | End::ReactorStopped => TaskFinished::SchedulerStopped,
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let (Some(place), Some(of)) = (self.registered.take(), self.of.upgrade()) {
            of.forget(place);
        }
        drop_contained(self.work.take());
        if let Some(failure) = self.failure.take() {
            report(Incident::Unhandled, &failure, Some(self.made_at));
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.machine.get(), f)
    }
}
