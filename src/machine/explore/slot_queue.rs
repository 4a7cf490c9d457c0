//! Exhaustive search of the jobs that wait for a slot of a bounded pool: jobs join and leave while one is being
//! offered, slots come and go, the pool tells, and is stopped, in every order.

use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::slot_queue::SlotQueue;
use crate::machine::wait_queue::Key;

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// The last job leaves, and the pool is to tell all the same.
    ForgetsToWithdraw,
    /// Whoever is told of a slot does not end the watch first.
    ForgetsToStopWatching,
    /// A job that left while it was being offered runs if the pool takes it.
    RunsWhatHasLeft,
}

/// What the loop that offers holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loop {
    /// There is no loop.
    Nobody,
    /// It takes the first next.
    Takes,
    /// It offers this job.
    Offers(Key, u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SlotWorld {
    bug: Bug,
    queue: SlotQueue<u8, u8, ()>,
    offers: Loop,
    /// Jobs that can still join.
    budget: u8,
    /// The jobs that have joined and not left, nor been decided, in the order of joining.
    waiting: Vec<(u8, Key)>,
    /// Jobs that the pool has taken, of this reactor and of others.
    running: u8,
    free: u8,
    is_open: bool,
    /// The pool will tell of a slot.
    tells: bool,
    /// Calls with which it has told, and which have not run.
    told: u8,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Joins,
    Leaves,
    TakesFirst,
    PoolAnswers,
    OtherTakesSlot,
    SlotIsFree,
    PoolStops,
    IsTold,
}

impl SlotWorld {
    fn new(jobs: u8, slots: u8, bug: Bug) -> Self {
        Self {
            bug,
            queue: SlotQueue::new(),
            offers: Loop::Nobody,
            budget: jobs,
            waiting: Vec::new(),
            running: 0,
            free: slots,
            is_open: true,
            tells: false,
            told: 0,
            violation: None,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut SlotQueue<u8, u8, ()>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = self.queue.label();
        let outcome = transition(&mut self.queue);
        steps.row(Row { from, event, action: action(&outcome), to: self.queue.label() });
        outcome
    }

    /// Somebody may have to offer.
    fn begins(&mut self, steps: &mut Steps<'_, Self>) {
        let begins = self.step(steps, "begin_offering", SlotQueue::begin_offering, |begins| {
            if *begins { "offer the first, until there is no slot" } else { "nothing" }
        });
        if begins {
            if self.offers != Loop::Nobody {
                self.violation = Some("two loops offer");
            }
            self.offers = Loop::Takes;
        }
    }

    /// The job of this place is decided, or has left.
    fn is_over(&mut self, job: u8) {
        match self.waiting.iter().position(|(waiting, _)| *waiting == job) {
            Some(at) => {
                self.waiting.remove(at);
            }
            None => self.violation = Some("a job is decided twice, or after it has left"),
        }
    }

    fn pool_answers(&mut self, steps: &mut Steps<'_, Self>, key: Key, job: u8) {
        self.offers = Loop::Takes;
        if !self.is_open {
            while let Some(waiting) = self.step(steps, "pop", SlotQueue::pop, |popped| match popped {
                Some(_) => "say that the pool was stopped",
                None => "nothing",
            }) {
                self.is_over(waiting.decided);
            }
        } else if self.free > 0 {
            let decided = self.step(
                steps,
                "accepted",
                |queue| queue.accepted(key),
                |decided| match decided {
                    Some(_) => "say that it was accepted",
                    None => "cancel the ticket",
                },
            );
            match decided.or((self.bug == Bug::RunsWhatHasLeft).then_some(job)) {
                Some(decided) => {
                    if self.waiting.first().is_some_and(|(first, _)| *first != job) {
                        self.violation = Some("a job overtakes another");
                    }
                    (self.free, self.running) = (self.free - 1, self.running + 1);
                    self.is_over(decided);
                }
                None => self.frees_slot(0),
            }
        } else {
            let watch = self.step(
                steps,
                "watch",
                |queue| queue.watch(key, job, ()),
                |watch| match watch {
                    Ok(()) => "wait to be told",
                    Err(_) => "withdraw the watch, and refuse the job",
                },
            );
            self.tells = watch.is_ok();
            if watch.is_ok() {
                self.offers = Loop::Nobody;
            }
        }
    }

    /// So many slots have become free, and whoever is to be told of one is.
    fn frees_slot(&mut self, slots: u8) {
        self.free += slots;
        if self.tells {
            self.tells = false;
            self.told += 1;
        }
    }

    fn leaves(&mut self, steps: &mut Steps<'_, Self>, key: Key) {
        let left = self.step(
            steps,
            "leave",
            |queue| queue.leave(key),
            |left| match left {
                Some(left) if left.withdraw.is_some() => "withdraw the watch, and refuse the job",
                Some(left) if left.waiting.job.is_some() => "refuse the job",
                Some(_) => "leave it to the loop that offers it",
                None => "nothing",
            },
        );
        let Some(left) = left else {
            self.violation = Some("a job that waits cannot leave");
            return;
        };
        if left.withdraw.is_some() && self.bug != Bug::ForgetsToWithdraw {
            self.tells = false;
        }
        self.is_over(left.waiting.decided);
    }

    fn is_told(&mut self, steps: &mut Steps<'_, Self>) {
        self.told -= 1;
        if self.bug != Bug::ForgetsToStopWatching {
            let withdrawn = self.step(steps, "stop_watching", SlotQueue::stop_watching, |watch| match watch {
                Some(()) => "withdraw the watch",
                None => "nothing",
            });
            if withdrawn.is_some() {
                self.tells = false;
            }
        }
        self.begins(steps);
    }
}

impl World for SlotWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.budget > 0 {
            let mut next = self.clone();
            next.budget -= 1;
            let job = next.budget;
            let key = next.step(steps, "push", |queue| queue.push(job, job), |_| "see whether to offer");
            next.waiting.push((job, key));
            next.begins(steps);
            steps.unfair(Event::Joins, next);
        }
        for (_, key) in &self.waiting {
            let mut next = self.clone();
            next.leaves(steps, *key);
            steps.unfair(Event::Leaves, next);
        }
        let mut next = self.clone();
        match self.offers {
            Loop::Nobody => {}
            Loop::Takes => {
                let first = next.step(steps, "first", SlotQueue::first, |first| match first {
                    Some(_) => "offer it to the pool",
                    None => "end the loop",
                });
                next.offers = first.map_or(Loop::Nobody, |(key, job)| Loop::Offers(key, job));
                steps.fair(Event::TakesFirst, next);
            }
            Loop::Offers(key, job) => {
                next.pool_answers(steps, key, job);
                steps.fair(Event::PoolAnswers, next);
            }
        }
        if self.free > 0 && self.is_open {
            let mut next = self.clone();
            (next.free, next.running) = (self.free - 1, self.running + 1);
            steps.unfair(Event::OtherTakesSlot, next);
        }
        if self.running > 0 {
            let mut next = self.clone();
            next.running -= 1;
            next.frees_slot(1);
            steps.user_fair(Event::SlotIsFree, next);
        }
        if self.is_open {
            let mut next = self.clone();
            next.is_open = false;
            next.frees_slot(0);
            steps.unfair(Event::PoolStops, next);
        }
        if self.told > 0 {
            let mut next = self.clone();
            next.is_told(steps);
            steps.fair(Event::IsTold, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let idle = self.waiting.is_empty() && self.offers == Loop::Nobody;
        if self.queue.is_unused() != idle {
            return Some("it may be dropped while jobs wait, or never");
        }
        self.violation.or((idle && self.tells).then_some("the pool is to tell, and nobody waits"))
    }

    fn stuck(&self) -> Option<&'static str> {
        if self.waiting.is_empty() {
            None
        } else if !self.tells {
            Some("a job waits, and nobody will be told of a slot")
        } else {
            (self.free > 0 || !self.is_open).then_some("a job waits beside a free slot, or for a stopped pool")
        }
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!self.waiting.is_empty()).then_some("a job waits for ever")
    }
}

// Checks: P130, P133
#[test]
fn jobs_that_wait_for_a_slot_are_offered_in_their_order_as_long_as_there_is_one() {
    let mut rows = must_hold(SlotWorld::new(4, 1, Bug::None), 814, 3_425);
    rows.extend(must_hold(SlotWorld::new(4, 2, Bug::None), 1_200, 5_333));
    table_file::assert_current("slot_queue", &table::markdown(&rows));
}

// Checks: P130, P133
#[test]
fn injected_bugs_of_the_jobs_that_wait_for_a_slot_are_found() {
    must_find(SlotWorld::new(2, 1, Bug::ForgetsToWithdraw), "the pool is to tell, and nobody waits");
    must_find(SlotWorld::new(2, 1, Bug::ForgetsToStopWatching), "a job waits, and nobody will be told of a slot");
    must_find(SlotWorld::new(2, 1, Bug::RunsWhatHasLeft), "a job is decided twice, or after it has left");
}
