//! A function that is called every so often.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, Resolver, Settled};
use super::super::reactor::{DelayedCall, LocalHandle, Reactor};
use super::super::report::drop_contained;
use super::super::sync::catch;
use super::{Due, Timed, valueless, when_over};
use crate::error::{LoopingCallError, ReactorStopped};
use crate::failure::Failure;
use crate::machine::looping::{Looping, Next, Refused};

/// Calls a function every so often, until it is stopped or the function fails.
///
/// **Ticks** lie at start + n·interval, exactly: calls that take long, or come late, move none of the later ones. A tick that passes while the function is at work is skipped. If the function returns
/// a Deferred it is at work until that has fired, so calls never overlap. With an interval of zero it is called once in every turn.
///
/// **The end.** [`start`](Self::start) returns a Deferred. It fires when the loop was [stopped](Self::stop), at once or when the present call is over; and fails with the first error
/// of the function, a panic included, or with [`ReactorStopped`]. Cancelling it stops the loop, and cancels the Deferred that the loop waits for. A loop that has ended can be started again.
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
/// Clones are handles to the same loop; it runs on when they are dropped. The function gets a [`Tick`], by which it can stop its own loop: one that captured a handle instead would keep itself alive.
#[derive(Clone)]
pub struct LoopingCall {
    of: Rc<Loop>,
}

type Body = Box<dyn FnMut(&Tick<'_>, u64) -> Settled<(), Failure>>;

struct Loop {
    machine: Cell<Looping>,
    /// None while it runs.
    body: Cell<Option<Body>>,
    /// The function wants to know how many ticks there were.
    counts: bool,
    /// Who is told of the end. None also when that was cancelled.
    ended: Cell<Option<Resolver<()>>>,
    timer: Cell<Option<DelayedCall>>,
    /// What the function returned, while that is waited for.
    waits: Cell<Option<Deferred<()>>>,
    reactor: Cell<Option<LocalHandle>>,
}

/// What the function of a [`LoopingCall`] is given.
#[derive(Debug)]
pub struct Tick<'a> {
    reactor: &'a Reactor,
    of: &'a Rc<Loop>,
}

impl Tick<'_> {
    /// The reactor that calls.
    #[must_use]
    pub fn reactor(&self) -> &Reactor {
        self.reactor
    }

    /// Stops the loop: this call is its last.
    ///
    /// # Errors
    /// It was stopped before, in this call.
    pub fn stop(&self) -> Result<(), LoopingCallError> {
        self.looping_call().stop()
    }

    /// A handle to the loop.
    #[must_use]
    pub fn looping_call(&self) -> LoopingCall {
        LoopingCall { of: Rc::clone(self.of) }
    }
}

impl LoopingCall {
    /// A loop of this function. It does not run yet.
    pub fn new<R, F>(mut f: F) -> Self
    where
        F: FnMut(&Tick<'_>) -> R + 'static,
        R: Outcome<Failure>,
    {
        Self::of(false, Box::new(move |tick, _| valueless(f(tick))))
    }

    /// A loop of a function that is told how many ticks have come since its last call, the present one included: more than one if some were skipped.
    ///
    /// It is called at ticks only, so there is always one to count. With an interval of zero each call counts one.
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
    pub fn with_count<R, F>(mut f: F) -> Self
    where
        F: FnMut(&Tick<'_>, u64) -> R + 'static,
        R: Outcome<Failure>,
    {
        Self::of(true, Box::new(move |tick, count| valueless(f(tick, count))))
    }

    fn of(counts: bool, body: Body) -> Self {
        let of = Loop {
            machine: Cell::new(Looping::new()),
            body: Cell::new(Some(body)),
            counts,
            ended: Cell::default(),
            timer: Cell::default(),
            waits: Cell::default(),
            reactor: Cell::default(),
        };
        Self { of: Rc::new(of) }
    }

    /// Starts the loop: the first call is made now, inside this one, then one at every tick.
    ///
    /// An interval has no sign, so none is refused. One too long for the clock is as good as never.
    ///
    /// # Errors
    /// It runs already, or is still in its last call.
    #[track_caller]
    pub fn start(&self, reactor: &Reactor, interval: Duration) -> Result<Deferred<()>, LoopingCallError> {
        self.begin(reactor, interval, true)
    }

    /// Starts the loop: the first call is made when one interval has passed.
    ///
    /// # Errors
    /// It runs already, or is still in its last call.
    #[track_caller]
    pub fn start_later(&self, reactor: &Reactor, interval: Duration) -> Result<Deferred<()>, LoopingCallError> {
        self.begin(reactor, interval, false)
    }

    #[track_caller]
    fn begin(&self, reactor: &Reactor, interval: Duration, at_once: bool) -> Result<Deferred<()>, LoopingCallError> {
        let next = self.of.step(|machine| machine.start(reactor.now(), interval, at_once)).map_err(refused)?;
        // Weak: the loop holds what fires the Deferred, which holds this.
        let this = Rc::downgrade(&self.of);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            if let Some(this) = this.upgrade() {
                this.cancel();
            }
        });
        self.of.ended.set(Some(resolver));
        self.of.reactor.set(Some(reactor.local()));
        self.of.go_on(next, reactor);
        Ok(deferred)
    }

    /// Stops the loop: its Deferred fires now, or, if the function is at work, when that is over.
    ///
    /// # Errors
    /// It does not run, or was stopped before.
    pub fn stop(&self) -> Result<(), LoopingCallError> {
        let next = self.of.step(Looping::stop).map_err(refused)?;
        self.of.end(next, Ok(()));
        Ok(())
    }

    /// Begins the loop's time anew: the next call is made when one interval has passed from now, and ticks lie from there on. While the function is at work this changes nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn reset(&self) -> Result<(), LoopingCallError> {
        let of = &self.of;
        let reset = of.with_reactor(|reactor| {
            let next = of.step(|machine| machine.reset(reactor.now()))?;
            of.go_on(next, reactor);
            Ok(())
        });
        // Without a reactor it does not run.
        reset.unwrap_or(Err(Refused::NotRunning)).map_err(refused)
    }

    /// Whether it runs: it was started, and has not been stopped since, nor failed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.of.is_running()
    }
}

fn refused(refused: Refused) -> LoopingCallError {
    match refused {
        Refused::Running => LoopingCallError::AlreadyRunning,
        Refused::NotRunning => LoopingCallError::NotRunning,
    }
}

impl Loop {
    /// One event of the machine.
    fn step<A>(&self, event: impl FnOnce(&mut Looping) -> A) -> A {
        let mut machine = self.machine.get();
        let action = event(&mut machine);
        self.machine.set(machine);
        action
    }

    fn is_running(&self) -> bool {
        self.machine.get().is_running()
    }

    fn with_reactor<A>(&self, f: impl FnOnce(&Reactor) -> A) -> Option<A> {
        let reactor = self.reactor.take()?;
        self.reactor.set(Some(reactor.clone()));
        reactor.with(f).ok()
    }

    fn go_on(self: &Rc<Self>, next: Next, reactor: &Reactor) {
        match next {
            Next::Call => self.call(reactor),
            Next::Schedule(at) => self.schedule(at, reactor),
            Next::End | Next::Nothing => self.end(next, Ok(())),
        }
    }

    /// Sets the timer, or moves the one that is set.
    fn schedule(self: &Rc<Self>, at: Duration, reactor: &Reactor) {
        let timer = match self.timer.take() {
            Some(timer) if timer.reset(at.saturating_sub(reactor.now())).is_ok() => timer,
            Some(_) | None => Due::at(reactor, at, Rc::clone(self)),
        };
        self.timer.set(Some(timer));
    }

    fn call(self: &Rc<Self>, reactor: &Reactor) {
        let count = if self.counts { self.step(|machine| machine.count(reactor.now())) } else { 1 };
        let Some(mut body) = self.body.take() else { return };
        let settled = catch(|| body(&Tick { reactor, of: self }, count));
        self.body.set(Some(body));
        match settled {
            Ok(Settled::Now(result)) => self.over(result),
            Ok(Settled::Later(deferred)) => {
                let this = Rc::clone(self);
                if let Some(waits) = when_over(deferred, move |result| this.over(result)) {
                    self.waits.set(Some(waits));
                    if !self.is_wanted() {
                        // It was cancelled in this very call.
                        self.cancel_what_it_waits_for();
                    }
                }
            }
            Err(panic) => self.over(Err(Failure::from(panic))),
        }
    }

    /// A call is over.
    fn over(self: &Rc<Self>, result: Result<(), Failure>) {
        drop(self.waits.take());
        let failure = match result {
            Err(failure) => failure,
            Ok(()) => {
                let gone_on = self.with_reactor(|reactor| {
                    let next = self.step(|machine| machine.over(reactor.now()));
                    self.go_on(next, reactor);
                });
                match gone_on {
                    Some(()) => return,
                    // One that was to stop needs no reactor for that.
                    None if !self.is_running() => return self.end(self.step(Looping::failed), Ok(())),
                    None => Failure::from(ReactorStopped),
                }
            }
        };
        self.end(self.step(Looping::failed), Err(failure));
    }

    /// Tells of the end, if this is it. The machine knows already: whoever is told may start it again.
    fn end(&self, next: Next, result: Result<(), Failure>) {
        if next != Next::End {
            return drop_contained(result);
        }
        if let Some(timer) = self.timer.take() {
            // It has run, or it is dropped here, and what it tells then is no news.
            let _ = timer.cancel();
        }
        match self.ended.take() {
            Some(ended) => ended.resolve(result),
            // Nobody wants to know: it was cancelled.
            None => drop_contained(result),
        }
    }

    /// Nobody wants to know of the end, so there is to be one.
    fn cancel(&self) {
        drop(self.ended.take());
        if let Ok(next) = self.step(Looping::stop) {
            self.end(next, Ok(()));
        }
        // One that is at work ends when that is over. If it waits for something, it shall not wait long.
        self.cancel_what_it_waits_for();
    }

    fn cancel_what_it_waits_for(&self) {
        if let Some(waits) = self.waits.take() {
            waits.cancel();
        }
    }

    /// Whether anybody is to be told of the end.
    fn is_wanted(&self) -> bool {
        let ended = self.ended.take();
        let wanted = ended.is_some();
        self.ended.set(ended);
        wanted
    }
}

impl Timed for Loop {
    fn due(self: Rc<Self>, reactor: &Reactor) {
        let next = self.step(Looping::due);
        self.go_on(next, reactor);
    }

    fn lost(&self) {
        let next = self.step(Looping::lost);
        if next == Next::End {
            self.end(next, Err(Failure::from(ReactorStopped)));
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        drop_contained(self.body.take());
    }
}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.machine.get(), f)
    }
}

impl fmt::Debug for LoopingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopingCall").field(&self.of).finish()
    }
}
