//! `Answers`: what a function that a test replaces returns, call after call.

use std::collections::VecDeque;
use std::fmt;

use super::super::sync::{Mutex, StdArc};

/// What a test lets a service answer: one after the other, to whoever asks, on any thread. A clone is the same service.
///
/// ```
/// use selvedge::testing::{Answers, TestReactor};
/// use std::io::{Error, ErrorKind};
///
/// let reactor = TestReactor::new();
/// let service = Answers::new([Err(Error::from(ErrorKind::TimedOut)), Ok(42)]);
/// let (local, asked) = (reactor.local(), service.clone());
/// let answer = reactor.block_on(async move {
///     let (first, second) = (asked.clone(), asked);
///     let failed = local.defer_to_thread(move || first.next()).await;
///     assert!(failed.is_err());
///     local.defer_to_thread(move || second.next()).await
/// });
/// assert_eq!(answer?, 42);
/// assert_eq!(service.calls(), 2);
/// # Ok::<(), selvedge::Failure>(())
/// ```
pub struct Answers<T>(StdArc<Mutex<State<T>>>);

struct State<T> {
    left: VecDeque<T>,
    calls: usize,
}

impl<T> Answers<T> {
    /// These, in this order.
    #[must_use]
    pub fn new(answers: impl IntoIterator<Item = T>) -> Self {
        Self(StdArc::new(Mutex::new(State { left: answers.into_iter().collect(), calls: 0 })))
    }

    /// The next answer.
    ///
    /// # Panics
    /// There is none left: the service was asked more often than the test expects.
    #[track_caller]
    #[allow(clippy::panic, reason = "it fails a test")]
    #[allow(clippy::should_implement_trait, reason = "it is called by several, with a shared reference")]
    #[must_use]
    pub fn next(&self) -> T {
        let (answer, calls) = {
            let mut state = self.0.lock();
            state.calls += 1;
            (state.left.pop_front(), state.calls)
        };
        // A `match`, because `track_caller` does not reach into a closure.
        match answer {
            Some(answer) => answer,
            None => panic!("call {calls} of {} answers", calls - 1),
        }
    }

    /// How often it was asked, a call without an answer included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.lock().calls
    }
}

impl<T> Clone for Answers<T> {
    fn clone(&self) -> Self {
        Self(StdArc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Answers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, calls) = {
            let state = self.0.lock();
            (state.left.len(), state.calls)
        };
        f.debug_struct("Answers").field("left", &left).field("calls", &calls).finish()
    }
}
