//! Runs a program on real Deferreds; every closure, value and error of it writes to the trace.

mod coordination;
mod end;
mod lists;

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, LocalHandle, Reactor, Resolver,
    coordination::DeferredQueue,
    deferred::{Outcome, OutcomeOf, PauseHandle, Raise, Settled},
    error::NotPaused,
    testing::{Injected, VirtualClock},
};

use super::program::{Callback, Closure, FiredWith, Op, Program, Returns, Side};
use super::trace::{Answer, ErrorKind, Event, Given, Id, State, TestError, Trace, Tracked};
use crate::codec::{Members, Nth, Small};
use coordination::Semaphore;

/// Runs a program and returns its trace.
pub fn run(program: &Program) -> Vec<Event> {
    let trace = Trace::default();
    let clock = VirtualClock::new();
    let sink = trace.clone();
    let reactor = Reactor::builder()
        .clock(clock.clone())
        .on_report(move |report| sink.push(Event::Report(report.incident, ErrorKind::of(report.error))))
        .build()
        .expect("the default sizes");
    let world = Rc::new(World {
        local: reactor.local(),
        clock,
        trace,
        made: Cell::new(0),
        deferreds: RefCell::default(),
        resolvers: RefCell::default(),
        handles: RefCell::default(),
        semaphores: RefCell::default(),
        queues: RefCell::default(),
    });
    WORLD.set(Some(Rc::clone(&world)));
    for op in &program.script {
        let op = op.clone();
        in_a_turn(&reactor, move |world| world.perform(&op));
    }
    let ending = program.ending;
    // A timer of the last turn may run what makes more.
    loop {
        in_a_turn(&reactor, move |world| world.end(ending));
        if world.is_over() {
            break;
        }
    }
    drop(reactor);
    WORLD.set(None);
    world.trace.events()
}

/// Deferreds report to the sink of the reactor that is in a turn, so each operation runs in one.
fn in_a_turn(reactor: &Reactor, body: impl FnOnce(&World) + Send + 'static) {
    reactor.handle().call_from_thread(move |_| World::current(body)).expect("it has not ended");
    reactor.turn().expect("nobody else is inside a turn");
}

thread_local! {
    /// The program that this thread runs.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// What a program has made. Nothing is borrowed while anything runs.
struct World {
    local: LocalHandle,
    clock: VirtualClock,
    trace: Trace,
    made: Cell<Id>,
    /// Operations that use a Deferred in place hold a clone of the `Rc`.
    deferreds: RefCell<Vec<Option<Rc<Deferred<Tracked>>>>>,
    resolvers: RefCell<Vec<Option<Resolver<Tracked>>>>,
    handles: RefCell<Vec<Option<PauseHandle>>>,
    semaphores: RefCell<Vec<Option<Semaphore>>>,
    queues: RefCell<Vec<Option<DeferredQueue<Tracked>>>>,
}

/// Captured by a closure: writes to the trace when that is called and when it is dropped.
struct Traced {
    id: Id,
    closure: Closure,
    trace: Trace,
    called: bool,
}

impl Traced {
    fn begin(&mut self, given: Given) {
        self.called = true;
        self.trace.push(Event::Began(self.id, given));
    }

    /// As a canceller.
    fn cancel(mut self) {
        self.begin(Given::Nothing);
        World::current(|world| world.perform_all(&self.closure.body));
    }

    /// As a callback. Its argument is dropped first, whether it returns or panics; then what it captured.
    fn call(mut self, end: Returns, input: Result<Tracked, Failure>) -> Returned {
        self.begin(given(&input));
        World::current(|world| {
            world.perform_all(&self.closure.body);
            match end {
                Returns::Pass => Returned(Settled::Now(input)),
                Returns::Value => {
                    drop(input);
                    Returned(Settled::Now(Ok(world.value())))
                }
                Returns::Error => {
                    drop(input);
                    Returned(Settled::Now(Err(world.error())))
                }
                Returns::Await(nth) => match world.take(nth) {
                    Some((_, inner)) => {
                        drop(input);
                        Returned(Settled::Later(inner))
                    }
                    None => Returned(Settled::Now(input)),
                },
            }
        })
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.called {
            self.trace.push(Event::Ended(self.id));
            return;
        }
        self.trace.push(Event::Dropped(self.id));
        if !self.closure.on_drop.is_empty() {
            World::current(|world| world.perform_all(&self.closure.on_drop));
        }
    }
}

/// What a callback returns. Which of the three it is, is known only when the program runs.
struct Returned(Settled<Tracked>);

impl Outcome<Failure> for Returned {
    type Value = Tracked;

    fn settle(self) -> Settled<Tracked> {
        self.0
    }
}

impl OutcomeOf<Tracked, Failure> for Returned {
    fn settle_as(self) -> Settled<Tracked> {
        self.0
    }
}

fn given(result: &Result<Tracked, Failure>) -> Given {
    match result {
        Ok(tracked) => Given::Value(tracked.id),
        Err(failure) => Given::Error(ErrorKind::of(failure.error())),
    }
}

impl World {
    fn current<T>(f: impl FnOnce(&Self) -> T) -> T {
        let world = WORLD.with_borrow(Clone::clone).expect("a program runs on this thread");
        f(&world)
    }

    fn say(&self, answer: Answer) {
        self.trace.push(Event::Answered(answer));
    }

    fn number(&self) -> Id {
        self.made.replace(self.made.get() + 1)
    }

    fn traced(&self, closure: &Closure) -> Traced {
        Traced { id: self.number(), closure: closure.clone(), trace: self.trace.clone(), called: false }
    }

    fn value(&self) -> Tracked {
        Tracked { id: self.number(), trace: self.trace.clone() }
    }

    fn error(&self) -> Failure {
        TestError(self.value()).raise()
    }

    fn perform_all(&self, ops: &[Op]) {
        for op in ops {
            self.perform(op);
        }
    }

    fn keep(&self, deferred: Deferred<Tracked>) {
        self.deferreds.borrow_mut().push(Some(Rc::new(deferred)));
    }

    /// Reserves the place before `make`, which may run operations that make others.
    fn keep_made(&self, make: impl FnOnce() -> Deferred<Tracked>) {
        let at = self.deferreds.borrow().len();
        self.deferreds.borrow_mut().push(None);
        self.put_back(at, make());
    }

    fn keep_both(&self, (deferred, resolver): (Deferred<Tracked>, Resolver<Tracked>)) {
        self.keep(deferred);
        self.resolvers.borrow_mut().push(Some(resolver));
    }

    fn put_back(&self, at: usize, deferred: Deferred<Tracked>) {
        self.deferreds.borrow_mut()[at] = Some(Rc::new(deferred));
    }

    fn reach(&self, nth: Nth) -> Option<Rc<Deferred<Tracked>>> {
        let deferreds = self.deferreds.borrow();
        let found = nth.of(deferreds.len()).and_then(|at| deferreds[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    /// Takes a Deferred from the program, unless it is in use.
    fn take(&self, nth: Nth) -> Option<(usize, Deferred<Tracked>)> {
        let mut deferreds = self.deferreds.borrow_mut();
        let found = nth.of(deferreds.len()).and_then(|at| Some((at, deferreds[at].take()?)));
        let Some((at, shared)) = found else {
            self.say(Answer::Nothing);
            return None;
        };
        match Rc::try_unwrap(shared) {
            Ok(deferred) => Some((at, deferred)),
            Err(shared) => {
                deferreds[at] = Some(shared);
                self.say(Answer::Held);
                None
            }
        }
    }

    /// A clone of the handle: the operation may drop the stored one.
    fn handle(&self, nth: Nth) -> Option<PauseHandle> {
        let handles = self.handles.borrow();
        let found = nth.of(handles.len()).and_then(|at| handles[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn take_handle(&self, nth: Nth) -> Option<PauseHandle> {
        let mut handles = self.handles.borrow_mut();
        let at = nth.of(handles.len())?;
        handles[at].take()
    }

    fn say_unpaused(&self, unpaused: Result<(), NotPaused>) {
        if unpaused.is_err() {
            self.say(Answer::NotPaused);
        }
    }

    fn has_resolver(&self, nth: Nth) -> Option<usize> {
        let resolvers = self.resolvers.borrow();
        nth.of(resolvers.len()).filter(|&at| resolvers[at].is_some())
    }

    fn resolver(&self, at: usize) -> Option<Resolver<Tracked>> {
        self.resolvers.borrow_mut().get_mut(at)?.take()
    }

    fn perform(&self, op: &Op) {
        match op {
            Op::New(None) => self.keep_both(Deferred::new()),
            Op::New(Some(canceller)) => {
                let traced = self.traced(canceller);
                self.keep_both(Deferred::with_canceller(move || traced.cancel()));
            }
            Op::WithResult(true) => self.keep(Deferred::succeed(self.value())),
            Op::WithResult(false) => self.keep(Deferred::fail(TestError(self.value()))),
            Op::Fire(nth, sent) => self.fire(*nth, *sent),
            Op::Abandon(nth) => match self.has_resolver(*nth) {
                Some(at) => drop(self.resolver(at)),
                None => self.say(Answer::Nothing),
            },
            Op::Add(nth, side) => {
                if let Some((at, deferred)) = self.take(*nth) {
                    self.put_back(at, self.add(deferred, side));
                }
            }
            Op::Timeout(nth, delay, callback) => {
                if let Some((at, deferred)) = self.take(*nth) {
                    self.put_back(at, self.add_timeout(deferred, delay.duration(), callback.as_ref()));
                }
            }
            Op::Chain(nth, other) => match self.has_resolver(*other) {
                Some(which) => {
                    if let Some((_, deferred)) = self.take(*nth)
                        && let Some(resolver) = self.resolver(which)
                    {
                        deferred.chain_deferred(resolver);
                    }
                }
                None => self.say(Answer::Nothing),
            },
            Op::List(kind, Members(members)) => {
                let members: Vec<_> = members.iter().filter_map(|nth| self.take(*nth)).map(|(_, it)| it).collect();
                self.keep_made(|| lists::list(*kind, members));
            }
            Op::Cancel(nth) => {
                if let Some(deferred) = self.reach(*nth) {
                    deferred.cancel();
                }
            }
            Op::Pause(nth) => {
                if let Some(deferred) = self.reach(*nth) {
                    deferred.pause();
                }
            }
            Op::Unpause(nth) => {
                if let Some(deferred) = self.reach(*nth) {
                    self.say_unpaused(deferred.unpause());
                }
            }
            Op::PauseHandle(nth) => {
                if let Some(deferred) = self.reach(*nth) {
                    self.handles.borrow_mut().push(Some(deferred.pause_handle()));
                }
            }
            Op::HandlePause(nth) => {
                if let Some(handle) = self.handle(*nth) {
                    handle.pause();
                }
            }
            Op::HandleUnpause(nth) => {
                if let Some(handle) = self.handle(*nth) {
                    self.say_unpaused(handle.unpause());
                }
            }
            Op::DropHandle(nth) => drop(self.handle(*nth).map(|_| self.take_handle(*nth))),
            Op::Take(nth) => {
                if let Some((at, deferred)) = self.take(*nth) {
                    self.take_result(at, deferred);
                }
            }
            Op::Drop(nth) => drop(self.take(*nth)),
            Op::Log(nth) => {
                if let Some((_, deferred)) = self.take(*nth) {
                    deferred.log_error();
                }
            }
            Op::Inspect(nth) => {
                if let Some(deferred) = self.reach(*nth) {
                    let (state, pauses) = state(&deferred);
                    self.say(Answer::State(state, pauses));
                }
                if let Some(at) = self.has_resolver(*nth) {
                    let is_cancelled = self.resolvers.borrow()[at].as_ref().is_some_and(Resolver::is_cancelled);
                    self.say(Answer::ResolverIsCancelled(is_cancelled));
                }
            }
            Op::Advance(delay) => self.clock.advance(delay.duration()),
            Op::Semaphore(Small(permits)) => self.new_semaphore(*permits),
            Op::Acquire(nth) => self.acquire(*nth),
            Op::Release(nth) => self.release(*nth),
            Op::Run(nth, callback) => self.run_in(*nth, callback),
            Op::Queue(Small(size), Small(backlog)) => self.new_queue(*size, *backlog),
            Op::Put(nth) => self.put(*nth),
            Op::Get(nth) => self.get(*nth),
            // Unlike `panic!`, this does not call the panic hook, which would print each of the many panics.
            Op::Panic => resume_unwind(Box::new(Injected)),
        }
    }

    fn fire(&self, nth: Nth, sent: FiredWith) {
        let Some(at) = self.has_resolver(nth) else { return self.say(Answer::Nothing) };
        let settled = match sent {
            FiredWith::Value => Settled::Now(Ok(self.value())),
            FiredWith::Error => Settled::Now(Err(self.error())),
            FiredWith::Await(nth) => match self.take(nth) {
                Some((_, inner)) => Settled::Later(inner),
                None => return,
            },
        };
        match (self.resolver(at), settled) {
            (Some(resolver), Settled::Now(Ok(value))) => resolver.callback(value),
            (Some(resolver), Settled::Now(Err(error))) => resolver.errback(error),
            (Some(resolver), later) => resolver.settle(Returned(later)),
            (None, _) => {}
        }
    }

    fn add(&self, deferred: Deferred<Tracked>, side: &Side) -> Deferred<Tracked> {
        let callback = |Callback { closure, returns }: &Callback| (self.traced(closure), *returns);
        match side {
            Side::Value(one) => {
                let (traced, end) = callback(one);
                deferred.add_callback(move |value| traced.call(end, Ok(value)))
            }
            Side::Error(one) => {
                let (traced, end) = callback(one);
                deferred.add_errback(move |error| traced.call(end, Err(error)))
            }
            Side::Both(one) => {
                let (traced, end) = callback(one);
                deferred.add_both(move |result| traced.call(end, result))
            }
            Side::Either(one, other) => {
                let ((traced, end), (errback, or)) = (callback(one), callback(other));
                deferred
                    .add_callbacks(move |value| traced.call(end, Ok(value)), move |error| errback.call(or, Err(error)))
            }
        }
    }

    fn add_timeout(
        &self,
        deferred: Deferred<Tracked>,
        after: Duration,
        callback: Option<&Callback>,
    ) -> Deferred<Tracked> {
        let callback = callback.map(|Callback { closure, returns }| (self.traced(closure), *returns));
        let timed = self.local.with(|reactor| match callback {
            None => deferred.add_timeout(reactor, after),
            Some((traced, end)) => deferred.add_timeout_with(reactor, after, move |result, _| traced.call(end, result)),
        });
        timed.expect("the reactor has not ended")
    }

    fn take_result(&self, at: usize, deferred: Deferred<Tracked>) {
        match deferred.try_result() {
            Ok(result) => self.say(Answer::Result(given(&result))),
            Err(deferred) => {
                self.say(Answer::NotYet);
                self.put_back(at, deferred);
            }
        }
    }
}

/// Read from its `Debug` text: nothing else shows it.
fn state(deferred: &Deferred<Tracked>) -> (State, u32) {
    let printed = format!("{deferred:?}");
    let state = [State::Unfired, State::Cancelling, State::Running, State::Waiting, State::Held, State::Resting]
        .into_iter()
        .find(|state| printed.contains(&format!("{state:?}")))
        .unwrap_or_else(|| panic!("no state in {printed}"));
    let pauses = printed.split_once("paused: ").map_or("0", |(_, count)| count.trim_end_matches(')'));
    (state, pauses.parse().unwrap_or_else(|_| panic!("no count in {printed}")))
}
