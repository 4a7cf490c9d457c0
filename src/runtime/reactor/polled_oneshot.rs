//! The one-shot channel whose receiver is polled: a shell around `machine::oneshot`, with the waker of a task in place
//! of a thread that sleeps.

use std::convert::Infallible;
use std::task::Waker;

use super::super::report::{drop_contained, wake_contained};
use super::super::sync::{Arc, Mutex};
use super::Handle;
use super::virtual_time::AwaitedAnswer;
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake};

/// What the two halves share.
struct Shared<T> {
    channel: Oneshot<T, Infallible>,
    /// The waker of the last poll, while the result is awaited.
    waker: Option<Waker>,
    /// Holds the virtual time of the reactor that polled last, as long as the waker is there.
    awaited: Option<AwaitedAnswer>,
}

/// Who is told of the result, after the lock is released.
struct Told {
    waker: Option<Waker>,
    awaited: Option<AwaitedAnswer>,
}

impl Told {
    fn tell(self) {
        self.waker.into_iter().for_each(wake_contained);
        // Its time stands still until the wake is there.
        drop(self.awaited);
    }
}

impl<T> Shared<T> {
    fn new(channel: Oneshot<T, Infallible>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { channel, waker: None, awaited: None }))
    }

    /// Takes out who is to be told.
    fn take_told(&mut self, wake: ReceiverWake) -> Told {
        match wake {
            ReceiverWake::Needed => Told { waker: self.waker.take(), awaited: self.awaited.take() },
            ReceiverWake::NotNeeded => Told { waker: None, awaited: None },
        }
    }
}

/// A new channel for one result.
pub(super) fn channel<T>() -> (ResultSender<T>, ResultReceiver<T>) {
    let shared = Shared::new(Oneshot::new());
    (ResultSender { shared: Arc::clone(&shared), sent: false }, ResultReceiver(shared))
}

/// The reactor's half. Dropped unused, at the reactor's end, it says that there will be no result.
pub(super) struct ResultSender<T> {
    shared: Arc<Mutex<Shared<T>>>,
    /// Whether it has sent: then its drop says nothing.
    sent: bool,
}

impl<T> ResultSender<T> {
    /// Whether somebody still waits for the result.
    pub(super) fn is_wanted(&self) -> bool {
        self.shared.lock().channel.is_wanted()
    }

    /// Sends the result and wakes who awaits it; returns it if nobody does any more.
    pub(super) fn send(mut self, value: T) -> Result<(), T> {
        self.sent = true;
        let mut shared = self.shared.lock();
        let wake = shared.channel.send(value)?;
        let told = shared.take_told(wake);
        drop(shared);
        told.tell();
        Ok(())
    }
}

impl<T> Drop for ResultSender<T> {
    fn drop(&mut self) {
        if self.sent {
            return;
        }
        let mut shared = self.shared.lock();
        let wake = shared.channel.disconnect();
        let told = shared.take_told(wake);
        drop(shared);
        told.tell();
    }
}

/// The half that is polled.
pub(super) struct ResultReceiver<T>(Arc<Mutex<Shared<T>>>);

impl<T> ResultReceiver<T> {
    /// A channel that has sent this, or nothing: then none will come.
    pub(super) fn decided(result: Option<T>) -> Self {
        Self(Shared::new(result.map_or(Oneshot::Disconnected, Oneshot::Sent)))
    }

    /// Looks for the result of a reactor. If there is none yet, the waker is woken when it has come; if this is a turn
    /// of another reactor, its virtual time stands still until then.
    pub(super) fn poll(&self, waker: &Waker, of: &Handle) -> Receive<T, Infallible> {
        // Outside the lock, because cloning and dropping a waker run the code of its executor.
        let waker = waker.clone();
        let mut shared = self.0.lock();
        let received = shared.channel.receive();
        // Who polls may be another reactor than last time, or none.
        let awaited_before = shared.awaited.take();
        let unused = match received {
            Receive::Wait => shared.waker.replace(waker),
            Receive::Value(_) | Receive::Disconnected | Receive::TimedOut(_) => shared.waker.take().or(Some(waker)),
        };
        drop(shared);
        drop_contained(unused);
        if matches!(received, Receive::Wait) {
            self.hold_time(of);
        }
        drop(awaited_before);
        received
    }

    fn hold_time(&self, of: &Handle) {
        let Some(awaited) = AwaitedAnswer::of(of) else { return };
        let mut shared = self.0.lock();
        // The result may have come meanwhile.
        let unused = if shared.waker.is_some() { shared.awaited.replace(awaited) } else { Some(awaited) };
        drop(shared);
        drop(unused);
    }

    /// Gives up. Returns the result if it has arrived already.
    pub(super) fn give_up(&self) -> Option<T> {
        let mut shared = self.0.lock();
        let _ = shared.channel.time_out();
        let result = match shared.channel.receive() {
            Receive::Value(result) => Some(result),
            Receive::Wait | Receive::Disconnected | Receive::TimedOut(_) => None,
        };
        let (waker, awaited) = (shared.waker.take(), shared.awaited.take());
        drop(shared);
        drop_contained(waker);
        drop(awaited);
        result
    }
}
