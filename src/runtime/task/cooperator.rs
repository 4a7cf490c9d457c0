//! Iterators that share the reactor's turns: who is stepped next, and when it is enough for now.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome};
use super::super::reactor::{DelayedCall, LocalHandle, Reactor};
use super::super::report::{Incident, drop_contained, report};
use super::super::sync::catch;
use super::cooperative::{Member, Work};
use super::{Due, Timed, valueless};
use crate::error::{NotPaused, ReactorStopped, TaskFinished};
use crate::failure::Failure;
use crate::machine::cooperative::{Crew, End};
use crate::machine::line::{Key, Line};

/// Says, after each step of a tick, whether that was enough for now.
type Enough = Box<dyn FnMut() -> bool>;

/// Runs iterators a step at a time, in turn, for a slice of time in each of the reactor's turns: long computations that leave the loop responsive.
///
/// Each step is one call of an iterator's `next`. What it yields may be `()` or any other [`Outcome`]: a Deferred is waited for before the next step, an error, or a panic, fails the task. The steps
/// of a tick go round among the tasks, one for each, from where the last tick left off, until the slice is used up; it is 10 ms unless told otherwise, and at least one step. The next
/// tick comes in the reactor's next turn.
///
/// ```
/// use selvedge::task::Cooperator;
/// use selvedge::{Reactor, testing::VirtualClock};
/// use std::time::Duration;
///
/// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
/// let cooperator = Cooperator::new(&reactor);
/// let squares = cooperator.cooperate((1..=3).map(|n| println!("{n}² = {}", n * n)));
/// let cubes = cooperator.cooperate((1..=3).map(|n| println!("{n}³ = {}", n * n * n))); // They take turns.
/// let done = squares.when_done();
/// reactor.advance(Duration::ZERO)?;
/// assert!(done.try_result().is_ok_and(|done| done.is_ok()));
/// # drop(cubes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones are handles to the same cooperator. It runs on when they are dropped, as long as there is something to step. When the reactor ends, tasks fail with [`ReactorStopped`].
#[derive(Clone)]
pub struct Cooperator {
    of: Rc<Shared>,
}

pub(super) struct Shared {
    crew: Cell<Crew>,
    /// Those that are to be stepped, in this order.
    ready: RefCell<Line<Rc<Member>>>,
    /// All that have not ended. Weak: who is neither ready nor waits for anything belongs to those who hold it.
    all: RefCell<Line<Weak<Member>>>,
    timer: Cell<Option<DelayedCall>>,
    reactor: LocalHandle,
    /// Makes what judges one tick. None while it does.
    begin: Cell<Option<Box<dyn FnMut() -> Enough>>>,
}

impl Cooperator {
    /// A cooperator on this reactor, running, with slices of 10 ms.
    #[must_use]
    pub fn new(reactor: &Reactor) -> Self {
        let this = Shared {
            crew: Cell::new(Crew::new(true)),
            ready: RefCell::new(Line::new()),
            all: RefCell::new(Line::new()),
            timer: Cell::default(),
            reactor: reactor.local(),
            begin: Cell::default(),
        };
        Self { of: Rc::new(this) }.with_slice(Duration::from_millis(10))
    }

    /// The same, with slices of this length, by the reactor's clock. A step is never interrupted, so a tick may take as much longer as its last step does; with a slice of zero a tick is one step.
    #[must_use]
    pub fn with_slice(self, slice: Duration) -> Self {
        let reactor = self.of.reactor.clone();
        let now = move || reactor.with(Reactor::now).unwrap_or(Duration::MAX);
        self.with_termination(move || {
            let (end, now) = (now().saturating_add(slice), now.clone());
            move || now() >= end
        })
    }

    /// The same, with ticks that are judged by a program's own measure: `begin` is called as a tick begins, and what it returns after each step: `true` is enough for this tick.
    ///
    /// If either panics that is reported, and the tick is over.
    #[must_use]
    pub fn with_termination<F, P>(self, mut begin: F) -> Self
    where
        F: FnMut() -> P + 'static,
        P: FnMut() -> bool + 'static,
    {
        let before = self.of.begin.replace(Some(Box::new(move || Box::new(begin()))));
        drop_contained(before);
        self
    }

    /// The same, not running until it is [started](Self::start): tasks may be added, and wait.
    #[must_use]
    pub fn unstarted(self) -> Self {
        self.of.crew.set(Crew::new(false));
        self
    }

    /// Adds a task: steps this iterator to its end, in turn with the others. The first step is made in a turn to come.
    ///
    /// Its end, or its error, is told to those who ask for [`when_done`](CooperativeTask::when_done). If nobody does an error is reported, with the place of this call, when the task is dropped.
    #[track_caller]
    pub fn cooperate<I, R>(&self, iterator: I) -> CooperativeTask
    where
        I: IntoIterator<Item = R, IntoIter: 'static>,
        R: Outcome<Failure>,
    {
        let mut iterator = iterator.into_iter();
        let work: Work = Box::new(move || iterator.next().map(valueless));
        let task = Member::new(work, Rc::downgrade(&self.of), Location::caller());
        let place = self.of.all.borrow_mut().push(Rc::downgrade(&task));
        task.registered(place);
        self.of.join(Rc::clone(&task));
        CooperativeTask { task, of: Rc::clone(&self.of) }
    }

    /// Adds a task, and returns what `when_done` of it does. Cancelling that stops the task.
    #[track_caller]
    pub fn coiterate<I, R>(&self, iterator: I) -> Deferred<()>
    where
        I: IntoIterator<Item = R, IntoIter: 'static>,
        R: Outcome<Failure>,
    {
        let CooperativeTask { task, of } = self.cooperate(iterator);
        let of = Rc::downgrade(&of);
        task.when_done(move |task| {
            if let Some(of) = of.upgrade() {
                let _ = task.stop(&of, End::Stopped);
            }
        })
    }

    /// Starts it, or starts it again after it was stopped. One that runs runs on.
    pub fn start(&self) {
        let any = !self.of.ready.borrow().is_empty();
        if self.of.step(|crew| crew.start(any)) {
            self.of.schedule();
        }
    }

    /// Stops it: all its tasks, the paused ones and those that wait included, end with [`TaskFinished::SchedulerStopped`]; so do those that are added later, until it is started again.
    pub fn stop(&self) {
        let cancel = self.of.step(Crew::stop);
        self.of.dismiss(cancel, End::SchedulerStopped);
    }

    /// Whether it runs: it was started, and not stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.of.crew.get().is_running()
    }
}

impl Shared {
    /// One event of the machine.
    fn step<A>(&self, event: impl FnOnce(&mut Crew) -> A) -> A {
        let mut crew = self.crew.get();
        let action = event(&mut crew);
        self.crew.set(crew);
        action
    }

    /// A task that is ready takes its place in the line.
    pub(super) fn join(self: &Rc<Self>, task: Rc<Member>) {
        if self.crew.get().is_stopped() {
            let _ = task.stop(self, End::SchedulerStopped);
            return;
        }
        let mut ready = self.ready.borrow_mut();
        task.queued(ready.next_key());
        ready.push(task);
        drop(ready);
        if self.step(Crew::joined) {
            self.schedule();
        }
    }

    /// A task that is paused, or has ended, leaves the line.
    pub(super) fn leave(&self, place: Key) {
        let mut ready = self.ready.borrow_mut();
        let gone = ready.remove(place);
        let emptied = ready.is_empty();
        drop(ready);
        drop(gone);
        if emptied && self.step(Crew::emptied) {
            self.cancel_tick();
        }
    }

    fn cancel_tick(&self) {
        if let Some(timer) = self.timer.take() {
            let _ = timer.cancel();
        }
    }

    /// A task has ended.
    pub(super) fn forget(&self, place: Key) {
        let gone = self.all.borrow_mut().remove(place);
        drop(gone);
    }

    fn schedule(self: &Rc<Self>) {
        let timer = self.reactor.with(|reactor| Due::at(reactor, reactor.now(), Rc::clone(self)));
        match timer {
            Ok(timer) => self.timer.set(Some(timer)),
            Err(ReactorStopped) => self.lost(),
        }
    }

    /// Ends all tasks that are there now, in the order in which they were added.
    fn dismiss(&self, cancel: bool, end: End) {
        if cancel {
            self.cancel_tick();
        }
        let mut all = self.all.borrow_mut();
        let tasks: Vec<_> = std::iter::from_fn(|| all.pop()).collect();
        drop(all);
        for task in tasks.iter().filter_map(Weak::upgrade) {
            let _ = task.stop(self, end);
        }
    }

    /// What judges this tick.
    fn begin(&self) -> Enough {
        let Some(mut begin) = self.begin.take() else { return Box::new(|| true) };
        let enough = catch(&mut begin);
        // It may have put another in its own place.
        let newer = self.begin.take();
        self.begin.set(newer.or(Some(begin)));
        enough.unwrap_or_else(|panic| {
            report(Incident::Timer, &panic, None);
            Box::new(|| true)
        })
    }
}

impl Timed for Shared {
    /// One tick.
    fn due(self: Rc<Self>, _reactor: &Reactor) {
        if !self.step(Crew::begin) {
            return;
        }
        let mut enough = self.begin();
        loop {
            let next = self.ready.borrow_mut().pop();
            let Some(task) = next else { break };
            task.one_step(&self);
            let enough = catch(&mut enough).unwrap_or_else(|panic| {
                report(Incident::Timer, &panic, None);
                true
            });
            if enough {
                break;
            }
        }
        drop_contained(enough);
        let any = !self.ready.borrow().is_empty();
        if self.step(|crew| crew.over(any)) {
            self.schedule();
        }
    }

    fn lost(&self) {
        if self.step(Crew::lost) {
            self.dismiss(false, End::ReactorStopped);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop_contained(self.begin.take());
    }
}

impl fmt::Debug for Cooperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cooperator")
            .field("crew", &self.of.crew.get())
            .field("ready", &self.of.ready.borrow().len())
            .field("tasks", &self.of.all.borrow().len())
            .finish()
    }
}

/// A task of a [`Cooperator`]: what [`cooperate`](Cooperator::cooperate) returns.
///
/// Clones are handles to the same task. It runs on when they are dropped, unless it is paused, for then nobody is left who could resume it: its iterator is dropped, and
/// those who wait for its end are told [`Abandoned`](crate::error::Abandoned).
#[derive(Clone)]
pub struct CooperativeTask {
    task: Rc<Member>,
    of: Rc<Shared>,
}

impl CooperativeTask {
    /// Makes no more steps until [`resume`](Self::resume) was called as often as this. If the task waits for a Deferred it goes on waiting, and what comes of that is kept.
    ///
    /// # Errors
    /// The task has ended, and how.
    pub fn pause(&self) -> Result<(), TaskFinished> {
        self.task.pause(&self.of)
    }

    /// Takes one [`pause`](Self::pause) back. After the last, the task stands at the end of the line.
    ///
    /// # Errors
    /// It is not paused. (That it waits for a Deferred is no pause, and cannot be cut short.)
    pub fn resume(&self) -> Result<(), NotPaused> {
        self.task.resume(&self.of)
    }

    /// Ends the task here. Its iterator is dropped (in its own step: when that is over), a Deferred that it waits for is cancelled, and those who wait for its end are told [`TaskFinished::Stopped`].
    ///
    /// # Errors
    /// The task has ended, and how.
    pub fn stop(&self) -> Result<(), TaskFinished> {
        self.task.stop(&self.of, End::Stopped)
    }

    /// Fires when the iterator has come to its end; fails with its error, or with [`TaskFinished`] if the task was stopped.
    ///
    /// May be asked as often as you like, also when the task has ended. An error has one owner: whoever asked first gets it, the others are told [`TaskFinished::Failed`]. Cancelling takes the
    /// question back, and leaves the task alone.
    #[track_caller]
    #[must_use = "it is a question"]
    pub fn when_done(&self) -> Deferred<()> {
        self.task.when_done(|_| ())
    }
}

impl fmt::Debug for CooperativeTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CooperativeTask").field(&self.task).finish()
    }
}
