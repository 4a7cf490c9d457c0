//! Timers, and functions that a reactor calls at its beginning and end.

use std::sync::Arc;
use std::time::Duration;

use super::super::local;
use super::super::program::{Op, Phase};
use super::super::record::{Answer, Home, Kind};
use super::super::world::{World, here};
use super::Traced;
use crate::platform::api::deferred::Settled;
use crate::platform::api::reactor::{self, Event};
use crate::platform::api::{Deferred, Failure, Reactor};
use crate::platform::delay;

pub fn perform(world: &Arc<World>, op: &Op, reactor: &Reactor, number: usize) {
    let traced = |kind, closure| Traced::new(world, kind, Home::Reactor(number), closure);
    match op {
        Op::Later(after, closure) => {
            let timer = traced(Kind::Timer, closure);
            let (of, record) = (timer.number(), Arc::clone(&world.record));
            world.record.due(of, reactor.now().saturating_add(delay(*after)));
            let call = reactor.call_later(delay(*after), move |reactor| {
                record.timer_runs(of, reactor.now());
                timer.run(here(reactor, number));
            });
            world.record.due(of, call.time());
            world.record.answer(of, Answer::Maybe);
            local::keep(number, (of, call.into()), |local| &mut local.timers);
        }
        Op::CancelTimer(nth) => {
            let Some((of, timer)) = local::take(number, *nth, |local| &mut local.timers) else { return };
            if timer.cancel().is_ok() {
                world.record.answer(of, Answer::NeverRuns);
            }
        }
        Op::ResetTimer(nth, after) => {
            let timer = |local: &mut local::Local| nth.of(local.timers.len()).map(|nth| local.timers[nth].clone());
            let Some((of, timer)) = local::with(number, timer).flatten() else { return };
            if timer.reset(delay(*after)).is_ok() {
                world.record.due(of, timer.time());
            }
        }
        Op::WhenRunning(closure) => {
            let call = traced(Kind::WhenRunning, closure);
            world.record.answer(call.number(), Answer::Maybe);
            reactor.call_when_running(move |reactor| call.run(here(reactor, number)));
        }
        Op::Trigger(phase, waits, closure) => {
            let (trigger, waits) = (traced(Kind::Trigger, closure), *waits);
            world.record.answer(trigger.number(), Answer::Maybe);
            let phase = match phase {
                Phase::Before => reactor::Phase::Before,
                Phase::During => reactor::Phase::During,
                Phase::After => reactor::Phase::After,
            };
            reactor.add_event_trigger(phase, Event::SHUTDOWN, move |reactor| -> Settled<(), Failure> {
                trigger.run(here(reactor, number));
                if waits { Settled::Later(reactor.sleep(Duration::from_micros(1))) } else { Settled::Now(Ok(())) }
            });
        }
        _ => {}
    }
}

/// What fires later, with the resolver that the program keeps.
pub fn kept_resolver(number: usize) -> Deferred<local::Value> {
    let (deferred, resolver) = Deferred::new();
    local::keep(number, resolver, |local| &mut local.resolvers);
    deferred
}
