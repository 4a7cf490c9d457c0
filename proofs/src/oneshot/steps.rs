//! The steps of the two halves, and of whoever lets the timeout pass.

use super::world::{Making, Outcome, Receiver, Sender, World};
use crate::events::oneshot::Event;
use crate::explore::prove;
use crate::induction::{Kind, Step};
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake, Work};
use crate::symbol::Condition;

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "the work is started",
        kind: Kind::Outside,
        events: &[Event::StartsWork],
        besides: (),
        enabled: |world| (world.sender == Sender::Has && world.making == Making::NotStarted).into(),
        run: |world| {
            let is_wanted = world.machine.is_wanted();
            let work = world.machine.start_work(world.work);
            prove("work that nobody waits for is cancelled, and no other", (work == Work::Keep) == is_wanted);
            world.making = if work == Work::Keep { Making::Started } else { Making::Cancelled };
            Some(())
        },
    },
    Step {
        name: "the value is sent",
        kind: Kind::Outside,
        events: &[Event::Sends],
        besides: (),
        enabled: |world| (world.sender == Sender::Has).into(),
        run: |world| {
            world.sender = Sender::Drops;
            let was_wanted = world.machine.is_wanted();
            match world.machine.send(world.value) {
                Ok(wake) => {
                    prove("whoever has given up is sent nothing", was_wanted);
                    owes(world, wake);
                }
                Err(value) => {
                    prove("a value is handed back only to whom nobody waits for", !was_wanted);
                    prove("what is handed back is the value", value.equals(world.value));
                    world.is_back = true;
                }
            }
            Some(())
        },
    },
    Step {
        name: "the sender is dropped with its value",
        kind: Kind::Outside,
        events: &[Event::SenderDrops],
        besides: (),
        enabled: |world| (world.sender == Sender::Has).into(),
        run: |world| {
            world.is_back = true;
            drops(world);
            Some(())
        },
    },
    Step {
        name: "the sender is dropped",
        kind: Kind::Own,
        events: &[Event::SenderDrops],
        besides: (),
        enabled: |world| (world.sender == Sender::Drops).into(),
        run: |world| {
            drops(world);
            Some(())
        },
    },
    Step {
        name: "the receiver is woken",
        kind: Kind::Own,
        events: &[Event::WakesReceiver],
        besides: (),
        enabled: |world| world.owe_wake.is_positive(),
        run: |world| {
            world.owe_wake = world.owe_wake - 1;
            wakes(world);
            Some(())
        },
    },
    Step {
        name: "the receiver wakes by itself",
        kind: Kind::Outside,
        events: &[Event::ReceiverWakesSpuriously],
        besides: (),
        enabled: |world| (world.receiver == Receiver::Waits).into(),
        run: |world| {
            wakes(world);
            Some(())
        },
    },
    Step {
        name: "somebody lets the timeout pass",
        kind: Kind::Outside,
        events: &[Event::TriggerFires],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            times_out(world);
            Some(())
        },
    },
    Step {
        name: "the receiver's timeout passes",
        kind: Kind::Outside,
        events: &[Event::TimeoutPasses],
        besides: (),
        enabled: |world| matches!(world.receiver, Receiver::Looks | Receiver::Waits).into(),
        run: |world| {
            wakes(world);
            looks(world);
            if world.receiver == Receiver::Waits {
                times_out(world);
                world.receiver = Receiver::Looks;
                looks(world);
                prove("whoever gives up returns", matches!(world.receiver, Receiver::Returned(_)));
            }
            Some(())
        },
    },
    Step {
        name: "the receiver looks",
        kind: Kind::Own,
        events: &[Event::ReceiverLooks],
        besides: (),
        enabled: |world| (world.receiver == Receiver::Looks).into(),
        run: |world| {
            looks(world);
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

fn owes(world: &mut World, wake: ReceiverWake) {
    if wake == ReceiverWake::Needed {
        world.owe_wake = world.owe_wake + 1;
    }
}

/// A notify while the receiver does not wait has no effect.
fn wakes(world: &mut World) {
    if world.receiver == Receiver::Waits {
        world.receiver = Receiver::Looks;
    }
}

fn drops(world: &mut World) {
    world.sender = Sender::Gone;
    let wake = world.machine.disconnect();
    owes(world, wake);
}

fn times_out(world: &mut World) {
    let was_wanted = world.machine.is_wanted();
    let wake = world.machine.time_out();
    prove("a timeout settles what is not settled", matches!(world.machine, Oneshot::TimedOut(_)) || !was_wanted);
    owes(world, wake);
}

/// The receiver takes the lock and looks.
fn looks(world: &mut World) {
    world.receiver = match world.machine.receive() {
        Receive::Wait => Receiver::Waits,
        Receive::Value(value) => {
            prove("what is received is the value", value.equals(world.value));
            Receiver::Returned(Outcome::Value)
        }
        Receive::Disconnected => Receiver::Returned(Outcome::Disconnected),
        Receive::TimedOut(work) => {
            if let Some(work) = work {
                prove("what is cancelled is the work", work.equals(world.work));
                prove("work is cancelled once", world.making == Making::Started);
                world.making = Making::Cancelled;
            }
            Receiver::Returned(Outcome::TimedOut)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::super::world::{Receiver, World};
    use crate::induction::tests::refuted;

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let one_wake = |world: &World| world.owe_wake.at_most(1);
        assert!(refuted("somebody lets the timeout pass", one_wake).contains(&"what is claimed besides"));
        let never_waits = |world: &World| (world.receiver != Receiver::Waits).into();
        assert_eq!(refuted("the receiver looks", never_waits), ["what is claimed besides"]);
    }
}
