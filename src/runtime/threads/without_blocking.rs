//! What a thread with a reactor uses in place of a blocking call: Deferreds of another reactor's answer, and of a
//! pool's stop.

use super::super::deferred::{Deferred, Outcome, PendingResolver, Settled, maybe_deferred};
use super::super::pool::ThreadPool;
use super::super::reactor::{Address, Handle, Reactor, SendFuture};
use super::super::report::drop_contained;
use super::super::sync::StdArc;
use crate::error::ReactorStopped;
use crate::failure::Failure;

/// Runs `f` on the thread of another reactor, and returns a Deferred of this one, which fires with the result: what
/// [`blocking_call_from_thread`](super::blocking_call_from_thread) does on a thread that has no reactor.
///
/// `f` is posted like a call of [`Handle::call_from_thread`], and a bounded inbox accepts it even if it is full. The
/// Deferred fails with the error or the [`Panic`](crate::error::Panic) of `f`, or with [`ReactorStopped`] if either
/// reactor ends first. `other` may be this reactor too: then `f` runs in a later turn.
///
/// **Cancel safety.** Cancelling the Deferred keeps an `f` that has not begun from running, and cancels the Deferred
/// that `f` has returned, on the other reactor's thread, in a later turn. A result that comes all the same is dropped;
/// a failure is reported, unless it only says that it was cancelled.
///
/// ```
/// use selvedge::{Reactor, threads};
/// use std::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// let elsewhere = std::thread::spawn(move || {
///     let other = Reactor::new();
///     sender.send(other.handle()).ok();
///     other.run();
/// });
/// let other = receiver.recv()?;
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// threads::defer_to_reactor(&reactor, &other, |_| 6 * 7)
///     .add_callback(|answer| assert_eq!(answer, 42))
///     .add_both(move |result| {
///         other.stop();
///         handle.stop();
///         result
///     });
/// reactor.run();
/// # elsewhere.join().ok();
/// # Ok::<(), mpsc::RecvError>(())
/// ```
#[track_caller]
pub fn defer_to_reactor<R, F>(reactor: &Reactor, other: &Handle, f: F) -> Deferred<R::Value>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    // It is dropped when the Deferred is cancelled or fires: then `f` is not wanted any more, nor its answer awaited.
    let wanted = StdArc::new(reactor.await_answer_of(other));
    let still_wanted = StdArc::downgrade(&wanted);
    let (begun, resolver) = Deferred::with_canceller(move || drop(wanted));
    let asking = AskingReactor { address: Some(reactor.own(PendingResolver::new(resolver)).detach()) };
    drop_contained(other.post_unbounded(move |other| {
        if still_wanted.strong_count() > 0 {
            asking.send(maybe_deferred(|| f(other)).into_send_future(other));
        }
    }));
    let local = reactor.local();
    begun.add_callback(move |answer| local.spawn(answer))
}

/// Where the answer of another reactor goes. If it is dropped without one, that reactor has ended.
struct AskingReactor<T: Send + 'static> {
    address: Option<Address<PendingResolver<SendFuture<T>>>>,
}

impl<T: Send + 'static> AskingReactor<T> {
    fn send(mut self, answer: SendFuture<T>) {
        self.deliver(Ok(answer));
    }

    fn deliver(&mut self, answer: Result<SendFuture<T>, Failure>) {
        let Some(address) = self.address.take() else { return };
        // An error means that the reactor that asked has ended. Dropping the answer cancels what it waits for.
        drop(address.handle().post_unbounded({
            let address = address.clone();
            move |reactor| {
                if let Some(pending) = address.take(reactor) {
                    pending.deliver(Settled::Now(answer));
                }
            }
        }));
    }
}

impl<T: Send + 'static> Drop for AskingReactor<T> {
    fn drop(&mut self) {
        self.deliver(Err(Failure::without_backtrace(ReactorStopped)));
    }
}

impl ThreadPool {
    /// A Deferred of this reactor that fires when the pool has stopped: when every accepted job has run or was refused,
    /// and its threads have ended. It does not ask the pool to stop; [`ask_to_stop`](Self::ask_to_stop) does.
    ///
    /// It is what [`stop`](Self::stop) does on a thread that has no reactor. It fails with [`ReactorStopped`] if the
    /// reactor ends first.
    ///
    /// **Cancel safety.** It only watches: cancelling or dropping it changes nothing for the pool or for others that
    /// wait. What is kept for it, some two hundred bytes, is freed when the pool has stopped.
    ///
    /// ```
    /// use selvedge::{Reactor, ThreadPool, pool::StopPolicy};
    ///
    /// let pool = ThreadPool::new(1, 2)?;
    /// pool.start()?;
    /// pool.call_in_thread(|| println!("the last job"))?;
    /// let reactor = Reactor::new();
    /// let handle = reactor.handle();
    /// pool.ask_to_stop(StopPolicy::Drain);
    /// pool.stopped(&reactor).add_callback(move |()| handle.stop());
    /// reactor.run();
    /// assert!(pool.has_stopped());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "it only returns the Deferred, and does not stop the pool"]
    #[track_caller]
    pub fn stopped(&self, reactor: &Reactor) -> Deferred<()> {
        let (stopped, resolver) = Deferred::new();
        reactor.use_pool(self);
        let address = reactor.own(PendingResolver::new(resolver)).detach();
        self.when_stopped(reactor.has_host(), move |last| {
            // An error means that the reactor has ended, and with that the Deferred has failed.
            drop(address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    last.join();
                    if let Some(pending) = address.take(reactor) {
                        pending.deliver(Settled::Now(Ok(())));
                    }
                }
            }));
        });
        stopped
    }
}
