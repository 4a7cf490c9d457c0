//! Jobs, and the stops of their pools.

use std::sync::Arc;

use super::super::program::{Closure, Policy, StopWay, SubmitWay};
use super::super::record::{Answer, Home, Kind, Told};
use super::super::world::{World, lock, policy};
use super::{Here, Traced, told};
use crate::codec::Nth;
use crate::platform::api::error::Rejection;
use crate::platform::api::pool::{StopWithinError, WhenFull};
use crate::platform::api::{Failure, Job};
use crate::platform::{A_WHILE, Signal};

/// Tickets that a program keeps.
const KEPT: usize = 8;

pub fn submit(world: &Arc<World>, nth: Nth, way: SubmitWay, closure: &Closure, from: Here<'_>) {
    let Some((number, pool)) = world.pool(nth) else { return };
    let is_told = matches!(way, SubmitWay::WithCallback | SubmitWay::Awaited);
    let kind = if is_told { Kind::ToldJob } else { Kind::Job };
    let job = Traced::new(world, kind, Home::Pool(number), closure);
    let of = job.number();
    let work = move || job.run(Here::Job);
    match way {
        SubmitWay::Plain => world.record.answered(of, &pool.call_in_thread(work)),
        SubmitWay::Waiting => {
            // Two jobs that wait for each other's pools would never end.
            let is_patient = matches!(from, Here::Client | Here::Loop(..)) && world.limit().is_none() && !world.pauses;
            let when_full = if is_patient { WhenFull::Wait } else { WhenFull::WaitUpTo(A_WHILE) };
            let answer = pool.call_in_thread(Job::new(work).when_full(when_full));
            let refused = answer.as_ref().is_err_and(|rejected| rejected.reason == Rejection::WouldDeadlock);
            if matches!(from, Here::Loop(..)) {
                world.record.require(refused, || format!("job {of}: a reactor's thread may wait"));
            }
            if refused { world.record.answer(of, Answer::NotAsked) } else { world.record.answered(of, &answer) }
        }
        SubmitWay::WithCallback | SubmitWay::Awaited => {
            let waits = way == SubmitWay::Awaited && matches!(from, Here::Client) && world.limit().is_none();
            submit_told(world, pool, of, work, waits && !world.pauses);
        }
        SubmitWay::Ticketed => {
            let answer = pool.call_in_thread_ticketed(work);
            world.record.answered(of, &answer);
            if let Ok(ticket) = answer {
                world.cancels(number);
                let mut tickets = lock(&world.tickets);
                let oldest = (tickets.len() == KEPT).then(|| tickets.remove(0));
                tickets.push((of, ticket));
                drop(tickets);
                drop(oldest);
            }
        }
        SubmitWay::Limited => {
            world.cancels(number);
            world
                .record
                .answered(of, &pool.call_in_thread(Job::new(work).queue_limit(world.limit().unwrap_or(A_WHILE))));
        }
    }
}

fn submit_told(
    world: &Arc<World>,
    pool: &crate::platform::api::ThreadPool,
    of: usize,
    work: impl FnOnce() + Send + 'static,
    waits: bool,
) {
    let mut callback = world.record.function(Kind::JobCallback, Home::Anywhere);
    let (record, done, number) = (Arc::clone(&world.record), Arc::new(Signal::default()), callback.number);
    let opens = Arc::clone(&done);
    let on_result = move |result: Result<(), Failure>| {
        callback.begin();
        record.tell(of, told(&result));
        callback.end();
        drop(callback);
        opens.give();
    };
    let answer = pool.call_in_thread_with_callback(on_result, work);
    world.record.answered(number, &answer);
    world.record.answered(of, &answer);
    if waits && answer.is_ok() {
        done.wait(None);
    }
}

pub fn stop(world: &World, nth: Nth, way: StopWay, how: Policy, from: Here<'_>) {
    let Some(number) = nth.of(world.pools.len()) else { return };
    if how != Policy::Drain {
        world.cancels(number);
    }
    let (pool, how) = (&world.pools[number].pool, policy(how));
    // Two jobs that stop each other's pools would never end.
    match (way, from) {
        (StopWay::Ask, _) | (_, Here::Job | Here::Drop) => pool.ask_to_stop(how),
        // On the only thread it would wait for itself, unless it is refused.
        (_, Here::Client) if world.stepped && !world.is_on_loop(from) => pool.ask_to_stop(how),
        (StopWay::Within, _) => {
            let stopped = pool.stop_within(how, A_WHILE);
            let refused = matches!(stopped, Err(StopWithinError::WouldDeadlock));
            world.record.require(refused == world.is_on_loop(from), || format!("stopping pool {number}: {stopped:?}"));
        }
        (StopWay::Wait, Here::Client) if world.pauses => pool.ask_to_stop(how),
        (StopWay::Wait, _) => {
            let stopped = pool.stop_with(how);
            let refused = stopped.is_err();
            world.record.require(refused == world.is_on_loop(from), || format!("stopping pool {number}: {stopped:?}"));
            if stopped.is_ok() {
                world.record.require(pool.has_stopped(), || format!("pool {number} has not stopped"));
                world.record.ends(Home::Pool(number));
            }
        }
    }
}

/// Of a Deferred job: whether its job was accepted is known by what is told.
pub fn answer_of(told: Told) -> Answer {
    match told {
        Told::Refused => Answer::Refused,
        _ => Answer::Maybe,
    }
}
