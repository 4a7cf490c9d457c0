//! The Deferred itself: the handle to the last node of a chain.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::node::{Chain, Output};
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::ChainState;

/// A result that is not there yet: a value `T`, or an error `E`.
///
/// Callbacks are added to it. They run in the order in which they were added, each with the result of the one before:
///
/// ```text
///               add_callback     add_callback      add_errback      add_both
///   value  ────────▶ ● ────────────────────────────────▷ ─────────────▶ ● ───▶
///                     ╲ Err or panic                    ╱ a value
///   error  ──────────── ▷ ──────────────▷ ────────────▶ ●
/// ```
///
/// After a callback (`●`) that returns a value the chain continues on the upper side, after one that returns an error
/// or panics on the lower side. Where a side has no function, the result passes by (`▷`). A callback may return another
/// Deferred ([`Outcome`](super::Outcome)): the chain waits for it and continues with its result. `add_callback`
/// consumes a `Deferred<T>` and returns a `Deferred<U>`, so the next callback is given a `U`.
///
/// ```
/// use selvedge::Deferred;
///
/// let (page, resolver) = Deferred::new();
/// page.add_callback(|text: String| text.trim().parse::<u32>())
///     .add_errback(|failure| {
///         assert!(failure.is::<std::num::ParseIntError>());
///         0
///     })
///     .add_callback(|number| println!("{number}"));
/// resolver.callback("forty-two".to_owned());
/// ```
///
/// **Where and when.** Everything happens on the thread that owns the Deferred (it is `!Send`). Callbacks run inside
/// the call that fires it, for example [`Resolver::callback`](super::Resolver::callback), before that returns. A
/// callback that is added to a Deferred that has its result runs at once, before `add_callback` returns; one that is
/// added from inside a running callback of the same chain runs after that has returned. A callback that needs the
/// reactor captures [`Reactor::local`](crate::Reactor::local), which keeps nothing alive.
///
/// **Waiting.** In a task ([`Reactor::spawn`](crate::Reactor::spawn)), or on any executor of this thread,
/// `deferred.await` is its result ([`DeferredFuture`](super::DeferredFuture)); for other threads there is
/// [`into_send_future`](Self::into_send_future). A Deferred can be given a time limit
/// ([`add_timeout`](Self::add_timeout)), paused ([`pause`](Self::pause)) and cancelled ([`cancel`](Self::cancel)).
///
/// **Errors.** `E` is [`Failure`], unless a program wants its own ([`ChainError`](crate::deferred::ChainError)). An
/// error that is at the end of its chain when nobody can add a callback any more was handled by nobody. It is reported
/// exactly once, when the Deferred and its [`Resolver`](super::Resolver) are both gone, to the
/// [sink](crate::reactor::ReactorBuilder::on_report) of this thread's reactor, with the place where the Deferred was
/// made. Returning the Deferred from a callback hands its error on; [`log_error`](Self::log_error) handles it.
///
/// **Cost.** One allocation for the Deferred, of 104 bytes, and one for each callback, of 80 bytes, where pointers have
/// 64 bits, values are no larger than one, and nothing is captured. None for firing, cancelling or awaiting, and none
/// for a callback that is added when the one before it has its result, if the type stays the same: its own result is
/// stored in the same place. No atomic reference counts, no lock. A chain of a million callbacks, or of a million
/// Deferreds that each wait for the next, needs no more stack than one of two. A loop that is written as a callback
/// that returns the Deferred of its next round needs no more memory however long it runs, unless rounds have [pause
/// handles](Self::pause_handle). What has fired and was handled is freed at once, each link as soon as its callback has
/// run.
///
/// **Cancel safety.** Dropping a `Deferred` cancels nothing: what was added still runs. A dropped future of it does
/// cancel, and so does a [`CancelOnDrop`](super::CancelOnDrop). What is cancelled gives back what it had waited for: an
/// item goes to its queue, a permit to its semaphore.
pub struct Deferred<T, E = Failure> {
    /// The last link, or the head.
    pub(crate) tail: Rc<dyn Output<T, E>>,
    pub(crate) chain: Rc<dyn Chain>,
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Takes the result, if it is there and not paused.
    ///
    /// # Errors
    /// The Deferred itself, if there is no result yet, or it is paused.
    pub fn try_result(self) -> Result<Result<T, E>, Self> {
        if self.chain.core().is_paused() {
            return Err(self);
        }
        match self.tail.cell().take() {
            Some(stored) => {
                self.chain.core().transition(ChainState::take);
                Ok(stored.into_result())
            }
            None => Err(self),
        }
    }

    /// Whether it has its result, and is not paused: [`try_result`](Self::try_result) would return it. `false` while a
    /// callback runs or the chain waits for another Deferred.
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (answer, resolver) = Deferred::new();
    /// assert!(!answer.has_result());
    /// resolver.callback(42);
    /// assert!(answer.has_result());
    /// ```
    #[must_use]
    #[doc(alias = "called")]
    pub fn has_result(&self) -> bool {
        !self.chain.core().is_paused() && self.tail.cell().is_stored()
    }

    /// Where the Deferred was made, which a report of it says.
    pub(crate) fn made_at(&self) -> &'static Location<'static> {
        self.chain.core().made_at()
    }

    pub(super) fn into_parts(self) -> (Rc<dyn Output<T, E>>, Rc<dyn Chain>) {
        (self.tail, self.chain)
    }
}

impl<T, E> fmt::Debug for Deferred<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.chain.core().state();
        let mut shown = f.debug_tuple("Deferred");
        shown.field(&state.stage());
        if state.is_paused() {
            shown.field(&format_args!("paused: {}", state.pauses()));
        }
        shown.finish()
    }
}
