//! The inbox explored: posters, a loop that takes, parks and resumes, wakes for no reason, and a close at any point.

use std::mem;

use super::{Row, Steps, World, finds, sound, table, table_file};
use crate::machine::inbox::{Inbox, LoopState, Park, Posted, Refused};

/// A call is known by its poster and its number among that poster's.
type Call = (usize, u8);

/// What a poster is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Poster {
    Posts,
    /// Has released the lock, and wakes the loop next.
    OwesWake,
    /// [`Seed::WakesFirst`] only: has woken the loop, and posts next.
    Woke,
    /// Was told that the inbox is closed.
    Refused,
    /// Waits for a place.
    AwaitsPlace,
    /// Was released from that wait, perhaps because its time is over, and has not locked the inbox again.
    TriesAgain {
        late: bool,
    },
}

/// What the loop is about to do, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loop {
    /// Takes what is there and runs it.
    Turns,
    /// Has run a batch, and parks if there is nothing else.
    Parks,
    /// [`Seed::LooksThenSleeps`] only: has seen the inbox empty.
    Sleeps,
    /// Waits for a wake.
    Waits,
    /// Was released from its wait, and has not locked the inbox again.
    Released,
    Closed,
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seed {
    None,
    /// A poster does not carry out the wake it owes.
    ForgetsTheWake,
    /// The wake comes before the call (R16).
    WakesFirst,
    /// The loop looks, and sleeps later, without telling the machine (R9).
    LooksThenSleeps,
    /// The loop does not say that it is awake again: a flag left standing (R17).
    ForgetsToResume,
    /// Whoever waits for a place is not told of any (R6).
    ForgetsThePlaces,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Office {
    seed: Seed,
    inbox: Inbox<Vec<Call>>,
    /// What was accepted and has not run, in the order of acceptance: what the inbox ought to hold.
    expected: Vec<Call>,
    posters: Vec<Poster>,
    /// How many calls each poster has still to post; the last one is the loop itself, which posts while it runs a batch.
    left: Vec<u8>,
    looper: Loop,
    /// The most calls that may wait.
    bound: usize,
    /// The loop has made places, and tells those who wait for one next.
    tells: bool,
    /// A wake was asked for since the loop last resumed.
    woken: bool,
    fault: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "whose step it is is read in the trace of a fault")]
enum Event {
    Posts(usize),
    Wakes(usize),
    TheLoopPosts,
    TheLoopTakes,
    TheLoopParks,
    TheLoopSleeps,
    TheLoopResumes,
    TheLoopCloses,
    TheLoopTells,
    TriesAgain(usize),
    ItsTimePasses(usize),
    ItsDeadlinePassesOrNothingWakesIt,
}

impl Office {
    fn new(posters: usize, calls: u8, own_calls: u8, seed: Seed) -> Self {
        Self::bounded(usize::MAX, posters, calls, own_calls, seed)
    }

    fn bounded(bound: usize, posters: usize, calls: u8, own_calls: u8, seed: Seed) -> Self {
        let mut left = vec![calls; posters];
        left.push(own_calls);
        Self {
            seed,
            inbox: Inbox::new(bound),
            bound,
            tells: false,
            expected: Vec::new(),
            posters: vec![Poster::Posts; posters],
            left,
            looper: Loop::Turns,
            woken: false,
            fault: None,
        }
    }

    /// One transition of the machine, and its row.
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
        if *self.inbox.calls() != self.expected && self.fault.is_none() && !event.starts_with("post") {
            self.fault = Some("the inbox does not hold what was accepted, in that order");
        }
        outcome
    }

    /// Posts the next call of `who`; says whether a wake is owed.
    fn post(&mut self, steps: &mut Steps<'_, Self>, who: usize) -> Result<Posted, Call> {
        let was = self.inbox.state();
        let call = (who, self.left[who]);
        self.left[who] -= 1;
        let posted = self.step(
            steps,
            "post",
            |inbox| inbox.post(call),
            |posted| match posted {
                Ok(Posted::OweNothing) => "nothing",
                Ok(Posted::Wake) => "wake the loop",
                Err(_) => "hand the call back",
            },
        );
        match posted {
            Ok(owed) => {
                self.expected.push(call);
                if (owed == Posted::Wake) != (was == LoopState::Asleep) {
                    self.fault = Some("a wake is owed exactly on the edge from asleep to woken");
                }
                if owed == Posted::Wake && !matches!(self.looper, Loop::Waits | Loop::Released) {
                    self.fault = Some("a wake is owed to a loop that is awake");
                }
                if owed == Posted::Wake && mem::replace(&mut self.woken, true) {
                    self.fault = Some("one sleep costs two wakes");
                }
            }
            Err(back) if back != call || was != LoopState::Closed => {
                self.fault = Some("only a closed inbox hands a call back, and that very one");
            }
            Err(_) => {}
        }
        posted
    }

    /// Posts within the bound, or waits for a place, or gives up.
    fn post_within(&self, steps: &mut Steps<'_, Self>, who: usize, waited: Option<bool>) {
        let call = (who, self.left[who]);
        let mut next = self.clone();
        let posted = next.step(
            steps,
            "post_within",
            |inbox| inbox.post_within(call),
            |posted| match posted {
                Ok(Posted::OweNothing) => "nothing",
                Ok(Posted::Wake) => "wake the loop",
                Err(Refused::Closed(_)) => "hand the call back",
                Err(Refused::Full(_)) => "hand the call back, or wait",
            },
        );
        // Whoever waited is certain to come; whoever has not may never.
        let tell = |steps: &mut Steps<'_, Self>, next| match waited {
            None => steps.possible(Event::Posts(who), next),
            Some(_) => steps.certain(Event::TriesAgain(who), next),
        };
        if let Err(Refused::Full(_)) = posted {
            if self.expected.len() < self.bound {
                next.fault = Some("a call is handed back for which there is a place");
            }
            if waited != Some(false) {
                let mut next = next.clone();
                next.posters[who] = Poster::Posts;
                next.left[who] -= 1;
                tell(steps, next);
            }
            if waited != Some(true) {
                next.step(steps, "wait_for_place", Inbox::wait_for_place, |()| "wait");
                next.posters[who] = Poster::AwaitsPlace;
                tell(steps, next);
            }
            return;
        }
        if self.expected.len() >= self.bound && posted.is_ok() {
            next.fault = Some("more calls wait than may");
        }
        next.left[who] -= 1;
        next.posters[who] = match posted {
            Ok(Posted::Wake) => Poster::OwesWake,
            Ok(Posted::OweNothing) => Poster::Posts,
            Err(_) => Poster::Refused,
        };
        if posted.is_ok() {
            next.expected.push(call);
        }
        next.woken |= posted == Ok(Posted::Wake);
        tell(steps, next);
    }

    /// Once the lock is released, those who wait for a place are to be told of it.
    fn frees_places(&mut self) {
        self.tells = self.inbox.is_waited_for() && self.seed != Seed::ForgetsThePlaces;
    }

    /// What was taken is run, and has to be what was accepted first.
    fn run(&mut self, batch: &[Call]) {
        if self.expected.len() < batch.len() || self.expected.drain(..batch.len()).as_slice() != batch {
            self.fault = Some("calls are lost, doubled, or out of order");
        }
    }

    fn poster_steps(&self, steps: &mut Steps<'_, Self>, who: usize) {
        let mut next = self.clone();
        match self.posters[who] {
            Poster::Posts if self.left[who] > 0 && self.seed == Seed::WakesFirst => {
                if self.inbox.state() == LoopState::Asleep {
                    next.notify();
                }
                next.posters[who] = Poster::Woke;
                steps.possible(Event::Wakes(who), next);
            }
            Poster::Posts if self.left[who] > 0 && self.bound < usize::MAX => self.post_within(steps, who, None),
            Poster::AwaitsPlace => {
                next.posters[who] = Poster::TriesAgain { late: true };
                steps.possible(Event::ItsTimePasses(who), next);
            }
            Poster::TriesAgain { late } => {
                next.step(steps, "waited_for_place", Inbox::waited_for_place, |()| "try again");
                next.post_within(steps, who, Some(late));
            }
            Poster::Posts if self.left[who] > 0 => {
                next.posters[who] = match next.post(steps, who) {
                    Ok(Posted::Wake) if self.seed != Seed::ForgetsTheWake => Poster::OwesWake,
                    Ok(_) => Poster::Posts,
                    Err(_) => Poster::Refused,
                };
                steps.possible(Event::Posts(who), next);
            }
            Poster::Posts | Poster::Refused => {}
            Poster::Woke => {
                let _ = next.post(steps, who);
                next.posters[who] = Poster::Posts;
                steps.certain(Event::Posts(who), next);
            }
            Poster::OwesWake => {
                next.notify();
                next.posters[who] = Poster::Posts;
                steps.certain(Event::Wakes(who), next);
            }
        }
    }

    /// A notify that finds nobody waiting is lost.
    fn notify(&mut self) {
        if self.looper == Loop::Waits {
            self.looper = Loop::Released;
        }
    }

    fn loop_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.looper {
            Loop::Turns => {
                let mut batch = Vec::new();
                next.expected.clear();
                next.step(steps, "take", |inbox| inbox.take(&mut batch), |()| "run what was taken");
                next.expected.clone_from(&self.expected);
                next.run(&batch);
                next.frees_places();
                next.looper = Loop::Parks;
                steps.certain(Event::TheLoopTakes, next.clone());
                let me = self.posters.len();
                if self.left[me] > 0 {
                    // In the midst of a batch; what it posts is for the next.
                    if next.post(steps, me) != Ok(Posted::OweNothing) {
                        next.fault = Some("the loop owes itself a wake");
                    }
                    steps.possible(Event::TheLoopPosts, next);
                }
                let mut closed = self.clone();
                closed.expected.clear();
                let rest = closed.step(steps, "close", Inbox::close, |_| "run or drop the rest");
                closed.expected.clone_from(&self.expected);
                closed.run(&rest);
                closed.frees_places();
                closed.looper = Loop::Closed;
                steps.possible(Event::TheLoopCloses, closed);
            }
            Loop::Parks if self.seed == Seed::LooksThenSleeps => {
                next.looper = if self.inbox.calls().is_empty() { Loop::Sleeps } else { Loop::Turns };
                steps.certain(Event::TheLoopParks, next);
            }
            Loop::Parks => {
                let park = next.step(steps, "park", Inbox::park, |park| match park {
                    Park::Sleep => "wait",
                    Park::Stay => "take first",
                });
                next.looper = if park == Park::Sleep { Loop::Waits } else { Loop::Turns };
                steps.certain(Event::TheLoopParks, next);
            }
            Loop::Sleeps => {
                next.looper = Loop::Waits;
                steps.certain(Event::TheLoopSleeps, next);
            }
            Loop::Waits => {
                next.looper = Loop::Released;
                steps.possible(Event::ItsDeadlinePassesOrNothingWakesIt, next);
            }
            Loop::Released => {
                if self.seed != Seed::ForgetsToResume {
                    next.step(steps, "resume", Inbox::resume, |()| "take");
                    next.woken = false;
                }
                next.looper = Loop::Turns;
                steps.certain(Event::TheLoopResumes, next);
            }
            Loop::Closed => {
                // What the end of the reactor does once more, and what a loop would find that waits after it.
                let again = next.step(steps, "close", Inbox::close, |_| "run or drop the rest");
                next.step(steps, "resume", Inbox::resume, |()| "take");
                let park = next.step(steps, "park", Inbox::park, |_| "take first");
                next.step(steps, "take", |inbox| inbox.take(&mut Vec::new()), |()| "run what was taken");
                if !again.is_empty() || park != Park::Stay || next.inbox != self.inbox {
                    next.fault = Some("a closed inbox is not closed for good");
                }
                if next.fault.is_some() {
                    steps.certain(Event::TheLoopCloses, next);
                }
            }
        }
    }
}

impl World for Office {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.posters.len()).for_each(|who| self.poster_steps(steps, who));
        if self.tells {
            let mut next = self.clone();
            next.tells = false;
            for poster in next.posters.iter_mut().filter(|poster| **poster == Poster::AwaitsPlace) {
                *poster = Poster::TriesAgain { late: false };
            }
            steps.certain(Event::TheLoopTells, next);
        } else {
            self.loop_steps(steps);
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let wake_under_way = self.posters.contains(&Poster::OwesWake);
        if self.looper == Loop::Waits && !self.expected.is_empty() && !wake_under_way {
            return Some("the loop sleeps with calls in its inbox, and no wake is under way");
        }
        self.fault
    }

    fn stuck(&self) -> Option<&'static str> {
        if self.posters.contains(&Poster::AwaitsPlace) {
            return Some("a poster waits for a place beside one");
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
    let mut rows = sound(Office::new(2, 3, 1, Seed::None), 3_126, 8_132);
    rows.extend(sound(Office::new(3, 2, 2, Seed::None), 21_404, 64_530));
    rows.extend(sound(Office::bounded(1, 3, 2, 1, Seed::None), 38_074, 155_594));
    table_file::assert_current("inbox", &table::chapter(&rows));
}

// Checks: B6, R9, R16, R17
#[test]
fn seeded_faults_of_the_inbox_are_found() {
    let sleeps = "the loop sleeps with calls in its inbox, and no wake is under way";
    finds(Office::new(2, 2, 0, Seed::ForgetsTheWake), sleeps);
    finds(Office::new(2, 2, 0, Seed::WakesFirst), sleeps);
    finds(Office::new(2, 2, 0, Seed::LooksThenSleeps), sleeps);
    finds(Office::new(2, 2, 0, Seed::ForgetsToResume), "a wake is owed to a loop that is awake");
    finds(Office::bounded(1, 2, 2, 0, Seed::ForgetsThePlaces), "a poster waits for a place beside one");
}
