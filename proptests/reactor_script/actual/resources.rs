//! Operations on the real timers, values, triggers and jobs of a program.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;

use selvedge::{
    Address, Deferred, DelayedCall, Reactor,
    error::DelayedCallError,
    reactor::{Event as Occurrence, Phase},
    testing::Injected,
    threads,
};

use super::{JobValue, Pending, Reach, Value, World};
use crate::codec::{Nth, OnDrop};
use crate::reactor_script::program::{Closure, EventName, JobEnd, Op, Trigger, TriggerPhase, TriggerResult};
use crate::reactor_script::trace::{Answer, ErrorKind, Event, Refused};

/// What a program does to a delayed call.
type Change = dyn Fn(&DelayedCall) -> Result<(), DelayedCallError>;

impl World {
    pub(super) fn on_timer(&self, op: &Op, here: Reach) {
        let (nth, change): (Nth, Box<Change>) = match *op {
            Op::Later(delay, ref closure) => {
                return self.reach(here, |reactor| {
                    let traced = self.traced(closure);
                    let call = reactor.call_later(delay.duration(), move |reactor| traced.run(Some(reactor)));
                    self.say(Answer::Time { active: call.is_active(), at: call.time() });
                    self.timers.borrow_mut().push(Rc::new(call));
                });
            }
            Op::Cancel(nth) => (nth, Box::new(DelayedCall::cancel)),
            Op::Reset(nth, delay) => (nth, Box::new(move |call| call.reset(delay.duration()))),
            Op::Postpone(nth, delay) => (nth, Box::new(move |call| call.delay(delay.duration()))),
            _ => unreachable!("not about timers"),
        };
        if self.dying.get() {
            return self.say(Answer::Unreachable);
        }
        let call = {
            let timers = self.timers.borrow();
            nth.of(timers.len()).map(|n| Rc::clone(&timers[n]))
        };
        let Some(call) = call else { return self.say(Answer::Nothing) };
        let changed = change(&call);
        self.say(changed.map_or_else(Answer::Timer, |()| Answer::Fine));
        self.say(Answer::Time { active: call.is_active(), at: call.time() });
    }

    pub(super) fn on_owner(&self, op: &Op, here: Reach) {
        let (Op::DropOwner(nth) | Op::Leave(nth) | Op::IntoInner(nth)) = *op else {
            let Op::Own(OnDrop(on_drop)) = op else { unreachable!("not about owners") };
            return self.reach(here, |reactor| {
                let value = Value(self.traced(&Closure { body: Vec::new(), on_drop: on_drop.clone() }));
                let owned = reactor.own(value);
                self.addresses.borrow_mut().push(owned.address());
                self.owners.borrow_mut().push(Some(Rc::new(owned)));
            });
        };
        let Some((n, owner)) = take(&self.owners, nth) else { return self.say(Answer::Nothing) };
        let owner = match Rc::try_unwrap(owner) {
            Ok(owner) => owner,
            Err(held) => {
                self.owners.borrow_mut()[n] = Some(held);
                return self.say(Answer::Held);
            }
        };
        match op {
            Op::DropOwner(_) => drop(owner),
            Op::Leave(_) => drop(owner.detach()),
            _ => match owner.into_inner() {
                Ok(value) => {
                    self.say(Answer::Fine);
                    drop(value);
                }
                Err(error) => self.say(Answer::Value(error.reason)),
            },
        }
    }

    pub(super) fn on_value(&self, op: &Op, here: Reach) {
        match op {
            Op::With(nth, closure) => {
                let owner = {
                    let owners = self.owners.borrow();
                    nth.of(owners.len()).and_then(|n| owners[n].clone())
                };
                let Some(owner) = owner else { return self.say(Answer::Nothing) };
                let traced = self.traced(closure);
                let visited = owner.with(|_| traced.run(here));
                self.say(visited.map_or_else(|error| Answer::Value(error.reason), |()| Answer::Fine));
            }
            Op::Call(nth, closure) => {
                let Some(address) = self.address(*nth) else { return self.say(Answer::Nothing) };
                let traced = self.traced(closure);
                self.say_accepted(address.call(move |_, reactor| traced.run(Some(reactor))));
            }
            Op::Release(nth) => match self.address(*nth) {
                Some(address) => self.say_accepted(address.release()),
                None => self.say(Answer::Nothing),
            },
            _ => unreachable!("not about values"),
        }
    }

    fn address(&self, nth: Nth) -> Option<Address<Value>> {
        let addresses = self.addresses.borrow();
        nth.of(addresses.len()).map(|n| addresses[n].clone())
    }

    pub(super) fn on_event(&self, op: &Op, here: Reach) {
        match op {
            Op::AddTrigger(Trigger { phase, event, result }, closure) => self.reach(here, |reactor| {
                let (traced, phase, event) = (self.traced(closure), phase_of(*phase), event_of(*event));
                let refuse = *result == TriggerResult::Refuse;
                let id = if *result == TriggerResult::Wait {
                    reactor.add_event_trigger(phase, event, move |reactor| {
                        traced.run(Some(reactor));
                        something_to_wait_for()
                    })
                } else {
                    reactor.add_event_trigger(phase, event, move |reactor| {
                        traced.run(Some(reactor));
                        if refuse { Err(Refused) } else { Ok(()) }
                    })
                };
                self.triggers.borrow_mut().push(id);
            }),
            Op::RemoveTrigger(nth) => self.reach(here, |reactor| {
                let id = {
                    let ids = self.triggers.borrow();
                    nth.of(ids.len()).map(|n| ids[n].clone())
                };
                let Some(id) = id else { return self.say(Answer::Nothing) };
                let removed = reactor.remove_event_trigger(id);
                self.say(removed.map_or(Answer::UnknownTrigger, |()| Answer::Fine));
            }),
            Op::FireEvent => self.reach(here, |reactor| {
                // An error on a reactor that has ended, which has no triggers either.
                let _ = reactor.fire_event(event_of(EventName::Alarm));
            }),
            Op::Resolve(nth, well) => match take(&self.resolvers, *nth) {
                Some((_, resolver)) if *well => resolver.callback(()),
                Some((_, resolver)) => resolver.errback(Refused),
                None => self.say(Answer::Nothing),
            },
            Op::Abandon(nth) => match take(&self.resolvers, *nth) {
                Some((_, resolver)) => drop(resolver),
                None => self.say(Answer::Nothing),
            },
            _ => unreachable!("not about events"),
        }
    }

    pub(super) fn defer(&self, reactor: &Reactor, end: JobEnd, body: &[Op]) {
        let mut traced = self.traced(&Closure::default());
        let mut callback = self.traced(&Closure { body: body.to_vec(), on_drop: Vec::new() });
        let job_value = (traced.id, self.trace.clone());
        let (job, trace) = (traced.id, self.trace.clone());
        let deferred = self.workers.submit(move |pool, blocked| {
            threads::defer_to_thread_pool(reactor, pool, move || {
                traced.begin();
                blocked.begun();
                blocked.wait();
                drop(traced);
                match end {
                    JobEnd::Fine => Ok(JobValue(job_value.0, job_value.1)),
                    JobEnd::Refuse => Err(Refused),
                    JobEnd::Panic => resume_unwind(Box::new(Injected)),
                }
            })
        });
        let given = Rc::new(Cell::new(false));
        let begin = Rc::clone(&given);
        let deferred = deferred.add_both(move |result| {
            begin.set(true);
            trace.push(Event::Given(
                job,
                result.as_ref().map_or_else(|failure| ErrorKind::of(failure.error()), |_| ErrorKind::Fine),
            ));
            drop(result);
            callback.begin();
            Self::current(|world| world.perform_all(&callback.closure.body, None));
        });
        self.jobs.borrow_mut().push(Some(Pending { deferred, given }));
    }

    pub(super) fn cancel_job(&self, nth: Nth) {
        let Some((job, Pending { deferred, given })) = take(&self.jobs, nth) else { return self.say(Answer::Nothing) };
        if !given.get() {
            self.workers.cancel(job);
        }
        deferred.cancel();
        self.answer_result(deferred);
    }
}

/// Takes the nth thing, if it is still there. The number wraps around over all that were ever made.
fn take<T>(things: &RefCell<Vec<Option<T>>>, nth: Nth) -> Option<(usize, T)> {
    let mut things = things.borrow_mut();
    let n = nth.of(things.len())?;
    things[n].take().map(|thing| (n, thing))
}

/// A Deferred, whose firing half the program keeps.
fn something_to_wait_for() -> Deferred<()> {
    let (deferred, resolver) = Deferred::new();
    World::current(|world| world.resolvers.borrow_mut().push(Some(resolver)));
    deferred
}

fn phase_of(phase: TriggerPhase) -> Phase {
    match phase {
        TriggerPhase::Before => Phase::Before,
        TriggerPhase::During => Phase::During,
        TriggerPhase::After => Phase::After,
    }
}

fn event_of(event: EventName) -> Occurrence {
    match event {
        EventName::Alarm => Occurrence::from("alarm"),
        EventName::Shutdown => Occurrence::SHUTDOWN,
        EventName::Startup => Occurrence::STARTUP,
    }
}
