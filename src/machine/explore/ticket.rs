//! The ticket explored: workers and cancellers that come for one job, in every order.

use super::{Row, Steps, World, book, finds, sound, table};
use crate::machine::ticket::Ticket;

/// The job, as a drop of it would be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Job;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counter {
    /// The fault seeded here: those who come take what they saw when they came, not what is there.
    looks_first: bool,
    ticket: Ticket<Job>,
    /// What those saw who are at the counter; only with the fault.
    seen: Vec<(bool, Ticket<Job>)>,
    workers: u8,
    cancellers: u8,
    run: u8,
    dropped: u8,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    AWorkerComes,
    ACancellerComes,
}

impl Counter {
    fn new(looks_first: bool) -> Self {
        Self {
            looks_first,
            ticket: Ticket::Queued(Job),
            seen: Vec::new(),
            workers: 2,
            cancellers: 2,
            run: 0,
            dropped: 0,
        }
    }

    fn begin(&mut self, steps: &mut Steps<'_, Self>) {
        let from = label(&self.ticket);
        let job = self.ticket.begin();
        let action = if job.is_some() { "run the job" } else { "nothing" };
        steps.row(Row { from, event: "begin", action, to: label(&self.ticket) });
        self.run += u8::from(job.is_some());
    }

    fn cancel(&mut self, steps: &mut Steps<'_, Self>) {
        let from = label(&self.ticket);
        let job = self.ticket.cancel();
        let action = if job.is_some() { "drop the job" } else { "nothing" };
        steps.row(Row { from, event: "cancel", action, to: label(&self.ticket) });
        self.dropped += u8::from(job.is_some());
    }

    fn serve(&mut self, steps: &mut Steps<'_, Self>, worker: bool) {
        if worker { self.begin(steps) } else { self.cancel(steps) }
    }
}

impl World for Counter {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        for (worker, left) in [(true, self.workers), (false, self.cancellers)] {
            if left == 0 {
                continue;
            }
            let event = if worker { Event::AWorkerComes } else { Event::ACancellerComes };
            let mut next = self.clone();
            if worker {
                next.workers -= 1;
            } else {
                next.cancellers -= 1;
            }
            if self.looks_first {
                next.seen.push((worker, self.ticket));
            } else {
                next.serve(steps, worker);
            }
            steps.hoped(event, next);
        }
        for at in 0..self.seen.len() {
            let mut next = self.clone();
            let (worker, seen) = next.seen.remove(at);
            next.ticket = seen;
            next.serve(steps, worker);
            steps.certain(if worker { Event::AWorkerComes } else { Event::ACancellerComes }, next);
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let taken = self.run + self.dropped;
        let lies_here = matches!(self.ticket, Ticket::Queued(_));
        (taken > 1 || lies_here == (taken == 1)).then_some("the job is taken twice, or lost")
    }

    fn done(&self) -> Option<&'static str> {
        (self.run + self.dropped != 1).then_some("nobody got the job")
    }
}

fn label(ticket: &Ticket<Job>) -> &'static str {
    match ticket {
        Ticket::Queued(_) => "Queued",
        Ticket::Begun => "Begun",
        Ticket::Cancelled => "Cancelled",
    }
}

// Checks: B46, P10
#[test]
fn one_of_worker_and_canceller_gets_the_job() {
    let rows = sound(Counter::new(false), 13, 16);
    book::holds("ticket", &table::chapter(&rows));
}

// Checks: B46
#[test]
fn a_seeded_fault_of_the_ticket_is_found() {
    finds(Counter::new(true), "the job is taken twice, or lost");
}
