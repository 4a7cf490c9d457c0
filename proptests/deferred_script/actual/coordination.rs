//! Operations on the real locks, semaphores and queues of a program.

use std::num::NonZero;

use selvedge::{
    Deferred,
    coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit},
};

use super::{Callback, Given, Returned, Settled, Tracked, World};
use crate::codec::Nth;
use crate::deferred_script::program::Returns;
use crate::deferred_script::trace::Answer;

/// A lock, or a semaphore.
#[derive(Clone)]
pub(super) enum Semaphore {
    Lock(DeferredLock),
    Semaphore(DeferredSemaphore),
}

impl Semaphore {
    fn new(places: u8) -> Self {
        match NonZero::new(usize::from(places)) {
            None => Self::Lock(DeferredLock::new()),
            Some(places) => Self::Semaphore(DeferredSemaphore::new(places)),
        }
    }

    fn acquire(&self) -> Deferred<Permit> {
        match self {
            Self::Lock(lock) => lock.acquire(),
            Self::Semaphore(semaphore) => semaphore.acquire(),
        }
    }

    fn run(&self, body: impl FnOnce() -> Returned + 'static) -> Deferred<Tracked> {
        match self {
            Self::Lock(lock) => lock.run(body),
            Self::Semaphore(semaphore) => semaphore.run(body),
        }
    }

    fn release(&self) -> bool {
        match self {
            Self::Lock(lock) => lock.release().is_ok(),
            Self::Semaphore(semaphore) => semaphore.release().is_ok(),
        }
    }
}

/// Programs write a limit as one more than it is, and none as zero.
fn limit(written: u8) -> Option<usize> {
    written.checked_sub(1).map(usize::from)
}

impl World {
    pub(super) fn new_semaphore(&self, places: u8) {
        self.semaphores.borrow_mut().push(Some(Semaphore::new(places)));
    }

    pub(super) fn new_queue(&self, size: u8, backlog: u8) {
        self.queues.borrow_mut().push(Some(DeferredQueue::with_limits(limit(size), limit(backlog))));
    }

    fn semaphore(&self, nth: Nth) -> Option<Semaphore> {
        let semaphores = self.semaphores.borrow();
        let found = nth.of(semaphores.len()).and_then(|at| semaphores[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn queue(&self, nth: Nth) -> Option<DeferredQueue<Tracked>> {
        let queues = self.queues.borrow();
        let found = nth.of(queues.len()).and_then(|at| queues[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    /// The permit is kept without its guard, until the program releases it.
    pub(super) fn acquire(&self, nth: Nth) {
        if let Some(semaphore) = self.semaphore(nth) {
            self.keep_made(|| {
                semaphore.acquire().add_callback(|permit| {
                    permit.keep();
                    Returned(Settled::Now(Ok(Self::current(Self::value))))
                })
            });
        }
    }

    pub(super) fn release(&self, nth: Nth) {
        if self.semaphore(nth).is_some_and(|semaphore| !semaphore.release()) {
            self.say(Answer::OverRelease);
        }
    }

    pub(super) fn run_in(&self, nth: Nth, Callback { closure, returns }: &Callback) {
        if let Some(semaphore) = self.semaphore(nth) {
            let (mut traced, end) = (self.traced(closure), *returns);
            self.keep_made(|| {
                semaphore.run(move || {
                    traced.begin(Given::Nothing);
                    Self::current(|world| {
                        world.perform_all(&traced.closure.body);
                        Returned(match end {
                            Returns::Error => Settled::Now(Err(world.error())),
                            Returns::Await(nth) => match world.take(nth) {
                                Some((_, inner)) => Settled::Later(inner),
                                None => Settled::Now(Ok(world.value())),
                            },
                            Returns::Pass | Returns::Value => Settled::Now(Ok(world.value())),
                        })
                    })
                })
            });
        }
    }

    pub(super) fn put(&self, nth: Nth) {
        if let Some(queue) = self.queue(nth)
            && let Err(refused) = queue.put(self.value())
        {
            self.say(Answer::Overflow);
            drop(refused);
        }
    }

    pub(super) fn get(&self, nth: Nth) {
        if let Some(queue) = self.queue(nth) {
            match queue.get() {
                Ok(deferred) => self.keep(deferred),
                Err(_) => self.say(Answer::Underflow),
            }
        }
    }

    /// Releases all kept permits, and puts an item for each waiter of a queue.
    pub(super) fn open_all(&self) {
        for at in 0.. {
            let semaphores = self.semaphores.borrow();
            let Some(semaphore) = semaphores.get(at).cloned() else { break };
            drop(semaphores);
            while semaphore.as_ref().is_some_and(Semaphore::release) {}
        }
        for at in 0.. {
            let queues = self.queues.borrow();
            let Some(queue) = queues.get(at).cloned() else { return };
            drop(queues);
            while queue.as_ref().is_some_and(|queue| queue.waiting() > 0 && queue.put(self.value()).is_ok()) {}
        }
    }

    /// Drops the program's handles.
    pub(super) fn close_all(&self) {
        for at in 0.. {
            let mut semaphores = self.semaphores.borrow_mut();
            let Some(semaphore) = semaphores.get_mut(at).map(Option::take) else { break };
            drop(semaphores);
            drop(semaphore);
        }
        for at in 0.. {
            let mut queues = self.queues.borrow_mut();
            let Some(queue) = queues.get_mut(at).map(Option::take) else { return };
            drop(queues);
            drop(queue);
        }
    }
}
