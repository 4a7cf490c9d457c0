//! Deferreds and tasks of a reactor's thread.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::super::local::{self, Value};
use super::super::program::{Closure, Op, Returned};
use super::super::record::{Answer, Home, Kind};
use super::super::world::{World, lock};
use super::jobs::answer_of;
use super::timers::kept_resolver;
use super::{Here, Traced, told};
use crate::codec::{Members, Nth};
use crate::platform::api::deferred::{Settled, gather_results};
use crate::platform::api::{Deferred, Failure, Reactor, threads};
use crate::platform::delay;

pub fn perform(world: &Arc<World>, op: &Op, reactor: &Reactor, number: usize) {
    match op {
        Op::Defer(nth, job, callback) => defer(world, *nth, job, callback, reactor, number),
        Op::Make(canceller) => {
            let canceller = traced(world, Kind::Canceller, number, canceller);
            world.record.answer(canceller.number(), Answer::Maybe);
            let (deferred, resolver) = Deferred::with_canceller(move || canceller.run_on(number));
            local::keep(number, resolver, |local| &mut local.resolvers);
            keep(number, deferred);
        }
        Op::Then(nth, returned, closure) => {
            let Some(deferred) = take(number, *nth) else { return };
            keep(number, then(world, deferred, *returned, closure, number));
        }
        Op::Fire(nth, well) => {
            let Some(resolver) = local::take(number, *nth, |local| &mut local.resolvers) else { return };
            if *well { resolver.callback(1) } else { resolver.errback(Failure::msg("planned")) }
        }
        Op::Abandon(nth) => drop(local::take(number, *nth, |local| &mut local.resolvers)),
        Op::CancelDeferred(nth) => {
            // It is not in the list while what it cancels runs.
            let Some(deferred) = take(number, *nth) else { return };
            deferred.cancel();
            keep(number, deferred);
        }
        Op::DropDeferred(nth) => drop(take(number, *nth)),
        Op::Gather(Members(members)) => {
            let members: Vec<_> = members.iter().filter_map(|nth| take(number, *nth)).collect();
            keep(number, gather_results(members).map(|values| values.into_iter().sum()));
        }
        Op::Timeout(nth, after) => {
            let Some(deferred) = take(number, *nth) else { return };
            keep(number, deferred.add_timeout(reactor, delay(*after)));
        }
        Op::Await(nth, closure) => {
            let Some(deferred) = take(number, *nth) else { return };
            let task = traced(world, Kind::Task, number, closure);
            world.record.answer(task.number(), Answer::Maybe);
            let task = reactor.spawn(async move {
                let result = deferred.await;
                task.run_on(number);
                result
            });
            keep(number, task);
        }
        Op::AwaitJob(nth, closure) => await_job(world, *nth, closure, reactor, number),
        _ => {}
    }
}

fn traced(world: &Arc<World>, kind: Kind, number: usize, closure: &Closure) -> Traced {
    Traced::new(world, kind, Home::Reactor(number), closure)
}

fn keep(number: usize, deferred: Deferred<Value>) {
    local::keep(number, deferred, |local| &mut local.deferreds);
}

fn take(number: usize, nth: Nth) -> Option<Deferred<Value>> {
    local::take(number, nth, |local| &mut local.deferreds)
}

/// With a callback, which is called once, whatever happens.
fn then(
    world: &Arc<World>,
    deferred: Deferred<Value>,
    returned: Returned,
    closure: &Closure,
    number: usize,
) -> Deferred<Value> {
    let callback = traced(world, Kind::Callback, number, closure);
    world.record.answer(callback.number(), Answer::Accepted);
    deferred.add_both(move |result: Result<Value, Failure>| -> Settled<Value, Failure> {
        callback.run_on(number);
        match returned {
            Returned::Value => Settled::Now(Ok(result.unwrap_or_default().wrapping_add(1))),
            Returned::Error => Settled::Now(Err(result.err().unwrap_or_else(|| Failure::msg("planned")))),
            Returned::Deferred => Settled::Later(kept_resolver(number)),
        }
    })
}

/// A job whose result comes back to this reactor, whatever happens.
fn defer(world: &Arc<World>, nth: Nth, job: &Closure, callback: &Closure, reactor: &Reactor, own: usize) {
    let Some((number, pool)) = world.pool(nth) else { return };
    // Its Deferred may be cancelled.
    world.cancels(number);
    let job = Traced::new(world, Kind::ToldJob, Home::Pool(number), job);
    let (of, record) = (job.number(), Arc::clone(&world.record));
    let deferred = threads::defer_to_thread_pool(reactor, pool, move || job.run(Here::Job));
    world.record.answer(of, Answer::Maybe);
    let callback = traced(world, Kind::Callback, own, callback);
    world.record.answer(callback.number(), Answer::Accepted);
    let deferred = deferred.add_both(move |result: Result<(), Failure>| {
        let told = told(&result);
        record.tell(of, told);
        record.answer(of, answer_of(told));
        callback.run_on(own);
        0
    });
    keep(own, deferred);
}

/// What a job and a task share.
#[derive(Default)]
struct Woken(Mutex<(bool, Option<Waker>)>);

/// Wakes the task when the job has run or was dropped.
struct Wakes(Arc<Woken>);

impl Drop for Wakes {
    fn drop(&mut self) {
        let mut woken = lock(&self.0.0);
        woken.0 = true;
        let waker = woken.1.take();
        drop(woken);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A task that submits a job in its first poll, and ends when that has woken it.
fn await_job(world: &Arc<World>, nth: Nth, closure: &Closure, reactor: &Reactor, own: usize) {
    let Some((number, _)) = world.pool(nth) else { return };
    let task = traced(world, Kind::Task, own, closure);
    world.record.answer(task.number(), Answer::Maybe);
    let (woken, shared) = (Arc::new(Woken::default()), Arc::clone(world));
    let task = reactor.spawn(async move {
        let mut submitted = false;
        poll_fn(|context| {
            lock(&woken.0).1 = Some(context.waker().clone());
            if !std::mem::replace(&mut submitted, true) {
                let job = Traced::new(&shared, Kind::Job, Home::Pool(number), &Closure::default());
                let (of, wakes) = (job.number(), Wakes(Arc::clone(&woken)));
                let work = move || {
                    job.run(Here::Job);
                    drop(wakes);
                };
                if let Some((_, pool)) = shared.pool(Nth(number as u8)) {
                    shared.record.answered(of, &pool.call_in_thread(work));
                }
            }
            if lock(&woken.0).0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        task.run_on(own);
        0
    });
    keep(own, task);
}
