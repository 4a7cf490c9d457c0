//! Deferreds themselves run a program, and every closure, value and error of it leaves its mark in the trace.

mod coordination;

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, LocalHandle, Reactor, Resolver,
    coordination::DeferredQueue,
    deferred::{DeferredList, Outcome, OutcomeOf, PauseHandle, Raise, Settled},
    error::{FailureGroup, FirstError, NotPaused},
    testing::VirtualClock,
};

use super::program::{Callback, Closure, Ending, FiredWith, ListKind, Op, Program, Returns, Side};
use super::trace::{Answer, Event, Gift, Given, Id, Oops, State, Trace, Why};
use crate::codec::{Members, Nth, Small};
use coordination::Semaphore;

/// Runs a program, and says what happened.
pub fn run(program: &Program) -> Vec<Event> {
    let trace = Trace::default();
    let clock = VirtualClock::new();
    let sink = trace.clone();
    let reactor = Reactor::builder()
        .clock(clock.clone())
        .on_report(move |report| sink.push(Event::Report(report.incident, Why::of(report.error))))
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
    in_a_turn(&reactor, move |world| world.end(ending));
    drop(reactor);
    WORLD.set(None);
    world.trace.events()
}

/// Deferreds report to the sink of the reactor that turns; so all of a program happens in its turns.
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
    /// Operations that use one in place share it meanwhile.
    deferreds: RefCell<Vec<Option<Rc<Deferred<Gift>>>>>,
    resolvers: RefCell<Vec<Option<Resolver<Gift>>>>,
    handles: RefCell<Vec<Option<PauseHandle>>>,
    semaphores: RefCell<Vec<Option<Semaphore>>>,
    queues: RefCell<Vec<Option<DeferredQueue<Gift>>>>,
}

/// Stands in a closure, and tells when it is called and when it goes.
struct Token {
    id: Id,
    closure: Closure,
    trace: Trace,
    called: bool,
}

impl Token {
    fn begin(&mut self, given: Given) {
        self.called = true;
        self.trace.push(Event::Began(self.id, given));
    }

    /// As a canceller.
    fn cancel(mut self) {
        self.begin(Given::Nothing);
        World::current(|world| world.perform_all(&self.closure.body));
    }

    /// As a callback. What it was given goes first, whether it returns or panics; then what it captured.
    fn call(mut self, end: Returns, input: Result<Gift, Failure>) -> Returned {
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

impl Drop for Token {
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

/// What a callback returns: a program decides only when it runs, which of the three it is.
struct Returned(Settled<Gift>);

impl Outcome<Failure> for Returned {
    type Value = Gift;

    fn settle(self) -> Settled<Gift> {
        self.0
    }
}

impl OutcomeOf<Gift, Failure> for Returned {
    fn settle_as(self) -> Settled<Gift> {
        self.0
    }
}

fn given(result: &Result<Gift, Failure>) -> Given {
    match result {
        Ok(gift) => Given::Value(gift.id),
        Err(failure) => Given::Error(Why::of(failure)),
    }
}

impl World {
    fn current<T>(f: impl FnOnce(&Self) -> T) -> T {
        let world = WORLD.with_borrow(Clone::clone).expect("a program runs on this thread");
        f(&world)
    }

    fn say(&self, answer: Answer) {
        self.trace.push(Event::Said(answer));
    }

    fn number(&self) -> Id {
        self.made.replace(self.made.get() + 1)
    }

    fn token(&self, closure: &Closure) -> Token {
        Token { id: self.number(), closure: closure.clone(), trace: self.trace.clone(), called: false }
    }

    fn value(&self) -> Gift {
        Gift { id: self.number(), trace: self.trace.clone() }
    }

    fn error(&self) -> Failure {
        Oops(self.value()).raise()
    }

    fn perform_all(&self, ops: &[Op]) {
        for op in ops {
            self.perform(op);
        }
    }

    fn keep(&self, deferred: Deferred<Gift>) {
        self.deferreds.borrow_mut().push(Some(Rc::new(deferred)));
    }

    /// Keeps what is made by something that may run the program: its place comes first.
    fn keep_made(&self, make: impl FnOnce() -> Deferred<Gift>) {
        let at = self.deferreds.borrow().len();
        self.deferreds.borrow_mut().push(None);
        self.put_back(at, make());
    }

    fn keep_both(&self, (deferred, resolver): (Deferred<Gift>, Resolver<Gift>)) {
        self.keep(deferred);
        self.resolvers.borrow_mut().push(Some(resolver));
    }

    fn put_back(&self, at: usize, deferred: Deferred<Gift>) {
        self.deferreds.borrow_mut()[at] = Some(Rc::new(deferred));
    }

    fn reach(&self, nth: Nth) -> Option<Rc<Deferred<Gift>>> {
        let deferreds = self.deferreds.borrow();
        let found = nth.of(deferreds.len()).and_then(|at| deferreds[at].clone());
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    /// Takes a Deferred out of the program's hands, unless it is in use.
    fn take(&self, nth: Nth) -> Option<(usize, Deferred<Gift>)> {
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

    /// A clone is a handle of its own: what it is used for may well drop the other.
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

    fn resolver(&self, at: usize) -> Option<Resolver<Gift>> {
        self.resolvers.borrow_mut().get_mut(at)?.take()
    }

    fn perform(&self, op: &Op) {
        match op {
            Op::New(None) => self.keep_both(Deferred::new()),
            Op::New(Some(canceller)) => {
                let token = self.token(canceller);
                self.keep_both(Deferred::with_canceller(move || token.cancel()));
            }
            Op::WithResult(true) => self.keep(Deferred::succeed(self.value())),
            Op::WithResult(false) => self.keep(Deferred::fail(Oops(self.value()))),
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
                self.keep_made(|| list(*kind, members));
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
                    let useless = self.resolvers.borrow()[at].as_ref().is_some_and(Resolver::is_cancelled);
                    self.say(Answer::Useless(useless));
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
            // Unlike `panic!`, this calls no callback: panics are what programs are made of.
            Op::Panic => resume_unwind(Box::new("planned")),
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

    fn add(&self, deferred: Deferred<Gift>, side: &Side) -> Deferred<Gift> {
        let callback = |Callback { closure, returns }: &Callback| (self.token(closure), *returns);
        match side {
            Side::Value(one) => {
                let (token, end) = callback(one);
                deferred.add_callback(move |value| token.call(end, Ok(value)))
            }
            Side::Error(one) => {
                let (token, end) = callback(one);
                deferred.add_errback(move |error| token.call(end, Err(error)))
            }
            Side::Both(one) => {
                let (token, end) = callback(one);
                deferred.add_both(move |result| token.call(end, result))
            }
            Side::Either(one, other) => {
                let ((token, end), (errback, or)) = (callback(one), callback(other));
                deferred
                    .add_callbacks(move |value| token.call(end, Ok(value)), move |error| errback.call(or, Err(error)))
            }
        }
    }

    fn add_timeout(&self, deferred: Deferred<Gift>, after: Duration, callback: Option<&Callback>) -> Deferred<Gift> {
        let callback = callback.map(|Callback { closure, returns }| (self.token(closure), *returns));
        let timed = self.local.with(|reactor| match callback {
            None => deferred.add_timeout(reactor, after),
            Some((token, end)) => deferred.add_timeout_with(reactor, after, move |result, _| token.call(end, result)),
        });
        timed.expect("the reactor has not ended")
    }

    fn take_result(&self, at: usize, deferred: Deferred<Gift>) {
        match deferred.try_result() {
            Ok(result) => self.say(Answer::Rest(given(&result))),
            Err(deferred) => {
                self.say(Answer::NotYet);
                self.put_back(at, deferred);
            }
        }
    }

    /// What is left says what it holds, and goes. Callbacks that run meanwhile may make more.
    fn end(&self, ending: Ending) {
        self.ask_all();
        loop {
            match ending {
                Ending::Abandon => {
                    self.abandon_all();
                    self.drop_all();
                    self.drop_handles();
                }
                Ending::Forget => {
                    self.drop_handles();
                    self.drop_all();
                    self.abandon_all();
                }
                Ending::Fire => {
                    self.unpause_all();
                    self.fire_all();
                    self.open_all();
                    self.ask_all();
                    self.drop_all();
                    self.drop_handles();
                }
            }
            self.close_all();
            let done = |world: &Self| {
                world.deferreds.borrow().iter().all(Option::is_none)
                    && world.resolvers.borrow().iter().all(Option::is_none)
                    && world.handles.borrow().iter().all(Option::is_none)
                    && world.semaphores.borrow().iter().all(Option::is_none)
                    && world.queues.borrow().iter().all(Option::is_none)
            };
            if done(self) {
                return;
            }
        }
    }

    /// All that the program has, out of its hands.
    fn all(&self) -> Vec<(usize, Deferred<Gift>)> {
        let all = self.deferreds.borrow_mut().iter_mut().map(Option::take).enumerate().collect::<Vec<_>>();
        all.into_iter().filter_map(|(at, shared)| Some((at, Rc::into_inner(shared?)?))).collect()
    }

    fn ask_all(&self) {
        for (at, deferred) in self.all() {
            self.take_result(at, deferred);
        }
    }

    fn drop_all(&self) {
        for (_, deferred) in self.all() {
            drop(deferred);
        }
    }

    fn drop_handles(&self) {
        for at in 0.. {
            let mut handles = self.handles.borrow_mut();
            let Some(handle) = handles.get_mut(at).map(Option::take) else { return };
            drop(handles);
            drop(handle);
        }
    }

    /// Ends the pauses of what the program holds.
    fn unpause_all(&self) {
        for at in 0.. {
            let deferreds = self.deferreds.borrow();
            let Some(deferred) = deferreds.get(at).cloned() else { return };
            drop(deferreds);
            while deferred.as_ref().is_some_and(|deferred| deferred.unpause().is_ok()) {}
        }
    }

    fn abandon_all(&self) {
        for at in 0.. {
            if at >= self.resolvers.borrow().len() {
                return;
            }
            drop(self.resolver(at));
        }
    }

    fn fire_all(&self) {
        for at in 0.. {
            if at >= self.resolvers.borrow().len() {
                return;
            }
            if let Some(resolver) = self.resolver(at) {
                resolver.callback(self.value());
            }
        }
    }
}

/// Several as one, which is taken apart at once: it says what it came to, and goes on with a value of the program's own.
fn list(kind: ListKind, members: Vec<Deferred<Gift>>) -> Deferred<Gift> {
    let list = DeferredList::new(members).consume_errors();
    match kind {
        ListKind::All => list.all().add_callbacks(all_came, one_failed),
        ListKind::Gather => list
            .fire_on_one_errback()
            .add_callbacks(|values| all_came(values.into_iter().map(Ok).collect()), one_failed),
        ListKind::First => list.fire_on_one_callback().add_callbacks(one_came, one_failed),
        ListKind::Race => list.cancel_rest().fire_on_one_callback().add_callbacks(one_came, one_failed),
    }
}

fn all_came(results: Vec<Result<Gift, Failure>>) -> Returned {
    World::current(|world| {
        results.iter().for_each(|result| world.say(Answer::Rest(given(result))));
        drop(results);
        Returned(Settled::Now(Ok(world.value())))
    })
}

fn one_came((index, value): (usize, Gift)) -> Returned {
    World::current(|world| world.say(Answer::Index(index)));
    Returned(Settled::Now(Ok(value)))
}

fn one_failed(failure: Failure) -> Returned {
    let failure = match failure.downcast::<FirstError>() {
        Ok(first) => {
            World::current(|world| world.say(Answer::Index(first.index)));
            return Returned(Settled::Now(Err(first.error)));
        }
        Err(failure) => failure,
    };
    match failure.downcast::<FailureGroup>() {
        Ok(group) => World::current(|world| {
            group.failures.iter().for_each(|failure| world.say(Answer::Rest(Given::Error(Why::of(failure)))));
            drop(group);
            Returned(Settled::Now(Err(world.error())))
        }),
        Err(failure) => Returned(Settled::Now(Err(failure))),
    }
}

/// There is no other way to see it than what a program prints when it looks for what hangs.
fn state(deferred: &Deferred<Gift>) -> (State, u32) {
    let printed = format!("{deferred:?}");
    let state = [State::Unfired, State::Cancelling, State::Running, State::Waiting, State::Held, State::Resting]
        .into_iter()
        .find(|state| printed.contains(&format!("{state:?}")))
        .unwrap_or_else(|| panic!("no state in {printed}"));
    let pauses = printed.split_once("paused: ").map_or("0", |(_, count)| count.trim_end_matches(')'));
    (state, pauses.parse().unwrap_or_else(|_| panic!("no count in {printed}")))
}
