//! What an operation does.

mod deferreds;
mod jobs;
mod posts;
mod timers;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::local;
use super::program::{Closure, Op};
use super::record::{Function, Home, Kind};
use super::world::{World, lock};
use crate::codec::Body;
use crate::platform::api::pool::Cancellation;
use crate::platform::api::testing::Injected;
use crate::platform::api::{Failure, Reactor, threads};
use crate::platform::{self, thread};

use super::record::{Answer, Told};

/// Who performs an operation.
#[derive(Clone, Copy)]
pub enum Here<'a> {
    /// A thread of the program: nobody contains its panics.
    Client,
    Job,
    /// Something that a reactor of this number calls on its thread.
    Loop(&'a Reactor, usize),
    /// The drop of something that was not called.
    Drop,
}

/// Captured by a closure: performs its operations, and writes to the record.
pub struct Traced {
    world: Arc<World>,
    closure: Closure,
    function: Function,
    called: bool,
}

impl Traced {
    pub fn new(world: &Arc<World>, kind: Kind, home: Home, closure: &Closure) -> Self {
        let function = world.record.function(kind, home);
        Self { world: Arc::clone(world), closure: closure.clone(), function, called: false }
    }

    pub fn number(&self) -> usize {
        self.function.number
    }

    pub fn run(mut self, here: Here<'_>) {
        self.call(here);
    }

    /// On the reactor of this number, if it has not ended.
    pub fn run_on(mut self, reactor: usize) {
        let handle = local::with(reactor, |local| local.handle.clone());
        let this = &mut self;
        match handle {
            Some(handle) => {
                let mut ran = false;
                let _ = handle.with(|here| {
                    ran = true;
                    this.call(Here::Loop(here, reactor));
                });
                if !ran {
                    this.call(Here::Job);
                }
            }
            None => this.call(Here::Job),
        }
    }

    fn call(&mut self, here: Here<'_>) {
        self.called = true;
        self.function.begin();
        perform_all(&self.world, &self.closure.body, here);
        self.function.end();
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if !self.called && !self.closure.on_drop.is_empty() {
            let Self { world, closure, function, .. } = self;
            function.drop_doing(|| perform_all(world, &closure.on_drop, Here::Drop));
        }
    }
}

/// What was told to the one who waits for a result.
pub fn told<T>(result: &Result<T, Failure>) -> Told {
    use crate::platform::api::error::{NeverRan, Rejection};
    match result {
        Ok(_) => Told::Value,
        Err(failure) if failure.is_panic() => Told::Panicked,
        Err(failure) if Rejection::of(failure).is_some() => Told::Refused,
        Err(failure) if failure.is::<NeverRan>() => Told::NeverRan,
        Err(_) => Told::Other,
    }
}

/// What a thread of the program does. A panic is one of what was handed back to it, and dropped by it.
pub fn perform_as_client(world: &Arc<World>, op: &Op) {
    let performed = catch_unwind(AssertUnwindSafe(|| perform(world, op, Here::Client)));
    if let Err(payload) = performed
        && !payload.is::<Injected>()
    {
        resume_unwind(payload);
    }
}

pub fn perform_all(world: &Arc<World>, ops: &[Op], here: Here<'_>) {
    for op in ops {
        perform(world, op, here);
    }
}

fn perform(world: &Arc<World>, op: &Op, here: Here<'_>) {
    match op {
        Op::Yield => thread::yield_now(),
        Op::Panic => match here {
            Here::Client => {}
            Here::Drop if std::thread::panicking() => {}
            _ => resume_unwind(Box::new(Injected)),
        },
        Op::Post(nth, way, closure) => posts::post(world, *nth, *way, closure, here),
        Op::Call(nth, closure) => posts::call(world, *nth, closure),
        Op::Release(nth) => posts::release(world, *nth),
        Op::StopReactor(nth) => {
            if let Some((_, handle)) = world.reactor(*nth) {
                handle.stop();
            }
        }
        Op::Submit(nth, way, closure) => jobs::submit(world, *nth, *way, closure, here),
        Op::Cancel(nth) => cancel(world, *nth),
        Op::Resize(nth, min, more) => {
            if let Some(pool) = nth.of(world.pools.len()) {
                world.pools[pool].resize(*min, *more, world.pauses);
            }
        }
        Op::StopPool(nth, way, policy) => jobs::stop(world, *nth, *way, *policy, here),
        Op::Look(nth) => look(world, *nth),
        Op::Blocked(Body(body)) => threads::blocked(|| perform_all(world, body, here)),
        Op::Within(script) => {
            let check = || platform::check(script);
            // The references do not know that a reactor's thread may not wait, nor that what follows from a drop waits
            // while something does that follows from another: there, a thread of its own runs the program.
            let outcome = match here {
                Here::Client | Here::Job if !world.is_on_loop(here) => check(),
                _ => std::thread::scope(|scope| scope.spawn(check).join().expect("it panics in no thread")),
            };
            world.record.require(outcome.is_ok(), || format!("within {script}: {}", outcome.unwrap_err()));
        }
        _ => {
            if let Here::Loop(reactor, number) = here {
                perform_here(world, op, reactor, number);
            }
        }
    }
}

/// What only a reactor's thread can do.
fn perform_here(world: &Arc<World>, op: &Op, reactor: &Reactor, number: usize) {
    match op {
        Op::Later(..) | Op::CancelTimer(_) | Op::ResetTimer(..) | Op::WhenRunning(_) | Op::Trigger(..) => {
            timers::perform(world, op, reactor, number);
        }
        Op::Own(_) | Op::DropOwner(_) => posts::own(world, op, reactor, number),
        _ => deferreds::perform(world, op, reactor, number),
    }
}

fn cancel(world: &World, nth: crate::codec::Nth) {
    let tickets = lock(&world.tickets);
    let Some((number, ticket)) = nth.of(tickets.len()).map(|nth| tickets[nth].clone()) else { return };
    drop(tickets);
    if ticket.cancel() == Cancellation::NeverRuns {
        world.record.answer(number, Answer::NeverRuns);
    }
}

/// What holds in each snapshot of a pool's counts.
fn look(world: &World, nth: crate::codec::Nth) {
    let Some((number, pool)) = world.pool(nth) else { return };
    let stats = pool.stats();
    let rightly = stats.blocked <= stats.busy
        && stats.busy + stats.idle <= stats.live.min(stats.peak)
        && stats.started == stats.completed + stats.busy as u64
        && stats.panicked + stats.expired <= stats.completed;
    world.record.require(rightly, || format!("pool {number}: {stats:?}"));
}
