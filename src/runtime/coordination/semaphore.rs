//! The semaphore: a number of permits, a guard for each that is held, and a queue of waiters.

use std::cell::RefCell;
use std::fmt;
use std::num::NonZero;
use std::rc::Rc;

use super::super::deferred::{
    Callback, Deferred, Outcome, Passed, Plain, Resolver, Settled, Unclaimed, maybe_deferred,
};
use crate::error::OverRelease;
use crate::failure::{ChainError, Failure};
use crate::machine::semaphore::{Acquired, Released, Semaphore};

/// Limits how many may use something at a time; the others wait and are served in the order in which they asked.
///
/// [`acquire`](Self::acquire) grants a [`Permit`], a guard: dropping it releases the permit, and the first waiter gets
/// it. Clones are handles to the same semaphore.
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
/// **Order.** All of it lives on one thread and nothing blocks. Releasing a permit serves the first waiter at once,
/// inside that call. If it is released inside the callbacks of a waiter that is being served, the next waiter is served
/// when those have returned: nothing recurses, however many wait, and all are served in the order in which they asked.
/// As long as somebody waits, whoever asks next waits too, and so does everybody behind a waiter for
/// [several](Self::acquire_many) permits.
///
/// **Cancel safety.** [Cancelling](Deferred::cancel) a waiter's Deferred, dropping its future, or dropping it before a
/// callback was added, removes the waiter from the queue, wherever it is. With callbacks it keeps its place, whoever
/// holds the Deferred. A permit is a guard: one that was granted and that
/// nobody took, because a future, a task, a time limit or a list was given up first, goes to the next waiter.
///
/// **Handles.** A permit keeps its semaphore alive: when all handles are dropped, waiters are still served, one after
/// the other. But where every permit that is held was [kept](Permit::keep), nobody is left who could release one: then
/// the waiters fail with [`Abandoned`](crate::error::Abandoned).
///
/// **Cost.** Acquiring an available permit allocates a fired Deferred; [`try_acquire`](Self::try_acquire) allocates
/// nothing. Waiting, serving and cancelling take O(log n) in the number of waiters, in the worst case.
#[derive(Clone)]
pub struct DeferredSemaphore {
    state: Rc<RefCell<Semaphore<Resolver<Permit>>>>,
}

impl DeferredSemaphore {
    /// A semaphore with this many permits: `4.try_into()?`, where the number is known only at run time. One of zero
    /// would be used up for good, so it cannot be made; [`set_limit`](Self::set_limit) may lower the limit to zero
    /// later.
    #[must_use]
    pub fn new(permits: NonZero<usize>) -> Self {
        Self { state: Rc::new(RefCell::new(Semaphore::new(permits.get()))) }
    }

    /// A permit, as soon as there is one: at once, if one is available and nobody waits.
    ///
    /// ```
    /// use selvedge::coordination::DeferredSemaphore;
    /// use std::num::NonZeroUsize;
    ///
    /// let semaphore = DeferredSemaphore::new(NonZeroUsize::MIN);
    /// let held = semaphore.try_acquire().expect("it is new");
    /// let second = semaphore.acquire().add_callback(|_permit| println!("in"));
    /// assert_eq!(semaphore.waiting(), 1);
    /// drop(held); // Prints "in". The callback has dropped its permit, so that one is available again.
    /// assert_eq!(semaphore.tokens(), 1);
    /// # drop(second);
    /// ```
    #[must_use = "dropping the Deferred gives the permit back at once"]
    #[track_caller]
    pub fn acquire(&self) -> Deferred<Permit> {
        self.acquire_many(1)
    }

    /// Several permits, with one guard, as soon as there are as many. It gets all at once, and holds none while it
    /// waits, so two that each want several cannot block each other.
    ///
    /// Asking for more than the [limit](Self::limit) is no error, because the limit may be lower for a while: it waits
    /// until the limit is raised, and so does everybody behind it.
    ///
    /// ```
    /// use selvedge::coordination::DeferredSemaphore;
    /// use std::num::NonZeroUsize;
    ///
    /// let readers = DeferredSemaphore::new(const { NonZeroUsize::new(8).unwrap() });
    /// let reader = readers.try_acquire().expect("it is new");
    /// let writer = readers.acquire_many(8).add_callback(|all| assert_eq!(all.count(), 8));
    /// drop(reader);
    /// assert!(writer.try_result().is_ok());
    /// ```
    #[must_use = "dropping the Deferred gives the permits back at once"]
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Deferred<Permit> {
        if let Some(permit) = self.try_acquire_many(count) {
            return Deferred::succeed(permit);
        }
        let key = self.state.borrow().next_key();
        let semaphore = Rc::downgrade(&self.state);
        let (deferred, resolver) = Deferred::waiter(move || {
            let Some(state) = semaphore.upgrade() else { return };
            let (waiter, released) = state.borrow_mut().cancel_wait(key);
            // Dropped after the borrow. A resolver dropped unfired fails its Deferred, but this one is being cancelled
            // already.
            drop(waiter);
            Self { state }.serve(released);
        });
        self.state.borrow_mut().wait(count, resolver);
        deferred
    }

    /// A permit, if one is available and nobody waits.
    #[must_use = "dropping the permit releases it"]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.try_acquire_many(1)
    }

    /// Several permits with one guard, if as many are available and nobody waits.
    #[must_use = "dropping the permit releases it"]
    pub fn try_acquire_many(&self, count: usize) -> Option<Permit> {
        let acquired = self.state.borrow_mut().try_acquire(count);
        match acquired {
            Acquired::Granted => Some(Permit { semaphore: Some(self.clone()), count }),
            Acquired::MustWait => None,
        }
    }

    /// Acquires a permit, calls a function, waits for the Deferred that it returns if it returns one, and releases the
    /// permit. Only then does the returned Deferred fire, with the function's result.
    ///
    /// Cancelled while it waits for the permit, it leaves the queue, and the function is dropped uncalled; cancelled
    /// later, it forwards the cancel to the Deferred that the function returned. The permit is released however the
    /// function ends, panics included.
    #[track_caller]
    pub fn run<R, F>(&self, f: F) -> Deferred<R::Value>
    where
        F: FnOnce() -> R + 'static,
        R: Outcome<Failure>,
    {
        self.acquire().add_callback(move |permit| maybe_deferred(f).add(Release(permit)))
    }

    /// Releases one permit that was [kept](Permit::keep), whoever kept it.
    ///
    /// # Errors
    /// No permit is kept. A permit with a guard is released only by dropping the guard.
    pub fn release(&self) -> Result<(), OverRelease> {
        let released = self.state.borrow_mut().release_kept();
        self.serve(released.map_err(|_| OverRelease)?);
        Ok(())
    }

    /// How many permits are available: zero while somebody waits.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.state.borrow().available()
    }

    /// Changes the number of permits. If it rises, waiters are served at once, inside this call.
    ///
    /// A lower limit takes no permit away: those that are held stay with their holders, and until enough of them are
    /// released nobody is served. With a limit of zero everybody waits until it is raised again.
    ///
    /// ```
    /// use selvedge::coordination::DeferredSemaphore;
    /// use std::num::NonZeroUsize;
    ///
    /// let connections = DeferredSemaphore::new(NonZeroUsize::MIN);
    /// connections.set_limit(0); // The server is overloaded: nobody begins.
    /// let waits = connections.acquire();
    /// assert_eq!(connections.waiting(), 1);
    /// connections.set_limit(4);
    /// assert!(waits.try_result().is_ok());
    /// ```
    pub fn set_limit(&self, limit: usize) {
        let released = self.state.borrow_mut().set_limit(limit);
        self.serve(released);
    }

    /// How many permits there are. More may be held, if the limit was [lowered](Self::set_limit).
    #[must_use]
    pub fn limit(&self) -> usize {
        self.state.borrow().limit()
    }

    /// How many wait for a permit.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting()
    }

    /// Serves waiters, one after the other. At most one such loop of a semaphore runs at a time: its state machine
    /// starts no second one.
    fn serve(&self, released: Released) {
        if released == Released::Nothing {
            return;
        }
        loop {
            let next = self.state.borrow_mut().next();
            // After the borrow, because the waiter's callbacks may call this semaphore.
            let Some((count, waiter)) = next else { return };
            waiter.callback(Permit { semaphore: Some(self.clone()), count });
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

/// A permit of a [`DeferredSemaphore`] or a [`DeferredLock`](crate::coordination::DeferredLock), or several that were
/// [acquired together](DeferredSemaphore::acquire_many). Dropping it releases them, and serves the first waiter.
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
#[must_use = "dropping the permit releases it"]
pub struct Permit {
    /// `None` once it is kept.
    semaphore: Option<DeferredSemaphore>,
    count: usize,
}

impl Permit {
    /// For how many permits this guard stands.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Releases it, as dropping it does.
    pub fn release(self) {
        drop(self);
    }

    /// Drops the guard but not the permit, which is held until somebody calls [`DeferredSemaphore::release`] or
    /// [`DeferredLock::release`](crate::coordination::DeferredLock::release); several permits are held until it was
    /// called as often.
    pub fn keep(mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.state.borrow_mut().keep(self.count);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            let released = semaphore.state.borrow_mut().release(self.count);
            semaphore.serve(released);
        }
    }
}

/// The callback of [`DeferredSemaphore::run`] that releases its permit. It is none of the program's: an item of a queue
/// passes by, and goes back if nobody receives it.
struct Release(Permit);

impl<T, E: ChainError> Callback<T, E> for Release {
    type Value = T;

    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        drop(self.0);
        Settled::Now(input)
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<T, E> {
        drop(self.0);
        Passed::Unclaimed(item)
    }
}

/// A callback may return a permit.
impl Plain for Permit {}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).field("semaphore", &self.semaphore).finish()
    }
}
