//! The product of sites and behaviours, and what comes of each pair.

use selvedge::report::Incident;

use super::act::{Did, Told};
use super::behaviours::{Behaviour, Deed};
use super::sites::{self, Goes, Phase, Site, Thread};

const NO_PANIC: &str = "a panic that leaves the destructor of a thread-local ends the process: a rule of Rust";

/// One pair of a site and a behaviour.
#[derive(Clone, Copy)]
pub struct Cell {
    pub site: &'static Site,
    pub behaviour: Behaviour,
}

/// What comes of a cell: what the code sees, what is reported, and what whoever waits is told.
pub struct Expected {
    pub did: Did,
    pub reports: Vec<Incident>,
    pub told: Vec<Told>,
}

/// What comes of a cell, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is done, and everything goes on.
    Done,
    /// A panic or an error is contained, and reported once.
    Contained,
    /// A panic or an error is told to whoever asked for the result, once.
    Told,
    /// It is refused, with an error.
    Refused,
    /// It lasts for ever; whoever waits for it with a deadline goes on at that.
    Bounded,
    /// It cannot be done here.
    NotApplicable,
}

/// All cells, site by site.
pub fn product() -> impl Iterator<Item = Cell> {
    sites::all().flat_map(|site| Behaviour::all().map(move |behaviour| Cell { site, behaviour }))
}

impl Cell {
    pub fn name(self) -> String {
        let unwinding = if self.behaviour.unwinding { ", while unwinding" } else { "" };
        format!("{}: {:?}{unwinding}", self.site.name, self.behaviour.deed)
    }

    /// Why the code cannot do that here.
    pub fn not_applicable(self) -> Option<&'static str> {
        let Behaviour { deed, unwinding } = self.behaviour;
        match deed {
            Deed::Panics | Deed::PanicsWithAHostilePayload if unwinding => {
                Some("a panic in a drop that runs while the thread unwinds ends the process: a rule of Rust")
            }
            Deed::Panics | Deed::PanicsWithAHostilePayload if self.site.must_not_panic => Some(NO_PANIC),
            _ if unwinding && self.site.must_not_panic => Some(NO_PANIC),
            Deed::Fails if unwinding => Some("what unwinds returns no error"),
            Deed::Fails if self.site.error.is_none() => Some("it returns no error"),
            Deed::CancelsItself if !self.site.cancels => Some("there is nothing that it could cancel"),
            Deed::DropsTheLastHandle if !self.site.has_handles => Some("it belongs to nothing that has handles"),
            _ => None,
        }
    }

    /// For an applicable cell.
    pub fn expected(self) -> Expected {
        let Site { thread, phase, .. } = *self.site;
        let Behaviour { deed, unwinding } = self.behaviour;
        let refused = |why: &str| Did::Refused(why.to_owned());
        let if_inbox_open = if phase == Phase::Ended { refused("ReactorStopped") } else { Did::Done };
        let if_pool_open = if phase == Phase::Running { Did::Done } else { refused("PoolStopped") };
        let did = match (deed, thread) {
            (Deed::Panics | Deed::PanicsWithAHostilePayload | Deed::NeverReturns, _) => Did::Left,
            (
                Deed::BlocksOnTheLoop | Deed::BlocksOnAnotherLoop | Deed::WaitsForASlotOfTheInbox,
                Thread::Loop | Thread::OtherLoop,
            )
            | (Deed::WaitsForASlotOfThePool, Thread::Loop | Thread::OtherLoop | Thread::Worker) => {
                refused("WouldDeadlock")
            }
            (Deed::BlocksOnTheLoop | Deed::WaitsForASlotOfTheInbox | Deed::Posts, _) => if_inbox_open,
            (Deed::FillsTheInbox, _) if phase != Phase::Ended => refused("InboxFull"),
            (Deed::FillsTheInbox, _) => if_inbox_open,
            (Deed::WaitsForASlotOfThePool | Deed::WaitsForAJob | Deed::Submits, _) => if_pool_open,
            (Deed::SubmitsWhereNoThreadStarts, _) => refused("ThreadStart"),
            (Deed::SubmitsToAStoppedPool, _) => refused("PoolStopped"),
            (Deed::StopsThePool, Thread::Loop | Thread::OtherLoop | Thread::Worker) => refused("WouldDeadlock"),
            (Deed::CancelsItself, _) if self.site.name == "a timer" => refused("AlreadyCalled"),
            _ => Did::Done,
        };
        let (mut reports, mut told) = (self.site.reports.to_vec(), Vec::new());
        let mut goes = |to: Option<Goes>, what: Told| match to {
            Some(Goes::Reported(incident)) => reports.push(incident),
            Some(Goes::Told) => told.push(what),
            Some(Goes::Nobody) | None => {}
        };
        match deed {
            Deed::Panics | Deed::PanicsWithAHostilePayload => goes(Some(self.site.panic), Told::Panic),
            Deed::Fails => goes(self.site.error, Told::Error),
            Deed::CancelsItself if unwinding => {
                goes(self.site.panic_after_cancel.or(Some(self.site.panic)), Told::Panic);
            }
            _ if unwinding && deed != Deed::NeverReturns => goes(Some(self.site.panic), Told::Panic),
            _ => {}
        }
        if deed == Deed::FailsADeferred && self.site.has_sink {
            reports.push(Incident::Unhandled);
        }
        Expected { did, reports, told }
    }

    pub fn outcome(self) -> Outcome {
        if self.not_applicable().is_some() {
            return Outcome::NotApplicable;
        }
        let expected = self.expected();
        match (self.behaviour.deed, expected.did) {
            (Deed::NeverReturns, _) => Outcome::Bounded,
            (_, Did::Refused(_)) => Outcome::Refused,
            _ if !expected.told.is_empty() => Outcome::Told,
            _ if !expected.reports.is_empty() => Outcome::Contained,
            _ => Outcome::Done,
        }
    }

    /// Whether it never ends by itself.
    pub fn lasts(self) -> bool {
        self.behaviour.deed == Deed::NeverReturns
    }
}
