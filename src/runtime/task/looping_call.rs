//! `LoopingCall`: calls a function at every interval, and waits for the Deferreds that it returns.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, Resolver, Settled};
use super::super::reactor::{DelayedCall, EndListener, EndNotice, LocalHandle, Owned, Reactor};
use super::super::report::drop_contained;
use super::super::sync::catch;
use super::completion::{discard_value, unwanted, when_fired};
use crate::error::{LoopingCallError, ReactorStopped};
use crate::failure::Failure;
use crate::machine::looping_call::{LoopAction, LoopRefused, LoopingCall as State};

/// Calls a function at every interval, until it is stopped or the function fails.
///
/// **Ticks** lie at start + n·interval, exactly: a call that takes long, or is late, delays none of the later ones. A
/// tick that passes during a call is skipped. If the function returns a Deferred, the call lasts until that has fired,
/// so calls never overlap. With an interval of zero the function is called once in every turn.
///
/// **The end.** [`start`](Self::start) returns a Deferred. It fires when the loop is [stopped](Self::stop), at once or
/// after the present call; it fails with the function's first error or panic. Cancelling it stops the loop, and cancels
/// the Deferred that the present call waits for. The end of the reactor does the same, and fails it with
/// [`ReactorStopped`]. A loop that has ended can be started again.
///
/// ```
/// use selvedge::task::LoopingCall;
/// use selvedge::{Reactor, testing::VirtualClock};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
/// let ticking = LoopingCall::new(|tick| println!("it is {:?}", tick.reactor().now()));
/// let ended = ticking.start(&reactor, second)?; // Prints 0ns,
/// reactor.pump([second; 3])?; // 1s, 2s and 3s,
/// ticking.stop()?;
/// assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **In a task** an interval needs no more than `loop { local.sleep(interval).await?; … }`, where the work delays the
/// ticks. For ticks that nothing delays, a loop puts each into a
/// [`DeferredQueue`](crate::coordination::DeferredQueue), and the task awaits `queue.get()?`; a queue with a size of
/// one drops those that nobody has awaited in time:
///
/// ```
/// use selvedge::coordination::DeferredQueue;
/// use selvedge::task::LoopingCall;
/// use selvedge::{Failure, Reactor, testing::VirtualClock};
/// use std::time::Duration;
///
/// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
/// let ticks = DeferredQueue::with_limits(1, None);
/// let putting = ticks.clone();
/// let ticking = LoopingCall::new(move |tick| putting.put(tick.reactor().now()).unwrap_or_default());
/// let ended = ticking.start(&reactor, Duration::from_secs(1))?;
/// reactor.block_on(async move {
///     for n in 0..3 {
///         assert_eq!(ticks.get()?.await?, Duration::from_secs(n));
///     }
///     Ok::<_, Failure>(())
/// })?;
/// # drop(ended);
/// # Ok::<(), Failure>(())
/// ```
///
/// Clones are handles to the same loop, which runs on when they are dropped. The function gets a [`Tick`], by which it
/// can stop its own loop; if it captured a handle instead, the loop would keep itself alive.
#[doc(alias = "interval")]
#[doc(alias = "ticks")]
#[derive(Clone)]
pub struct LoopingCall {
    core: Rc<LoopCore>,
}

/// The function: called with the tick and the number of ticks to count.
type Function = Box<dyn FnMut(&Tick<'_>, u64) -> Settled<(), Failure>>;

/// One loop, shared by its handles, its timer and what it waits for.
struct LoopCore {
    state: Cell<State>,
    /// `None` while it is being called.
    function: Cell<Option<Function>>,
    /// Made by [`LoopingCall::with_count`], whose function needs the number of ticks.
    counts_ticks: bool,
    /// Fires the Deferred of `start`. `None` while the loop does not run, and once that Deferred was cancelled.
    ended: Cell<Option<Resolver<()>>>,
    timer: Cell<Option<DelayedCall>>,
    /// The Deferred that the present call waits for.
    waiting_for: Cell<Option<Deferred<()>>>,
    /// The number of the last call. The result of an earlier one, given up at its reactor's end, may still come.
    call: Cell<u64>,
    /// The reactor of the last `start`.
    reactor: Cell<Option<LocalHandle>>,
    /// Tells the loop of the reactor's end. `None` while the loop does not run.
    end_notice: Cell<Option<Owned<EndNotice<LoopCore>>>>,
}

/// Argument of a [`LoopingCall`]'s function: one call of the loop.
#[derive(Debug)]
pub struct Tick<'a> {
    reactor: &'a Reactor,
    core: &'a Rc<LoopCore>,
}

impl Tick<'_> {
    /// The reactor that makes the call.
    #[must_use]
    pub fn reactor(&self) -> &Reactor {
        self.reactor
    }

    /// Stops the loop: this call is its last.
    ///
    /// # Errors
    /// The loop was stopped before, in this call.
    pub fn stop(&self) -> Result<(), LoopingCallError> {
        self.looping_call().stop()
    }

    /// A handle to the loop.
    #[must_use]
    pub fn looping_call(&self) -> LoopingCall {
        LoopingCall { core: Rc::clone(self.core) }
    }
}

impl LoopingCall {
    /// A loop that calls this function. It does not run until it is started.
    #[must_use]
    pub fn new<R, F>(mut f: F) -> Self
    where
        F: FnMut(&Tick<'_>) -> R + 'static,
        R: Outcome<Failure>,
    {
        Self::with_function(false, Box::new(move |tick, _| discard_value(f(tick))))
    }

    /// A loop whose function also gets the number of ticks since its last call, the present one included: more than one
    /// if some were skipped.
    ///
    /// With an interval of zero the number is one in each call. Ticks that do not fit a `u64` are counted at the next
    /// call.
    ///
    /// ```
    /// use selvedge::task::LoopingCall;
    /// use selvedge::{Reactor, testing::VirtualClock};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
    /// let counting = LoopingCall::with_count(|_, count| println!("{count}"));
    /// let ended = counting.start(&reactor, second)?; // Prints 1,
    /// reactor.advance(second)?; // 1,
    /// reactor.advance(5 * second)?; // and 5.
    /// # drop(ended);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_count<R, F>(mut f: F) -> Self
    where
        F: FnMut(&Tick<'_>, u64) -> R + 'static,
        R: Outcome<Failure>,
    {
        Self::with_function(true, Box::new(move |tick, count| discard_value(f(tick, count))))
    }

    fn with_function(counts_ticks: bool, function: Function) -> Self {
        let core = LoopCore {
            state: Cell::new(State::new()),
            function: Cell::new(Some(function)),
            counts_ticks,
            ended: Cell::default(),
            timer: Cell::default(),
            waiting_for: Cell::default(),
            call: Cell::default(),
            reactor: Cell::default(),
            end_notice: Cell::default(),
        };
        Self { core: Rc::new(core) }
    }

    /// Starts the loop: the function is called at once, inside this method, and then at every tick.
    ///
    /// With an interval too long for the clock, the second call is never made. If the reactor has ended, no call is
    /// made, and the Deferred has failed with [`ReactorStopped`].
    ///
    /// **Cancel safety.** Cancelling the Deferred, or dropping its future, stops the loop and cancels the Deferred that
    /// the function has returned last; a call that runs is finished. Then the loop can be started again. If the
    /// Deferred is only dropped, the loop runs on.
    ///
    /// # Errors
    /// It runs already, or is still in its last call.
    #[track_caller]
    pub fn start(&self, reactor: &Reactor, interval: Duration) -> Result<Deferred<()>, LoopingCallError> {
        self.begin(reactor, interval, true)
    }

    /// Starts the loop: the first call is made after one interval.
    ///
    /// # Errors
    /// It runs already, or is still in its last call.
    #[track_caller]
    pub fn start_later(&self, reactor: &Reactor, interval: Duration) -> Result<Deferred<()>, LoopingCallError> {
        self.begin(reactor, interval, false)
    }

    #[track_caller]
    fn begin(&self, reactor: &Reactor, interval: Duration, at_once: bool) -> Result<Deferred<()>, LoopingCallError> {
        let action = self.core.transition(|state| state.start(reactor.now(), interval, at_once)).map_err(refused)?;
        // Weak, because the loop holds the resolver of the Deferred that holds this canceller.
        let this = Rc::downgrade(&self.core);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            if let Some(this) = this.upgrade() {
                this.cancel();
            }
        });
        self.core.ended.set(Some(resolver));
        if reactor.is_closed() {
            self.core.end(self.core.transition(State::call_failed), Err(Failure::without_backtrace(ReactorStopped)));
            return Ok(deferred);
        }
        self.core.reactor.set(Some(reactor.local()));
        self.core.end_notice.set(Some(reactor.notify_at_end(&self.core)));
        self.core.carry_out(action, reactor);
        Ok(deferred)
    }

    /// Stops the loop: its Deferred fires now, or after the present call.
    ///
    /// # Errors
    /// It does not run, or was stopped before.
    pub fn stop(&self) -> Result<(), LoopingCallError> {
        let action = self.core.transition(State::stop).map_err(refused)?;
        self.core.end(action, Ok(()));
        Ok(())
    }

    /// Moves the start of the schedule to now: the next call is made after one interval, and later ticks follow from
    /// there. During a call this changes nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn reset(&self) -> Result<(), LoopingCallError> {
        let core = &self.core;
        let reset = core.with_reactor(|reactor| {
            let action = core.transition(|state| state.reset(reactor.now()))?;
            core.carry_out(action, reactor);
            Ok(())
        });
        // Without a reactor it does not run.
        reset.unwrap_or(Err(LoopRefused::NotRunning)).map_err(refused)
    }

    /// Whether it runs: it was started, and since then has neither been stopped nor failed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.core.is_running()
    }
}

fn refused(refused: LoopRefused) -> LoopingCallError {
    match refused {
        LoopRefused::AlreadyRunning => LoopingCallError::AlreadyRunning,
        LoopRefused::NotRunning => LoopingCallError::NotRunning,
    }
}

impl LoopCore {
    /// One transition of the state machine.
    fn transition<A>(&self, event: impl FnOnce(&mut State) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    fn is_running(&self) -> bool {
        self.state.get().is_running()
    }

    fn with_reactor<A>(&self, f: impl FnOnce(&Reactor) -> A) -> Option<A> {
        let reactor = self.reactor.take()?;
        self.reactor.set(Some(reactor.clone()));
        reactor.with(f).ok()
    }

    fn carry_out(self: &Rc<Self>, action: LoopAction, reactor: &Reactor) {
        match action {
            LoopAction::Call => self.call(reactor),
            LoopAction::SetTimer(at) => self.set_timer(at, reactor),
            LoopAction::End | LoopAction::EndWithReactor | LoopAction::Nothing => self.end(action, Ok(())),
        }
    }

    /// Sets the timer, or moves the one that is set.
    fn set_timer(self: &Rc<Self>, at: Duration, reactor: &Reactor) {
        let timer = match self.timer.take() {
            Some(timer) if timer.reset_to(at).is_ok() => timer,
            Some(_) | None => {
                let this = Rc::clone(self);
                reactor.add_call_at(at, move |reactor| {
                    let action = this.transition(State::timer_fired);
                    this.carry_out(action, reactor);
                })
            }
        };
        self.timer.set(Some(timer));
        reactor.wake_host_by(at);
    }

    fn call(self: &Rc<Self>, reactor: &Reactor) {
        let count = if self.counts_ticks { self.transition(|state| state.count_ticks(reactor.now())) } else { 1 };
        let Some(mut function) = self.function.take() else { return };
        let call = self.call.get() + 1;
        self.call.set(call);
        let settled = catch(|| function(&Tick { reactor, core: self }, count));
        self.function.set(Some(function));
        match settled {
            Ok(Settled::Now(result)) => self.call_ended(call, result),
            Ok(Settled::Later(deferred)) => {
                let this = Rc::clone(self);
                if let Some(waiting_for) = when_fired(deferred, move |result| this.call_ended(call, result)) {
                    self.waiting_for.set(Some(waiting_for));
                    self.end(self.transition(State::call_waits), Ok(()));
                    if !self.end_is_awaited() {
                        // The Deferred of `start` was cancelled during this call.
                        self.cancel_waiting_for();
                    }
                }
            }
            Err(panic) => self.call_ended(call, Err(Failure::without_backtrace(panic))),
        }
    }

    fn call_ended(self: &Rc<Self>, call: u64, result: Result<(), Failure>) {
        if call != self.call.get() {
            return unwanted(result, None);
        }
        drop(self.waiting_for.take());
        if result.is_err() {
            return self.end(self.transition(State::call_failed), result);
        }
        let carried_out = self.with_reactor(|reactor| {
            let action = self.transition(|state| state.call_succeeded(Some(reactor.now())));
            self.carry_out(action, reactor);
        });
        if carried_out.is_none() {
            self.end(self.transition(|state| state.call_succeeded(None)), Ok(()));
        }
    }

    /// Fires the Deferred of `start` if the loop has ended. The state is `Idle` already, because a callback may start
    /// the loop again.
    fn end(&self, action: LoopAction, result: Result<(), Failure>) {
        let result = match action {
            LoopAction::End => result,
            LoopAction::EndWithReactor => {
                // The result of the call is not waited for any more.
                self.call.set(self.call.get() + 1);
                self.cancel_waiting_for();
                Err(Failure::without_backtrace(ReactorStopped))
            }
            LoopAction::Call | LoopAction::SetTimer(_) | LoopAction::Nothing => return unwanted(result, None),
        };
        // Both refer to this loop, which does nothing in its present state.
        drop(self.end_notice.take());
        let _ = self.timer.take().map(|timer| timer.cancel());
        match self.ended.take() {
            Some(ended) => ended.resolve(result),
            // It was cancelled.
            None => unwanted(result, None),
        }
    }

    /// Canceller of the Deferred of `start`.
    fn cancel(&self) {
        drop(self.ended.take());
        if let Ok(action) = self.transition(State::stop) {
            self.end(action, Ok(()));
        }
        // During a call the loop ends when that call ends: what it waits for is cancelled too.
        self.cancel_waiting_for();
    }

    fn cancel_waiting_for(&self) {
        if let Some(deferred) = self.waiting_for.take() {
            deferred.cancel();
        }
    }

    /// Whether somebody may still wait for the Deferred of `start`: it was not cancelled.
    fn end_is_awaited(&self) -> bool {
        let ended = self.ended.take();
        let awaited = ended.is_some();
        self.ended.set(ended);
        awaited
    }
}

impl EndListener for LoopCore {
    fn reactor_ended(&self) {
        self.end(self.transition(State::reactor_ended), Ok(()));
    }
}

impl Drop for LoopCore {
    fn drop(&mut self) {
        drop_contained(self.function.take());
    }
}

impl fmt::Debug for LoopCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.state.get(), f)
    }
}

impl fmt::Debug for LoopingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopingCall").field(&self.core).finish()
    }
}
