//! The one-shot channel whose receiver is polled: a shell around `machine::oneshot`, with the waker of a task in place
//! of a thread that sleeps.

use std::convert::Infallible;
use std::task::Waker;

use super::super::report::{drop_contained, wake_contained};
use super::super::sync::{Arc, Mutex};
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake};

/// What the two halves share.
struct Shared<T> {
    channel: Oneshot<T, Infallible>,
    /// The waker of the last poll, while the result is awaited.
    waker: Option<Waker>,
}

impl<T> Shared<T> {
    /// Takes the waker if it must be woken, which is done after the lock is released.
    fn take_waker(&mut self, wake: ReceiverWake) -> Option<Waker> {
        match wake {
            ReceiverWake::Needed => self.waker.take(),
            ReceiverWake::NotNeeded => None,
        }
    }
}

/// A new channel for one result.
pub(super) fn channel<T>() -> (ResultSender<T>, ResultReceiver<T>) {
    let shared = Arc::new(Mutex::new(Shared { channel: Oneshot::new(), waker: None }));
    (ResultSender(Arc::clone(&shared)), ResultReceiver(shared))
}

/// The reactor's half. Dropped unused, at the reactor's end, it says that there will be no result.
pub(super) struct ResultSender<T>(Arc<Mutex<Shared<T>>>);

impl<T> ResultSender<T> {
    /// Whether somebody still waits for the result.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.lock().channel.is_wanted()
    }

    /// Sends the result and wakes who awaits it; returns it if nobody does any more.
    pub(super) fn send(self, value: T) -> Result<(), T> {
        let mut shared = self.0.lock();
        let wake = shared.channel.send(value)?;
        let waker = shared.take_waker(wake);
        drop(shared);
        waker.into_iter().for_each(wake_contained);
        Ok(())
    }
}

impl<T> Drop for ResultSender<T> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        let wake = shared.channel.disconnect();
        let waker = shared.take_waker(wake);
        drop(shared);
        waker.into_iter().for_each(wake_contained);
    }
}

/// The half that is polled.
pub(super) struct ResultReceiver<T>(Arc<Mutex<Shared<T>>>);

impl<T> ResultReceiver<T> {
    /// A channel that has sent this, or nothing: then none will come.
    pub(super) fn decided(result: Option<T>) -> Self {
        let channel = result.map_or(Oneshot::Disconnected, Oneshot::Sent);
        Self(Arc::new(Mutex::new(Shared { channel, waker: None })))
    }

    /// Looks for the result. If there is none yet, the waker is woken when it has come.
    pub(super) fn poll(&self, waker: &Waker) -> Receive<T, Infallible> {
        // Outside the lock, because cloning and dropping a waker run the code of its executor.
        let waker = waker.clone();
        let mut shared = self.0.lock();
        let received = shared.channel.receive();
        let unused = match received {
            Receive::Wait => shared.waker.replace(waker),
            Receive::Value(_) | Receive::Disconnected | Receive::TimedOut(_) => shared.waker.take().or(Some(waker)),
        };
        drop(shared);
        drop_contained(unused);
        received
    }

    /// Gives up. Returns the result if it has arrived already.
    pub(super) fn give_up(&self) -> Option<T> {
        let mut shared = self.0.lock();
        let _ = shared.channel.time_out();
        let result = match shared.channel.receive() {
            Receive::Value(result) => Some(result),
            Receive::Wait | Receive::Disconnected | Receive::TimedOut(_) => None,
        };
        let waker = shared.waker.take();
        drop(shared);
        drop_contained(waker);
        result
    }
}
