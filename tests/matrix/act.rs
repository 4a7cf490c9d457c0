//! The stranger's code as a value that a site runs, and the record of what it did and of who was told.

use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use selvedge::error::Panic;
use selvedge::report::Incident;
use selvedge::{Failure, Handle, LocalHandle};

use super::behaviours::{Behaviour, Deed};

/// What the code saw of its own deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It was done.
    Done,
    /// It was refused, with this error.
    Refused(String),
    /// It panicked, or it never returns.
    Left,
    /// Something else happened, which no cell expects.
    Wrong(String),
}

impl Did {
    /// Done if all of this holds; each part has a name.
    pub fn all(parts: &[(&str, bool)]) -> Self {
        let wrong = parts.iter().find(|(_, holds)| !holds);
        wrong.map_or(Self::Done, |(what, _)| Self::Wrong((*what).to_owned()))
    }
}

/// What a Deferred, a caller or a callback for a result was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Panic,
    Error,
}

#[derive(Debug, Default, Clone)]
pub struct Record {
    pub did: Option<Did>,
    pub begun: bool,
    pub reports: Vec<Incident>,
    pub told: Vec<Told>,
    /// Calls and jobs of the code that were accepted, less those that have run.
    pub owed: isize,
}

/// The stranger's code. Each clone stands for something that a site captured: when all is over, none is left.
#[derive(Clone)]
pub struct Act(Arc<Shared>);

struct Shared {
    behaviour: Behaviour,
    /// None before and after the life of the reactor, whose sink holds an act.
    handle: Mutex<Option<Handle>>,
    record: Mutex<Record>,
    changed: Condvar,
    access: Mutex<Access<dyn FnOnce() -> Did + Send, dyn Any + Send>>,
}

/// What the code can do to the object that it belongs to.
struct Access<F: ?Sized, H: ?Sized> {
    reenter: Option<Box<F>>,
    cancel: Option<Box<F>>,
    last: Vec<Box<H>>,
}

impl<F: ?Sized, H: ?Sized> Access<F, H> {
    const NONE: Self = Self { reenter: None, cancel: None, last: Vec::new() };
}

thread_local! {
    /// The same, for objects that stay on the loop's thread.
    static LOCAL: RefCell<Access<dyn FnOnce() -> Did, dyn Any>> = const { RefCell::new(Access::NONE) };
    static REACTOR: RefCell<Option<LocalHandle>> = const { RefCell::new(None) };
}

impl Act {
    pub fn new(behaviour: Behaviour) -> Self {
        Self(Arc::new(Shared {
            behaviour,
            handle: Mutex::default(),
            record: Mutex::default(),
            changed: Condvar::new(),
            access: Mutex::new(Access::NONE),
        }))
    }

    /// The reactor of the cell.
    pub fn handle(&self) -> Handle {
        let handle = self.0.handle.lock().unwrap_or_else(PoisonError::into_inner);
        handle.clone().unwrap_or_else(|| panic!("there is no reactor"))
    }

    /// On the loop's thread: this is the reactor of the cell.
    pub fn belongs_to(&self, reactor: &selvedge::Reactor) {
        REACTOR.with_borrow_mut(|local| *local = Some(reactor.local()));
        *self.0.handle.lock().unwrap_or_else(PoisonError::into_inner) = Some(reactor.handle());
    }

    pub fn local(&self) -> Option<LocalHandle> {
        REACTOR.with_borrow(Clone::clone)
    }

    /// Does what the behaviour says, the first time that it is called. A site calls it where the stranger's code runs.
    pub fn run(&self) {
        let first = {
            let mut record = self.record();
            !std::mem::replace(&mut record.begun, true)
        };
        self.0.changed.notify_all();
        if first {
            self.0.behaviour.perform(self);
        }
    }

    /// As [`run`](Self::run), where the code may return an error.
    pub fn result(&self) -> Result<(), Hostile> {
        let first = !self.record().begun;
        self.run();
        if first && self.0.behaviour.deed == Deed::Fails { Err(Hostile) } else { Ok(()) }
    }

    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn did(&self, did: Did) {
        self.record().did = Some(did);
        self.0.changed.notify_all();
    }

    /// Waits until the record says so.
    pub fn wait_until(&self, condition: impl Fn(&Record) -> bool) {
        let mut record = self.record();
        while !condition(&record) {
            record = self.0.changed.wait(record).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A sink for a reactor or a pool: it records, and then formats the error, which may panic.
    pub fn reported(&self, report: &selvedge::report::Report<'_>) {
        self.record().reports.push(report.incident);
        let _ = report.error.to_string();
    }

    /// Records what a site tells whoever waits for the result.
    pub fn tell<T>(&self, result: Result<T, Failure>) {
        if let Err(failure) = result {
            self.record().told.push(if failure.is::<Panic>() { Told::Panic } else { Told::Error });
        }
    }

    /// Runs code whose panic goes on to its caller, which is the site.
    pub fn tell_caller(&self, body: impl FnOnce()) {
        if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
            drop(Panic::new(payload));
            self.record().told.push(Told::Panic);
        }
    }

    /// A call or a job that was accepted has to run: this is to be called when it does.
    pub fn owes(&self) -> impl FnOnce() + Send + use<> {
        self.record().owed += 1;
        let act = self.clone();
        move || {
            act.record().owed -= 1;
            act.0.changed.notify_all();
        }
    }

    /// The call or the job was handed back.
    pub fn owes_not(&self) {
        self.record().owed -= 1;
    }

    /// How the code uses the object that it belongs to, for an object that stays on its thread. It is kept only where
    /// it is needed, because it holds a handle.
    pub fn reenters(&self, reenter: impl FnOnce() -> Did + 'static) {
        if self.0.behaviour.deed == Deed::Reenters {
            LOCAL.with_borrow_mut(|local| local.reenter = Some(Box::new(reenter)));
        }
    }

    pub fn cancels(&self, cancel: impl FnOnce() -> Did + 'static) {
        if self.0.behaviour.deed == Deed::CancelsItself {
            LOCAL.with_borrow_mut(|local| local.cancel = Some(Box::new(cancel)));
        }
    }

    /// A last handle of that object.
    pub fn holds(&self, handle: impl Any) {
        LOCAL.with_borrow_mut(|local| local.last.push(Box::new(handle)));
    }

    /// The same, for an object that any thread may use.
    pub fn reenters_anywhere(&self, reenter: impl FnOnce() -> Did + Send + 'static) {
        if self.0.behaviour.deed == Deed::Reenters {
            self.access().reenter = Some(Box::new(reenter));
        }
    }

    pub fn cancels_anywhere(&self, cancel: impl FnOnce() -> Did + Send + 'static) {
        if self.0.behaviour.deed == Deed::CancelsItself {
            self.access().cancel = Some(Box::new(cancel));
        }
    }

    pub fn holds_anywhere(&self, handle: impl Any + Send) {
        self.access().last.push(Box::new(handle));
    }

    fn access(&self) -> MutexGuard<'_, Access<dyn FnOnce() -> Did + Send, dyn Any + Send>> {
        self.0.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn reenter(&self) -> Option<Did> {
        let local = LOCAL.with_borrow_mut(|local| local.reenter.take());
        let anywhere = self.access().reenter.take();
        local.map(|reenter| reenter()).or_else(|| anywhere.map(|reenter| reenter()))
    }

    pub fn cancel(&self) -> Option<Did> {
        let local = LOCAL.with_borrow_mut(|local| local.cancel.take());
        let anywhere = self.access().cancel.take();
        local.map(|cancel| cancel()).or_else(|| anywhere.map(|cancel| cancel()))
    }

    /// Drops the last handles; false if the site has none.
    pub fn drop_last(&self) -> bool {
        let local = LOCAL.with_borrow_mut(|local| std::mem::take(&mut local.last));
        let anywhere = std::mem::take(&mut self.access().last);
        let any = !local.is_empty() || !anywhere.is_empty();
        drop((local, anywhere));
        any
    }

    /// On the loop's thread, when all is over.
    pub fn forget(&self) {
        let local = LOCAL.with_borrow_mut(|local| std::mem::replace(local, Access::NONE));
        let anywhere = std::mem::replace(&mut *self.access(), Access::NONE);
        let reactor = REACTOR.with_borrow_mut(Option::take);
        let handle = self.0.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop((local, reactor, handle));
        drop(anywhere);
    }

    /// How many captures are left beside the caller's own.
    pub fn captures(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// Runs the act when it is dropped.
pub struct OnDrop(pub Act);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.run();
    }
}

/// An error whose messages panic.
pub struct Hostile;

impl Error for Hostile {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("a source that panics")
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a message that panics")
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a debug message that panics")
    }
}

/// Panics when it is dropped, as a panic's payload may.
pub struct HostilePayload;

impl Drop for HostilePayload {
    fn drop(&mut self) {
        panic!("a payload whose drop panics");
    }
}
