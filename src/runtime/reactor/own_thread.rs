//! A reactor on a thread of its own: started with one call, and joined by whoever holds it.

use std::fmt;

use super::super::oneshot::{Receiver, Sender, channel};
use super::super::pool::{Blocked, ThreadPool};
use super::super::reactor_thread::is_reactor_thread;
use super::super::report::{Contained, drop_contained};
use super::super::sync::{Arc, JoinHandle, Mutex, ThreadId, catch, current_thread, spawn};
use super::{Handle, Reactor, ReactorBuilder, Shutdown};
use crate::error::{JoinError, SpawnError};

/// A reactor that runs on a thread of its own: what [`ReactorBuilder::spawn`] returns.
///
/// Dropping it neither stops the reactor nor waits for it: then nobody joins the thread.
#[must_use = "whoever drops it cannot wait for the reactor's end"]
pub struct ReactorThread {
    handle: Handle,
    thread: ThreadId,
    /// `None` once somebody joins, or has joined.
    end: Mutex<Option<End>>,
}

struct End {
    thread: Receiver<JoinHandle>,
    shutdown: LastWord,
}

/// What `run` has returned, once the thread is joined; `None` if there was no reactor.
type LastWord = Arc<Mutex<Option<Shutdown>>>;

/// What the thread says once: what the set-up has returned, or why there is no reactor.
type Begin<R> = Result<(R, Handle, ThreadId), SpawnError>;

impl ReactorBuilder {
    /// Builds and [runs](Reactor::run) the reactor on a thread of its own, which has the name of its pool. `set_up` is
    /// called there first, with the reactor, before anything that is posted; this waits for it and returns what it has
    /// returned: the address of a value that the reactor owns, for example.
    ///
    /// A pool's thread that waits here counts as [blocked](crate::threads::blocked).
    ///
    /// ```
    /// use selvedge::Reactor;
    ///
    /// let (accounts, thread) = Reactor::builder().spawn(|reactor| reactor.own(vec![100_u32]).detach())?;
    /// let balance = accounts.blocking_call(|accounts, _| accounts[0])?;
    /// assert_eq!(balance, 100);
    /// thread.handle().stop();
    /// thread.join()?;
    /// # Ok::<(), selvedge::Failure>(())
    /// ```
    ///
    /// # Errors
    /// [`SpawnError`]: the reactor cannot be built, the thread cannot be started, or `set_up` has panicked; then the
    /// thread has ended, and `set_up` was dropped. Or a reactor lives on this thread, which must not wait; there, spawn
    /// it in a job.
    pub fn spawn<R, F>(self, set_up: F) -> Result<(R, ReactorThread), SpawnError>
    where
        F: FnOnce(&Reactor) -> R + Send + 'static,
        R: Send + 'static,
    {
        let set_up = Contained::new(set_up);
        if is_reactor_thread() {
            return Err(SpawnError::WouldDeadlock);
        }
        let (begun, begin) = channel();
        let (left, thread) = channel();
        let shutdown: LastWord = Arc::new(Mutex::new(None));
        let ended = Arc::clone(&shutdown);
        let name = self.thread_name().to_owned();
        let body = move || run_here(self, set_up, begun, ended);
        spawn(name, None, body, move |own| drop(left.send(own))).map_err(SpawnError::Thread)?;
        let _blocked = Blocked::enter();
        let end = End { shutdown, thread };
        match begin.recv(None) {
            Ok(Ok((value, handle, thread))) => {
                Ok((value, ReactorThread { handle, thread, end: Mutex::new(Some(end)) }))
            }
            Ok(Err(error)) => {
                end.join();
                Err(error)
            }
            Err(_) => unreachable!("the thread says how it has begun, whatever the set-up does"),
        }
    }
}

/// On the new thread.
fn run_here<R, F>(builder: ReactorBuilder, set_up: Contained<F>, begun: Sender<Begin<R>>, ended: LastWord)
where
    F: FnOnce(&Reactor) -> R,
{
    let begin = builder.build().map_err(SpawnError::Build).and_then(|reactor| {
        let _scope = reactor.core.reporter.enter();
        let value = catch(|| set_up.into_inner()(&reactor)).map_err(SpawnError::Panicked)?;
        Ok((value, reactor))
    });
    // The spawner waits without a limit, so what is sent is received.
    match begin {
        Ok((value, reactor)) => {
            drop_contained(begun.send(Ok((value, reactor.handle(), current_thread()))));
            let shutdown = reactor.run();
            *ended.lock() = Some(shutdown);
        }
        Err(error) => drop_contained(begun.send(Err(error))),
    }
}

impl End {
    /// Waits for the end of the thread, destructors of its thread-locals included.
    fn join(self) -> Shutdown {
        if let Ok(thread) = self.thread.recv(None) {
            thread.join();
        }
        self.shutdown.lock().take().unwrap_or_default()
    }
}

impl ReactorThread {
    /// A handle to the reactor: [`stop`](Handle::stop) is what ends it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits until the reactor has been stopped and its thread has ended, and returns how that went. It does not ask it
    /// to stop. A pool's thread that waits here counts as [blocked](crate::threads::blocked).
    ///
    /// # Errors
    /// The reactor could wait for this thread: a reactor lives on it, it is the one that would be joined, or it is a
    /// worker of one of this reactor's own pools; then it can still be joined elsewhere. Or somebody has joined it, or
    /// does.
    pub fn join(&self) -> Result<Shutdown, JoinError> {
        let is_own = self.thread == current_thread();
        if is_own || is_reactor_thread() || self.handle.shared.pools.own().any(ThreadPool::may_wait_for_this_thread) {
            return Err(JoinError::WouldDeadlock);
        }
        let end = self.end.lock().take().ok_or(JoinError::AlreadyJoined)?;
        let _blocked = Blocked::enter();
        Ok(end.join())
    }
}

impl fmt::Debug for ReactorThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactorThread").field("handle", &self.handle).finish_non_exhaustive()
    }
}
