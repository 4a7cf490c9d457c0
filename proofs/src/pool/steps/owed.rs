//! The steps of whoever carries out what a transition returned.

use super::super::world::World;
use super::step::{Besides, NEARER, NO_EFFECT, STEP};
use crate::events::pool::Event;
use crate::explore::{any, assume, prove};
use crate::induction::Step;
use crate::machine::pool::{Wakeups, report_saturation};
use crate::symbol::Int;

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "a worker is notified",
        events: &[Event::Notifies],
        besides: NEARER,
        enabled: |world| world.places.named.is_positive(),
        run: |world| {
            world.places.named = world.places.named - 1;
            world.places.notified = world.places.notified + 1;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a notify comes late",
        events: &[Event::NotifiesNobody],
        enabled: |world| world.places.late_notifies.is_positive(),
        run: |world| {
            world.places.late_notifies = world.places.late_notifies - 1;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter calls wake_or_spawn",
        events: &[Event::WakesForSubmit],
        besides: Besides { calls_for_help: true, ..NO_EFFECT },
        enabled: |world| world.places.owe_wake.is_positive(),
        run: |world| {
            world.places.owe_wake = world.places.owe_wake - 1;
            let machine = &mut world.machine;
            let wakeups = machine.workers.wake_or_spawn();
            let wakeups = if machine.workers.may_report_saturation() {
                prove("nothing is dropped for the report", wakeups == Wakeups::NONE);
                report_saturation(&mut machine.workers, &mut machine.submit_queue)
            } else {
                wakeups
            };
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter is notified",
        events: &[Event::NotifiesSubmitters],
        enabled: |world| world.places.notify_one.is_positive(),
        run: |world| {
            let notified = any("submitters that this frees");
            let at = &mut world.places;
            assume(at.waiting.min(1).at_most(notified) & notified.at_most(at.waiting))?;
            at.notify_one = at.notify_one - 1;
            at.waiting = at.waiting - notified;
            at.trying_again = at.trying_again + notified;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "all submitters are notified",
        events: &[Event::NotifiesSubmitters],
        enabled: |world| world.places.notify_all.is_positive(),
        run: |world| {
            let at = &mut world.places;
            at.notify_all = at.notify_all - 1;
            at.trying_again = at.trying_again + at.waiting;
            at.waiting = Int::ZERO;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "jobs were refused",
        events: &[Event::RefusesJobs],
        enabled: |world| world.places.refusing.is_positive(),
        run: |world| {
            world.places.refusing = world.places.refusing - 1;
            let stopped = world.machine.workers.refusals_done();
            world.announce(stopped);
            Some(())
        },
        ..STEP
    },
];
