//! Pausing: a Deferred that one holds, and one that somebody else does.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use super::Deferred;
use super::chain::{self, Chain};
use crate::error::NotPaused;
use crate::failure::Failure;
use crate::machine::deferred::ChainState;

impl<T: 'static, E: Error + From<Failure> + 'static> Deferred<T, E> {
    /// Lets no result go on from here until [`unpause`](Self::unpause): not to the next callback, not to a chain that waits for this Deferred.
    ///
    /// Pauses are counted, and are apart from a chain's own waits for the Deferreds that its callbacks return. A paused Deferred may be fired, cancelled and
    /// added to: what comes of it is kept. Paused from inside a callback, by a [`pause_handle`](Self::pause_handle), it stops before the next one.
    ///
    /// A pause lasts as long as somebody is there who could end it. When this Deferred and all its handles have been dropped, it ends, and what was held
    /// goes on: nothing hangs for good, and no failure is lost.
    ///
    /// Costs no memory, and an allocation if there comes to be something to hold.
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
        self.chain.core().step(ChainState::pause);
    }

    /// Ends one pause. If it was the last, what was held goes on: callbacks run in here, before this returns; from inside a callback of the same chain,
    /// when that has returned.
    ///
    /// # Errors
    /// It is not paused: nothing has changed.
    pub fn unpause(&self) -> Result<(), NotPaused> {
        chain::unpause(&self.chain)
    }

    /// Whether it is paused. That it waits for another Deferred is no pause.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.chain.core().is_paused()
    }

    /// What pauses this Deferred when it is no longer here: given away, or from inside its own callbacks.
    #[must_use]
    pub fn pause_handle(&self) -> PauseHandle {
        PauseHandle::new(&self.chain)
    }
}

/// Pauses a Deferred that was given away, or from inside its own callbacks: what [`Deferred::pause_handle`](crate::Deferred::pause_handle) returns.
///
/// It stays valid when the Deferred is returned from a callback, chained, awaited or dropped. Clones are handles on the same Deferred, and there is one
/// count of its pauses, whoever made them. While a handle is there, a pause can be ended, and so it lasts; with the last handle and the Deferred
/// itself, it ends.
///
/// ```
/// use selvedge::Deferred;
///
/// let (page, resolver) = Deferred::new();
/// let brake = page.pause_handle();
/// let inside = brake.clone();
/// let length = page
///     .add_callback(move |text: String| {
///         inside.pause(); // The next callback waits.
///         text
///     })
///     .add_callback(|text| text.len());
/// resolver.callback("home".to_owned());
/// let length = length.try_result().unwrap_err();
/// brake.unpause()?;
/// assert!(length.try_result().is_ok_and(|length| length.is_ok_and(|length| length == 4)));
/// # Ok::<(), selvedge::error::NotPaused>(())
/// ```
#[derive(Clone)]
pub struct PauseHandle {
    chain: Rc<dyn Chain>,
}

impl PauseHandle {
    pub(super) fn new(chain: &Rc<dyn Chain>) -> Self {
        chain.core().step(ChainState::share);
        Self { chain: Rc::clone(chain) }
    }

    /// As [`Deferred::pause`](crate::Deferred::pause).
    pub fn pause(&self) {
        self.chain.core().step(ChainState::pause);
    }

    /// As [`Deferred::unpause`](crate::Deferred::unpause).
    ///
    /// # Errors
    /// It is not paused: nothing has changed.
    pub fn unpause(&self) -> Result<(), NotPaused> {
        chain::unpause(&self.chain)
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.chain.core().is_paused()
    }
}

impl fmt::Debug for PauseHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.chain.core().state();
        f.debug_struct("PauseHandle").field("stage", &state.stage()).field("pauses", &state.pauses()).finish()
    }
}
