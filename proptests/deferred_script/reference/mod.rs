//! What a program over Deferreds should come to: Twisted's rules, followed in flat lists.
//!
//! Written to be obviously right, from the behaviour catalogue and the documentation: a Deferred is a list of callbacks, a result that may be there, and whom it
//! waits for. Where the catalogue is silent (what is dropped before what) this pins down what is.

mod coordination;
mod lists;

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use selvedge::report::Incident;

use super::program::{Callback, Closure, Ending, FiredWith, ListKind, Op, Program, Returns, Side};
use super::trace::{Answer, Event, Given, Id, State, Why};
use crate::codec::{Delay, Members, Nth, Small};
use coordination::{Line, Queue, Semaphore};
use lists::List;

/// What a program should come to.
pub struct Outcome {
    pub trace: Vec<Event>,
    /// How many closures, values and errors it made.
    made: Id,
    /// Somebody has a permit and waits for what waits for that: a deadlock, as with any lock, and kept for ever.
    pub deadlocks: bool,
}

impl Outcome {
    /// Every closure, value and error has come to its end.
    ///
    /// # Errors
    /// The first that has not.
    pub fn account(&self, trace: &[Event]) -> Result<(), String> {
        super::trace::account(trace, self.made)
    }
}

/// Follows the rules.
pub fn run(program: &Program) -> Outcome {
    let mut model = Model::default();
    for op in &program.script {
        let flow = model.perform(op);
        model.contain(Incident::Call, flow);
        model.run_timers();
    }
    model.end(program.ending);
    model.run_timers();
    let deadlocks = model.semaphores.iter().any(Semaphore::is_held);
    Outcome { trace: model.trace, made: model.made, deadlocks }
}

/// A panic is on its way up.
struct Unwinding;

type Flow<T = ()> = Result<T, Unwinding>;

/// A closure that is still to come to its end.
struct Token {
    id: Id,
    closure: Closure,
}

/// A result.
#[derive(Clone, Copy)]
enum Rest {
    Value(Id),
    Error(Why),
    /// What `log_error` leaves.
    Unit,
    /// What that list came to, and whether well.
    List(usize, bool),
    /// A permit of that lock or semaphore.
    Permit(usize),
}

/// What a callback comes to.
enum Comes {
    Now(Rest),
    Later(usize),
}

/// One callback, or one pair of them.
enum Pair {
    Value(Token, Returns),
    Error(Token, Returns),
    Both(Token, Returns),
    Either(Token, Returns, Token, Returns),
    /// `log_error`.
    Log,
    /// A result that nobody wants any more.
    Ignore,
    /// `add_timeout`: which timer it was, and what is called instead if it was that.
    Timeout(Option<usize>, Delay, Option<(Token, Returns)>),
    /// Which list it is a member of, and which member.
    Member(usize, usize),
    /// What a list came to is taken apart.
    TakeApart,
    /// A permit is kept without its guard.
    Keep(usize),
    /// `run`, when it has its permit.
    Run(usize, Token, Returns),
    /// `run`, when what it waited for has come.
    GiveBack(usize),
}

/// What is to happen as soon as what happens now is through.
enum Pending {
    /// Its firing half was dropped.
    Abandoned(usize),
    /// All that could have ended its pause were dropped.
    Unpaused(usize),
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
    /// It cancelled.
    Struck,
    Gone,
}

#[derive(Default)]
struct Deferred {
    canceller: Option<Token>,
    /// The list that it is of, which is cancelled with it.
    list: Option<usize>,
    /// It waits for a permit or an item.
    waits_in: Option<Line>,
    /// It has, or had, a result: another one comes too late.
    fired: bool,
    cancelling: bool,
    /// Somebody up the stack runs its callbacks.
    running: bool,
    /// A callback of it returned that one, which has no result.
    waits_for: Option<usize>,
    /// A callback of that one returned this one.
    waiter: Option<usize>,
    /// The result, where the next callback will take it.
    result: Option<Rest>,
    callbacks: VecDeque<Pair>,
    /// Somebody holds it: the program, or an operation up the stack.
    held: bool,
    /// The program does.
    in_reach: bool,
    /// How many operations up the stack use it in place.
    users: usize,
    /// How many operations up the stack are about it, whoever holds it.
    kept: usize,
    /// Its firing half is there, used up or not.
    resolver: bool,
    /// A callback was added, whatever has become of it.
    added_to: bool,
    pauses: u32,
    /// How many can pause it from elsewhere: the program's `PauseHandle`s, and operations that use one.
    handles: usize,
}

impl Deferred {
    /// Whether the result lies at the end, for whoever holds it.
    fn rests(&self) -> bool {
        self.result.is_some() && !self.running && self.callbacks.is_empty()
    }

    /// Whether a result at the end is lost. Where no callback was added, the firing half that it was cancelled away from still has it, or one who may pause it.
    fn is_lost(&self) -> bool {
        self.rests() && self.waiter.is_none() && !self.held && (self.added_to || self.is_alone())
    }

    /// Whether a result could go on, to a callback or to who waits for it, were it not paused.
    fn is_held(&self) -> bool {
        let goes_on = !self.callbacks.is_empty() || self.waiter.is_some();
        self.pauses > 0 && self.result.is_some() && !self.running && goes_on
    }

    /// Whether nobody has anything of it, apart from what runs or is to be run.
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
    /// What has to wait, while something goes on that does not let it in between.
    pending: Option<VecDeque<Pending>>,
}

impl Model {
    fn say(&mut self, answer: Answer) {
        self.trace.push(Event::Said(answer));
    }

    fn report(&mut self, incident: Incident, why: Why) {
        self.trace.push(Event::Report(incident, why));
    }

    /// What fails is reported, and the rest goes on.
    fn contain(&mut self, incident: Incident, flow: Flow) {
        if flow.is_err() {
            self.report(incident, Why::Panicked);
        }
    }

    fn number(&mut self) -> Id {
        self.made += 1;
        self.made - 1
    }

    fn token(&mut self, closure: &Closure) -> Token {
        Token { id: self.number(), closure: closure.clone() }
    }

    fn new_error(&mut self) -> Rest {
        Rest::Error(Why::Own(self.number()))
    }

    fn new_value(&mut self) -> Rest {
        Rest::Value(self.number())
    }

    /// A closure that was never called.
    fn drop_token(&mut self, token: Token) {
        self.trace.push(Event::Dropped(token.id));
        let flow = self.perform_all(&token.closure.on_drop);
        self.contain(Incident::Drop, flow);
    }

    fn drop_result(&mut self, result: Rest) {
        match result {
            Rest::Value(id) | Rest::Error(Why::Own(id)) => self.trace.push(Event::Dropped(id)),
            Rest::List(list, _) => self.drop_what_came(list),
            Rest::Permit(semaphore) => self.drop_permit(semaphore),
            Rest::Error(_) | Rest::Unit => {}
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

    /// Takes a Deferred out of the program's hands, unless it is in use.
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
                let canceller = canceller.as_ref().map(|closure| self.token(closure));
                let it = self.add_deferred(Deferred { canceller, resolver: true, ..Deferred::default() });
                self.resolvers.push(Some(it));
            }
            Op::WithResult(well) => {
                let result = Some(if *well { self.new_value() } else { self.new_error() });
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
                    self.goes(it);
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
                    self.ungrip(it);
                }
            }
            Op::DropHandle(nth) => {
                if let Some(it) = self.handle(*nth) {
                    let at = nth.of(self.handles.len()).expect("it is there");
                    self.handles[at] = None;
                    self.ungrip(it);
                }
            }
            Op::Timeout(nth, after, callback) => {
                if let Some(it) = self.take(*nth) {
                    let callback =
                        callback.as_ref().map(|Callback { closure, returns }| (self.token(closure), *returns));
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
                        self.arrive(it, Comes::Later(inner));
                        self.resolver_goes(it);
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
                    self.let_go(it);
                }
            }
            Op::Log(nth) => {
                if let Some(it) = self.take(*nth) {
                    self.add(it, Pair::Log);
                    self.let_go(it);
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
                    self.say(Answer::Useless(self.deferreds[fires].fired));
                }
            }
            Op::Semaphore(Small(permits)) => self.new_semaphore(*permits),
            Op::Acquire(nth) => self.acquire(*nth),
            Op::Release(nth) => self.release(*nth),
            Op::Run(nth, callback) => self.run_in(*nth, callback),
            Op::Queue(Small(size), Small(backlog)) => self.new_queue(*size, *backlog),
            Op::Put(nth) => self.put(*nth),
            Op::Get(nth) => self.get(*nth),
            Op::Advance(delay) => self.now = self.now.saturating_add(delay.duration()),
            Op::Panic => return Err(Unwinding),
        }
        Ok(())
    }

    fn pair(&mut self, side: &Side) -> Pair {
        let mut callback = |Callback { closure, returns }: &Callback| (self.token(closure), *returns);
        match side {
            Side::Value(one) => {
                let (token, end) = callback(one);
                Pair::Value(token, end)
            }
            Side::Error(one) => {
                let (token, end) = callback(one);
                Pair::Error(token, end)
            }
            Side::Both(one) => {
                let (token, end) = callback(one);
                Pair::Both(token, end)
            }
            Side::Either(one, other) => {
                let ((token, end), (errback, or)) = (callback(one), callback(other));
                Pair::Either(token, end, errback, or)
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

    fn ungrip(&mut self, it: usize) {
        self.deferreds[it].handles -= 1;
        self.goes(it);
    }

    /// B53: what was held goes on when the last pause ends.
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

    /// B59: one that has passed this point already needs no timer.
    fn timer(&mut self, it: usize, after: Duration) -> Option<usize> {
        if self.deferreds[it].rests() && self.deferreds[it].pauses == 0 {
            return None;
        }
        self.timers.push(Timer { at: self.now.saturating_add(after), cancels: it, state: TimerState::Waits });
        Some(self.timers.len() - 1)
    }

    /// B15, B21: in the order of their deadlines, and then in the order they were added; not those that are added meanwhile.
    fn run_timers(&mut self) {
        let (now, there) = (self.now, self.timers.len());
        loop {
            let due = (0..there).filter(|&at| self.timers[at].state == TimerState::Waits && self.timers[at].at <= now);
            let Some(first) = due.min_by_key(|&at| (self.timers[at].at, at)) else { return };
            self.timers[first].state = TimerState::Struck;
            let it = self.timers[first].cancels;
            self.cancel(it);
            self.goes(it);
        }
    }

    /// B51: added to one that has its result, it runs at once; otherwise when its turn comes.
    fn add(&mut self, it: usize, pair: Pair) {
        let runs = self.deferreds[it].rests() && self.deferreds[it].pauses == 0;
        self.deferreds[it].callbacks.push_back(pair);
        self.deferreds[it].added_to = true;
        if runs {
            self.run_callbacks(it);
        }
    }

    /// Nobody holds it any more. B60: what nobody handled is reported, when nobody can handle it any more.
    fn let_go(&mut self, it: usize) {
        self.deferreds[it].held = false;
        self.goes(it);
    }

    fn resolver_goes(&mut self, it: usize) {
        self.deferreds[it].resolver = false;
        self.goes(it);
    }

    /// Somebody has let go of it.
    fn goes(&mut self, it: usize) {
        self.drop_lost(it);
        if self.deferreds[it].is_alone() && self.deferreds[it].is_held() {
            self.one_by_one(Pending::Unpaused(it));
        }
    }

    fn drop_lost(&mut self, it: usize) {
        if !self.deferreds[it].is_lost() {
            return;
        }
        let Some(result) = self.deferreds[it].result.take() else { return };
        if let Rest::Error(why) = result {
            self.report(Incident::Unhandled, why);
        }
        self.drop_result(result);
    }

    fn take_result(&mut self, it: usize) {
        if !self.deferreds[it].rests() || self.deferreds[it].pauses > 0 {
            self.say(Answer::NotYet);
            self.deferreds[it].in_reach = true;
            return;
        }
        if let Some(result) = self.deferreds[it].result.take() {
            self.say(Answer::Rest(given(result)));
            self.drop_result(result);
        }
        self.deferreds[it].held = false;
    }

    fn resolver(&self, nth: Nth) -> Option<usize> {
        nth.of(self.resolvers.len()).filter(|&which| self.resolvers[which].is_some())
    }

    fn fire(&mut self, nth: Nth, sent: FiredWith) {
        let Some(which) = self.resolver(nth) else { return self.say(Answer::Nothing) };
        let inner = match sent {
            FiredWith::Await(nth) => match self.take(nth) {
                None => return,
                inner => inner,
            },
            FiredWith::Value | FiredWith::Error => None,
        };
        let Some(it) = self.resolvers[which].take() else { return };
        let comes = match sent {
            FiredWith::Value => Comes::Now(self.new_value()),
            FiredWith::Error => Comes::Now(self.new_error()),
            FiredWith::Await(_) => Comes::Later(inner.expect("it was taken")),
        };
        self.arrive(it, comes);
        self.resolver_goes(it);
    }

    /// B49, B57: the first result is the one; a late one is dropped.
    fn arrive(&mut self, it: usize, comes: Comes) {
        if self.deferreds[it].fired {
            match comes {
                Comes::Now(result) => self.drop_result(result),
                Comes::Later(inner) => {
                    self.add(inner, Pair::Ignore);
                    self.let_go(inner);
                }
            }
            return;
        }
        self.begin(it);
        if self.settle(it, comes) {
            self.run_callbacks(it);
        }
    }

    /// B58: the canceller goes when it fires, before any callback runs.
    fn begin(&mut self, it: usize) {
        self.deferreds[it].fired = true;
        self.deferreds[it].running = true;
        if let Some(canceller) = self.deferreds[it].canceller.take() {
            self.drop_token(canceller);
        }
        self.deferreds[it].running = false;
    }

    /// A firing half was dropped: what waits for it fails.
    fn abandon(&mut self, which: usize) {
        if let Some(it) = self.resolvers[which].take() {
            self.one_by_one(Pending::Abandoned(it));
        }
    }

    /// What a drop brings about comes one after the other, if several are dropped inside each other.
    fn one_by_one(&mut self, first: Pending) {
        if let Some(queue) = &mut self.pending {
            queue.push_back(first);
            return;
        }
        self.pending = Some(VecDeque::from([first]));
        while let Some(next) = self.pending.as_mut().and_then(VecDeque::pop_front) {
            match next {
                Pending::Abandoned(it) => {
                    if !self.deferreds[it].cancelling {
                        self.arrive(it, Comes::Now(Rest::Error(Why::Abandoned)));
                    }
                    self.resolver_goes(it);
                }
                Pending::Unpaused(it) => {
                    self.deferreds[it].pauses = 0;
                    self.run_callbacks(it);
                }
            }
        }
        self.pending = None;
    }

    /// B56, B57, B58.
    fn cancel(&mut self, it: usize) {
        let mut it = it;
        while let Some(inner) = self.deferreds[it].waits_for {
            it = inner;
        }
        if self.deferreds[it].fired || self.deferreds[it].cancelling {
            return;
        }
        self.deferreds[it].cancelling = true;
        self.deferreds[it].kept += 1;
        if let Some(canceller) = self.deferreds[it].canceller.take() {
            let flow = self.call(canceller, Given::Nothing);
            self.contain(Incident::Canceller, flow);
        } else if let Some(list) = self.deferreds[it].list {
            self.let_whole_go(list);
            self.cancel_members(list);
        } else {
            self.leave_line(it);
        }
        if !self.deferreds[it].fired {
            self.arrive(it, Comes::Now(Rest::Error(Why::Cancelled)));
        }
        self.deferreds[it].kept -= 1;
        self.goes(it);
    }

    /// What a firing half or a callback brought becomes the result: false if it has to be waited for.
    fn settle(&mut self, it: usize, comes: Comes) -> bool {
        let result = match comes {
            Comes::Now(result) => result,
            Comes::Later(inner) => {
                self.deferreds[inner].held = false;
                if self.deferreds[inner].rests() && self.deferreds[inner].pauses == 0 {
                    self.deferreds[inner].result.take().expect("it rests")
                } else if self.leads_to(inner, it) {
                    Rest::Error(Why::WaitsForItself)
                } else {
                    self.deferreds[it].waits_for = Some(inner);
                    self.deferreds[inner].waiter = Some(it);
                    self.goes(inner);
                    return false;
                }
            }
        };
        self.deferreds[it].result = Some(result);
        true
    }

    /// B54: whether it waits for `end`, itself or through others, or as a list of which one does.
    fn leads_to(&self, it: usize, end: usize) -> bool {
        let Deferred { waits_for, list, fired, .. } = self.deferreds[it];
        let members = list.filter(|_| !fired).map_or_else(Vec::new, |list| self.missing_members(list));
        it == end || waits_for.into_iter().chain(members).any(|inner| self.leads_to(inner, end))
    }

    /// The result of `it` goes down its callbacks, and on to the one that waits for it.
    fn run_callbacks(&mut self, it: usize) {
        loop {
            if self.deferreds[it].is_held() {
                return self.goes(it);
            }
            let Some(result) = self.deferreds[it].result.take() else { return };
            if let Some(&Pair::Member(list, index)) = self.deferreds[it].callbacks.front() {
                self.deferreds[it].callbacks.clear();
                return self.bring(list, index, result);
            }
            if let Some(pair) = self.deferreds[it].callbacks.pop_front() {
                self.deferreds[it].running = true;
                let comes = self.run_pair(pair, result);
                self.deferreds[it].running = false;
                if !self.settle(it, comes) {
                    return;
                }
            } else if let Some(waiter) = self.deferreds[it].waiter.take() {
                self.deferreds[waiter].waits_for = None;
                self.deferreds[waiter].result = Some(result);
                return self.run_callbacks(waiter);
            } else {
                self.deferreds[it].result = Some(result);
                return self.drop_lost(it);
            }
        }
    }

    /// B50: values go to callbacks, errors to errbacks; the half that is not called goes first.
    fn run_pair(&mut self, pair: Pair, result: Rest) -> Comes {
        let well = !matches!(result, Rest::Error(_) | Rest::List(_, false));
        match pair {
            Pair::Both(token, end) => self.run_hook(token, end, result),
            Pair::Value(token, end) if well => self.run_hook(token, end, result),
            Pair::Error(token, end) if !well => self.run_hook(token, end, result),
            Pair::Value(token, _) | Pair::Error(token, _) => {
                self.drop_token(token);
                Comes::Now(result)
            }
            Pair::Either(token, end, other, _) if well => {
                self.drop_token(other);
                self.run_hook(token, end, result)
            }
            Pair::Either(other, _, token, end) => {
                self.drop_token(other);
                self.run_hook(token, end, result)
            }
            Pair::Log => {
                if let Rest::Error(why) = result {
                    self.report(Incident::Logged, why);
                }
                self.drop_result(result);
                Comes::Now(Rest::Unit)
            }
            Pair::Ignore => {
                self.drop_result(result);
                Comes::Now(Rest::Unit)
            }
            Pair::Member(..) => unreachable!("it is no callback"),
            Pair::TakeApart => Comes::Now(self.take_apart(result)),
            Pair::Keep(semaphore) if well => Comes::Now(self.keep_permit(semaphore)),
            Pair::Keep(_) => Comes::Now(result),
            Pair::Run(semaphore, token, end) if well => self.run_with_permit(semaphore, token, end),
            Pair::Run(_, token, _) => {
                self.drop_token(token);
                Comes::Now(result)
            }
            Pair::GiveBack(semaphore) => {
                self.drop_permit(semaphore);
                Comes::Now(result)
            }
            Pair::Timeout(timer, after, callback) => self.end_timeout(timer, after, callback, result),
        }
    }

    /// B59: a result first cancels the timer; if the timer was first, its `Cancelled` is `TimedOut`.
    fn end_timeout(
        &mut self,
        timer: Option<usize>,
        after: Delay,
        callback: Option<(Token, Returns)>,
        result: Rest,
    ) -> Comes {
        let timer = timer.map(|at| &mut self.timers[at].state);
        let struck = timer.is_some_and(|state| mem::replace(state, TimerState::Gone) == TimerState::Struck);
        match (callback, result) {
            (Some((token, end)), result) if struck => self.run_hook(token, end, result),
            (Some((token, _)), result) => {
                self.drop_token(token);
                Comes::Now(result)
            }
            (None, Rest::Error(Why::Cancelled)) if struck => Comes::Now(Rest::Error(Why::TimedOut(after))),
            (None, result) => Comes::Now(result),
        }
    }

    fn run_hook(&mut self, token: Token, end: Returns, result: Rest) -> Comes {
        self.trace.push(Event::Began(token.id, given(result)));
        let flow = self.perform_all(&token.closure.body);
        let comes = match (flow, end) {
            (Err(Unwinding), _) => {
                self.drop_result(result);
                Comes::Now(Rest::Error(Why::Panicked))
            }
            (Ok(()), Returns::Pass) => Comes::Now(result),
            (Ok(()), Returns::Value) => {
                self.drop_result(result);
                Comes::Now(self.new_value())
            }
            (Ok(()), Returns::Error) => {
                self.drop_result(result);
                Comes::Now(self.new_error())
            }
            (Ok(()), Returns::Await(nth)) => match self.take(nth) {
                Some(inner) => {
                    self.drop_result(result);
                    Comes::Later(inner)
                }
                None => Comes::Now(result),
            },
        };
        self.trace.push(Event::Ended(token.id));
        comes
    }

    /// Calls a closure that returns nothing: its captures are gone when it has returned, or panicked.
    fn call(&mut self, token: Token, given: Given) -> Flow {
        self.trace.push(Event::Began(token.id, given));
        let flow = self.perform_all(&token.closure.body);
        self.trace.push(Event::Ended(token.id));
        flow
    }

    /// What is left says what it holds, and goes. Callbacks that run meanwhile may make more.
    fn end(&mut self, ending: Ending) {
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
            if self.resolvers.iter().all(Option::is_none)
                && self.handles.iter().all(Option::is_none)
                && !self.deferreds.iter().any(|it| it.in_reach)
                && self.semaphores.iter().all(|semaphore| semaphore.closed)
                && self.queues.iter().all(|queue| queue.closed)
            {
                return;
            }
        }
    }

    fn drop_handles(&mut self) {
        let mut at = 0;
        while at < self.handles.len() {
            if let Some(it) = self.handles[at].take() {
                self.ungrip(it);
            }
            at += 1;
        }
    }

    /// Ends the pauses of what the program holds.
    fn unpause_all(&mut self) {
        let mut it = 0;
        while it < self.deferreds.len() {
            if self.deferreds[it].in_reach {
                self.deferreds[it].users += 1;
                while self.deferreds[it].pauses > 0 {
                    self.unpause(it);
                }
                self.deferreds[it].users -= 1;
            }
            it += 1;
        }
    }

    fn ask_all(&mut self) {
        for it in self.all() {
            self.take_result(it);
        }
    }

    fn drop_all(&mut self) {
        for it in self.all() {
            self.let_go(it);
        }
    }

    /// Takes each in its turn. Nothing that this is followed by makes new ones, or takes others.
    fn all(&mut self) -> Vec<usize> {
        let all: Vec<usize> = (0..self.deferreds.len()).filter(|&it| self.deferreds[it].in_reach).collect();
        for &it in &all {
            self.deferreds[it].in_reach = false;
        }
        all
    }

    fn abandon_all(&mut self) {
        let mut which = 0;
        while which < self.resolvers.len() {
            self.abandon(which);
            which += 1;
        }
    }

    fn fire_all(&mut self) {
        let mut which = 0;
        while which < self.resolvers.len() {
            if let Some(it) = self.resolvers[which].take() {
                let value = self.new_value();
                self.arrive(it, Comes::Now(value));
                self.resolver_goes(it);
            }
            which += 1;
        }
    }
}

fn given(result: Rest) -> Given {
    match result {
        Rest::Value(id) => Given::Value(id),
        Rest::Error(why) => Given::Error(why),
        Rest::Unit | Rest::List(..) | Rest::Permit(_) => Given::Nothing,
    }
}
