//! Exhaustive search of the pool's two queues: jobs with a ticket and without, in any order, that are popped, cancelled
//! and handed out, while the queues are exchanged.

use std::collections::VecDeque;

use super::super::events::job_queue::Event;
use super::super::{Steps, World, must_find, must_hold};
use super::plain_store::{PlainStore, job};
use crate::machine::pool::{
    CancellableQueue, Compensation, RefusedJobs, Sizes, SubmitQueue, TicketId, WorkerHint, Workers, begin_start_hooks,
    cancel, next_action, start,
};

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A cancelled job goes to the back of the queue.
    Requeues,
    /// A cancel looks into the workers' queue only.
    LooksInOne,
}

/// A queued job, and its ticket if it has one.
type Queued = (u8, Option<TicketId>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct QueueWorld {
    bug: Bug,
    /// Jobs are popped here.
    workers: CancellableQueue<PlainStore<u8>>,
    /// Jobs are pushed here.
    submit: CancellableQueue<PlainStore<u8>>,
    /// What both should hold, in order.
    reference: VecDeque<Queued>,
    pushed: u8,
    violation: Option<&'static str>,
}

const MOST_JOBS: u8 = 6;

impl QueueWorld {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            workers: CancellableQueue::default(),
            submit: CancellableQueue::default(),
            reference: VecDeque::new(),
            pushed: 0,
            violation: None,
        }
    }

    fn cancel(&self, ticket: TicketId) -> Self {
        let mut next = self.clone();
        let found = next.workers.cancel(ticket);
        let found = if self.bug == Bug::LooksInOne { found } else { found.or_else(|| next.submit.cancel(ticket)) };
        let at = next.reference.iter().position(|queued| queued.1 == Some(ticket));
        let expected = at.and_then(|at| next.reference.remove(at));
        if found != expected.map(|queued| queued.0) {
            next.violation = Some("a queued job is not cancelled, or another is");
        }
        if self.bug == Bug::Requeues
            && let Some(job) = found
        {
            next.submit.push(job);
        }
        next
    }
}

impl World for QueueWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.pushed < MOST_JOBS {
            let mut next = self.clone();
            next.pushed += 1;
            next.reference.push_back((self.pushed, None));
            next.submit.push(self.pushed);
            steps.unfair(Event::Push, next);
            let mut next = self.clone();
            let ticket = TicketId::from(self.pushed);
            next.pushed += 1;
            next.reference.push_back((self.pushed, Some(ticket)));
            next.submit.push_ticketed(ticket, self.pushed);
            steps.unfair(Event::PushTicketed(ticket), next);
        }
        if self.workers.is_empty() {
            let mut next = self.clone();
            next.workers.take_all(&mut next.submit);
            steps.unfair(Event::Exchange, next);
        } else {
            let mut next = self.clone();
            let popped = next.workers.pop().map(job);
            if popped != next.reference.pop_front().map(|queued| queued.0) {
                next.violation = Some("a job is lost, doubled or overtaken");
            }
            steps.unfair(Event::Pop, next);
        }
        for ticket in 0..TicketId::from(self.pushed) {
            steps.unfair(Event::Cancel(ticket), self.cancel(ticket));
        }
        if !self.reference.is_empty() {
            let mut next = self.clone();
            let handed_out = RefusedJobs::take(&mut next.workers, &mut next.submit);
            if !handed_out.eq(next.reference.drain(..).map(|queued| queued.0)) {
                next.violation = Some("what is handed out is not what was queued, in that order");
            }
            steps.unfair(Event::HandOut, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let number_is_wrong = self.workers.len() + self.submit.len() != self.reference.len();
        self.violation.or(number_is_wrong.then_some("the number of queued jobs is wrong"))
    }
}

// Checks: B30, B43, P51
#[test]
fn jobs_with_a_ticket_and_without_leave_in_the_order_in_which_they_came_whichever_are_cancelled() {
    _ = must_hold(QueueWorld::new(Bug::None), 5_103, 41_728);
}

// Checks: B43, P13
#[test]
fn injected_bugs_of_the_queue_are_found() {
    must_find(QueueWorld::new(Bug::Requeues), "the number of queued jobs is wrong");
    must_find(QueueWorld::new(Bug::LooksInOne), "a queued job is not cancelled, or another is");
}

// Checks: P51
#[test]
fn memory_of_jobs_with_a_ticket_that_have_left_is_handed_out_once() {
    let mut queue = CancellableQueue::<PlainStore<u8>>::default();
    for ticket in 0..1_000 {
        queue.push_ticketed(ticket, 0);
    }
    assert!(queue.take_unused().is_none());
    while queue.pop().is_some() {}
    assert!(queue.take_unused().is_some());
    assert!(queue.take_unused().is_none());
}

// Checks: P51
#[test]
fn memory_of_jobs_that_are_cancelled_is_handed_out_by_the_half_that_had_them() {
    const JOBS: TicketId = 100;
    let mut workers =
        Workers::<PlainStore<u8>>::new(Sizes { min: 0, max: 1 }, Compensation { most: 0, for_one: false });
    let mut submit_queue = SubmitQueue::new(usize::MAX);
    let submit = |submit_queue: &mut SubmitQueue<PlainStore<u8>>| {
        for _ in 0..JOBS {
            _ = submit_queue.submit_ticketed(0).unwrap();
        }
    };
    submit(&mut submit_queue);
    for ticket in 0..JOBS {
        assert!(cancel(&mut workers, &mut submit_queue, ticket).0.is_some());
    }
    assert!(workers.take_unused().is_none() && submit_queue.take_unused().is_some());
    submit(&mut submit_queue);
    _ = start(&mut workers, &mut submit_queue, false).unwrap();
    _ = begin_start_hooks(&mut workers, &mut submit_queue, 0);
    // Takes the first job, and the others into the workers' queue.
    _ = next_action(&mut workers, &mut submit_queue, WorkerHint::default());
    for ticket in JOBS + 1..2 * JOBS {
        assert!(cancel(&mut workers, &mut submit_queue, ticket).0.is_some());
    }
    assert!(workers.take_unused().is_some() && submit_queue.take_unused().is_none());
}
