//! The expected trace of a program over Deferreds: Twisted's rules, followed in flat lists.
//!
//! Written to be obviously right, from SPEC.md and the documentation: a Deferred is a list of callbacks, an optional
//! result, and whom it waits for. Where the rules are silent (the order of drops) it pins what the code does.

mod coordination;
mod end;
mod lists;
mod run;

use std::collections::VecDeque;
use std::time::Duration;

use selvedge::report::Incident;

use super::program::{Callback, Closure, Ending, FiredWith, ListKind, Op, Program, Returns, Side};
use super::trace::{Answer, ErrorKind, Event, Given, Id, State};
use crate::codec::{Delay, Members, Nth, Small};
use coordination::{Queue, Semaphore, WaitsIn};
use lists::List;

/// What is expected of a program.
pub struct Outcome {
    pub trace: Vec<Event>,
    /// How many closures, values and errors it made.
    made: Id,
    /// A deadlock: the holder of a permit waits for one who waits for the permit.
    pub deadlocks: bool,
}

impl Outcome {
    /// Every closure, value and error was dropped exactly once.
    ///
    /// # Errors
    /// The first that was not.
    pub fn account(&self, trace: &[Event]) -> Result<(), String> {
        super::trace::account(trace, self.made)
    }
}

/// Follows the rules and returns the expected trace.
pub fn run(program: &Program) -> Outcome {
    let mut model = Model::default();
    for op in &program.script {
        let flow = model.perform(op);
        model.contain(Incident::Call, flow);
        model.run_timers();
    }
    // A timer of the last turn may run what makes more.
    loop {
        model.end(program.ending);
        model.run_timers();
        if model.is_over() {
            break;
        }
    }
    let deadlocks = model.semaphores.iter().any(Semaphore::is_held);
    Outcome { trace: model.trace, made: model.made, deadlocks }
}

/// A panic is unwinding.
struct Unwinding;

type Flow<T = ()> = Result<T, Unwinding>;

/// A closure that has not been dropped yet.
struct Traced {
    id: Id,
    closure: Closure,
}

/// A result.
#[derive(Clone, Copy)]
enum DeferredResult {
    Value(Id),
    /// An item that nobody has received: which one, of which queue, and its place there.
    Item(Id, usize, usize),
    Error(ErrorKind),
    /// What `log_error` leaves.
    Unit,
    /// The result of that list, and whether it is a value.
    List(usize, bool),
    /// A permit of that lock or semaphore.
    Permit(usize),
}

/// What a callback returned, or a firing half was fired with.
enum Returned {
    Now(DeferredResult),
    Later(usize),
}

/// One callback, or one pair of them.
enum Pair {
    Value(Traced, Returns),
    Error(Traced, Returns),
    Both(Traced, Returns),
    Either(Traced, Returns, Traced, Returns),
    /// `log_error`.
    Log,
    /// A result that nobody wants any more.
    Ignore,
    /// `add_timeout`: its timer, and what is called if that was first.
    Timeout(Option<usize>, Delay, Option<(Traced, Returns)>),
    /// Which list it is a member of, and which member.
    Member(usize, usize),
    /// The result of a list is unpacked.
    Unpack,
    /// A permit is kept without its guard.
    Keep(usize),
    /// `run`, when it has its permit.
    Run(usize, Traced, Returns),
    /// `run`, when the Deferred that its function returned has fired.
    GiveBack(usize),
}

/// An effect of a drop, queued while another one is processed.
enum Pending {
    /// Its firing half was dropped.
    Abandoned(usize),
    /// Nobody is left who could unpause it.
    Unpaused(usize),
    /// It waits in a queue, and was dropped before anything was added to it.
    GivenUp(usize),
}

struct Timer {
    at: Duration,
    /// Which Deferred it is to cancel.
    cancels: usize,
    state: TimerState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TimerState {
    Waits,
    /// It was due and has cancelled.
    Fired,
    Gone,
}

#[derive(Default)]
struct Deferred {
    canceller: Option<Traced>,
    /// The list whose result this is. Cancelling cancels the list.
    list: Option<usize>,
    /// It waits for a permit or an item.
    waits_in: Option<WaitsIn>,
    /// It has been fired: another result is too late.
    fired: bool,
    cancelling: bool,
    /// Its callbacks are running further up the stack.
    running: bool,
    /// The unfired Deferred that one of its callbacks returned.
    waits_for: Option<usize>,
    /// The Deferred one of whose callbacks returned this one.
    waiter: Option<usize>,
    /// The result for the next callback.
    result: Option<DeferredResult>,
    callbacks: VecDeque<Pair>,
    /// Somebody holds it: the program, or an operation up the stack.
    held: bool,
    /// The program holds it.
    in_reach: bool,
    /// How many operations further up the stack use it in place.
    users: usize,
    /// How many operations further up the stack keep it alive.
    kept: usize,
    /// Its firing half exists, used or not.
    resolver: bool,
    /// A callback was added at some time.
    added_to: bool,
    pauses: u32,
    /// How many `PauseHandle`s there are, including those in use by operations.
    handles: usize,
}

impl Deferred {
    /// Whether the result is at the end of the chain, behind the last callback.
    fn rests(&self) -> bool {
        self.result.is_some() && !self.running && self.callbacks.is_empty()
    }

    /// Whether a result at the end is unreachable. Without callbacks, the firing half of a cancelled Deferred, or a
    /// pause handle, still keeps it.
    fn is_lost(&self) -> bool {
        self.rests() && self.waiter.is_none() && !self.held && (self.added_to || self.is_alone())
    }

    /// Whether only a pause keeps the result from a callback or a waiter.
    fn is_held(&self) -> bool {
        let goes_on = !self.callbacks.is_empty() || self.waiter.is_some();
        self.pauses > 0 && self.result.is_some() && !self.running && goes_on
    }

    /// Whether it waits in a queue, and nothing was added to it or can be.
    fn is_given_up(&self) -> bool {
        self.waits_in.is_some()
            && !self.fired
            && !self.added_to
            && !self.held
            && self.users == 0
            && self.waiter.is_none()
    }

    /// Whether nobody holds it, its firing half or a handle.
    fn is_alone(&self) -> bool {
        !self.held && !self.resolver && self.handles == 0 && self.users + self.kept == 0
    }
}

#[derive(Default)]
struct Model {
    trace: Vec<Event>,
    made: Id,
    deferreds: Vec<Deferred>,
    /// Which Deferred each firing half fires, until it is used.
    resolvers: Vec<Option<usize>>,
    /// Which Deferred each `PauseHandle` pauses, until it is dropped.
    handles: Vec<Option<usize>>,
    lists: Vec<List>,
    semaphores: Vec<Semaphore>,
    queues: Vec<Queue>,
    now: Duration,
    timers: Vec<Timer>,
    /// Queue of effects of drops; `Some` while one is processed.
    pending: Option<VecDeque<Pending>>,
}

impl Model {
    fn say(&mut self, answer: Answer) {
        self.trace.push(Event::Answered(answer));
    }

    fn report(&mut self, incident: Incident, why: ErrorKind) {
        self.trace.push(Event::Report(incident, why));
    }

    /// A panic is reported, and the rest continues.
    fn contain(&mut self, incident: Incident, flow: Flow) {
        if flow.is_err() {
            self.report(incident, ErrorKind::Panicked);
        }
    }

    fn number(&mut self) -> Id {
        self.made += 1;
        self.made - 1
    }

    fn traced(&mut self, closure: &Closure) -> Traced {
        Traced { id: self.number(), closure: closure.clone() }
    }

    fn new_error(&mut self) -> DeferredResult {
        DeferredResult::Error(ErrorKind::Own(self.number()))
    }

    fn new_value(&mut self) -> DeferredResult {
        DeferredResult::Value(self.number())
    }

    /// A closure that was never called.
    fn drop_token(&mut self, traced: Traced) {
        self.trace.push(Event::Dropped(traced.id));
        let flow = self.perform_all(&traced.closure.on_drop);
        self.contain(Incident::Drop, flow);
    }

    fn drop_result(&mut self, result: DeferredResult) {
        match result {
            DeferredResult::Value(id) | DeferredResult::Error(ErrorKind::Own(id)) => {
                self.trace.push(Event::Dropped(id))
            }
            DeferredResult::Item(id, queue, place) => self.take_back(queue, id, place),
            DeferredResult::List(list, _) => self.drop_outcome(list),
            DeferredResult::Permit(semaphore) => self.drop_permit(semaphore),
            DeferredResult::Error(_) | DeferredResult::Unit => {}
        }
    }

    fn perform_all(&mut self, ops: &[Op]) -> Flow {
        ops.iter().try_for_each(|op| self.perform(op))
    }

    /// Which Deferred it is, if the program can reach it.
    fn reach(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.deferreds.len()).filter(|&it| self.deferreds[it].in_reach);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    /// Takes a Deferred from the program, unless it is in use.
    fn take(&mut self, nth: Nth) -> Option<usize> {
        let it = self.reach(nth)?;
        if self.deferreds[it].users > 0 {
            self.say(Answer::Held);
            return None;
        }
        self.deferreds[it].in_reach = false;
        Some(it)
    }

    fn add_deferred(&mut self, deferred: Deferred) -> usize {
        self.deferreds.push(Deferred { held: true, in_reach: true, ..deferred });
        self.deferreds.len() - 1
    }

    fn perform(&mut self, op: &Op) -> Flow {
        match op {
            Op::New(canceller) => {
                let canceller = canceller.as_ref().map(|closure| self.traced(closure));
                let it = self.add_deferred(Deferred { canceller, resolver: true, ..Deferred::default() });
                self.resolvers.push(Some(it));
            }
            Op::WithResult(ok) => {
                let result = Some(if *ok { self.new_value() } else { self.new_error() });
                self.add_deferred(Deferred { fired: true, result, ..Deferred::default() });
            }
            Op::Fire(nth, sent) => self.fire(*nth, *sent),
            Op::Abandon(nth) => match self.resolver(*nth) {
                Some(which) => self.abandon(which),
                None => self.say(Answer::Nothing),
            },
            Op::Add(nth, side) => {
                if let Some(it) = self.take(*nth) {
                    let pair = self.pair(side);
                    self.add(it, pair);
                    self.deferreds[it].in_reach = true;
                }
            }
            Op::Cancel(nth) => {
                if let Some(it) = self.reach(*nth) {
                    self.deferreds[it].users += 1;
                    self.cancel(it);
                    self.deferreds[it].users -= 1;
                    self.after_drop(it);
                }
            }
            Op::Pause(nth) => {
                if let Some(it) = self.reach(*nth) {
                    self.deferreds[it].pauses += 1;
                }
            }
            Op::Unpause(nth) => {
                if let Some(it) = self.reach(*nth) {
                    self.deferreds[it].users += 1;
                    self.unpause(it);
                    self.deferreds[it].users -= 1;
                }
            }
            Op::PauseHandle(nth) => {
                if let Some(it) = self.reach(*nth) {
                    self.deferreds[it].handles += 1;
                    self.handles.push(Some(it));
                }
            }
            Op::HandlePause(nth) => {
                if let Some(it) = self.handle(*nth) {
                    self.deferreds[it].pauses += 1;
                }
            }
            Op::HandleUnpause(nth) => {
                if let Some(it) = self.handle(*nth) {
                    self.deferreds[it].handles += 1;
                    self.unpause(it);
                    self.drop_one_handle(it);
                }
            }
            Op::DropHandle(nth) => {
                if let Some(it) = self.handle(*nth) {
                    let at = nth.of(self.handles.len()).expect("it is there");
                    self.handles[at] = None;
                    self.drop_one_handle(it);
                }
            }
            Op::Timeout(nth, after, callback) => {
                if let Some(it) = self.take(*nth) {
                    let callback =
                        callback.as_ref().map(|Callback { closure, returns }| (self.traced(closure), *returns));
                    let timer = self.timer(it, after.duration());
                    self.add(it, Pair::Timeout(timer, *after, callback));
                    self.deferreds[it].in_reach = true;
                }
            }
            Op::List(kind, Members(members)) => self.list(*kind, members),
            Op::Chain(nth, other) => match self.resolver(*other) {
                Some(which) => {
                    if let Some(inner) = self.take(*nth)
                        && let Some(it) = self.resolvers[which].take()
                    {
                        self.arrive(it, Returned::Later(inner));
                        self.drop_resolver(it);
                    }
                }
                None => self.say(Answer::Nothing),
            },
            Op::Take(nth) => {
                if let Some(it) = self.take(*nth) {
                    self.take_result(it);
                }
            }
            Op::Drop(nth) => {
                if let Some(it) = self.take(*nth) {
                    self.drop_deferred(it);
                }
            }
            Op::Log(nth) => {
                if let Some(it) = self.take(*nth) {
                    self.add(it, Pair::Log);
                    self.drop_deferred(it);
                }
            }
            Op::Inspect(nth) => {
                if let Some(it) = self.reach(*nth) {
                    let state = self.state(it);
                    let pauses = self.deferreds[it].pauses;
                    self.say(Answer::State(state, pauses));
                }
                if let Some(which) = self.resolver(*nth) {
                    let fires = self.resolvers[which].expect("it is there");
                    self.say(Answer::ResolverIsCancelled(self.deferreds[fires].fired));
                }
            }
            Op::Semaphore(Small(permits)) => self.new_semaphore(*permits),
            Op::Acquire(nth) => self.acquire(*nth),
            Op::Release(nth) => self.release(*nth),
            Op::Run(nth, callback) => self.run_in(*nth, callback),
            Op::Queue(Small(size), Small(backlog)) => self.new_queue(*size, *backlog),
            Op::Put(nth) => self.put(*nth),
            Op::Get(nth) => self.get(*nth),
            // P86: a virtual clock stops just before the time that is never.
            Op::Advance(delay) => {
                let never = Duration::MAX.saturating_sub(Duration::from_nanos(1));
                self.now = self.now.saturating_add(delay.duration()).min(never);
            }
            Op::Panic => return Err(Unwinding),
        }
        Ok(())
    }

    fn pair(&mut self, side: &Side) -> Pair {
        let mut callback = |Callback { closure, returns }: &Callback| (self.traced(closure), *returns);
        match side {
            Side::Value(one) => {
                let (traced, end) = callback(one);
                Pair::Value(traced, end)
            }
            Side::Error(one) => {
                let (traced, end) = callback(one);
                Pair::Error(traced, end)
            }
            Side::Both(one) => {
                let (traced, end) = callback(one);
                Pair::Both(traced, end)
            }
            Side::Either(one, other) => {
                let ((traced, end), (errback, or)) = (callback(one), callback(other));
                Pair::Either(traced, end, errback, or)
            }
        }
    }

    fn state(&self, it: usize) -> State {
        let deferred = &self.deferreds[it];
        match deferred {
            Deferred { fired: false, cancelling: true, .. } => State::Cancelling,
            Deferred { fired: false, .. } => State::Unfired,
            Deferred { waits_for: Some(_), .. } => State::Waiting,
            Deferred { running: true, .. } => State::Running,
            it if it.is_held() => State::Held,
            _ => State::Resting,
        }
    }

    fn handle(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.handles.len()).and_then(|at| self.handles[at]);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn drop_one_handle(&mut self, it: usize) {
        self.deferreds[it].handles -= 1;
        self.after_drop(it);
    }

    /// B53: a held result continues when the last pause ends.
    fn unpause(&mut self, it: usize) {
        if self.deferreds[it].pauses == 0 {
            return self.say(Answer::NotPaused);
        }
        let held = self.deferreds[it].is_held();
        self.deferreds[it].pauses -= 1;
        if held && self.deferreds[it].pauses == 0 {
            self.run_callbacks(it);
        }
    }
}

/// P81: the program receives a result. An item belongs to it from then on.
fn receive(result: DeferredResult) -> DeferredResult {
    match result {
        DeferredResult::Item(id, ..) => DeferredResult::Value(id),
        other => other,
    }
}

fn given(result: DeferredResult) -> Given {
    match result {
        DeferredResult::Value(id) | DeferredResult::Item(id, ..) => Given::Value(id),
        DeferredResult::Error(why) => Given::Error(why),
        DeferredResult::Unit | DeferredResult::List(..) | DeferredResult::Permit(_) => Given::Nothing,
    }
}
