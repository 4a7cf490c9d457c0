//! A Deferred whose result several can wait for.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::super::report::{Incident, drop_contained, report_unhandled};
use super::cancel_handle::CancelHandle;
use super::deferred::Deferred;
use super::effect_queue::{Effect, Tell, run_or_enqueue};
use super::resolver::Resolver;
use crate::failure::{Failure, SharedFailure};
use crate::machine::wait_queue::WaitQueue;

/// What everybody is given: the value, or the failure.
type SharedResult<T> = Result<Rc<T>, SharedFailure>;

/// A Deferred whose result several can wait for, each when it likes: made by [`Deferred::shared`].
///
/// ```
/// use selvedge::Deferred;
///
/// let (page, resolver) = Deferred::<String>::new();
/// let page = page.shared();
/// let length = page.get().add_callback(|page| page.len());
/// let upper = page.get().add_callback(|page| page.to_uppercase());
/// resolver.callback("home".to_owned());
/// assert!(length.try_result().is_ok_and(|length| length.is_ok_and(|length| length == 4)));
/// assert!(upper.try_result().is_ok_and(|upper| upper.is_ok_and(|upper| upper == "HOME")));
/// assert!(page.get().try_result().is_ok()); // Whoever asks later gets it at once.
/// ```
///
/// **Where and when.** All of it lives on one thread. Waiters are given the result in the order in which they asked,
/// inside the call that fires the original. Inside callbacks that run because something was dropped, or because
/// another shared Deferred has its result, they are served after those, so that chains of any length take no stack.
/// Whoever asks when there is a result gets it at once.
///
/// **Errors.** Each is given a [`SharedFailure`], whose source is the original error. If nobody has asked before the
/// last handle is dropped, the error is reported as unhandled.
///
/// **Cancel safety.** Cancelling what [`get`](Self::get) returns, dropping its future, or dropping it before a callback
/// was added, withdraws that one only. [`cancel`](Self::cancel) cancels the original. Dropping all handles cancels
/// nothing: waiters still get the result. An item of a [queue](crate::coordination::DeferredQueue) counts as received
/// when it comes here, and does not go back.
///
/// **Waiting for itself.** A chain that waits, through a shared Deferred, for its own result is not detected: it never
/// has one, unless it is cancelled or has a [time limit](Deferred::add_timeout). Other chains that would wait for
/// themselves fail with [`WaitsForItself`](crate::error::WaitsForItself): their results are wanted in one place each,
/// so waits form trees, and it is enough to compare roots. A list waits for several Deferreds and several wait for a
/// shared one, so with both waits form any directed graph. No known algorithm says at a logarithmic cost, not even on
/// average, whether a new edge closes a cycle in one.
///
/// **Cost.** Four allocations when it is made, an `Rc` for the value, and for each waiter three small allocations and
/// O(log n) in their number.
pub struct SharedDeferred<T: 'static> {
    shared: Rc<Shared<T>>,
    original: CancelHandle,
}

struct Shared<T: 'static> {
    state: RefCell<State<T>>,
    made_at: &'static Location<'static>,
}

enum State<T: 'static> {
    Waiting(WaitQueue<Resolver<Rc<T>>>),
    /// There is a result, and the waiters that are left are being served.
    Done {
        result: SharedResult<T>,
        waiters: WaitQueue<Resolver<Rc<T>>>,
        /// Somebody was given the result.
        given: bool,
    },
}

impl<T: 'static> State<T> {
    fn waiters(&mut self) -> &mut WaitQueue<Resolver<Rc<T>>> {
        match self {
            Self::Waiting(waiters) | Self::Done { waiters, .. } => waiters,
        }
    }

    /// The result, for one more waiter. `None` if there is none yet.
    fn give(&mut self) -> Option<SharedResult<T>> {
        match self {
            Self::Waiting(_) => None,
            Self::Done { result, given, .. } => {
                *given = true;
                Some(result.clone())
            }
        }
    }

    /// The next waiter, with the result.
    fn next(&mut self) -> Option<(Resolver<Rc<T>>, SharedResult<T>)> {
        let waiter = self.waiters().pop()?;
        self.give().map(|result| (waiter, result))
    }
}

impl<T: 'static> Deferred<T> {
    /// Makes this a result that several can wait for.
    pub fn shared(self) -> SharedDeferred<T> {
        let made_at = self.made_at();
        let shared = Rc::new(Shared { state: RefCell::new(State::Waiting(WaitQueue::new())), made_at });
        let (original, handle) = self.with_cancel_handle();
        let target = Rc::clone(&shared);
        drop(original.add_both(move |result| target.fire(result.map(Rc::new).map_err(SharedFailure::new))));
        SharedDeferred { shared, original: handle }
    }
}

impl<T: 'static> Shared<T> {
    /// The original has its result, which every waiter is given.
    fn fire(self: &Rc<Self>, result: SharedResult<T>) {
        self.state.replace_with(|state| State::Done {
            result,
            waiters: std::mem::replace(state.waiters(), WaitQueue::new()),
            given: false,
        });
        run_or_enqueue(Effect::Tell(Rc::clone(self) as _));
    }
}

impl<T: 'static> Tell for Shared<T> {
    fn tell(self: Rc<Self>) {
        loop {
            let next = self.state.borrow_mut().next();
            // After the borrow, because the waiter's callbacks may use this.
            let Some((waiter, result)) = next else { return };
            waiter.resolve(result.map_err(Failure::without_backtrace));
        }
    }
}

impl<T: 'static> SharedDeferred<T> {
    /// The result, for one more: the value behind an `Rc`, or a failure that is a [`SharedFailure`].
    #[track_caller]
    #[must_use]
    pub fn get(&self) -> Deferred<Rc<T>> {
        let given = self.shared.state.borrow_mut().give();
        if let Some(result) = given {
            return Deferred::from(result.map_err(Failure::without_backtrace));
        }
        let key = self.shared.state.borrow_mut().waiters().next_key();
        let shared = Rc::downgrade(&self.shared);
        let (deferred, resolver) = Deferred::waiter(move || {
            let waiter = shared.upgrade().and_then(|shared| shared.state.borrow_mut().waiters().remove(key));
            // Dropped after the borrow; its Deferred is being cancelled already.
            drop(waiter);
        });
        self.shared.state.borrow_mut().waiters().push(resolver);
        deferred
    }

    /// Cancels the original, for everybody: see [`Deferred::cancel`].
    pub fn cancel(&self) {
        self.original.cancel();
    }

    /// Whether there is a result, so that [`get`](Self::get) returns it at once.
    #[must_use]
    pub fn has_result(&self) -> bool {
        matches!(*self.shared.state.borrow(), State::Done { .. })
    }
}

impl<T: 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        let state = self.state.replace(State::Waiting(WaitQueue::new()));
        if let State::Done { result: Err(failure), given: false, .. } = &state {
            report_unhandled(Incident::Unhandled, failure.error(), Some(self.made_at));
        }
        drop_contained(state);
    }
}

impl<T: 'static> Clone for SharedDeferred<T> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared), original: self.original.clone() }
    }
}

impl<T: 'static> fmt::Debug for SharedDeferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedDeferred").field("has_result", &self.has_result()).finish_non_exhaustive()
    }
}
