//! The time limits of a job whose result is a Deferred: timers of the reactor that waits for it.

use std::cell::{Cell, OnceCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deferred::PendingResolver;
use super::super::pool::{Limits, Ticket, Watched};
use super::super::reactor::{Address, DelayedCall, Owned, Reactor};
use super::super::report::drop_contained;
use crate::error::TimedOut;
use crate::failure::Failure;

/// Watches the limits of one job. It is owned by the canceller of the job's Deferred, which is dropped as soon as the
/// Deferred has a result of any kind: that stops the timer.
pub(super) struct LimitWatch<T: 'static> {
    limits: Limits,
    /// Ended when this is dropped: the limits of a job that outlives its reactor hold by the system's clock.
    watched: Watched,
    /// Empty until the pool has accepted the job.
    job: OnceCell<(Ticket, Address<PendingResolver<T>>)>,
    /// The timer of the limit in the queue, or, once the reactor knows that the job has begun, of the other limit.
    timer: Cell<Option<DelayedCall>>,
    /// Its address is where the worker posts that the job begins.
    start: OnceCell<Owned<Weak<Self>>>,
}

impl<T: 'static> LimitWatch<T> {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        let (job, timer, start) = (OnceCell::new(), Cell::new(None), OnceCell::new());
        Rc::new(Self { limits, watched: Watched::new(), job, timer, start })
    }

    /// The limits that travel with the job.
    pub(super) fn limits_of_job(self: &Rc<Self>, reactor: &Reactor) -> Limits {
        self.limits.watched(self.watched.clone(), self.start_notice(reactor))
    }

    /// What the worker calls when the job begins. `None` if no limit counts from there.
    fn start_notice(self: &Rc<Self>, reactor: &Reactor) -> Option<impl FnOnce() + Send + 'static> {
        self.limits.run?;
        let start = reactor.own(Rc::downgrade(self));
        let address = start.address();
        drop(self.start.set(start));
        Some(move || {
            let posted = address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    if let Ok(Some(watch)) = address.with_value(reactor, |watch| watch.upgrade()) {
                        watch.started(reactor);
                    }
                }
            });
            // An error means that the reactor has ended, and has failed the Deferred.
            drop_contained(posted);
        })
    }

    /// The pool has accepted the job: its time in the queue begins.
    pub(super) fn accepted(self: &Rc<Self>, reactor: &Reactor, ticket: Ticket, address: Address<PendingResolver<T>>) {
        drop(self.job.set((ticket, address)));
        if let Some(limit) = self.limits.queue {
            self.arm(reactor, limit, Self::queue_limit_passed);
        }
    }

    pub(super) fn cancel(&self) {
        if let Some((ticket, _)) = self.job.get() {
            ticket.cancel();
        }
    }

    fn started(self: &Rc<Self>, reactor: &Reactor) {
        if let Some(limit) = self.limits.run {
            self.arm(reactor, limit, Self::time_limit_passed);
        }
    }

    /// Stops the timer, and starts another.
    fn arm(self: &Rc<Self>, reactor: &Reactor, after: Duration, passed: fn(&Self, &Reactor, Duration)) {
        let watch = Rc::downgrade(self);
        let timer = reactor.call_later(after, move |reactor| {
            if let Some(watch) = watch.upgrade() {
                passed(&watch, reactor, after);
            }
        });
        stop(self.timer.replace(Some(timer)));
    }

    fn queue_limit_passed(&self, reactor: &Reactor, after: Duration) {
        // If it is not in the queue, a worker has taken it.
        if self.job.get().is_some_and(|(ticket, _)| ticket.expire(after)) {
            self.fail(reactor, TimedOut { after, started: Some(false) });
        }
    }

    fn time_limit_passed(&self, reactor: &Reactor, after: Duration) {
        self.cancel();
        self.fail(reactor, TimedOut { after, started: Some(true) });
    }

    fn fail(&self, reactor: &Reactor, error: TimedOut) {
        if let Some(pending) = self.job.get().and_then(|(_, address)| address.take(reactor)) {
            pending.fail(Failure::without_backtrace(error));
        }
    }
}

impl<T: 'static> Drop for LimitWatch<T> {
    fn drop(&mut self) {
        stop(self.timer.take());
        self.watched.end();
    }
}

fn stop(timer: Option<DelayedCall>) {
    // One that has run cannot be cancelled, and says so.
    let _ = timer.map(|timer| timer.cancel());
}
