//! The pools and reactors of a program, and what all its threads reach.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::local::{self, Local};
use super::perform::{Here, Traced};
use super::program::{Policy, PoolSetup, Program, ReactorSetup};
use super::record::{Home, Record};
use crate::codec::{Nth, Small};
use crate::platform::api::error::ReactorStopped;
use crate::platform::api::pool::{PoolBuilder, PoolStats, StopPolicy, Ticket};
use crate::platform::api::reactor::ReactorBuilder;
use crate::platform::api::report::Report;
use crate::platform::api::{Address, Handle, Reactor, ThreadPool};

/// What all clients, jobs and calls of a program reach.
pub struct World {
    pub record: Arc<Record>,
    pub pools: Vec<Pool>,
    /// Of those reactors that are there.
    pub handles: Vec<Handle>,
    pub tickets: Mutex<Vec<(usize, Ticket)>>,
    pub addresses: Mutex<Vec<(usize, Address<Traced>)>>,
    /// Everything happens on one thread: nothing can be waited for.
    pub stepped: bool,
    /// Pools may be without workers.
    pub pauses: bool,
}

/// A pool, and what was done to it that its jobs may feel.
pub struct Pool {
    pub pool: ThreadPool,
    /// Never more than one worker.
    single: AtomicBool,
    /// Jobs may be cancelled.
    pub cancels: AtomicBool,
}

impl Pool {
    pub fn new(pool: ThreadPool, setup: PoolSetup) -> Self {
        let (single, early) = match setup {
            PoolSetup::None => (false, false),
            PoolSetup::Of(min, more, _, compensation, early) => (min.0 + more.0 < 2 && compensation.0 == 0, early),
        };
        // A pool that is stopped before it was started does not run its jobs.
        Self { pool, single: AtomicBool::new(single), cancels: AtomicBool::new(!early) }
    }

    /// Its jobs may run in another order, or not at all.
    pub fn resize(&self, min: Small, more: Small, pauses: bool) {
        let (min, max) = sizes(min, more, pauses);
        if max > 1 {
            self.single.store(false, Relaxed);
        }
        // After a stop, too, a size is one.
        self.pool.adjust_pool_size(min, max).expect("sizes in order");
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn sizes(min: Small, more: Small, pauses: bool) -> (usize, usize) {
    let max = usize::from(min) + usize::from(more);
    (min.into(), max.max(usize::from(!pauses)))
}

pub fn policy(policy: Policy) -> StopPolicy {
    match policy {
        Policy::Drain => StopPolicy::Drain,
        Policy::CancelQueued => StopPolicy::CancelQueued,
        Policy::CancelAll => StopPolicy::CancelAll,
    }
}

/// Writes what is reported to the record.
pub fn sink(record: &Arc<Record>) -> impl Fn(&Report<'_>) + Send + Sync + 'static {
    let record = Arc::clone(record);
    move |report| record.report(report.incident, report.error.is::<ReactorStopped>())
}

/// The builder of a pool, if there is such a pool.
pub fn pool_builder(setup: PoolSetup, pauses: bool, record: &Arc<Record>) -> Option<PoolBuilder> {
    let PoolSetup::Of(min, more, bound, compensation, _) = setup else { return None };
    let (min, max) = sizes(min, more, pauses);
    let builder = ThreadPool::builder().size(min, max).compensation(compensation.into()).on_report(sink(record));
    Some(match NonZeroUsize::new(bound.into()) {
        Some(bound) => builder.queue_bound(bound),
        None => builder,
    })
}

/// The builder of a reactor, if there is such a reactor.
pub fn reactor_builder(setup: ReactorSetup, pauses: bool, record: &Arc<Record>) -> Option<ReactorBuilder> {
    let (ReactorSetup::Runs(min, more, bound, ends) | ReactorSetup::Hosted(min, more, bound, ends)) = setup else {
        return None;
    };
    let (min, max) = sizes(min, more, pauses);
    let builder = Reactor::builder().pool_size(min, max).on_report(sink(record)).stop_policy(policy(ends));
    Some(match NonZeroUsize::new(bound.into()) {
        Some(bound) => builder.inbox_bound(bound),
        None => builder,
    })
}

impl World {
    /// The nth pool; the reactors' own come behind the others.
    pub fn pool(&self, nth: Nth) -> Option<(usize, &ThreadPool)> {
        let number = nth.of(self.pools.len() + self.handles.len())?;
        Some((number, self.pool_at(number)))
    }

    fn pool_at(&self, number: usize) -> &ThreadPool {
        match self.pools.get(number) {
            Some(pool) => &pool.pool,
            None => self.handles[number - self.pools.len()].thread_pool(),
        }
    }

    /// How long may be waited where it is not said: on the only thread, not at all.
    pub fn limit(&self) -> Option<Duration> {
        self.stepped.then_some(Duration::ZERO)
    }

    /// Whether a reactor lives on this thread: nothing may block here.
    pub fn is_on_loop(&self, from: Here<'_>) -> bool {
        matches!(from, Here::Loop(..)) || local::with_all(|locals| locals.iter().any(Option::is_some))
    }

    pub fn reactor(&self, nth: Nth) -> Option<(usize, &Handle)> {
        let number = nth.of(self.handles.len())?;
        Some((number, &self.handles[number]))
    }

    /// Jobs of this pool may be cancelled. Those of a reactor's own end with it anyway.
    pub fn cancels(&self, pool: usize) {
        if let Some(pool) = self.pools.get(pool) {
            pool.cancels.store(true, Relaxed);
        }
    }

    /// When all reactors have ended: stops the pools, and checks what they have counted.
    pub fn end_pools(&self) {
        for (number, pool) in self.pools.iter().enumerate() {
            let Pool { pool, single, cancels } = pool;
            self.record.require(pool.has_stopped(), || format!("pool {number} has not stopped"));
            self.record.ends(Home::Pool(number));
            let stats = pool.stats();
            let loses = cancels.load(Relaxed) || stats.start_failures > 0;
            self.record.check_pool(number, &stats, single.load(Relaxed), loses);
        }
        for number in self.pools.len()..self.pools.len() + self.handles.len() {
            let stats: PoolStats = self.pool_at(number).stats();
            self.record.ends(Home::Pool(number));
            self.record.check_pool(number, &stats, false, true);
        }
    }

    /// Drops what the program holds.
    pub fn clear(&self) {
        let tickets = std::mem::take(&mut *lock(&self.tickets));
        let addresses = std::mem::take(&mut *lock(&self.addresses));
        drop((tickets, addresses));
    }
}

/// A reactor has begun to live on this thread.
pub fn reactor_lives(record: &Record, number: usize, reactor: &Reactor) {
    record.reactor_lives_here(number);
    local::with_all(|locals| locals[number] = Some(Local::new(reactor)));
}

/// A reactor has ended, on this thread: what its program holds there is dropped.
pub fn reactor_has_ended(record: &Record, number: usize) {
    record.ends(Home::Reactor(number));
    let Some(mut local) = local::with_all(|locals| locals[number].take()) else { return };
    // Their failures, which nobody would hear of any more.
    for deferred in std::mem::take(&mut local.deferreds) {
        drop(deferred.add_errback(|_| 0));
    }
}

/// Where a call of this reactor is.
pub fn here(reactor: &Reactor, number: usize) -> Here<'_> {
    Here::Loop(reactor, number)
}

impl Program {
    pub fn setups(&self) -> impl Iterator<Item = PoolSetup> {
        self.pools().into_iter().filter(|setup| *setup != PoolSetup::None)
    }

    pub fn reactor_setups(&self) -> impl Iterator<Item = ReactorSetup> {
        self.reactors().into_iter().filter(|setup| *setup != ReactorSetup::None)
    }
}
