//! The locks, semaphores and queues of a program.

use std::num::NonZero;

use selvedge::{
    Deferred,
    coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit},
};

use super::{Gift, Given, Hook, Returned, Settled, World};
use crate::script::deferreds::program::End;
use crate::script::deferreds::trace::Answer;
use crate::script::program::Nth;

/// A lock, or a semaphore.
#[derive(Clone)]
pub(super) enum Room {
    Lock(DeferredLock),
    Semaphore(DeferredSemaphore),
}

impl Room {
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

    fn run(&self, body: impl FnOnce() -> Returned + 'static) -> Deferred<Gift> {
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

/// A limit as programs write it: none, or one less than that.
fn limit(written: u8) -> Option<usize> {
    written.checked_sub(1).map(usize::from)
}

impl World {
    pub(super) fn new_room(&self, places: u8) {
        self.rooms.borrow_mut().push(Some(Room::new(places)));
    }

    pub(super) fn new_shelf(&self, size: u8, backlog: u8) {
        self.shelves.borrow_mut().push(Some(DeferredQueue::with_limits(limit(size), limit(backlog))));
    }

    fn room(&self, nth: Nth) -> Option<Room> {
        let rooms = self.rooms.borrow();
        let found = nth.of(rooms.len()).and_then(|at| rooms[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn shelf(&self, nth: Nth) -> Option<DeferredQueue<Gift>> {
        let shelves = self.shelves.borrow();
        let found = nth.of(shelves.len()).and_then(|at| shelves[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    /// What is granted is kept without a guard, until the program releases it.
    pub(super) fn acquire(&self, nth: Nth) {
        if let Some(room) = self.room(nth) {
            self.keep_made(|| {
                room.acquire().add_callback(|permit| {
                    permit.keep();
                    Returned(Settled::Now(Ok(Self::current(Self::value))))
                })
            });
        }
    }

    pub(super) fn release(&self, nth: Nth) {
        if self.room(nth).is_some_and(|room| !room.release()) {
            self.say(Answer::OverRelease);
        }
    }

    pub(super) fn run_in(&self, nth: Nth, Hook { deed, end }: &Hook) {
        if let Some(room) = self.room(nth) {
            let (mut token, end) = (self.token(deed), *end);
            self.keep_made(|| {
                room.run(move || {
                    token.begin(Given::Nothing);
                    Self::current(|world| {
                        world.perform_all(&token.deed.body);
                        Returned(match end {
                            End::Error => Settled::Now(Err(world.error())),
                            End::Await(nth) => match world.take(nth) {
                                Some((_, inner)) => Settled::Later(inner),
                                None => Settled::Now(Ok(world.value())),
                            },
                            End::Pass | End::Value => Settled::Now(Ok(world.value())),
                        })
                    })
                })
            });
        }
    }

    pub(super) fn put(&self, nth: Nth) {
        if let Some(shelf) = self.shelf(nth)
            && let Err(refused) = shelf.put(self.value())
        {
            self.say(Answer::Overflow);
            drop(refused);
        }
    }

    pub(super) fn get(&self, nth: Nth) {
        if let Some(shelf) = self.shelf(nth) {
            match shelf.get() {
                Ok(deferred) => self.keep(deferred),
                Err(_) => self.say(Answer::Underflow),
            }
        }
    }

    /// Gives back all that was kept, and puts something in for each who waits.
    pub(super) fn open_all(&self) {
        for at in 0.. {
            let rooms = self.rooms.borrow();
            let Some(room) = rooms.get(at).cloned() else { break };
            drop(rooms);
            while room.as_ref().is_some_and(Room::release) {}
        }
        for at in 0.. {
            let shelves = self.shelves.borrow();
            let Some(shelf) = shelves.get(at).cloned() else { return };
            drop(shelves);
            while shelf.as_ref().is_some_and(|shelf| shelf.waiting() > 0 && shelf.put(self.value()).is_ok()) {}
        }
    }

    /// Drops the program's handles.
    pub(super) fn close_all(&self) {
        for at in 0.. {
            let mut rooms = self.rooms.borrow_mut();
            let Some(room) = rooms.get_mut(at).map(Option::take) else { break };
            drop(rooms);
            drop(room);
        }
        for at in 0.. {
            let mut shelves = self.shelves.borrow_mut();
            let Some(shelf) = shelves.get_mut(at).map(Option::take) else { return };
            drop(shelves);
            drop(shelf);
        }
    }
}
