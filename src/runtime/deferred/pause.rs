//! Pausing a Deferred: its methods, and a handle for one that was given away.

use std::fmt;
use std::rc::Rc;

use super::deferred::Deferred;
use super::node::{Chain, HeadKind};
use crate::error::NotPaused;
use crate::failure::ChainError;
use crate::machine::deferred::{ChainState, Unpause};

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Holds the result where it is until [`unpause`](Self::unpause): it goes neither to the next callback nor to a
    /// chain that waits for this Deferred.
    ///
    /// Pauses are counted. They are independent of a chain's waits for the Deferreds that its callbacks return. A
    /// paused Deferred may be fired, cancelled and added to; the result is held. A Deferred that is paused from inside
    /// one of its callbacks, by a [`pause_handle`](Self::pause_handle), stops before the next one.
    ///
    /// A pause lasts as long as somebody could end it. When this Deferred and all its handles have been dropped, it
    /// ends, and the result that was held goes on: nothing hangs for ever, and no failure is lost.
    ///
    /// Costs one allocation if there is a result to hold, and none otherwise.
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (number, resolver) = Deferred::new();
    /// number.pause();
    /// resolver.callback(20);
    /// let number = number.add_callback(|n: u32| n + 1);
    /// let number = number.try_result().unwrap_err(); // Not yet.
    /// number.unpause()?; // The callback runs in here.
    /// assert!(number.try_result().is_ok_and(|n| n.is_ok_and(|n| n == 21)));
    /// # Ok::<(), selvedge::error::NotPaused>(())
    /// ```
    pub fn pause(&self) {
        self.chain.core().transition(ChainState::pause);
    }

    /// Ends one pause. If it was the last, a result that was held goes on: callbacks run before this returns; if this
    /// is called from inside a callback of the same chain, after that has returned.
    ///
    /// # Errors
    /// It is not paused. Nothing has changed.
    pub fn unpause(&self) -> Result<(), NotPaused> {
        unpause(&self.chain)
    }

    /// Whether it is paused. Waiting for another Deferred is no pause.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.chain.core().is_paused()
    }

    /// A handle that pauses this Deferred after it was given away, or from inside its own callbacks.
    #[must_use]
    pub fn pause_handle(&self) -> PauseHandle {
        PauseHandle::new(&self.chain)
    }
}

/// Pauses a Deferred after it was given away, or from inside its own callbacks; made by
/// [`Deferred::pause_handle`](crate::Deferred::pause_handle).
///
/// It stays valid when the Deferred is returned from a callback, chained, awaited or dropped. Clones are handles to the
/// same Deferred, which has one count of pauses, whoever made them. A pause lasts while there is a handle that could
/// end it; when the last handle and the Deferred itself are dropped, it ends. A callback that waits in the paused chain
/// and has captured the last handle of that chain is such a holder too: it never runs, and the chain is never freed.
///
/// ```
/// use selvedge::Deferred;
///
/// let (page, resolver) = Deferred::new();
/// let handle = page.pause_handle();
/// let inside = handle.clone();
/// let length = page
///     .add_callback(move |text: String| {
///         inside.pause(); // The next callback waits.
///         text
///     })
///     .add_callback(|text| text.len());
/// resolver.callback("home".to_owned());
/// let length = length.try_result().unwrap_err();
/// handle.unpause()?;
/// assert!(length.try_result().is_ok_and(|length| length.is_ok_and(|length| length == 4)));
/// # Ok::<(), selvedge::error::NotPaused>(())
/// ```
#[derive(Clone)]
pub struct PauseHandle {
    chain: Rc<dyn Chain>,
}

impl PauseHandle {
    pub(super) fn new(chain: &Rc<dyn Chain>) -> Self {
        chain.core().transition(ChainState::share);
        Self { chain: Rc::clone(chain) }
    }

    /// As [`Deferred::pause`](crate::Deferred::pause).
    pub fn pause(&self) {
        self.chain.core().transition(ChainState::pause);
    }

    /// As [`Deferred::unpause`](crate::Deferred::unpause).
    ///
    /// # Errors
    /// It is not paused. Nothing has changed.
    pub fn unpause(&self) -> Result<(), NotPaused> {
        unpause(&self.chain)
    }

    /// As [`Deferred::is_paused`](crate::Deferred::is_paused).
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.chain.core().is_paused()
    }
}

/// Ends one pause of a chain. If it was the last, what was held runs before this returns.
fn unpause(chain: &Rc<dyn Chain>) -> Result<(), NotPaused> {
    match chain.core().transition(ChainState::unpause) {
        Unpause::NotPaused => return Err(NotPaused),
        Unpause::Nothing => {}
        Unpause::Release => {
            if let Some(release) = chain.core().handler.take() {
                release(Rc::clone(chain), HeadKind::Own);
            }
        }
    }
    Ok(())
}

impl fmt::Debug for PauseHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.chain.core().state();
        f.debug_struct("PauseHandle").field("stage", &state.stage()).field("pauses", &state.pauses()).finish()
    }
}
