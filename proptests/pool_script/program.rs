//! A program: what is done to a pool whose workers have no threads, as data, so that it can be drawn at random, shrunk, printed, and written as bytes.

use std::fmt;

/// A pool, and what is done to it. Whatever is left is run to its end afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub terms: Terms,
    pub script: Vec<Op>,
}

/// How the pool is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub sizes: Sizes,
    /// The most jobs that may wait; none, if zero.
    pub bound: u8,
    /// The most workers that stand in for blocked ones.
    pub compensation: u8,
    /// Idle workers above the minimum go when time passes.
    pub keeps_alive: bool,
}

/// A target: at least `min`, and at most so many `more`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub min: u8,
    pub more: u8,
}

/// A job: what it does when it is run; and its last words, for when it is dropped without having been run.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Deed {
    pub body: Vec<Op>,
    pub words: Vec<Op>,
}

/// One operation. Those that name a thing (`Nth`) do nothing while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `start`.
    Start,
    /// A job is submitted.
    Submit(Way, Deed),
    /// `Ticket::cancel`.
    Cancel(Nth),
    /// `Stepper::step`.
    Step,
    /// `Stepper::step_worker`.
    StepWorker(Nth),
    /// `adjust_pool_size`.
    Resize(Sizes),
    /// So much time passes that every keep-alive is over.
    Expire,
    /// The next so many workers cannot be started.
    FailStarts(u8),
    /// `ask_to_stop`, of a kind that cancels what waits, or not.
    Stop(bool),
    /// A region of `threads::blocked`.
    Block(Vec<Op>),
    /// Idle workers wake for no reason.
    Disturb,
    /// A panic, out of the job that does it.
    Panic,
}

/// By which way a job is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `call_in_thread`.
    Plain,
    /// `call_in_thread_with_callback`.
    Told,
    /// `call_in_thread_ticketed`.
    Ticketed,
    /// `call_in_thread_waiting`: nobody can make room meanwhile, so its time is over at once.
    Patient,
}

/// The nth thing of its kind, in the order they were made, counted round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nth(pub u8);

impl Nth {
    /// Which of `count` it is.
    pub fn of(self, count: usize) -> Option<usize> {
        usize::from(self.0).checked_rem(count)
    }
}

impl Sizes {
    pub fn min(self) -> usize {
        self.min.into()
    }

    pub fn max(self) -> usize {
        usize::from(self.min) + usize::from(self.more)
    }
}

impl fmt::Debug for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.body, f)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, " or unrun {:?}", self.words) }
    }
}
