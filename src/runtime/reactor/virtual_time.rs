//! Virtual time, which passes by itself only while nothing is on its way to the reactor.
//!
//! On its way are: a call that was posted, which includes every result, wake and cancel; a call that waits for a slot
//! of the inbox; a job of a pool that the reactor uses, until it has posted its result; a thread of such a pool that
//! ends, and the news that all have; and an answer of another reactor that this one awaits. A job that waits for an
//! answer of this very reactor is not: it may go on only when time has passed. Nor is one that is parked in
//! `threads::block_on`, until it is woken.

use std::collections::btree_map::Entry;
use std::ptr;
use std::rc::{Rc, Weak};

use super::super::pool::{PoolId, RestNote, ThreadPool};
use super::super::sync::{Mutex, StdArc, thread_local};
use super::clock::{Clock, VirtualTime};
use super::{Core, Handle, Reactor, Shared};
use crate::thread_value::ThreadValue;

/// While it exists, the reactor owes an answer to a worker of a pool.
pub(crate) struct OwedAnswer {
    core: Weak<Core>,
    pool: PoolId,
}

/// While it exists, a reactor awaits an answer of another.
pub(crate) struct AwaitedAnswer {
    awaited: StdArc<Mutex<usize>>,
    by: Handle,
}

thread_local! {
    /// The reactor on a virtual clock whose turn this thread runs.
    static TURNING: ThreadValue<Option<(StdArc<Mutex<usize>>, Handle)>> = ThreadValue::new(None);
}

/// Makes a reactor the one whose turn this thread runs, until it is dropped.
pub(super) struct TurningGuard(Option<(StdArc<Mutex<usize>>, Handle)>);

impl Drop for TurningGuard {
    fn drop(&mut self) {
        let outer = self.0.take();
        let own = TURNING.try_with(|turning| turning.replace(outer));
        drop(own);
    }
}

impl AwaitedAnswer {
    /// If this is a turn of a reactor on a virtual clock, that one awaits an answer of `of`, unless it is the same.
    pub(super) fn of(of: &Handle) -> Option<Self> {
        let turning = TURNING.try_with(|turning| turning.with(|turning| turning.clone())).ok().flatten();
        let (awaited, by) = turning?;
        Self::new(awaited, by, of)
    }

    fn new(awaited: StdArc<Mutex<usize>>, by: Handle, of: &Handle) -> Option<Self> {
        if asker(&by.shared) == asker(&of.shared) {
            return None;
        }
        *awaited.lock() += 1;
        Some(Self { awaited, by })
    }
}

impl Drop for AwaitedAnswer {
    fn drop(&mut self) {
        let mut awaited = self.awaited.lock();
        *awaited -= 1;
        let none_left = *awaited == 0;
        drop(awaited);
        if none_left {
            // It may wait for nothing else.
            let _ = self.by.post_unbounded(|_| ());
        }
    }
}

impl VirtualTime {
    fn use_pool(&self, pool: &ThreadPool) {
        let watch = pool.rest_watch();
        let mut pools = self.pools.borrow_mut();
        if pools.iter().all(|used| used.id() != watch.id()) {
            let stopped: Vec<_> = pools.extract_if(.., |used| used.has_stopped()).collect();
            pools.push(watch);
            drop(pools);
            // After the borrow: with the last pointer to a pool, what its hooks captured is dropped.
            drop(stopped);
        }
    }

    fn owe(&self, pool: PoolId) {
        *self.owed.borrow_mut().entry(pool).or_default() += 1;
    }

    fn answered(&self, pool: PoolId) {
        if let Entry::Occupied(mut owed) = self.owed.borrow_mut().entry(pool) {
            *owed.get_mut() -= 1;
            if *owed.get() == 0 {
                owed.remove();
            }
        }
    }

    /// How many workers of a pool wait for the reactor.
    fn owed(&self, pool: PoolId) -> usize {
        self.owed.borrow().get(&pool).copied().unwrap_or(0)
    }

    /// How many jobs its pools have ever accepted, if all of them are at rest. Otherwise a call will be posted when one
    /// of those that are not has come to rest.
    fn accepted_if_at_rest(&self, reactor: &Reactor) -> Option<u64> {
        let asker = asker(&reactor.core.shared);
        let pools = self.pools.borrow();
        let note = || -> RestNote {
            let handle = reactor.handle();
            Box::new(move || drop(handle.post_unbounded(|_| ())))
        };
        pools.iter().map(|used| used.ask(asker, self.owed(used.id()), note)).sum()
    }

    /// Whether a pool has a job. Then a call will be posted.
    fn has_jobs(&self, reactor: &Reactor) -> bool {
        let mut at_rest = self.accepted_if_at_rest(reactor);
        if self.pools.borrow().len() > 1 {
            // While they were asked, one that was asked earlier may have got a job of one that was asked later. If none
            // has accepted any until they have been asked again, there was a moment at which all were at rest.
            while let Some(accepted) = at_rest {
                at_rest = self.accepted_if_at_rest(reactor);
                if at_rest == Some(accepted) {
                    break;
                }
            }
        }
        at_rest.is_none()
    }

    fn is_held(&self, reactor: &Reactor) -> bool {
        // The inbox last: a job has posted its result before it is over.
        self.has_jobs(reactor) || *self.awaited.lock() > 0 || reactor.core.shared.inbox.expects_calls()
    }
}

impl Clock {
    /// The reactor has ended.
    pub(super) fn forget_pools(&self, shared: &Shared) {
        let Self::Virtual(time) = self else { return };
        for used in time.pools.take() {
            used.forget(asker(shared));
        }
    }
}

/// Identifies a reactor where it asks a pool.
fn asker(shared: &Shared) -> usize {
    ptr::from_ref(shared).addr()
}

impl Reactor {
    /// Whether time must not pass by itself, because something is on its way. Then there are calls, or one will come.
    pub(super) fn holds_time(&self, time: &VirtualTime) -> bool {
        time.is_held(self)
    }

    /// From now on, jobs of this pool may have something for the reactor.
    pub(crate) fn use_pool(&self, pool: &ThreadPool) {
        if let Clock::Virtual(time) = &self.core.clock {
            time.use_pool(pool);
        }
    }

    /// A worker of that pool waits until the reactor has answered.
    pub(crate) fn owe_answer(&self, to: Option<PoolId>) -> Option<OwedAnswer> {
        let (Clock::Virtual(time), Some(pool)) = (&self.core.clock, to) else { return None };
        time.owe(pool);
        Some(OwedAnswer { core: Rc::downgrade(&self.core), pool })
    }

    /// Until what this returns is dropped, the reactor awaits an answer of `other`, unless that is the same.
    pub(crate) fn await_answer_of(&self, other: &Handle) -> Option<AwaitedAnswer> {
        let Clock::Virtual(time) = &self.core.clock else { return None };
        AwaitedAnswer::new(StdArc::clone(&time.awaited), self.handle(), other)
    }

    /// Marks this thread as one that runs a turn of this reactor, if it is on a virtual clock.
    pub(super) fn enter_virtual_time(&self) -> Option<TurningGuard> {
        let Clock::Virtual(time) = &self.core.clock else { return None };
        let own = (StdArc::clone(&time.awaited), self.handle());
        Some(TurningGuard(TURNING.try_with(|turning| turning.replace(Some(own))).ok().flatten()))
    }
}

impl Drop for OwedAnswer {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade()
            && let Clock::Virtual(time) = &core.clock
        {
            time.answered(self.pool);
        }
    }
}
