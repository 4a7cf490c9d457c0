//! Building a cooperator: the length of its ticks, and whether it is started.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::super::super::reactor::{LocalHandle, Reactor};
use super::super::super::report::drop_contained;
use super::handle::Cooperator;
use super::shared::{CooperatorCore, NewTermination};
use crate::machine::cooperator::Scheduler;
use crate::machine::wait_queue::WaitQueue;

/// So many steps end a slice even if no time passes.
const MAX_STEPS_AT_ONE_TIME: u32 = 1000;

/// Builds a cooperator: what [`Cooperator::builder`] returns.
///
/// ```
/// use selvedge::{Reactor, task::Cooperator};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let cooperator = Cooperator::builder().slice(Duration::from_millis(2)).unstarted().build(&reactor);
/// let task = cooperator.cooperate(0..3); // It waits,
/// cooperator.start(); // and is stepped from now on.
/// # drop(task);
/// ```
#[must_use]
pub struct CooperatorBuilder {
    slice: Duration,
    new_termination: Option<NewTermination>,
    running: bool,
}

impl Cooperator {
    /// A running cooperator on this reactor, with slices of 10 ms.
    #[must_use]
    pub fn new(reactor: &Reactor) -> Self {
        Self::builder().build(reactor)
    }

    /// Starts to describe a cooperator: see [`CooperatorBuilder`].
    pub fn builder() -> CooperatorBuilder {
        CooperatorBuilder { slice: Duration::from_millis(10), new_termination: None, running: true }
    }
}

impl CooperatorBuilder {
    /// Sets the length of a slice, by the reactor's clock; by default 10 ms. A step is never interrupted, so a tick may
    /// be longer by one step. With a slice of zero a tick is one step. A thousand steps during which the clock stands
    /// still, as a virtual one does, end a tick too: endless work leaves the loop responsive on every clock.
    pub fn slice(mut self, slice: Duration) -> Self {
        self.slice = slice;
        self
    }

    /// Sets how the end of a tick is decided, instead of by time: `new_termination` is called at the beginning of each
    /// tick, and the predicate that it returns after each step. `true` ends the tick.
    ///
    /// A panic of either is reported, and the tick ends after its present step.
    pub fn termination<F, P>(mut self, mut new_termination: F) -> Self
    where
        F: FnMut() -> P + 'static,
        P: FnMut() -> bool + 'static,
    {
        let previous = self.new_termination.replace(Box::new(move || Box::new(new_termination())));
        drop_contained(previous);
        self
    }

    /// Makes it not running until it is [started](Cooperator::start): tasks may be added, and wait.
    pub fn unstarted(mut self) -> Self {
        self.running = false;
        self
    }

    /// Makes the cooperator, on this reactor.
    #[must_use]
    pub fn build(mut self, reactor: &Reactor) -> Cooperator {
        let local = reactor.local();
        let new_termination = match self.new_termination.take() {
            Some(new_termination) => new_termination,
            None => by_time(self.slice, local.clone()),
        };
        let core = Rc::new(CooperatorCore {
            scheduler: Cell::new(Scheduler::new(self.running)),
            ready: RefCell::new(WaitQueue::new()),
            unfinished: RefCell::new(WaitQueue::new()),
            timer: Cell::default(),
            reactor: local,
            new_termination: Cell::new(Some(new_termination)),
            end_notice: Cell::default(),
        });
        core.end_notice.set(Some(reactor.notify_at_end(&core)));
        Cooperator::new_handle(core)
    }
}

/// Ticks that end when this time has passed.
fn by_time(slice: Duration, reactor: LocalHandle) -> NewTermination {
    let now = move || reactor.with(Reactor::now).unwrap_or(Duration::MAX);
    Box::new(move || {
        let (mut last, now) = (now(), now.clone());
        let end = last.saturating_add(slice);
        let mut steps_at_last = 0;
        Box::new(move || {
            let now = now();
            steps_at_last = if now == last { steps_at_last + 1 } else { 1 };
            last = now;
            now >= end || steps_at_last >= MAX_STEPS_AT_ONE_TIME
        })
    })
}

impl Drop for CooperatorBuilder {
    fn drop(&mut self) {
        drop_contained(self.new_termination.take());
    }
}

impl fmt::Debug for CooperatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CooperatorBuilder")
            .field("slice", &self.slice)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
