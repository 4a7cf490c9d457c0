//! Exhaustive search of the one-shot channel: work that makes the value, a send, a drop of the sender, a timeout and
//! spurious wakes of the receiver, in every order.

use super::events::oneshot::Event;
use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake, Work};

const VALUE: u8 = 42;
const WORK: u8 = 7;

/// What the sender is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sender {
    /// Starts the work that makes the value, sends, or is dropped.
    Start,
    /// The work goes on; sends, or is dropped.
    Works,
    /// Has sent; wakes the receiver, then is dropped.
    OwesWake,
    /// Is dropped, whether it has sent or not.
    Drops,
    /// Was dropped without sending; wakes the receiver.
    OwesLastWake,
    /// Was dropped.
    Gone,
}

/// The timeout trigger: another thread that lets the timeout pass. Not every world has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trigger {
    /// May let the timeout pass.
    Armed,
    /// Has let it pass; wakes the receiver.
    OwesWake,
    /// Does nothing any more.
    Done,
}

/// What the receiver is about to do, or has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Receiver {
    /// Takes the lock and looks for the value.
    Looks,
    /// Waits to be woken.
    Waits,
    Returned(Receive<u8, u8>),
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A sender does not carry out the wake that it owes.
    ForgetsTheWake,
    /// The receiver takes any wake for the end: an `if` where a `while` belongs.
    LooksOnce,
    /// The sender sees that the value is wanted, sends later, and ignores that it is handed back.
    IgnoresReturn,
    /// The sender starts the work, and does not look whether it is wanted.
    IgnoresCancel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OneshotWorld {
    bug: Bug,
    channel: Oneshot<u8, u8>,
    sender: Sender,
    trigger: Trigger,
    receiver: Receiver,
    /// The receiver has a timeout of its own, which has not passed.
    timeout: bool,
    /// It has passed.
    timed_out: bool,
    /// The value was sent.
    sent: bool,
    /// It was handed back.
    returned: bool,
    /// The work was started, and the sender has not cancelled it.
    works: bool,
}

impl OneshotWorld {
    fn new(trigger: Trigger, timeout: bool, bug: Bug) -> Self {
        Self {
            bug,
            channel: Oneshot::new(),
            sender: Sender::Start,
            trigger,
            receiver: Receiver::Looks,
            timeout,
            timed_out: false,
            sent: false,
            returned: false,
            works: false,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Oneshot<u8, u8>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = label(&self.channel);
        let outcome = transition(&mut self.channel);
        steps.row(Row { from, event, action: action(&outcome), to: label(&self.channel) });
        outcome
    }

    fn time_out(&mut self, steps: &mut Steps<'_, Self>) -> ReceiverWake {
        self.step(steps, "time_out", Oneshot::time_out, |wake| owed(*wake))
    }

    fn receive(&mut self, steps: &mut Steps<'_, Self>) -> Receive<u8, u8> {
        self.step(steps, "receive", Oneshot::receive, |receive| match receive {
            Receive::Wait => "wait, and look again",
            Receive::Value(_) => "return the value",
            Receive::Disconnected => "return: disconnected",
            Receive::TimedOut(None) => "return: timed out",
            Receive::TimedOut(Some(_)) => "cancel the work, and return: timed out",
        })
    }

    fn wake(&mut self) {
        if self.receiver == Receiver::Waits {
            self.receiver = Receiver::Looks;
        }
    }

    fn sender_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.sender {
            Sender::Start | Sender::Works => {
                if self.sender == Sender::Start {
                    let mut starts = self.clone();
                    let work = starts.step(
                        steps,
                        "start_work",
                        |channel| channel.start_work(WORK),
                        |work| match work {
                            Work::Keep => "nothing",
                            Work::Cancel => "cancel the work",
                        },
                    );
                    starts.works = work == Work::Keep || self.bug == Bug::IgnoresCancel;
                    starts.sender = Sender::Works;
                    steps.user_fair(Event::StartsWork, starts);
                }
                let mut sends = self.clone();
                sends.sent = true;
                let wake = sends.step(
                    steps,
                    "send",
                    |channel| channel.send(VALUE),
                    |wake| match wake {
                        Ok(wake) => owed(*wake),
                        Err(_) => "return the value",
                    },
                );
                sends.sender = match wake {
                    Ok(ReceiverWake::Needed) if self.bug != Bug::ForgetsTheWake => Sender::OwesWake,
                    _ => Sender::Drops,
                };
                sends.returned = wake == Err(VALUE) && self.bug != Bug::IgnoresReturn;
                steps.user_fair(Event::Sends, sends);
                next.sender = Sender::Drops;
                steps.user_fair(Event::SenderDrops, next);
            }
            Sender::OwesWake => {
                next.wake();
                next.sender = Sender::Drops;
                steps.fair(Event::WakesReceiver, next);
            }
            Sender::Drops => {
                let wake = next.step(steps, "disconnect", Oneshot::disconnect, |wake| owed(*wake));
                next.sender = if wake == ReceiverWake::Needed { Sender::OwesLastWake } else { Sender::Gone };
                steps.fair(Event::SenderDrops, next);
            }
            Sender::OwesLastWake => {
                next.wake();
                next.sender = Sender::Gone;
                steps.fair(Event::WakesReceiver, next);
            }
            Sender::Gone => {}
        }
    }

    fn trigger_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.trigger {
            Trigger::Armed => {
                let wake = next.time_out(steps);
                next.trigger = if wake == ReceiverWake::Needed { Trigger::OwesWake } else { Trigger::Done };
                steps.unfair(Event::TriggerFires, next);
            }
            Trigger::OwesWake => {
                next.wake();
                next.trigger = Trigger::Done;
                steps.fair(Event::WakesReceiver, next);
            }
            Trigger::Done => {}
        }
    }

    fn receiver_steps(&self, steps: &mut Steps<'_, Self>) {
        if self.timeout {
            let mut next = self.clone();
            next.timeout = false;
            next.timed_out = true;
            next.wake();
            steps.unfair(Event::TimeoutPasses, next);
        }
        let mut next = self.clone();
        match self.receiver {
            Receiver::Looks => {
                let mut received = next.receive(steps);
                if received == Receive::Wait && self.timed_out {
                    // The only thread that could be woken is the receiver itself.
                    let _ = next.time_out(steps);
                    received = next.receive(steps);
                }
                next.receiver = if received == Receive::Wait { Receiver::Waits } else { Receiver::Returned(received) };
                steps.fair(Event::ReceiverLooks, next);
            }
            Receiver::Waits => {
                next.receiver = if self.bug == Bug::LooksOnce {
                    Receiver::Returned(Receive::Disconnected)
                } else {
                    Receiver::Looks
                };
                steps.unfair(Event::ReceiverWakesSpuriously, next);
            }
            Receiver::Returned(_) => {}
        }
    }
}

impl World for OneshotWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        self.sender_steps(steps);
        self.trigger_steps(steps);
        self.receiver_steps(steps);
    }

    fn violation(&self) -> Option<&'static str> {
        let received = self.receiver == Receiver::Returned(Receive::Value(VALUE));
        let in_channel = self.channel == Oneshot::Sent(VALUE);
        let places = [received, in_channel, self.returned].into_iter().filter(|place| *place).count();
        if places != usize::from(self.sent) {
            return Some("the value is lost, or in two places");
        }
        if let Receiver::Returned(Receive::TimedOut(cancelled)) = self.receiver
            && self.works != (cancelled == Some(WORK))
        {
            return Some("the receiver has given up, and the work goes on; or it cancels what was not started");
        }
        let gone = matches!(self.sender, Sender::Gone | Sender::OwesLastWake);
        match self.receiver {
            Receiver::Returned(Receive::Disconnected) if self.sent || !gone => {
                Some("the receiver returns that the sender is gone, and it is not")
            }
            Receiver::Returned(Receive::TimedOut(_)) if !self.timed_out && self.trigger == Trigger::Armed => {
                Some("the receiver times out too early")
            }
            Receiver::Returned(Receive::Wait) => Some("the receiver returns while it waits"),
            _ => None,
        }
    }

    fn stuck(&self) -> Option<&'static str> {
        (self.receiver == Receiver::Waits && !self.channel.is_wanted())
            .then_some("the receiver sleeps, and no wake can come")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!matches!(self.receiver, Receiver::Returned(_))).then_some("the receiver never returns")
    }
}

fn label(channel: &Oneshot<u8, u8>) -> &'static str {
    match channel {
        Oneshot::Empty(None) => "Empty",
        Oneshot::Empty(Some(_)) => "Empty, work",
        Oneshot::Awaited(None) => "Awaited",
        Oneshot::Awaited(Some(_)) => "Awaited, work",
        Oneshot::Sent(_) => "Sent",
        Oneshot::Disconnected => "Disconnected",
        Oneshot::TimedOut(None) => "TimedOut",
        Oneshot::TimedOut(Some(_)) => "TimedOut, work",
        Oneshot::Received => "Received",
    }
}

fn owed(wake: ReceiverWake) -> &'static str {
    match wake {
        ReceiverWake::NotNeeded => "nothing",
        ReceiverWake::Needed => "wake the receiver",
    }
}

// Checks: B48, P10, P80, R25, R27, R28, R33
#[test]
fn a_channel_has_one_outcome_and_its_receiver_learns_it() {
    let mut rows = must_hold(OneshotWorld::new(Trigger::Done, false, Bug::None), 36, 63);
    rows.extend(must_hold(OneshotWorld::new(Trigger::Armed, false, Bug::None), 115, 250));
    rows.extend(must_hold(OneshotWorld::new(Trigger::Armed, true, Bug::None), 218, 569));
    table_file::assert_current("oneshot", &table::markdown(&rows));
}

// Checks: B48, R25, R28
#[test]
fn injected_bugs_of_the_oneshot_are_found() {
    must_find(
        OneshotWorld::new(Trigger::Done, false, Bug::ForgetsTheWake),
        "the receiver sleeps, and no wake can come",
    );
    must_find(
        OneshotWorld::new(Trigger::Done, false, Bug::LooksOnce),
        "the receiver returns that the sender is gone, and it is not",
    );
    must_find(OneshotWorld::new(Trigger::Armed, false, Bug::IgnoresReturn), "the value is lost, or in two places");
    must_find(
        OneshotWorld::new(Trigger::Armed, false, Bug::IgnoresCancel),
        "the receiver has given up, and the work goes on; or it cancels what was not started",
    );
}
