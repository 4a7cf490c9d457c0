//! Pausing a Deferred that somebody else holds.

use std::fmt;
use std::rc::Rc;

use super::chain::{self, Chain};
use crate::failure::NotPaused;
use crate::machine::deferred::Chain as State;

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
/// # Ok::<(), selvedge::NotPaused>(())
/// ```
#[derive(Clone)]
pub struct PauseHandle {
    chain: Rc<dyn Chain>,
}

impl PauseHandle {
    pub(super) fn new(chain: &Rc<dyn Chain>) -> Self {
        chain.core().step(State::share);
        Self { chain: Rc::clone(chain) }
    }

    /// As [`Deferred::pause`](crate::Deferred::pause).
    pub fn pause(&self) {
        self.chain.core().step(State::pause);
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
