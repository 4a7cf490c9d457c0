//! The one-shot channel: one thread sends a value, another blocks until it has come. A shell around
//! `machine::oneshot`.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use super::sync::{Arc, Condvar, Hint, Instant, Mutex, Spin};
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake, Work};

/// What the two halves share.
struct Shared<T, W> {
    channel: Mutex<Oneshot<T, W>>,
    /// The receiver waits here, with `channel`.
    wake: Condvar,
    /// Hint: the outcome is decided, by a value, a disconnection or a timeout.
    settled: Hint,
}

impl<T, W: Copy> Shared<T, W> {
    /// Makes a transition after which the receiver need not wait, unlocks, then wakes the receiver if that is needed.
    fn settle<E>(&self, transition: impl FnOnce(&mut Oneshot<T, W>) -> Result<ReceiverWake, E>) -> Result<(), E> {
        let wake = transition(&mut self.channel.lock())?;
        self.settled.set(true);
        if wake == ReceiverWake::Needed {
            self.wake.notify_one();
        }
        Ok(())
    }
}

/// The half that sends. Dropping it unused tells the receiver that no value will come. `W` names the work that makes
/// the value: see [`start_work`](Self::start_work).
pub struct Sender<T, W: Copy = ()> {
    shared: Arc<Shared<T, W>>,
    /// Whether it has sent: then its drop tells nobody anything, and leaves the lock to the receiver.
    sent: bool,
}

/// The half that blocks.
pub struct Receiver<T, W: Copy = ()>(Arc<Shared<T, W>>);

/// Why no value will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvError<W = ()> {
    /// The sender was dropped.
    Disconnected,
    /// The timeout passed first. The receiver has to cancel this work, if there is any.
    TimedOut(Option<W>),
}

/// A new channel for one value.
#[must_use]
pub fn channel<T, W: Copy>() -> (Sender<T, W>, Receiver<T, W>) {
    let shared =
        Arc::new(Shared { channel: Mutex::new(Oneshot::new()), wake: Condvar::new(), settled: Hint::default() });
    (Sender { shared: Arc::clone(&shared), sent: false }, Receiver(shared))
}

impl<T, W: Copy> Sender<T, W> {
    /// Says what will make the value. From then on a receiver whose timeout passes is told to cancel that. False if it
    /// has passed: then the caller has to cancel it.
    #[must_use]
    pub fn start_work(&self, named: W) -> bool {
        self.shared.channel.lock().start_work(named) == Work::Keep
    }

    /// Sends the value, and wakes the receiver.
    ///
    /// # Errors
    /// The value, if the receiver has given up: it stays with the sender.
    pub fn send(mut self, value: T) -> Result<(), T> {
        self.sent = true;
        self.shared.settle(|channel| channel.send(value))
    }

    /// Whether the receiver still waits for the value.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.shared.channel.lock().is_wanted()
    }
}

impl<T, W: Copy> Drop for Sender<T, W> {
    fn drop(&mut self) {
        if !self.sent {
            let Ok(()) = self.shared.settle(|channel| Ok::<_, Infallible>(channel.disconnect()));
        }
    }
}

impl<T, W: Copy> Receiver<T, W> {
    /// Spins briefly, which may save the sleep; returns whether the outcome is decided.
    pub(crate) fn spin_until_settled(&self, spin: &Spin) -> bool {
        spin.until(&self.0.settled)
    }

    /// Blocks this thread until the value has come or none can come.
    ///
    /// # Errors
    /// Why no value will come.
    pub fn recv(self, timeout: Option<Duration>) -> Result<T, RecvError<W>> {
        let mut channel = self.0.channel.lock();
        let mut started = None;
        loop {
            match channel.receive() {
                Receive::Value(value) => return Ok(value),
                Receive::Disconnected => return Err(RecvError::Disconnected),
                Receive::TimedOut(work) => return Err(RecvError::TimedOut(work)),
                Receive::Wait => {}
            }
            let started = started.get_or_insert_with(Instant::now);
            let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            if left == Some(Duration::ZERO) {
                // The only thread that could be woken is this one.
                let _ = channel.time_out();
            } else {
                channel = self.0.wake.wait_for(channel, left);
            }
        }
    }

    /// A handle with which a model makes the timeout pass: models have no clock.
    #[allow(dead_code, reason = "used by models only")]
    #[must_use]
    pub fn timeout_trigger(&self) -> TimeoutTrigger<T, W> {
        TimeoutTrigger(Arc::clone(&self.0))
    }
}

/// Lets a model decide when the receiver's timeout passes, and when it wakes spuriously.
#[allow(dead_code, reason = "used by models only")]
pub struct TimeoutTrigger<T, W: Copy = ()>(Arc<Shared<T, W>>);

#[allow(dead_code, reason = "used by models only")]
impl<T, W: Copy> TimeoutTrigger<T, W> {
    /// The timeout passes now.
    pub fn fire(self) {
        let Ok(()) = self.0.settle(|channel| Ok::<_, Infallible>(channel.time_out()));
    }

    /// A spurious wake of the receiver.
    pub fn wake_spuriously(&self) {
        self.0.wake.notify_all();
    }
}

impl<T, W: Copy> fmt::Debug for Sender<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("wanted", &self.is_wanted()).finish()
    }
}

impl<T, W: Copy> fmt::Debug for Receiver<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl<T, W: Copy> fmt::Debug for TimeoutTrigger<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimeoutTrigger")
    }
}
