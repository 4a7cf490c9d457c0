//! Runs a program on the real reactor; every closure and value of it writes to the trace.

mod resources;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use selvedge::{
    Address, Deferred, DelayedCall, Handle, LocalHandle, Owned, Reactor, Resolver,
    error::Rejected,
    reactor::{TriggerId, Turn},
    testing::{Injected, VirtualClock},
};

use super::manual_workers::ManualWorkers;
use super::program::{Closure, Ending, Op, Program};
use super::trace::{Answer, ErrorKind, Event, Id, Place};
use crate::codec::Body;

/// More turns than any program can need.
const ENOUGH: usize = 10_000;

/// Runs a program and returns its trace.
pub fn run(program: &Program) -> Vec<Event> {
    let trace = Trace { home: thread::current().id(), events: Arc::default() };
    let clock = VirtualClock::new();
    let sink = trace.clone();
    let reactor = Reactor::builder()
        .clock(clock.clone())
        // This pool is resized, but gets no jobs: with a minimum of zero it has no threads.
        .pool_size(0, 4)
        .on_report(move |report| sink.push(Event::Report(report.incident, ErrorKind::of(report.error))))
        .build()
        .expect("sizes in order");
    let world = Rc::new(World::new(&reactor, clock, trace));
    WORLD.set(Some(Rc::clone(&world)));
    for op in &program.script {
        if catch_unwind(AssertUnwindSafe(|| world.perform(op, Some(&reactor)))).is_err() {
            world.trace.push(Event::Escaped);
        }
    }
    world.end(reactor, program.ending);
    world.clear_up();
    WORLD.set(None);
    let events = world.trace.events.lock().expect("no event panics");
    events.clone()
}

#[derive(Clone)]
struct Trace {
    home: ThreadId,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Trace {
    fn push(&self, event: Event) {
        self.events.lock().expect("no event panics").push(event);
    }

    fn place(&self) -> Place {
        if thread::current().id() == self.home { Place::Here } else { Place::Elsewhere }
    }
}

thread_local! {
    /// The program that this thread runs. Closures that were sent through the reactor find it here.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// The reactor, if a callback was given it; otherwise the local handle is used.
type Reach<'a> = Option<&'a Reactor>;

/// What a program has made. Nothing is borrowed while anything runs.
struct World {
    local: LocalHandle,
    handle: Handle,
    clock: VirtualClock,
    trace: Trace,
    made: Cell<Id>,
    timers: RefCell<Vec<Rc<DelayedCall>>>,
    triggers: RefCell<Vec<TriggerId>>,
    owners: RefCell<Vec<Option<Rc<Owned<Value>>>>>,
    addresses: RefCell<Vec<Address<Value>>>,
    resolvers: RefCell<Vec<Option<Resolver<()>>>>,
    jobs: RefCell<Vec<Option<Pending>>>,
    workers: ManualWorkers,
    /// The reactor is being dropped.
    dying: Cell<bool>,
}

/// A job's Deferred, and whether its callback was given anything yet.
struct Pending {
    deferred: Deferred<()>,
    given: Rc<Cell<bool>>,
}

/// Captured by a closure: writes to the trace when that is called and when it is dropped.
struct Traced {
    id: Id,
    closure: Closure,
    trace: Trace,
    called: bool,
}

/// A reactor-owned value.
struct Value(#[expect(dead_code, reason = "kept for its drop")] Traced);

/// What a job returns.
struct JobValue(Id, Trace);

impl Drop for JobValue {
    fn drop(&mut self) {
        self.1.push(Event::JobValueDropped(self.0, self.1.place()));
    }
}

impl Traced {
    fn begin(&mut self) {
        self.called = true;
        self.trace.push(Event::Began(self.id, self.trace.place()));
    }

    fn run(mut self, here: Reach) {
        self.begin();
        World::current(|world| world.perform_all(&self.closure.body, here));
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let place = self.trace.place();
        if self.called {
            self.trace.push(Event::Ended(self.id, place));
            return;
        }
        self.trace.push(Event::Dropped(self.id, place));
        if !self.closure.on_drop.is_empty() {
            World::current(|world| world.perform_all(&self.closure.on_drop, None));
        }
    }
}

impl World {
    fn new(reactor: &Reactor, clock: VirtualClock, trace: Trace) -> Self {
        Self {
            local: reactor.local(),
            handle: reactor.handle(),
            clock,
            trace,
            made: Cell::new(0),
            timers: RefCell::default(),
            triggers: RefCell::default(),
            owners: RefCell::default(),
            addresses: RefCell::default(),
            resolvers: RefCell::default(),
            jobs: RefCell::default(),
            workers: ManualWorkers::new(),
            dying: Cell::new(false),
        }
    }

    fn current(f: impl FnOnce(&Rc<Self>)) {
        let world = WORLD.with_borrow(Clone::clone);
        f(&world.expect("a program runs on this thread"));
    }

    fn end(&self, reactor: Reactor, ending: Ending) {
        if ending != Ending::Drop {
            self.handle.stop();
        }
        match ending {
            Ending::Drop => {}
            Ending::Run => {
                // If it has ended already, `run` only drops it.
                self.dying.set(self.local.with(|_| ()).is_err());
                return drop(reactor.run());
            }
            Ending::TurnOut => self.turn_out(&reactor),
        }
        self.dying.set(true);
        drop(reactor);
    }

    fn turn_out(&self, reactor: &Reactor) {
        for _ in 0..ENOUGH {
            let turn = reactor.turn().expect("nobody else is inside a turn");
            self.say(Answer::Turned(turn));
            match turn {
                Turn::Again => {}
                Turn::Wait(time) => self.clock.advance(time),
                Turn::Idle | Turn::Ended => return,
            }
        }
        panic!("a reactor that was asked to stop turns for ever");
    }

    /// After the reactor's end: finishes the jobs and drops what the program holds.
    fn clear_up(&self) {
        while self.workers.running() > 0 {
            self.workers.finish_job(0);
        }
        for pending in self.jobs.take().into_iter().flatten() {
            self.answer_result(pending.deferred);
        }
        for resolver in self.resolvers.take().into_iter().flatten() {
            resolver.callback(());
        }
        drop(self.owners.take());
    }

    fn traced(&self, closure: &Closure) -> Traced {
        let id = self.made.get();
        self.made.set(id + 1);
        Traced { id, closure: closure.clone(), trace: self.trace.clone(), called: false }
    }

    fn say(&self, answer: Answer) {
        self.trace.push(Event::Answered(answer));
    }

    fn answer_result(&self, deferred: Deferred<()>) {
        self.say(Answer::JobResult(deferred.try_result().ok().map(|rest| match rest {
            Ok(()) => ErrorKind::Fine,
            Err(failure) => ErrorKind::of(failure.error()),
        })));
    }

    fn perform_all(&self, ops: &[Op], here: Reach) {
        for op in ops {
            self.perform(op, here);
        }
    }

    fn perform(&self, op: &Op, here: Reach) {
        match op {
            Op::Post(closure) => {
                let traced = self.traced(closure);
                self.say_accepted(self.handle.call_from_thread(move |reactor| traced.run(Some(reactor))));
            }
            Op::WhenRunning(closure) => self.reach(here, |reactor| {
                let traced = self.traced(closure);
                reactor.call_when_running(move |reactor| traced.run(Some(reactor)));
            }),
            Op::Advance(delay) => self.clock.advance(delay.duration()),
            Op::Later(..) | Op::Cancel(_) | Op::Reset(..) | Op::Postpone(..) => self.on_timer(op, here),
            Op::Own(_) | Op::DropOwner(_) | Op::Leave(_) | Op::IntoInner(_) => self.on_owner(op, here),
            Op::With(..) | Op::Call(..) | Op::Release(_) => self.on_value(op, here),
            Op::AddTrigger(..) | Op::RemoveTrigger(_) | Op::FireEvent | Op::Resolve(..) | Op::Abandon(_) => {
                self.on_event(op, here)
            }
            Op::Turn => self.reach(here, |reactor| {
                self.say(reactor.turn().map_or(Answer::Reentered, Answer::Turned));
            }),
            Op::Stop => self.reach(here, |reactor| {
                self.say(reactor.stop().map_or_else(Answer::Stop, |()| Answer::Fine));
            }),
            Op::HandleStop => self.handle.stop(),
            Op::Suggest(size) => {
                self.handle.suggest_thread_pool_size((*size).into());
                let stats = self.handle.thread_pool().stats();
                self.say(Answer::Sizes { min: stats.min, max: stats.max });
            }
            Op::Inspect => self.reach(here, |reactor| {
                let (running, timers, now) = (reactor.is_running(), reactor.delayed_calls(), reactor.now());
                self.say(Answer::State { running, timers, now });
            }),
            Op::Defer(end, Body(body)) => self.reach(here, |reactor| self.defer(reactor, *end, body)),
            Op::FinishJob(nth) => match nth.of(self.workers.running()) {
                Some(which) => self.workers.finish_job(which),
                None => self.say(Answer::Nothing),
            },
            Op::CancelJob(nth) => self.cancel_job(*nth),
            // Unlike `panic!`, this does not call the panic hook, which would print each of the many panics.
            Op::Panic => resume_unwind(Box::new(Injected)),
        }
    }

    fn reach(&self, here: Reach, f: impl FnOnce(&Reactor)) {
        if let Some(reactor) = here {
            f(reactor);
        } else if self.local.with(f).is_err() {
            self.say(Answer::Unreachable);
        }
    }

    fn say_accepted<J>(&self, accepted: Result<(), Rejected<J>>) {
        match accepted {
            Ok(()) => self.say(Answer::Fine),
            Err(rejected) => {
                self.say(Answer::Rejected);
                drop(rejected);
            }
        }
    }
}
