//! Exhaustive search of the ticket: one job, a worker that runs it, two threads that cancel it and one that stops the
//! pool, in every order.

use super::super::events::ticket::Event;
use super::super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::pool::{CancelRequest, TicketState};

/// Where the job is. The pool's queue decides who gets it; the ticket only records cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum JobPlace {
    Queue,
    /// A worker runs it.
    Worker,
    /// A thread has taken it out of the queue, to refuse it, and has not ended its ticket yet.
    Refuser,
    /// It has ended or was refused, and its ticket is ended.
    Gone,
}

/// A thread that cancels the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Canceller {
    Start,
    /// Has cancelled the ticket, and looks for the job in the queue next.
    TicketCancelled,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TicketWorld {
    /// The injected bug: a job that has ended does not end its ticket.
    forgets_to_end: bool,
    ticket: TicketState,
    place: JobPlace,
    cancellers: [Canceller; 2],
    runs: u8,
    refusals: u8,
    /// A canceller was told that the job can see the request, and the job had ended.
    misled: bool,
}

impl TicketWorld {
    fn new(forgets_to_end: bool) -> Self {
        Self {
            forgets_to_end,
            ticket: TicketState::Live,
            place: JobPlace::Queue,
            cancellers: [Canceller::Start; 2],
            runs: 0,
            refusals: 0,
            misled: false,
        }
    }

    fn end(&mut self, steps: &mut Steps<'_, Self>) {
        let from = label(self.ticket);
        self.ticket.end();
        steps.row(Row { from, event: "end", action: "nothing", to: label(self.ticket) });
    }

    fn cancel(&mut self, steps: &mut Steps<'_, Self>) -> CancelRequest {
        let from = label(self.ticket);
        let request = self.ticket.cancel();
        let action = if request == CancelRequest::Sent { "look for it in the queue" } else { "nothing" };
        steps.row(Row { from, event: "cancel", action, to: label(self.ticket) });
        request
    }
}

impl World for TicketWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        match self.place {
            JobPlace::Queue => {
                let mut next = self.clone();
                next.place = JobPlace::Worker;
                steps.user_fair(Event::WorkerTakesJob, next);
                let mut next = self.clone();
                next.place = JobPlace::Refuser;
                steps.unfair(Event::PoolIsStopped, next);
            }
            JobPlace::Worker => {
                let mut next = self.clone();
                next.runs += 1;
                next.place = JobPlace::Gone;
                if !self.forgets_to_end {
                    next.end(steps);
                }
                steps.user_fair(Event::JobEnds, next);
            }
            JobPlace::Refuser => {
                let mut next = self.clone();
                next.refusals += 1;
                next.place = JobPlace::Gone;
                next.end(steps);
                steps.fair(Event::RefuserEndsTicket, next);
            }
            JobPlace::Gone => {}
        }
        for at in 0..self.cancellers.len() {
            let mut next = self.clone();
            match self.cancellers[at] {
                Canceller::Start => {
                    let sent = next.cancel(steps) == CancelRequest::Sent;
                    next.misled |= sent && self.place == JobPlace::Gone;
                    next.cancellers[at] = if sent { Canceller::TicketCancelled } else { Canceller::Done };
                    next.cancellers.sort();
                    steps.user_fair(Event::TicketIsCancelled, next);
                }
                Canceller::TicketCancelled => {
                    next.cancellers[at] = Canceller::Done;
                    next.cancellers.sort();
                    if self.place == JobPlace::Queue {
                        next.place = JobPlace::Refuser;
                        steps.fair(Event::JobTakenOutOfQueue, next);
                    } else {
                        steps.fair(Event::JobNotInQueue, next);
                    }
                }
                Canceller::Done => {}
            }
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.runs + self.refusals > 1 {
            Some("the job is run or refused twice")
        } else if self.misled {
            Some("a cancel request is sent to a job that is over")
        } else if self.cancellers.contains(&Canceller::TicketCancelled)
            && !self.ticket.is_cancelled()
            && self.runs == 0
            && self.refusals == 0
        {
            Some("a cancel request is not seen")
        } else {
            None
        }
    }

    fn unfinished(&self) -> Option<&'static str> {
        (self.runs + self.refusals != 1).then_some("the job is neither run nor refused")
    }
}

fn label(ticket: TicketState) -> &'static str {
    match ticket {
        TicketState::Live => "Live",
        TicketState::Cancelled => "Cancelled",
        TicketState::Over { cancelled: false } => "Over",
        TicketState::Over { cancelled: true } => "Over, cancelled",
    }
}

// Checks: B43, B46, P10
#[test]
fn a_job_is_run_or_refused_once_and_sees_each_cancel_request() {
    let rows = must_hold(TicketWorld::new(false), 31, 58);
    table_file::assert_current("pool/ticket", &table::markdown(&rows));
}

// Checks: B43, P13
#[test]
fn an_injected_bug_of_the_ticket_is_found() {
    must_find(TicketWorld::new(true), "a cancel request is sent to a job that is over");
}
