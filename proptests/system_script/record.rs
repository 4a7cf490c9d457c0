//! What a program has handed over, and what became of it: called or dropped, once, where and in the order promised.
//!
//! The lock here is std's and adds no step to a schedule: no thread is scheduled while it is held.

mod verdict;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::platform::api::report::Incident;
use crate::platform::thread::{ThreadId, current};

/// All functions and values of a program, in the order in which they were made.
#[derive(Default)]
pub struct Record(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    fates: Vec<Fate>,
    reactors: Vec<Option<ThreadId>>,
    /// Reactors that have ended, and pools that have stopped.
    ended: Vec<Home>,
    reports: Vec<Incident>,
    /// What should not have happened.
    faults: Vec<String>,
    trace: Vec<Event>,
}

/// What happened, in order. Of a program that runs on one thread it is the same each time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    Began(usize),
    Ended(usize),
    Dropped(usize),
    Answered(usize, Answer),
    Told(usize, Told),
    Reported(Incident),
}

/// What a function is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A call that is posted, without an answer.
    Call,
    /// A call whose answer is waited for.
    Question,
    WhenRunning,
    Timer,
    Trigger,
    /// A job without a callback.
    Job,
    /// A job whose outcome somebody is told.
    ToldJob,
    /// What is told.
    JobCallback,
    Callback,
    Canceller,
    Task,
    /// A value of a reactor: it never runs.
    Value,
    ValueCall,
}

/// Where a function runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    Reactor(usize),
    Pool(usize),
    Anywhere,
}

/// What was said when it was handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It runs.
    Accepted,
    /// It runs, unless something else keeps it from that.
    Maybe,
    /// It does not run.
    Refused,
    /// The same, because a reactor lives on the thread that would wait; a pool does not count it.
    NotAsked,
    /// It was accepted, and was cancelled before it ran.
    NeverRuns,
}

/// What the one who waits for the outcome was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    Value,
    Panicked,
    NeverRan,
    /// It was not accepted.
    Refused,
    /// The one who waits has given up, or was given up.
    Other,
}

struct Fate {
    kind: Kind,
    home: Home,
    answer: Option<Answer>,
    told: Option<Told>,
    /// It was handed over between these moments.
    began: usize,
    answered: usize,
    ran: Option<usize>,
    panicked: bool,
    /// What it does when it is dropped uncalled has panicked.
    drop_panicked: bool,
    dropped: u32,
    /// A timer runs at this time of its reactor, or later.
    due: Duration,
}

/// A function or value, for those who run or drop it.
pub struct Function {
    record: Arc<Record>,
    pub number: usize,
    /// It is inside its operations.
    runs: Option<Operations>,
}

/// Which operations of a closure are performed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operations {
    OfCall,
    OfDrop,
}

impl Record {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This reactor lives on this thread.
    pub fn reactor_lives_here(&self, reactor: usize) {
        let mut kept = self.kept();
        if kept.reactors.len() <= reactor {
            kept.reactors.resize(reactor + 1, None);
        }
        kept.reactors[reactor] = Some(current().id());
    }

    /// A function that is about to be handed over.
    pub fn function(self: &Arc<Self>, kind: Kind, home: Home) -> Function {
        let mut kept = self.kept();
        let (number, began) = (kept.fates.len(), kept.trace.len());
        kept.fates.push(Fate {
            kind,
            home,
            answer: None,
            told: None,
            began,
            answered: usize::MAX,
            ran: None,
            panicked: false,
            drop_panicked: false,
            dropped: 0,
            due: Duration::ZERO,
        });
        Function { record: Arc::clone(self), number, runs: None }
    }

    /// What was said last holds, but `Maybe` says nothing of what is known already.
    pub fn answer(&self, number: usize, answer: Answer) {
        let mut kept = self.kept();
        kept.trace.push(Event::Answered(number, answer));
        let now = kept.trace.len();
        let fate = &mut kept.fates[number];
        fate.answered = now.min(fate.answered);
        if answer != Answer::Maybe || fate.answer.is_none() {
            fate.answer = Some(answer);
        }
    }

    /// It runs if this is a success, and does not if it is an error.
    pub fn answered<T, E>(&self, number: usize, answer: &Result<T, E>) {
        self.answer(number, if answer.is_ok() { Answer::Accepted } else { Answer::Refused });
    }

    pub fn tell(&self, number: usize, told: Told) {
        let mut kept = self.kept();
        kept.trace.push(Event::Told(number, told));
        if let Some(before) = kept.fates[number].told.replace(told) {
            kept.faults.push(format!("of {number} was told twice: {before:?}, {told:?}"));
        }
    }

    pub fn due(&self, number: usize, due: Duration) {
        self.kept().fates[number].due = due;
    }

    /// A timer is about to run.
    pub fn timer_runs(&self, number: usize, now: Duration) {
        let mut kept = self.kept();
        let Fate { due, home, .. } = kept.fates[number];
        if now < due {
            kept.faults.push(format!("timer {number} of {due:?} runs at {now:?}"));
        }
        let waits = |fate: &Fate| fate.kind == Kind::Timer && fate.home == home && fate.answer == Some(Answer::Maybe);
        let earlier = |fate: &Fate| waits(fate) && fate.ran.is_none() && fate.dropped == 0 && fate.due < due;
        if let Some(other) = kept.fates.iter().position(earlier) {
            let earlier = kept.fates[other].due;
            kept.faults.push(format!("timer {number} of {due:?} runs before timer {other} of {earlier:?}"));
        }
    }

    pub fn report(&self, incident: Incident, only_tells_of_a_stop: bool) {
        let mut kept = self.kept();
        kept.reports.push(incident);
        kept.trace.push(Event::Reported(incident));
        if only_tells_of_a_stop {
            kept.faults.push(format!("{incident:?} is reported, and only tells that a reactor has stopped"));
        }
    }

    /// From now on nothing runs there, and what ran there is gone.
    pub fn ends(&self, home: Home) {
        let mut kept = self.kept();
        if !kept.ended.contains(&home) {
            kept.ended.push(home);
        }
        let is_left = |fate: &Fate| fate.home == home && fate.ran.is_some() && fate.dropped == 0;
        // What a reactor's thread still holds is dropped by it afterwards.
        if let (Home::Pool(_), Some(left)) = (home, kept.fates.iter().position(is_left)) {
            let kind = kept.fates[left].kind;
            kept.faults.push(format!("{kind:?} {left} is left at the end of {home:?}"));
        }
    }

    /// Notes a fault unless this is as it should be.
    pub fn require(&self, rightly: bool, fault: impl FnOnce() -> String) {
        if !rightly {
            self.kept().faults.push(fault());
        }
    }

    pub fn trace(&self) -> Vec<Event> {
        self.kept().trace.clone()
    }
}

impl Function {
    /// It is called.
    pub fn begin(&mut self) {
        let mut kept = self.record.kept();
        let (number, here) = (self.number, current().id());
        self.runs = Some(Operations::OfCall);
        kept.trace.push(Event::Began(number));
        let now = kept.trace.len();
        let fate = &mut kept.fates[number];
        let (kind, home) = (fate.kind, fate.home);
        if fate.ran.replace(now).is_some() {
            kept.faults.push(format!("{kind:?} {number} runs twice"));
        }
        let is_right = match home {
            Home::Reactor(reactor) => kept.reactors.get(reactor) == Some(&Some(here)),
            Home::Pool(_) | Home::Anywhere => true,
        };
        if !is_right {
            kept.faults.push(format!("{kind:?} {number} of {home:?} runs on another thread"));
        }
        // Callbacks of Deferreds may be called after the end of their reactor.
        if kept.ended.contains(&home) && !matches!(kind, Kind::Callback | Kind::Canceller) {
            kept.faults.push(format!("{kind:?} {number} runs after the end of {home:?}"));
        }
    }

    /// It returns; if it is dropped before, it has panicked.
    pub fn end(&mut self) {
        self.runs = None;
        self.record.kept().trace.push(Event::Ended(self.number));
    }

    /// It is dropped uncalled, and does this. What panics never ends.
    pub fn drop_doing(&mut self, operations: impl FnOnce()) {
        self.runs = Some(Operations::OfDrop);
        operations();
        self.runs = None;
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let mut kept = self.record.kept();
        kept.trace.push(Event::Dropped(self.number));
        let runs = self.runs;
        let fate = &mut kept.fates[self.number];
        fate.dropped += 1;
        fate.panicked |= runs == Some(Operations::OfCall);
        fate.drop_panicked |= runs == Some(Operations::OfDrop);
    }
}
