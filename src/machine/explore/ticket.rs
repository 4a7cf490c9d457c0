//! The ticket explored: a worker, those who cancel and one who stops the pool come for one job, in every order, one hold of a lock to a step.

use super::{Row, Steps, World, finds, sound, table, table_file};
use crate::machine::ticket::{Asked, Ticket};

/// Where the job itself is. The pool's queue decides who gets it; the ticket only tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Queue,
    /// A worker runs it.
    Worker,
    /// Somebody took it out of the queue, and has not said so on the ticket yet.
    Refuser,
    Gone,
}

/// Somebody who cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Canceller {
    Comes,
    /// Has asked the job to end, and looks for it in the queue next.
    HasAsked,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counter {
    /// The fault seeded here: a job that has ended does not say so.
    forgets_to_end: bool,
    ticket: Ticket,
    place: Place,
    cancellers: [Canceller; 2],
    run: u8,
    refused: u8,
    /// Somebody was told that the job hears, when it had ended.
    misled: bool,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    AWorkerTakesIt,
    ItEnds,
    AskedToEnd,
    TakenOutOfTheQueue,
    NotInTheQueue,
    TheRefuserSaysSo,
    ThePoolIsStopped,
}

impl Counter {
    fn new(forgets_to_end: bool) -> Self {
        Self {
            forgets_to_end,
            ticket: Ticket::Wanted,
            place: Place::Queue,
            cancellers: [Canceller::Comes; 2],
            run: 0,
            refused: 0,
            misled: false,
        }
    }

    fn end(&mut self, steps: &mut Steps<'_, Self>) {
        let from = label(self.ticket);
        self.ticket.end();
        steps.row(Row { from, event: "end", action: "nothing", to: label(self.ticket) });
    }

    fn ask(&mut self, steps: &mut Steps<'_, Self>) -> Asked {
        let from = label(self.ticket);
        let asked = self.ticket.ask();
        let action = if asked == Asked::Heard { "look for it in the queue" } else { "nothing" };
        steps.row(Row { from, event: "ask", action, to: label(self.ticket) });
        asked
    }
}

impl World for Counter {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        match self.place {
            Place::Queue => {
                let mut next = self.clone();
                next.place = Place::Worker;
                steps.hoped(Event::AWorkerTakesIt, next);
                let mut next = self.clone();
                next.place = Place::Refuser;
                steps.possible(Event::ThePoolIsStopped, next);
            }
            Place::Worker => {
                let mut next = self.clone();
                next.run += 1;
                next.place = Place::Gone;
                if !self.forgets_to_end {
                    next.end(steps);
                }
                steps.hoped(Event::ItEnds, next);
            }
            Place::Refuser => {
                let mut next = self.clone();
                next.refused += 1;
                next.place = Place::Gone;
                next.end(steps);
                steps.certain(Event::TheRefuserSaysSo, next);
            }
            Place::Gone => {}
        }
        for at in 0..self.cancellers.len() {
            let mut next = self.clone();
            match self.cancellers[at] {
                Canceller::Comes => {
                    let heard = next.ask(steps) == Asked::Heard;
                    next.misled |= heard && self.place == Place::Gone;
                    next.cancellers[at] = if heard { Canceller::HasAsked } else { Canceller::Done };
                    next.cancellers.sort();
                    steps.hoped(Event::AskedToEnd, next);
                }
                Canceller::HasAsked => {
                    next.cancellers[at] = Canceller::Done;
                    next.cancellers.sort();
                    if self.place == Place::Queue {
                        next.place = Place::Refuser;
                        steps.certain(Event::TakenOutOfTheQueue, next);
                    } else {
                        steps.certain(Event::NotInTheQueue, next);
                    }
                }
                Canceller::Done => {}
            }
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        if self.run + self.refused > 1 {
            Some("the job is taken twice")
        } else if self.misled {
            Some("a job that is over is said to hear")
        } else if self.cancellers.contains(&Canceller::HasAsked)
            && !self.ticket.is_unwanted()
            && self.run == 0
            && self.refused == 0
        {
            Some("what was asked is not seen")
        } else {
            None
        }
    }

    fn done(&self) -> Option<&'static str> {
        (self.run + self.refused != 1).then_some("nobody got the job")
    }
}

fn label(ticket: Ticket) -> &'static str {
    match ticket {
        Ticket::Wanted => "Wanted",
        Ticket::Unwanted => "Unwanted",
        Ticket::Over { unwanted: false } => "Over",
        Ticket::Over { unwanted: true } => "Over, unwanted",
    }
}

// Checks: B43, B46, P10
#[test]
fn a_job_is_run_or_cancelled_and_one_that_runs_sees_that_it_was_asked_to_end() {
    let rows = sound(Counter::new(false), 31, 58);
    table_file::assert_current("ticket", &table::chapter(&rows));
}

// Checks: B43, P13
#[test]
fn a_seeded_fault_of_the_ticket_is_found() {
    finds(Counter::new(true), "a job that is over is said to hear");
}
