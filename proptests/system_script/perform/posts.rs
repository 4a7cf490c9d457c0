//! Calls on reactors, and their values.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::super::local;
use super::super::program::{Closure, Op, PostWay};
use super::super::record::{Answer, Home, Kind, Told};
use super::super::world::{World, here, lock};
use super::{Here, Traced, told};
use crate::codec::{Nth, OnDrop};
use crate::platform::A_WHILE;
use crate::platform::api::error::{BlockingCallError, Rejection};
use crate::platform::api::{Failure, Handle, Reactor, threads};

/// Addresses that a program keeps.
const KEPT: usize = 8;

pub fn post(world: &Arc<World>, nth: Nth, way: PostWay, closure: &Closure, from: Here<'_>) {
    let Some((number, handle)) = world.reactor(nth) else { return };
    match (way, from) {
        (PostWay::Blocking | PostWay::BlockingAWhile, _) => block_on_call(world, number, handle, way, closure, from),
        (PostWay::Ask, Here::Loop(reactor, own)) => ask(world, number, handle, closure, reactor, own),
        (PostWay::Ask, _) => ask_and_give_up(world, number, handle, closure),
        (PostWay::Deferred, Here::Loop(reactor, own)) => {
            let (call, mut callback) = (question(world, number, closure), callback_of(world, own));
            let of = call.number();
            let deferred = threads::defer_to_reactor(reactor, handle, move |reactor| call.run(here(reactor, number)));
            world.record.answer(of, Answer::Maybe);
            let record = Arc::clone(&world.record);
            let deferred = deferred.add_both(move |result: Result<(), Failure>| {
                callback.begin();
                record.tell(of, told(&result));
                callback.end();
            });
            local::keep(own, deferred.map(|()| 0), |local| &mut local.deferreds);
        }
        _ => {
            let call = Traced::new(world, Kind::Call, Home::Reactor(number), closure);
            let of = call.number();
            let f = move |reactor: &Reactor| call.run(here(reactor, number));
            let answer = match way {
                PostWay::Waiting => handle.call_from_thread_waiting(world.limit(), f),
                PostWay::WaitingAWhile => handle.call_from_thread_waiting(Some(A_WHILE), f),
                _ => handle.call_from_thread(f),
            };
            if matches!((way, from), (PostWay::Waiting | PostWay::WaitingAWhile, Here::Loop(..))) {
                let refused = answer.as_ref().is_err_and(|rejected| rejected.reason == Rejection::WouldDeadlock);
                world.record.require(refused, || format!("call {of}: a reactor's thread may wait"));
            }
            world.record.answered(of, &answer);
        }
    }
}

fn question(world: &Arc<World>, number: usize, closure: &Closure) -> Traced {
    Traced::new(world, Kind::Question, Home::Reactor(number), closure)
}

fn callback_of(world: &World, reactor: usize) -> super::Function {
    let callback = world.record.function(Kind::Callback, Home::Reactor(reactor));
    world.record.answer(callback.number, Answer::Accepted);
    callback
}

fn block_on_call(world: &Arc<World>, number: usize, handle: &Handle, way: PostWay, closure: &Closure, from: Here<'_>) {
    let call = question(world, number, closure);
    let of = call.number();
    let f = move |reactor: &Reactor| {
        call.run(here(reactor, number));
        of
    };
    let answer = match way {
        PostWay::Blocking => threads::blocking_call_from_thread(handle, f),
        _ => threads::blocking_call_from_thread_timeout(handle, A_WHILE, f),
    };
    if matches!(from, Here::Loop(..)) {
        let refused = matches!(answer, Err(BlockingCallError::WouldDeadlock));
        world.record.require(refused, || format!("call {of}: a reactor's thread may block"));
    }
    let (answer, told) = match answer {
        Ok(answer) => {
            world.record.require(answer == of, || format!("call {of} is answered with {answer}"));
            (Answer::Accepted, Told::Value)
        }
        Err(BlockingCallError::Panicked(_)) => (Answer::Accepted, Told::Panicked),
        Err(BlockingCallError::WouldDeadlock) => (Answer::Refused, Told::Refused),
        Err(_) => (Answer::Maybe, Told::Other),
    };
    world.record.answer(of, answer);
    world.record.tell(of, told);
}

/// A task of this reactor awaits the answer.
fn ask(world: &Arc<World>, number: usize, handle: &Handle, closure: &Closure, reactor: &Reactor, own: usize) {
    let call = question(world, number, closure);
    let of = call.number();
    let asked = handle.ask(move |reactor| call.run(here(reactor, number)));
    world.record.answer(of, Answer::Maybe);
    let record = Arc::clone(&world.record);
    let task = reactor.spawn(async move {
        let result = asked.await;
        record.tell(of, told(&result));
        0
    });
    local::keep(own, task, |local| &mut local.deferreds);
}

fn ask_and_give_up(world: &Arc<World>, number: usize, handle: &Handle, closure: &Closure) {
    let call = question(world, number, closure);
    let of = call.number();
    let asked = handle.ask(move |reactor| call.run(here(reactor, number)));
    let polled = pin!(asked).poll(&mut Context::from_waker(Waker::noop()));
    world.record.answer(of, Answer::Maybe);
    world.record.tell(of, if let Poll::Ready(result) = polled { told(&result) } else { Told::Other });
}

pub fn own(world: &Arc<World>, op: &Op, reactor: &Reactor, number: usize) {
    match op {
        Op::Own(OnDrop(on_drop)) => {
            let closure = Closure { body: Vec::new(), on_drop: on_drop.clone() };
            let owned = reactor.own(Traced::new(world, Kind::Value, Home::Reactor(number), &closure));
            let mut addresses = lock(&world.addresses);
            let oldest = (addresses.len() == KEPT).then(|| addresses.remove(0));
            addresses.push((number, owned.address()));
            drop(addresses);
            drop(oldest);
            local::keep(number, owned, |local| &mut local.owners);
        }
        Op::DropOwner(nth) => drop(local::take(number, *nth, |local| &mut local.owners)),
        _ => {}
    }
}

pub fn call(world: &Arc<World>, nth: Nth, closure: &Closure) {
    let addresses = lock(&world.addresses);
    let Some((number, address)) = nth.of(addresses.len()).map(|nth| addresses[nth].clone()) else { return };
    drop(addresses);
    let call = Traced::new(world, Kind::ValueCall, Home::Reactor(number), closure);
    let of = call.number();
    let answer = address.call(move |_, reactor| call.run(here(reactor, number)));
    world.record.answer(of, if answer.is_ok() { Answer::Maybe } else { Answer::Refused });
}

pub fn release(world: &World, nth: Nth) {
    let addresses = lock(&world.addresses);
    let Some((_, address)) = nth.of(addresses.len()).map(|nth| addresses[nth].clone()) else { return };
    drop(addresses);
    drop(address.release());
}
