//! The semaphore: so many permits, a guard for each, and a line of those who wait for one.

use std::cell::RefCell;
use std::fmt;
use std::num::NonZero;
use std::rc::Rc;

use super::super::deferred::{Deferred, Outcome, OutcomeOf, Resolver, Settled, maybe_deferred};
use crate::error::OverRelease;
use crate::failure::Failure;
use crate::machine::permits::{Comes, Given, Permits};

/// Lets at most so many into something at a time; the others wait, first come, first served.
///
/// Whoever acquires gets a [`Permit`], a guard: dropping it lets the next one in. Clones are handles to the same semaphore.
///
/// ```
/// use selvedge::{Deferred, coordination::DeferredSemaphore};
/// use std::num::NonZeroUsize;
///
/// fn fetch(page: u32) -> Deferred<String> {
///     Deferred::succeed(format!("page {page}"))
/// }
///
/// let two = const { NonZeroUsize::new(2).unwrap() };
/// let connections = DeferredSemaphore::new(two);
/// for page in 0..10 {
///     connections.run(move || fetch(page)).log_error(); // Never more than two at once.
/// }
/// assert_eq!(connections.tokens(), 2);
/// ```
///
/// **Where and when.** All of it lives on one thread and nothing blocks. Giving a permit back serves the first waiter at once, inside that call. If it is given back while a waiter of
/// this semaphore is being served, inside that one's callbacks, the next is served when those have returned. So nothing recurses, however many wait, and all
/// are served in the order in which they came. Nobody overtakes: as long as somebody waits, whoever comes waits too.
///
/// **Waiters.** To [`cancel`](Deferred::cancel) the Deferred of a waiter takes it out of the line, wherever it stands. One whose Deferred was dropped keeps its place; in its turn, its permit
/// goes to its callbacks, if it has some, and else back to the semaphore.
///
/// **Handles.** A permit keeps its semaphore alive: when all handles are dropped, those who wait are still served, one after the other. Only where the permits that are out were
/// [kept](Permit::keep) is nobody left who could give one back: then the waiters fail with [`Abandoned`](crate::error::Abandoned).
///
/// **Cost.** To acquire a free permit costs the allocation of a fired Deferred; [`try_acquire`](Self::try_acquire) none. To wait, to be served and to give up take constant time each.
#[derive(Clone)]
pub struct DeferredSemaphore {
    state: Rc<RefCell<Permits<Resolver<Permit>>>>,
}

impl DeferredSemaphore {
    /// A semaphore of so many permits.
    #[must_use]
    pub fn new(tokens: NonZero<usize>) -> Self {
        Self { state: Rc::new(RefCell::new(Permits::new(tokens.get()))) }
    }

    /// A permit, as soon as there is one: now, if one is free and nobody waits.
    ///
    /// ```
    /// use selvedge::coordination::DeferredSemaphore;
    /// use std::num::NonZeroUsize;
    ///
    /// let semaphore = DeferredSemaphore::new(NonZeroUsize::MIN);
    /// let held = semaphore.try_acquire().expect("it is new");
    /// let second = semaphore.acquire().add_callback(|_permit| println!("in"));
    /// assert_eq!(semaphore.waiting(), 1);
    /// drop(held); // Prints "in", and has its permit back, since the callback has dropped that.
    /// assert_eq!(semaphore.tokens(), 1);
    /// # drop(second);
    /// ```
    #[track_caller]
    pub fn acquire(&self) -> Deferred<Permit> {
        if let Some(permit) = self.try_acquire() {
            return Deferred::succeed(permit);
        }
        let key = self.state.borrow().next_key();
        let line = Rc::downgrade(&self.state);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let gives_up = line.upgrade().and_then(|state| state.borrow_mut().give_up(key));
            // The borrow is over. That it is dropped unfired says nothing: its Deferred is being cancelled.
            drop(gives_up);
        });
        self.state.borrow_mut().wait(resolver);
        deferred
    }

    /// A permit, if one is free and nobody waits.
    #[must_use = "the permit is given back when it is dropped"]
    pub fn try_acquire(&self) -> Option<Permit> {
        let comes = self.state.borrow_mut().come();
        match comes {
            Comes::Granted => Some(Permit { of: Some(self.clone()) }),
            Comes::Waits => None,
        }
    }

    /// Acquires a permit, calls a function, waits for what it returns if that is a Deferred, and gives the permit back: then its result goes on.
    ///
    /// While it waits for its permit, to cancel it takes it out of the line, and the function is dropped uncalled; after that, a cancel is forwarded to the Deferred that the function
    /// returned. Whatever the function does, panic included, its permit is given back.
    #[track_caller]
    pub fn run<R, F>(&self, f: F) -> Deferred<R::Value>
    where
        F: FnOnce() -> R + 'static,
        R: Outcome<Failure>,
    {
        self.acquire().add_callback(move |permit| {
            maybe_deferred(f).add_both(move |result| {
                drop(permit);
                result
            })
        })
    }

    /// Gives back a permit that was [kept](Permit::keep), by whomever.
    ///
    /// # Errors
    /// None is out that was kept. Permits with a guard are given back by dropping that, and by nothing else.
    pub fn release(&self) -> Result<(), OverRelease> {
        let given = self.state.borrow_mut().release();
        self.hand_on(given.map_err(|_| OverRelease)?);
        Ok(())
    }

    /// How many permits could be had at once. None while somebody waits.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.state.borrow().free()
    }

    /// How many permits there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.state.borrow().limit()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting()
    }

    /// Serves those who wait, one after the other: the one loop of a semaphore in which they are.
    fn hand_on(&self, given: Given) {
        if given == Given::OweNothing {
            return;
        }
        loop {
            let next = self.state.borrow_mut().next();
            // The borrow is over: what the waiter does with its permit is its own affair, and it may come back here.
            let Some(waiter) = next else { return };
            waiter.callback(Permit { of: Some(self.clone()) });
        }
    }
}

impl fmt::Debug for DeferredSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredSemaphore")
            .field("tokens", &self.tokens())
            .field("limit", &self.limit())
            .field("waiting", &self.waiting())
            .finish()
    }
}

/// A permit of a [`DeferredSemaphore`] or a [`DeferredLock`](crate::coordination::DeferredLock): dropping it gives it back, and serves the first who waits for one.
///
/// ```
/// use selvedge::coordination::DeferredLock;
///
/// let lock = DeferredLock::new();
/// let permit = lock.try_acquire().expect("it is new");
/// assert!(lock.is_locked());
/// drop(permit);
/// assert!(!lock.is_locked());
/// ```
#[must_use = "the permit is given back when it is dropped"]
pub struct Permit {
    /// None once it was kept.
    of: Option<DeferredSemaphore>,
}

impl Permit {
    /// Gives it back, as dropping it does.
    pub fn release(self) {
        drop(self);
    }

    /// Keeps the permit without a guard: it is out until somebody calls [`DeferredSemaphore::release`] or
    /// [`DeferredLock::release`](crate::coordination::DeferredLock::release).
    pub fn keep(mut self) {
        if let Some(semaphore) = self.of.take() {
            semaphore.state.borrow_mut().keep();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.of.take() {
            let given = semaphore.state.borrow_mut().give_back();
            semaphore.hand_on(given);
        }
    }
}

/// A callback may pass a permit on.
impl<E> Outcome<E> for Permit {
    type Value = Self;

    fn settle(self) -> Settled<Self, E> {
        Settled::Now(Ok(self))
    }
}

impl<E> OutcomeOf<Permit, E> for Permit {
    fn settle_as(self) -> Settled<Self, E> {
        self.settle()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.of).finish()
    }
}
