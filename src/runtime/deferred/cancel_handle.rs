//! A handle that cancels a Deferred after it was given away.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::cancel::cancel_from;
use super::deferred::Deferred;
use super::link::{Callback, Passed};
use super::node::{Chain, Node};
use super::outcome::Settled;
use super::unclaimed::Unclaimed;
use crate::failure::ChainError;

/// The part of a chain before one of its links. Weak, so that a handle keeps nothing alive.
#[derive(Default)]
struct Target {
    /// A result has reached the link: there is nothing to cancel any more, and the others are `None`.
    arrived: Cell<bool>,
    chain: Cell<Option<Weak<dyn Chain>>>,
    link: Cell<Option<Weak<dyn Node>>>,
}

impl Target {
    fn set(&self, chain: &Rc<dyn Chain>, link: Weak<dyn Node>) {
        self.chain.set(Some(Rc::downgrade(chain)));
        self.link.set(Some(link));
    }

    fn arrive(&self) {
        self.arrived.set(true);
        drop((self.chain.take(), self.link.take()));
    }

    /// Both, if they still exist. They stay where they are.
    fn get(&self) -> Option<(Rc<dyn Node>, Rc<dyn Chain>)> {
        let (chain, link) = (self.chain.take()?, self.link.take()?);
        let found = link.upgrade().zip(chain.upgrade());
        self.chain.set(Some(chain));
        self.link.set(Some(link));
        found
    }
}

/// The link that the result has to reach: it passes it on.
struct Reached(Rc<Target>);

impl<T, E> Callback<T, E> for Reached {
    type Value = T;

    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        self.0.arrive();
        Settled::Now(input)
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<T, E> {
        self.0.arrive();
        Passed::Unclaimed(item)
    }

    fn replace_head(&self, chain: &Rc<dyn Chain>) {
        self.0.chain.set(Some(Rc::downgrade(chain)));
    }
}

/// Cancels a Deferred after it was given away: to a [list](super::DeferredList), as the return value of a callback, to
/// a task that awaits it. Made by [`Deferred::with_cancel_handle`].
///
/// Clones are handles to the same Deferred. It keeps nothing alive; where the Deferred is gone, it does nothing. Like
/// the Deferred it stays on its thread: another thread posts the cancel.
///
/// Canceller and callbacks run inside [`cancel`](Self::cancel). Where these use what the caller has borrowed, a
/// `RefCell` or an owned value, take the handle out first and cancel when the borrow has ended:
///
/// ```
/// use selvedge::{Deferred, deferred::CancelHandle};
/// use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
///
/// let open = Rc::new(RefCell::new(BTreeMap::<u32, CancelHandle>::new()));
/// let (answer, _resolver) = Deferred::<u32>::new();
/// let (answer, handle) = answer.with_cancel_handle();
/// open.borrow_mut().insert(7, handle);
/// let requests = Rc::clone(&open);
/// answer.add_both(move |_| drop(requests.borrow_mut().remove(&7)));
///
/// let handle = open.borrow_mut().remove(&7); // The borrow ends with this statement.
/// if let Some(handle) = handle {
///     handle.cancel();
/// }
/// # assert!(open.borrow().is_empty());
/// ```
///
/// Or leave it to a later call, with `reactor.call_later(Duration::ZERO, move |_| handle.cancel())`: what cannot let go
/// of its borrow, as a function that is given `&mut` access to an owned value, cancels in this way.
///
/// ```
/// use selvedge::Deferred;
/// use selvedge::deferred::DeferredList;
/// use selvedge::error::Cancelled;
///
/// let (slow, _resolver) = Deferred::<u32>::new();
/// let (slow, handle) = slow.with_cancel_handle();
/// let both = DeferredList::new([slow, Deferred::succeed(2)]).all();
/// handle.cancel(); // This member alone.
/// let both = both.try_result().expect("all have a result")?;
/// assert!(both[0].as_ref().is_err_and(|failure| failure.is::<Cancelled>()));
/// # Ok::<(), selvedge::Failure>(())
/// ```
#[derive(Clone)]
pub struct CancelHandle {
    target: Rc<Target>,
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// The Deferred, and a handle that [cancels](Self::cancel) it later, wherever it was given.
    ///
    /// The handle is for what was added before: when a result has reached this place in the chain, it does nothing any
    /// more. Costs a callback, and one more allocation.
    #[must_use = "both halves are meant to be used"]
    #[doc(alias = "cancel_handle")]
    pub fn with_cancel_handle(self) -> (Self, CancelHandle) {
        let target = Rc::new(Target::default());
        let deferred = self.add(Reached(Rc::clone(&target)));
        if !target.arrived.get() {
            target.set(&deferred.chain, Rc::downgrade(&deferred.tail) as Weak<dyn Node>);
        }
        (deferred, CancelHandle { target })
    }
}

impl CancelHandle {
    /// As [`Deferred::cancel`](crate::Deferred::cancel), of what was before the place where the handle was made. What
    /// the canceller and the callbacks borrow must not be borrowed here: see [`CancelHandle`].
    pub fn cancel(&self) {
        if let Some((link, chain)) = self.target.get() {
            cancel_from(link, &chain);
        }
    }

    /// Whether a cancel would still reach something: the Deferred exists, and no result has reached the place where the
    /// handle was made.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.target.get().is_some()
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("pending", &self.is_pending()).finish()
    }
}
