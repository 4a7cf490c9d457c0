//! Shell 2, the reply: one answerer, one blocked caller.

use std::fmt;
use std::time::Duration;

use super::sync::{Arc, Condvar, Hint, Instant, Mutex, Spin};
use crate::machine::reply::{Asked, Reply, Settled};

struct Shared<T> {
    reply: Mutex<Reply<T>>,
    wake: Condvar,
    settled: Hint,
}

impl<T> Shared<T> {
    fn carry_out(&self, settled: Settled) {
        self.settled.set(true);
        if settled == Settled::Wake {
            self.wake.notify_one();
        }
    }
}

/// The half that answers. Dropping it unused tells the caller that there will be no answer.
pub struct Answerer<T>(Arc<Shared<T>>);

/// The half that waits.
pub struct Asker<T>(Arc<Shared<T>>);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// The answerer was dropped.
    Broken,
    /// The time was over first.
    Expired,
}

/// A question: the two halves of it.
#[must_use]
pub fn channel<T>() -> (Answerer<T>, Asker<T>) {
    let shared = Arc::new(Shared { reply: Mutex::new(Reply::Pending), wake: Condvar::new(), settled: Hint::default() });
    (Answerer(Arc::clone(&shared)), Asker(shared))
}

impl<T> Answerer<T> {
    /// Answers, and wakes the caller.
    ///
    /// # Errors
    /// The answer, if the caller has gone: it is dropped on the answerer's thread.
    pub fn answer(self, value: T) -> Result<(), T> {
        let settled = self.0.reply.lock().answer(value)?;
        self.0.carry_out(settled);
        Ok(())
    }

    /// Whether the caller still waits.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.reply.lock().is_wanted()
    }
}

impl<T> Drop for Answerer<T> {
    fn drop(&mut self) {
        let settled = self.0.reply.lock().break_off();
        self.0.carry_out(settled);
    }
}

impl<T> Asker<T> {
    /// Spins for a moment, in the hope of not having to sleep; says whether that came true.
    pub(crate) fn linger(&self, spin: &Spin) -> bool {
        spin.until(&self.0.settled)
    }

    /// Blocks this thread until there is an answer or there can be none.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn wait(self, timeout: Option<Duration>) -> Result<T, NoAnswer> {
        let asked_at = Instant::now();
        let mut reply = self.0.reply.lock();
        loop {
            match reply.ask() {
                Asked::Answer(value) => return Ok(value),
                Asked::Broken => return Err(NoAnswer::Broken),
                Asked::Expired => return Err(NoAnswer::Expired),
                Asked::Sleep => {}
            }
            let left = timeout.map(|timeout| timeout.saturating_sub(asked_at.elapsed()));
            if left == Some(Duration::ZERO) {
                // The one who would be woken is this thread: nothing is owed.
                let _ = reply.expire();
            } else {
                reply = self.0.wake.wait_for(reply, left);
            }
        }
    }

    /// A second hand on the caller's end, with which a model lets the deadline pass.
    #[allow(dead_code, reason = "only models have deadlines that pass at will")]
    #[must_use]
    pub fn deadline(&self) -> Deadline<T> {
        Deadline(Arc::clone(&self.0))
    }
}

/// The passing of a deadline, as an event.
#[allow(dead_code, reason = "only models have deadlines that pass at will")]
pub struct Deadline<T>(Arc<Shared<T>>);

#[allow(dead_code, reason = "only models have deadlines that pass at will")]
impl<T> Deadline<T> {
    /// The time is over now.
    pub fn pass(self) {
        let settled = self.0.reply.lock().expire();
        self.0.carry_out(settled);
    }

    /// Wakes the caller for no reason, as an operating system may.
    pub fn wake_spuriously(&self) {
        self.0.wake.notify_all();
    }
}

impl<T> fmt::Debug for Answerer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answerer").field("wanted", &self.is_wanted()).finish()
    }
}

impl<T> fmt::Debug for Asker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asker")
    }
}

impl<T> fmt::Debug for Deadline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deadline")
    }
}
