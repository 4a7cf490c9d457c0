//! Awaiting a future on a thread that has no reactor: it polls the future, and is parked between polls.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Wake, Waker};

use super::super::deferred::{InsideEffect, run_waiting_effects};
use super::super::pool::{Blocked, RestWatch};
use super::super::reactor_thread::is_reactor_thread;
use super::super::report::{drop_contained, report_drop};
use super::super::sync::{Condvar, Mutex, StdArc, catch};
use crate::error::WouldDeadlock;

/// A thread that awaits a future.
struct Awaiting {
    state: Mutex<State>,
    /// The thread is parked here, with `state`.
    woken: Condvar,
    /// The pool of which the thread is a worker.
    pool: Option<RestWatch>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// It polls the future, which has not been woken since the poll began.
    Polling,
    /// It is to poll the future.
    Woken,
    /// It is parked, or is about to be.
    Parked,
    /// A waker tells the pool that the thread goes on. It may not before the pool knows.
    Waking,
}

/// Runs a future on this thread, which is blocked until the future has ended. For a thread that has no reactor, such as
/// that of a job, and needs several answers at once, or an API that is async:
///
/// ```
/// use selvedge::{Failure, Reactor, threads};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// let job = threads::defer_to_thread(&reactor, move || {
///     threads::block_on(async move {
///         let timers = handle.ask(|reactor| reactor.delayed_calls());
///         let slept = handle.ask(|reactor| reactor.sleep(Duration::from_millis(1)));
///         slept.await?;
///         timers.await
///     })?
/// });
/// assert_eq!(reactor.block_on(job)?, 0);
/// # Ok::<(), Failure>(())
/// ```
///
/// While it is parked, a pool's thread counts as [`blocked`](super::blocked), and a reactor's
/// [virtual time](crate::testing::VirtualClock) may pass, as in a blocking call. To both, a job that awaits in an
/// executor of another crate runs.
///
/// Cost: an allocation, and for each time it is parked a few short locks.
///
/// **Cancel safety.** It waits without a limit; a future with a time limit is one that ends.
///
/// # Errors
/// A reactor lives on this thread that has not ended: that must never block. The future is dropped without being
/// polled. There, [`spawn`](crate::Reactor::spawn) it. This holds for jobs of a
/// [`TestReactor`](crate::testing::TestReactor), too, which run on its thread. Or the future itself has made a reactor
/// here and waits; it is dropped then. [`Reactor::block_on`](crate::Reactor::block_on) runs that.
///
/// # Panics
/// The future panics where it is polled. What its drop panics with is reported.
pub fn block_on<F: IntoFuture>(future: F) -> Result<F::Output, WouldDeadlock> {
    if is_reactor_thread() {
        drop_contained(future);
        return Err(WouldDeadlock);
    }
    let awaiting = StdArc::new(Awaiting {
        state: Mutex::new(State::Polling),
        woken: Condvar::new(),
        pool: RestWatch::of_this_thread(),
    });
    run_waiting_effects();
    let _inside_effect = InsideEffect::enter();
    let mut future = pin!(Some(future.into_future()));
    let output = catch(|| {
        let Some(future) = future.as_mut().as_pin_mut() else { unreachable!("it is dropped below") };
        awaiting.run(future)
    });
    // A panic of its drop neither takes the place of the output nor follows upon that of a poll, which would abort.
    report_drop(catch(|| future.set(None)));
    output.unwrap_or_else(|panic| panic.resume())
}

impl Awaiting {
    fn run<F: Future>(self: &StdArc<Self>, mut future: Pin<&mut F>) -> Result<F::Output, WouldDeadlock> {
        let waker = Waker::from(StdArc::clone(self));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(output);
            }
            if is_reactor_thread() {
                // The future has made it, and nobody would turn it.
                return Err(WouldDeadlock);
            }
            self.park();
        }
    }

    /// Waits until the future is to be polled again.
    fn park(&self) {
        {
            let mut state = self.state.lock();
            if *state == State::Woken {
                *state = State::Polling;
                return;
            }
            *state = State::Parked;
        }
        let _blocked = Blocked::enter();
        if let Some(pool) = &self.pool {
            pool.job_parks();
        }
        let mut state = self.state.lock();
        while *state != State::Woken {
            state = self.woken.wait(state);
        }
        *state = State::Polling;
    }
}

impl Wake for Awaiting {
    fn wake(self: StdArc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &StdArc<Self>) {
        {
            let mut state = self.state.lock();
            if *state != State::Parked {
                if *state == State::Polling {
                    *state = State::Woken;
                }
                return;
            }
            *state = State::Waking;
        }
        // Before this returns: whoever wakes a job finds it on its way.
        if let Some(pool) = &self.pool {
            pool.job_goes_on();
        }
        *self.state.lock() = State::Woken;
        self.woken.notify_one();
    }
}
