//! A job whose result is a Deferred, and that has limits or may wait for a slot: timers of the reactor that waits for
//! it, and its place among those that wait.

use std::cell::{Cell, OnceCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deadline::WhenFull;
use super::super::deferred::PendingResolver;
use super::super::pool::{Job, Limits, ThreadPool, Ticket, Watched, Work};
use super::super::reactor::{Address, DelayedCall, Owned, Reactor, SlotPlace};
use super::super::report::drop_contained;
use crate::error::{NeverRan, Rejected, Rejection, TimedOut};
use crate::failure::Failure;

/// Watches one job that has limits, or that may wait for a slot. It is owned by the canceller of the job's Deferred,
/// which is dropped as soon as the Deferred has a result of any kind: that stops the timers, and ends the wait.
pub(super) struct JobWatch<T: 'static> {
    limits: Limits,
    /// Ended when this is dropped: the limits of a job that outlives its reactor hold by the system's clock.
    watched: Watched,
    job: Cell<WatchedJob>,
    resolver: OnceCell<Address<PendingResolver<T>>>,
    /// The timer of the limit in the queue, or, once the reactor knows that the job has begun, of the other limit.
    timer: Cell<Option<DelayedCall>>,
    /// The timer of the wait for a slot.
    slot_timer: Cell<Option<DelayedCall>>,
    /// Its address is where the worker posts that the job begins.
    start: OnceCell<Owned<Weak<Self>>>,
}

/// Where the job is.
#[derive(Default)]
enum WatchedJob {
    /// Not submitted yet, not accepted, or cancelled.
    #[default]
    Nowhere,
    /// It waits for a slot.
    Waiting(SlotPlace),
    /// The pool has accepted it.
    Accepted(Ticket),
}

impl<T: 'static> JobWatch<T> {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            watched: Watched::new(),
            job: Cell::default(),
            resolver: OnceCell::new(),
            timer: Cell::new(None),
            slot_timer: Cell::new(None),
            start: OnceCell::new(),
        })
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

    /// The pool has accepted the job, without a wait: its time in the queue begins.
    pub(super) fn accepted(self: &Rc<Self>, reactor: &Reactor, ticket: Ticket, address: Address<PendingResolver<T>>) {
        self.job.set(WatchedJob::Accepted(ticket));
        self.queued(reactor, address);
    }

    /// Submits the job. If the pool has no slot for it, it waits, for the time that `when_full` says. Its time in the
    /// queue begins.
    pub(super) fn submit_in_turn<F: Work>(
        self: &Rc<Self>,
        reactor: &Reactor,
        pool: &ThreadPool,
        job: Job<F>,
        when_full: WhenFull,
        address: Address<PendingResolver<T>>,
    ) {
        self.queued(reactor, address);
        let decided = Rc::new(Cell::new(false));
        let (watch, told) = (Rc::downgrade(self), Rc::clone(&decided));
        let place = reactor.submit_in_turn(pool, job, move |reactor, ticket| {
            told.set(true);
            if let Some(watch) = watch.upgrade() {
                watch.slot_decided(reactor, ticket);
            }
        });
        if decided.get() {
            return;
        }
        self.job.set(WatchedJob::Waiting(place));
        if let WhenFull::WaitUpTo(limit) = when_full {
            self.call_later(reactor, limit, Self::slot_limit_passed, |timer| self.slot_timer.set(Some(timer)));
        }
    }

    fn queued(self: &Rc<Self>, reactor: &Reactor, address: Address<PendingResolver<T>>) {
        drop(self.resolver.set(address));
        if let Some(limit) = self.limits.queue {
            self.arm(reactor, limit, Self::queue_limit_passed);
        }
    }

    /// Its wait is over: the pool has accepted the job, or has been stopped.
    fn slot_decided(&self, reactor: &Reactor, ticket: Option<Ticket>) {
        stop(self.slot_timer.take());
        match ticket {
            Some(ticket) => self.job.set(WatchedJob::Accepted(ticket)),
            None => self.fail(reactor, Failure::new(Rejected::new((), Rejection::PoolStopped))),
        }
    }

    pub(super) fn cancel(&self) {
        match self.job.take() {
            WatchedJob::Nowhere => {}
            WatchedJob::Waiting(place) => {
                place.refuse(NeverRan::Cancelled);
            }
            WatchedJob::Accepted(ticket) => {
                ticket.cancel();
            }
        }
    }

    fn started(self: &Rc<Self>, reactor: &Reactor) {
        if let Some(limit) = self.limits.run {
            self.arm(reactor, limit, Self::time_limit_passed);
        }
    }

    /// Stops the timer, and starts another.
    fn arm(self: &Rc<Self>, reactor: &Reactor, after: Duration, passed: fn(&Self, &Reactor, Duration)) {
        self.call_later(reactor, after, passed, |timer| stop(self.timer.replace(Some(timer))));
    }

    fn call_later(
        self: &Rc<Self>,
        reactor: &Reactor,
        after: Duration,
        passed: fn(&Self, &Reactor, Duration),
        keep: impl FnOnce(DelayedCall),
    ) {
        let watch = Rc::downgrade(self);
        let passed = move |reactor: &Reactor| {
            if let Some(watch) = watch.upgrade() {
                passed(&watch, reactor, after);
            }
        };
        reactor.call_later_kept(after, passed, keep);
    }

    fn slot_limit_passed(&self, reactor: &Reactor, after: Duration) {
        if let WatchedJob::Waiting(place) = self.job.take()
            && place.reject(NeverRan::TimedOut(after))
        {
            self.fail(reactor, Failure::new(Rejected::new((), Rejection::TimedOut)));
        }
    }

    fn queue_limit_passed(&self, reactor: &Reactor, after: Duration) {
        let expired = match self.job.take() {
            WatchedJob::Nowhere => false,
            WatchedJob::Waiting(place) => place.reject(NeverRan::TimedOut(after)),
            WatchedJob::Accepted(ticket) => {
                // If it is not in the queue, a worker has taken it.
                let expired = ticket.expire(after);
                self.job.set(WatchedJob::Accepted(ticket));
                expired
            }
        };
        if expired {
            self.fail(reactor, Failure::without_backtrace(TimedOut { after, started: Some(false) }));
        }
    }

    fn time_limit_passed(&self, reactor: &Reactor, after: Duration) {
        self.cancel();
        self.fail(reactor, Failure::without_backtrace(TimedOut { after, started: Some(true) }));
    }

    fn fail(&self, reactor: &Reactor, failure: Failure) {
        if let Some(pending) = self.resolver.get().and_then(|address| address.take(reactor)) {
            pending.fail(failure);
        }
    }
}

impl<T: 'static> Drop for JobWatch<T> {
    fn drop(&mut self) {
        stop(self.timer.take());
        stop(self.slot_timer.take());
        self.watched.end();
    }
}

fn stop(timer: Option<DelayedCall>) {
    // One that has run cannot be cancelled, and says so.
    let _ = timer.map(|timer| timer.cancel());
}
