//! The reply explored: an answer, a broken promise, a deadline and a caller that wakes for no reason, in every order.

use super::{Row, Steps, World, finds, sound, table, table_file};
use crate::machine::reply::{Asked, Reply, Settled};

const ANSWER: u8 = 42;

/// What the answerer is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Answerer {
    /// Answers, or goes away.
    Holds,
    /// Wakes the caller, then goes away.
    OwesWake,
    /// Is dropped, as it is after an answer too.
    Leaves,
    /// Wakes the caller, and is gone.
    OwesLastWake,
    Gone,
}

/// A second hand that lets the deadline pass. Not every caller has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Hand {
    Ticks,
    OwesWake,
    Stopped,
}

/// What the caller is about to do, or has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Caller {
    Asks,
    Waits,
    Has(Asked<u8>),
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seed {
    None,
    /// An answerer that owes a wake does not carry it out.
    ForgetsTheWake,
    /// The caller takes any wake for an answer: an `if` where a `while` belongs.
    AsksOnce,
    /// The answerer looks whether it is wanted, and answers later without a second look.
    AnswersUnasked,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    seed: Seed,
    reply: Reply<u8>,
    answerer: Answerer,
    hand: Hand,
    caller: Caller,
    /// The caller has a timeout of its own, which has not passed.
    timeout: bool,
    /// It has passed.
    late: bool,
    /// The answer was made, and handed back.
    answered: bool,
    handed_back: bool,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Answers,
    IsDropped,
    Wakes,
    TheDeadlinePasses,
    TheTimeoutPasses,
    TheCallerAsks,
    TheCallerWakesForNoReason,
}

impl Question {
    fn new(hand: Hand, timeout: bool, seed: Seed) -> Self {
        Self {
            seed,
            reply: Reply::Pending,
            answerer: Answerer::Holds,
            hand,
            caller: Caller::Asks,
            timeout,
            late: false,
            answered: false,
            handed_back: false,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Reply<u8>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = label(&self.reply);
        let outcome = transition(&mut self.reply);
        steps.row(Row { from, event, action: action(&outcome), to: label(&self.reply) });
        outcome
    }

    fn expire(&mut self, steps: &mut Steps<'_, Self>) -> Settled {
        self.step(steps, "expire", Reply::expire, |settled| owed(*settled))
    }

    fn ask(&mut self, steps: &mut Steps<'_, Self>) -> Asked<u8> {
        self.step(steps, "ask", Reply::ask, |asked| match asked {
            Asked::Sleep => "wait, and ask again",
            Asked::Answer(_) => "return the answer",
            Asked::Broken => "return: broken",
            Asked::Expired => "return: expired",
        })
    }

    fn wake(&mut self) {
        if self.caller == Caller::Waits {
            self.caller = Caller::Asks;
        }
    }

    fn answerer_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.answerer {
            Answerer::Holds => {
                let mut answers = self.clone();
                answers.answered = true;
                let settled = answers.step(
                    steps,
                    "answer",
                    |reply| reply.answer(ANSWER),
                    |settled| match settled {
                        Ok(settled) => owed(*settled),
                        Err(_) => "hand the answer back",
                    },
                );
                answers.answerer = match settled {
                    Ok(Settled::Wake) if self.seed != Seed::ForgetsTheWake => Answerer::OwesWake,
                    _ => Answerer::Leaves,
                };
                answers.handed_back = settled == Err(ANSWER) && self.seed != Seed::AnswersUnasked;
                steps.hoped(Event::Answers, answers);
                next.answerer = Answerer::Leaves;
                steps.hoped(Event::IsDropped, next);
            }
            Answerer::OwesWake => {
                next.wake();
                next.answerer = Answerer::Leaves;
                steps.certain(Event::Wakes, next);
            }
            Answerer::Leaves => {
                let settled = next.step(steps, "break", Reply::break_off, |settled| owed(*settled));
                next.answerer = if settled == Settled::Wake { Answerer::OwesLastWake } else { Answerer::Gone };
                steps.certain(Event::IsDropped, next);
            }
            Answerer::OwesLastWake => {
                next.wake();
                next.answerer = Answerer::Gone;
                steps.certain(Event::Wakes, next);
            }
            Answerer::Gone => {}
        }
    }

    fn hand_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.hand {
            Hand::Ticks => {
                let settled = next.expire(steps);
                next.hand = if settled == Settled::Wake { Hand::OwesWake } else { Hand::Stopped };
                steps.possible(Event::TheDeadlinePasses, next);
            }
            Hand::OwesWake => {
                next.wake();
                next.hand = Hand::Stopped;
                steps.certain(Event::Wakes, next);
            }
            Hand::Stopped => {}
        }
    }

    fn caller_steps(&self, steps: &mut Steps<'_, Self>) {
        if self.timeout {
            let mut next = self.clone();
            next.timeout = false;
            next.late = true;
            next.wake();
            steps.possible(Event::TheTimeoutPasses, next);
        }
        let mut next = self.clone();
        match self.caller {
            Caller::Asks => {
                let mut asked = next.ask(steps);
                if asked == Asked::Sleep && self.late {
                    // The one who would be woken is the caller itself.
                    let _ = next.expire(steps);
                    asked = next.ask(steps);
                }
                next.caller = if asked == Asked::Sleep { Caller::Waits } else { Caller::Has(asked) };
                steps.certain(Event::TheCallerAsks, next);
            }
            Caller::Waits => {
                next.caller = if self.seed == Seed::AsksOnce { Caller::Has(Asked::Broken) } else { Caller::Asks };
                steps.possible(Event::TheCallerWakesForNoReason, next);
            }
            Caller::Has(_) => {}
        }
    }
}

impl World for Question {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        self.answerer_steps(steps);
        self.hand_steps(steps);
        self.caller_steps(steps);
    }

    fn wrong(&self) -> Option<&'static str> {
        let has = self.caller == Caller::Has(Asked::Answer(ANSWER));
        let lies_here = self.reply == Reply::Answered(ANSWER);
        let places = [has, lies_here, self.handed_back].into_iter().filter(|place| *place).count();
        if places != usize::from(self.answered) {
            return Some("the answer is lost, or in two places");
        }
        let gone = matches!(self.answerer, Answerer::Gone | Answerer::OwesLastWake);
        match self.caller {
            Caller::Has(Asked::Broken) if self.answered || !gone => Some("broken, and yet it is not"),
            Caller::Has(Asked::Expired) if !self.late && self.hand == Hand::Ticks => Some("expired before its time"),
            Caller::Has(Asked::Sleep) => Some("the caller returns asleep"),
            _ => None,
        }
    }

    fn stuck(&self) -> Option<&'static str> {
        (self.caller == Caller::Waits && !self.reply.is_wanted())
            .then_some("the matter is settled, and the caller sleeps")
    }

    fn done(&self) -> Option<&'static str> {
        (!matches!(self.caller, Caller::Has(_))).then_some("the caller never returns")
    }
}

fn label(reply: &Reply<u8>) -> &'static str {
    match reply {
        Reply::Pending => "Pending",
        Reply::Awaited => "Awaited",
        Reply::Answered(_) => "Answered",
        Reply::Broken => "Broken",
        Reply::Expired => "Expired",
        Reply::Taken => "Taken",
    }
}

fn owed(settled: Settled) -> &'static str {
    match settled {
        Settled::OweNothing => "nothing",
        Settled::Wake => "wake the caller",
    }
}

// Checks: B48, P10, R25, R27, R28
#[test]
fn a_question_has_one_outcome_and_its_caller_learns_it() {
    let mut rows = sound(Question::new(Hand::Stopped, false, Seed::None), 18, 30);
    rows.extend(sound(Question::new(Hand::Ticks, false, Seed::None), 55, 113));
    rows.extend(sound(Question::new(Hand::Ticks, true, Seed::None), 104, 259));
    table_file::assert_current("reply", &table::chapter(&rows));
}

// Checks: B48, R25, R28
#[test]
fn seeded_faults_of_the_reply_are_found() {
    finds(Question::new(Hand::Stopped, false, Seed::ForgetsTheWake), "the matter is settled, and the caller sleeps");
    finds(Question::new(Hand::Stopped, false, Seed::AsksOnce), "broken, and yet it is not");
    finds(Question::new(Hand::Ticks, false, Seed::AnswersUnasked), "the answer is lost, or in two places");
}
