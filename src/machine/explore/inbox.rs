//! Exhaustive search of the inbox: posters, a loop that takes, parks and resumes, spurious wakes, and a close at any
//! point.

use std::mem;

use super::events::inbox::Event;
use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::inbox::{Inbox, LoopState, LoopWake, Park, PostError};

/// A call: its poster, and its number among that poster's calls.
type Call = (usize, u8);

/// What a poster is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Poster {
    /// Posts a call, if it may still.
    Posts,
    /// Has released the lock, and wakes the loop next.
    OwesWake,
    /// With [`Bug::WakesFirst`] only: has woken the loop, and posts next.
    Woke,
    /// Has got its call back: the inbox is closed.
    Refused,
    /// Waits for a free slot.
    AwaitsSlot,
    /// That wait is over, and it has not taken the lock since.
    TriesAgain {
        /// The wait was over because its time had passed.
        timed_out: bool,
    },
}

/// What the loop is about to do, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loop {
    /// Takes all calls and runs them.
    Takes,
    /// Has run a batch, and parks next.
    Parks,
    /// With [`Bug::LooksThenSleeps`] only: has seen the inbox empty.
    Sleeps,
    /// Waits to be woken.
    Waits,
    /// Its wait is over, and it has not taken the lock since.
    Released,
    /// Has closed the inbox.
    Closed,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A poster does not carry out the wake that it owes.
    ForgetsTheWake,
    /// The wake comes before the call (R16).
    WakesFirst,
    /// The loop finds the inbox empty, and sleeps later, without a transition (R9).
    LooksThenSleeps,
    /// The loop does not say that it is awake again: a stale flag (R17).
    ForgetsToResume,
    /// Posters that wait for a slot are not notified (R6).
    ForgetsWaitingPosters,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct InboxWorld {
    bug: Bug,
    inbox: Inbox<Vec<Call>>,
    /// The calls that were accepted and have not run, in the order of acceptance: what the inbox should hold.
    expected: Vec<Call>,
    posters: Vec<Poster>,
    /// How many calls each poster may still post. The last is the loop itself, which posts while it runs a batch.
    budget: Vec<u8>,
    consumer: Loop,
    /// The most calls that may wait.
    bound: usize,
    /// The loop has freed slots, and notifies waiting posters next.
    notifies_posters: bool,
    /// A wake was owed since the loop last resumed.
    woken: bool,
    violation: Option<&'static str>,
}

impl InboxWorld {
    fn new(posters: usize, calls: u8, own_calls: u8, bug: Bug) -> Self {
        Self::bounded(usize::MAX, posters, calls, own_calls, bug)
    }

    fn bounded(bound: usize, posters: usize, calls: u8, own_calls: u8, bug: Bug) -> Self {
        let mut budget = vec![calls; posters];
        budget.push(own_calls);
        Self {
            bug,
            inbox: Inbox::new(bound),
            bound,
            notifies_posters: false,
            expected: Vec::new(),
            posters: vec![Poster::Posts; posters],
            budget,
            consumer: Loop::Takes,
            woken: false,
            violation: None,
        }
    }

    /// One transition of the machine. Adds its row.
    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Inbox<Vec<Call>>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = label(&self.inbox);
        let outcome = transition(&mut self.inbox);
        steps.row(Row { from, event, action: action(&outcome), to: label(&self.inbox) });
        if *self.inbox.calls() != self.expected && self.violation.is_none() && !event.starts_with("post") {
            self.violation = Some("the inbox does not hold what was accepted, in that order");
        }
        outcome
    }

    /// Posts the next call of `who`.
    fn post(&mut self, steps: &mut Steps<'_, Self>, who: usize) -> Result<LoopWake, Call> {
        let was = self.inbox.state();
        let call = (who, self.budget[who]);
        self.budget[who] -= 1;
        let posted = self.step(
            steps,
            "post",
            |inbox| inbox.post(call),
            |posted| match posted {
                Ok(LoopWake::NotNeeded) => "nothing",
                Ok(LoopWake::Needed) => "wake the loop",
                Err(_) => "return the call",
            },
        );
        match posted {
            Ok(wake) => {
                self.expected.push(call);
                if (wake == LoopWake::Needed) != (was == LoopState::Asleep) {
                    self.violation = Some("a wake is owed exactly on the edge from asleep to woken");
                }
                if wake == LoopWake::Needed && !matches!(self.consumer, Loop::Waits | Loop::Released) {
                    self.violation = Some("a wake is owed to a loop that is awake");
                }
                if wake == LoopWake::Needed && mem::replace(&mut self.woken, true) {
                    self.violation = Some("one sleep costs two wakes");
                }
            }
            Err(back) if back != call || was != LoopState::Closed => {
                self.violation = Some("a call is returned that must not be, or another call is");
            }
            Err(_) => {}
        }
        posted
    }

    /// Posts within the bound, or waits for a slot, or gives up. `timed_out`: `None` before the first wait, then
    /// whether the wait timed out.
    fn post_bounded(&self, steps: &mut Steps<'_, Self>, who: usize, timed_out: Option<bool>) {
        let (may_give_up, may_wait) = (timed_out != Some(false), timed_out != Some(true));
        let call = (who, self.budget[who]);
        let mut next = self.clone();
        let posted = next.step(
            steps,
            "post_bounded",
            |inbox| inbox.post_bounded(call),
            |posted| match posted {
                Ok(LoopWake::NotNeeded) => "nothing",
                Ok(LoopWake::Needed) => "wake the loop",
                Err(PostError::Closed(_)) => "return the call",
                Err(PostError::Full(_)) => "return the call, or wait",
            },
        );
        // A poster that has waited always goes on; one that begins to post is free not to.
        let add = |steps: &mut Steps<'_, Self>, next| match timed_out {
            None => steps.unfair(Event::Posts(who), next),
            Some(_) => steps.fair(Event::TriesAgain(who), next),
        };
        if let Err(PostError::Full(_)) = posted {
            if self.expected.len() < self.bound {
                next.violation = Some("a call is returned although there is a free slot");
            }
            if may_give_up {
                let mut next = next.clone();
                next.posters[who] = Poster::Posts;
                next.budget[who] -= 1;
                add(steps, next);
            }
            if may_wait {
                next.step(steps, "begin_slot_wait", Inbox::begin_slot_wait, |()| "wait");
                next.posters[who] = Poster::AwaitsSlot;
                add(steps, next);
            }
            return;
        }
        if self.expected.len() >= self.bound && posted.is_ok() {
            next.violation = Some("more calls are in the inbox than its bound allows");
        }
        next.budget[who] -= 1;
        next.posters[who] = match posted {
            Ok(LoopWake::Needed) => Poster::OwesWake,
            Ok(LoopWake::NotNeeded) => Poster::Posts,
            Err(_) => Poster::Refused,
        };
        if posted.is_ok() {
            next.expected.push(call);
        }
        next.woken |= posted == Ok(LoopWake::Needed);
        add(steps, next);
    }

    /// Once the lock is released, waiting posters are to be notified.
    fn frees_slots(&mut self) {
        self.notifies_posters = self.inbox.has_waiting_posters() && self.bug != Bug::ForgetsWaitingPosters;
    }

    /// Runs a batch, which must be what was accepted first.
    fn run(&mut self, batch: &[Call]) {
        if self.expected.len() < batch.len() || self.expected.drain(..batch.len()).as_slice() != batch {
            self.violation = Some("calls are lost, duplicated, or out of order");
        }
    }

    fn poster_steps(&self, steps: &mut Steps<'_, Self>, who: usize) {
        let mut next = self.clone();
        match self.posters[who] {
            Poster::Posts if self.budget[who] > 0 && self.bug == Bug::WakesFirst => {
                if self.inbox.state() == LoopState::Asleep {
                    next.notify();
                }
                next.posters[who] = Poster::Woke;
                steps.unfair(Event::Wakes(who), next);
            }
            Poster::Posts if self.budget[who] > 0 && self.bound < usize::MAX => self.post_bounded(steps, who, None),
            Poster::AwaitsSlot => {
                next.posters[who] = Poster::TriesAgain { timed_out: true };
                steps.unfair(Event::PosterTimesOut(who), next);
            }
            Poster::TriesAgain { timed_out } => {
                next.step(steps, "end_slot_wait", Inbox::end_slot_wait, |()| "try again");
                next.post_bounded(steps, who, Some(timed_out));
            }
            Poster::Posts if self.budget[who] > 0 => {
                next.posters[who] = match next.post(steps, who) {
                    Ok(LoopWake::Needed) if self.bug != Bug::ForgetsTheWake => Poster::OwesWake,
                    Ok(_) => Poster::Posts,
                    Err(_) => Poster::Refused,
                };
                steps.unfair(Event::Posts(who), next);
            }
            Poster::Posts | Poster::Refused => {}
            Poster::Woke => {
                let _ = next.post(steps, who);
                next.posters[who] = Poster::Posts;
                steps.fair(Event::Posts(who), next);
            }
            Poster::OwesWake => {
                next.notify();
                next.posters[who] = Poster::Posts;
                steps.fair(Event::Wakes(who), next);
            }
        }
    }

    /// A notify while the loop does not wait has no effect.
    fn notify(&mut self) {
        if self.consumer == Loop::Waits {
            self.consumer = Loop::Released;
        }
    }

    fn loop_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.consumer {
            Loop::Takes => {
                let mut batch = Vec::new();
                next.expected.clear();
                next.step(steps, "take", |inbox| inbox.take(&mut batch), |()| "run what was taken");
                next.expected.clone_from(&self.expected);
                next.run(&batch);
                next.frees_slots();
                next.consumer = Loop::Parks;
                steps.fair(Event::LoopTakes, next.clone());
                let me = self.posters.len();
                if self.budget[me] > 0 {
                    // In the midst of a batch; what it posts is for the next.
                    if next.post(steps, me) != Ok(LoopWake::NotNeeded) {
                        next.violation = Some("the loop owes itself a wake");
                    }
                    steps.unfair(Event::LoopPosts, next);
                }
                let mut closed = self.clone();
                closed.expected.clear();
                let rest = closed.step(steps, "close", Inbox::close, |_| "run or drop the rest");
                closed.expected.clone_from(&self.expected);
                closed.run(&rest);
                closed.frees_slots();
                closed.consumer = Loop::Closed;
                steps.unfair(Event::LoopCloses, closed);
            }
            Loop::Parks if self.bug == Bug::LooksThenSleeps => {
                next.consumer = if self.inbox.calls().is_empty() { Loop::Sleeps } else { Loop::Takes };
                steps.fair(Event::LoopParks, next);
            }
            Loop::Parks => {
                let park = next.step(steps, "park", Inbox::park, |park| match park {
                    Park::Sleep => "wait",
                    Park::Stay => "take first",
                });
                next.consumer = if park == Park::Sleep { Loop::Waits } else { Loop::Takes };
                steps.fair(Event::LoopParks, next);
            }
            Loop::Sleeps => {
                next.consumer = Loop::Waits;
                steps.fair(Event::LoopParks, next);
            }
            Loop::Waits => {
                next.consumer = Loop::Released;
                steps.unfair(Event::LoopWakesByDeadlineOrSpuriously, next);
            }
            Loop::Released => {
                if self.bug != Bug::ForgetsToResume {
                    next.step(steps, "resume", Inbox::resume, |()| "take");
                    next.woken = false;
                }
                next.consumer = Loop::Takes;
                steps.fair(Event::LoopResumes, next);
            }
            Loop::Closed => {
                // What the end of the reactor does once more, and what a loop would find that waits after it.
                let again = next.step(steps, "close", Inbox::close, |_| "run or drop the rest");
                next.step(steps, "resume", Inbox::resume, |()| "take");
                let park = next.step(steps, "park", Inbox::park, |_| "take first");
                next.step(steps, "take", |inbox| inbox.take(&mut Vec::new()), |()| "run what was taken");
                if !again.is_empty() || park != Park::Stay || next.inbox != self.inbox {
                    next.violation = Some("a closed inbox is not closed for good");
                }
                if next.violation.is_some() {
                    steps.fair(Event::LoopCloses, next);
                }
            }
        }
    }
}

impl World for InboxWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.posters.len()).for_each(|who| self.poster_steps(steps, who));
        if self.notifies_posters {
            let mut next = self.clone();
            next.notifies_posters = false;
            for poster in next.posters.iter_mut().filter(|poster| **poster == Poster::AwaitsSlot) {
                *poster = Poster::TriesAgain { timed_out: false };
            }
            steps.fair(Event::LoopNotifiesPosters, next);
        } else {
            self.loop_steps(steps);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let wake_under_way = self.posters.contains(&Poster::OwesWake);
        if self.consumer == Loop::Waits && !self.expected.is_empty() && !wake_under_way {
            return Some("the loop sleeps with calls in its inbox, and no wake is under way");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        if self.posters.contains(&Poster::AwaitsSlot) {
            return Some("a poster waits for a slot although there is one");
        }
        (!self.expected.is_empty()).then_some("an accepted call is never run")
    }
}

fn label(inbox: &Inbox<Vec<Call>>) -> &'static str {
    match (inbox.state(), inbox.calls().is_empty()) {
        (LoopState::Awake, true) => "Awake",
        (LoopState::Awake, false) => "Awake, calls",
        (LoopState::Asleep, true) => "Asleep",
        (LoopState::Asleep, false) => "Asleep, calls",
        (LoopState::Woken, true) => "Woken",
        (LoopState::Woken, false) => "Woken, calls",
        (LoopState::Closed, true) => "Closed",
        (LoopState::Closed, false) => "Closed, calls",
    }
}

// Checks: B6, B9, B44, P1, P53, R6, R9, R16, R17, R18, R19, R23, R22
#[test]
fn no_call_is_lost_doubled_or_overtaken_and_no_wake_is_missed() {
    let mut rows = must_hold(InboxWorld::new(2, 3, 1, Bug::None), 3_126, 8_132);
    rows.extend(must_hold(InboxWorld::new(3, 2, 2, Bug::None), 21_404, 64_530));
    rows.extend(must_hold(InboxWorld::bounded(1, 3, 2, 1, Bug::None), 38_074, 155_594));
    table_file::assert_current("inbox", &table::markdown(&rows));
}

// Checks: B6, R9, R16, R17
#[test]
fn injected_bugs_of_the_inbox_are_found() {
    let sleeps = "the loop sleeps with calls in its inbox, and no wake is under way";
    must_find(InboxWorld::new(2, 2, 0, Bug::ForgetsTheWake), sleeps);
    must_find(InboxWorld::new(2, 2, 0, Bug::WakesFirst), sleeps);
    must_find(InboxWorld::new(2, 2, 0, Bug::LooksThenSleeps), sleeps);
    must_find(InboxWorld::new(2, 2, 0, Bug::ForgetsToResume), "a wake is owed to a loop that is awake");
    must_find(
        InboxWorld::bounded(1, 2, 2, 0, Bug::ForgetsWaitingPosters),
        "a poster waits for a slot although there is one",
    );
}
