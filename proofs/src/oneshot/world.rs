//! The channel with its two halves, what holds of them in every state, and what each step of theirs lowers.

use super::steps::STEPS;
use crate::claim::Describe;
use crate::events::oneshot::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::oneshot::Oneshot;
use crate::symbol::{Condition, Int, Model};

/// The channel. Values and works are numbers: equal numbers are the same one.
pub type Channel = Oneshot<Int, Int>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Has the value, or will have it; starts the work, sends, or is dropped.
    Has,
    /// Is to be dropped: it has sent, or the value was handed back.
    Drops,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Takes the lock and looks for the value.
    Looks,
    /// Waits to be woken.
    Waits,
    Returned(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Value,
    Disconnected,
    TimedOut,
}

/// The work that makes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    NotStarted,
    Started,
    /// Somebody was told to cancel it.
    Cancelled,
}

#[derive(Clone)]
pub struct World {
    pub machine: Channel,
    pub sender: Sender,
    pub receiver: Receiver,
    pub making: Making,
    /// The value was handed back to the sender, or dropped with it.
    pub is_back: bool,
    /// Wakes that are owed to the receiver.
    pub owe_wake: Int,
    pub value: Int,
    pub work: Int,
}

impl World {
    /// The work that the channel knows of.
    fn known_work(&self) -> Option<Option<Int>> {
        match self.machine {
            Oneshot::Empty(work) | Oneshot::Awaited(work) | Oneshot::TimedOut(work) => Some(work),
            Oneshot::Sent(_) | Oneshot::Disconnected | Oneshot::Received => None,
        }
    }

    /// Whether the receiver has only to look, to return.
    fn is_settled(&self) -> bool {
        !self.machine.is_wanted()
    }

    /// Whether a receiver is where the channel says.
    fn knows_receiver(&self) -> bool {
        match (self.receiver, &self.machine) {
            (Receiver::Looks, Oneshot::Received) | (Receiver::Waits, Oneshot::Received | Oneshot::Empty(_)) => false,
            (Receiver::Looks | Receiver::Waits, _) => true,
            (Receiver::Returned(outcome), Oneshot::Received) => outcome != Outcome::TimedOut,
            (Receiver::Returned(outcome), Oneshot::TimedOut(work)) => outcome == Outcome::TimedOut && work.is_none(),
            (Receiver::Returned(_), _) => false,
        }
    }

    /// In how many places the value is: with its sender, in the channel, with its receiver, back.
    fn places_of_value(&self) -> usize {
        let is_received = self.receiver == Receiver::Returned(Outcome::Value);
        let is_sent = matches!(self.machine, Oneshot::Sent(_));
        [self.sender == Sender::Has, is_sent, is_received, self.is_back].iter().filter(|is| **is).count()
    }

    fn keeps_work(&self) -> bool {
        match (self.making, self.known_work()) {
            (Making::NotStarted, work) => work.flatten().is_none(),
            // What was started is known until the value is there, or the sender is gone.
            (Making::Started, Some(work)) => work.is_some(),
            (Making::Started, None) => true,
            (Making::Cancelled, _) => matches!(self.machine, Oneshot::TimedOut(None)),
        }
    }
}

impl World {
    /// Nobody goes on.
    fn prove_done(&self) {
        prove("a receiver waits only while its sender may send", {
            matches!(self.receiver, Receiver::Returned(_)) || self.sender == Sender::Has
        });
        let gave_up = self.receiver == Receiver::Returned(Outcome::TimedOut);
        prove("whoever gives up has the work cancelled", !gave_up || self.making != Making::Started);
    }
}

impl induction::World for World {
    const NAME: &'static str = "one-shot";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] =
        &[Rest { name: "at rest", ended: &[Kind::Own], provided: |_| Condition::TRUE, prove: Self::prove_done }];

    fn any() -> Option<Self> {
        let work = Int::unknown("work");
        let value = Int::unknown("value");
        let named = choose("the channel knows the work").then_some(work);
        let machine = match (choose("one"), choose("two"), choose("three")) {
            (false, false, false) => Oneshot::Empty(named),
            (false, false, true) => Oneshot::Awaited(named),
            (false, true, false) => Oneshot::TimedOut(named),
            (false, true, true) if named.is_none() => Oneshot::Sent(value),
            (true, false, false) if named.is_none() => Oneshot::Disconnected,
            (true, false, true) if named.is_none() => Oneshot::Received,
            _ => return None,
        };
        let sender = match (choose("the sender has the value"), choose("the sender is gone")) {
            (true, false) => Sender::Has,
            (false, false) => Sender::Drops,
            (false, true) => Sender::Gone,
            (true, true) => return None,
        };
        let receiver = match (choose("the receiver waits"), choose("it has returned"), choose("without a value")) {
            (false, false, false) => Receiver::Looks,
            (true, false, false) => Receiver::Waits,
            (false, true, false) => Receiver::Returned(Outcome::Value),
            (false, true, true) => Receiver::Returned(Outcome::Disconnected),
            (true, true, true) => Receiver::Returned(Outcome::TimedOut),
            _ => return None,
        };
        let making = match (choose("the work was started"), choose("it was cancelled")) {
            (false, false) => Making::NotStarted,
            (true, false) => Making::Started,
            (true, true) => Making::Cancelled,
            (false, true) => return None,
        };
        let is_back = choose("the value was handed back or dropped");
        let owe_wake = Int::unknown("wakes that are owed");
        assume(owe_wake.less(Int::GREATEST) & Int::from(65_535).at_most(Int::GREATEST))?;
        Some(Self { machine, sender, receiver, making, is_back, owe_wake, value, work })
    }

    fn new() -> Option<Self> {
        let any = Self::any()?;
        Some(Self {
            machine: Channel::new(),
            sender: Sender::Has,
            receiver: Receiver::Looks,
            making: Making::NotStarted,
            is_back: false,
            owe_wake: Int::ZERO,
            ..any
        })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let is_received = self.receiver == Receiver::Returned(Outcome::Value);
        vec![
            ("nobody leaves a place where nobody is", Int::ZERO.at_most(self.owe_wake)),
            ("the channel knows where its receiver is", self.knows_receiver().into()),
            ("the receiver does not wait for what is there, unless a wake is owed", {
                self.owe_wake.is_positive() | !(self.receiver == Receiver::Waits && self.is_settled())
            }),
            ("the value is in one place", (self.places_of_value() == 1).into()),
            (
                "what lies in the channel is the value",
                match self.machine {
                    Oneshot::Sent(value) => value.equals(self.value),
                    _ => Condition::TRUE,
                },
            ),
            ("what the channel knows is the work", {
                self.known_work().flatten().map_or(Condition::TRUE, |work| work.equals(self.work))
            }),
            ("work that was started is known, until it is cancelled or needed no more", self.keeps_work().into()),
            (
                "a value comes from work that was not cancelled",
                (!is_received || self.making != Making::Cancelled).into(),
            ),
            ("a sender that has the value has not settled the channel", {
                let is_open = matches!(self.machine, Oneshot::Empty(_) | Oneshot::Awaited(_) | Oneshot::TimedOut(_));
                (self.sender != Sender::Has || is_open).into()
            }),
            (
                "a sender that is gone leaves the channel settled",
                (self.sender == Sender::Has || self.is_settled()).into(),
            ),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        let of_sender = match self.sender {
            Sender::Has => 2,
            Sender::Drops => 1,
            Sender::Gone => 0,
        };
        let of_receiver = match self.receiver {
            Receiver::Looks => 2,
            Receiver::Waits => 1,
            Receiver::Returned(_) => 0,
        };
        vec![of_sender.into(), self.owe_wake, of_receiver.into()]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let state = match self.machine {
            Oneshot::Empty(_) => "Empty",
            Oneshot::Awaited(_) => "Awaited",
            Oneshot::Sent(_) => "Sent",
            Oneshot::Disconnected => "Disconnected",
            Oneshot::TimedOut(_) => "TimedOut",
            Oneshot::Received => "Received",
        };
        vec![
            ("state", state.into()),
            ("the channel knows the work", self.known_work().flatten().is_some().to_string()),
            ("sender", format!("{:?}", self.sender)),
            ("receiver", format!("{:?}", self.receiver)),
            ("work", format!("{:?}", self.making)),
            ("the value was handed back or dropped", self.is_back.to_string()),
            ("wakes that are owed", self.owe_wake.value(model).to_string()),
        ]
    }
}
