//! The proof of a ticket and its job, for any number of threads that cancel it.

use crate::claim::Describe;
use crate::events::ticket::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::ticket::{CancelRequest, TicketState};
use crate::symbol::{Condition, Int, Model};

/// Where the job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Queue,
    Worker,
    /// Whoever took it out of the queue refuses it.
    Refuser,
    /// It has ended, or was refused.
    Gone,
}

/// A ticket, its job, and those who cancel it.
#[derive(Clone)]
pub struct World {
    machine: TicketState,
    place: Place,
    runs: Int,
    refusals: Int,
    /// Some request was sent.
    is_cancelled: bool,
    /// Have cancelled the ticket, and look for the job in the queue next.
    looking: Int,
}

const STEPS: &[Step<World>] = &[
    Step {
        name: "a worker takes the job",
        kind: Kind::OfUser,
        events: &[Event::WorkerTakesJob],
        besides: (),
        enabled: |world| (world.place == Place::Queue).into(),
        run: |world| {
            world.place = Place::Worker;
            Some(())
        },
    },
    Step {
        name: "the pool is stopped",
        kind: Kind::Outside,
        events: &[Event::PoolIsStopped],
        besides: (),
        enabled: |world| (world.place == Place::Queue).into(),
        run: |world| {
            world.place = Place::Refuser;
            Some(())
        },
    },
    Step {
        name: "the job ends",
        kind: Kind::OfUser,
        events: &[Event::JobEnds],
        besides: (),
        enabled: |world| (world.place == Place::Worker).into(),
        run: |world| {
            world.runs = world.runs + 1;
            world.place = Place::Gone;
            world.machine.end();
            Some(())
        },
    },
    Step {
        name: "the job is refused",
        kind: Kind::Own,
        events: &[Event::RefuserEndsTicket],
        besides: (),
        enabled: |world| (world.place == Place::Refuser).into(),
        run: |world| {
            world.refusals = world.refusals + 1;
            world.place = Place::Gone;
            world.machine.end();
            Some(())
        },
    },
    Step {
        name: "the ticket is cancelled",
        kind: Kind::Outside,
        events: &[Event::TicketIsCancelled],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let is_sent = world.machine.cancel() == CancelRequest::Sent;
            prove("a request is sent unless the job is over", is_sent == (world.place != Place::Gone));
            if is_sent {
                world.is_cancelled = true;
                world.looking = world.looking + 1;
            }
            Some(())
        },
    },
    Step {
        name: "whoever cancelled looks in the queue",
        kind: Kind::Own,
        events: &[Event::JobTakenOutOfQueue, Event::JobNotInQueue],
        besides: (),
        enabled: |world| world.looking.is_positive(),
        run: |world| {
            world.looking = world.looking - 1;
            if world.place == Place::Queue {
                world.place = Place::Refuser;
            }
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

impl induction::World for World {
    const NAME: &'static str = "ticket";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] = &[
        Rest {
            name: "at rest, but for the program",
            ended: &[Kind::Own],
            provided: |_| Condition::TRUE,
            prove: |world| prove("no cancelled job is queued", world.place != Place::Queue || !world.is_cancelled),
        },
        Rest {
            name: "at rest",
            ended: &[Kind::Own, Kind::OfUser],
            provided: |_| Condition::TRUE,
            prove: |world| prove("the job was run or refused", (world.runs + world.refusals).equals(1)),
        },
    ];

    fn any() -> Option<Self> {
        let machine = match (choose("the job is over"), choose("the ticket was cancelled")) {
            (false, false) => TicketState::Live,
            (false, true) => TicketState::Cancelled,
            (true, cancelled) => TicketState::Over { cancelled },
        };
        let place = match (choose("the job was taken"), choose("by whom refuses it"), choose("it is gone")) {
            (false, false, false) => Place::Queue,
            (true, false, false) => Place::Worker,
            (true, true, false) => Place::Refuser,
            (true, false, true) => Place::Gone,
            _ => return None,
        };
        let [runs, refusals, looking] = ["runs", "refusals", "looking"].map(Int::unknown);
        assume(Condition::all([runs, refusals, looking].map(|count| Int::ZERO.at_most(count))))?;
        Some(Self { machine, place, runs, refusals, is_cancelled: choose("a request was sent"), looking })
    }

    fn new() -> Option<Self> {
        let none = Int::ZERO;
        let (machine, place) = (TicketState::Live, Place::Queue);
        Some(Self { machine, place, runs: none, refusals: none, is_cancelled: false, looking: none })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let is_over = matches!(self.machine, TicketState::Over { .. });
        let is_gone = self.place == Place::Gone;
        let must_look = self.place == Place::Queue && self.is_cancelled;
        vec![
            ("a job is run or refused once", (self.runs + self.refusals).equals(Int::from(is_gone))),
            ("a ticket is over when its job is", (is_over == is_gone).into()),
            ("a job sees each request that was sent", (self.machine.is_cancelled() == self.is_cancelled).into()),
            ("whoever looks in the queue has cancelled the ticket", self.looking.is_zero() | self.is_cancelled),
            ("somebody takes a cancelled job out of the queue", self.looking.is_positive() | !must_look),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        let ahead = match self.place {
            Place::Queue => 2,
            Place::Worker | Place::Refuser => 1,
            Place::Gone => 0,
        };
        vec![Int::from(ahead), self.looking]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        vec![
            ("ticket", format!("{:?}", self.machine)),
            ("the job's place", format!("{:?}", self.place)),
            ("runs", self.runs.value(model).to_string()),
            ("refusals", self.refusals.value(model).to_string()),
            ("a request was sent", self.is_cancelled.to_string()),
            ("look in the queue", self.looking.value(model).to_string()),
        ]
    }
}
