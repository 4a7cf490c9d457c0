//! What the offer knows of its files: found, open (offered, without a result), done, set aside. A plain value: one
//! method for each event, and [`next_action`](Ledger::next_action) says what is to be done.
//!
//! Redis may deliver a file twice, lose what it had not written to its disk, or leave open whether a command arrived.
//! So nothing is inferred from what was sent:
//!
//! - a file is **open** until its result is here, and a second result for it changes nothing: each file is done once;
//! - after each doubt (a lost connection, a command that failed) an **audit** reads which files Redis has, and the open
//!   ones that neither wait there nor have a result are offered again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use crate::entry::{Outcome, StreamId};

/// The walk continues while fewer files than this wait to be offered.
const ENOUGH_FOUND: usize = 256;
/// Files in one command.
const BATCH: usize = 256;
/// How often there is an audit without a doubt.
const TICKS_PER_AUDIT: u32 = 32;

#[derive(Debug)]
pub struct Ledger {
    /// How many files may be open: the length of the stream is bounded by it.
    ahead: usize,
    walk: Walk,
    /// Not yet offered. Never more than [`ENOUGH_FOUND`] and one batch of the walk.
    found: VecDeque<PathBuf>,
    /// The number of the next file. All smaller ones are open, done or set aside.
    next: u64,
    open: BTreeMap<u64, PathBuf>,
    /// Open, and to be offered once more.
    again: VecDeque<u64>,
    /// Those that no worker could hash, with the last error.
    set_aside: BTreeMap<u64, (PathBuf, String)>,
    done: u64,
    sending: bool,
    collecting: bool,
    publish: bool,
    ticks: u32,
    audit: Audit,
    /// Up to where results have been read.
    cursor: StreamId,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    Paused,
    InFlight,
    Over,
}

#[derive(Debug, PartialEq, Eq)]
enum Audit {
    /// Redis has every open file, or its result.
    Sure,
    Due,
    InFlight,
    /// These were not in the stream when its results reached to `until`. What has no result by then is offered again;
    /// nothing else is offered before.
    Reading {
        missing: Vec<u64>,
        until: StreamId,
    },
}

/// What the caller has to do, and to tell the ledger when it has been done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Find more files; then [`walked`](Ledger::walked).
    Walk,
    /// Read results after this place; then [`collected`](Ledger::collected).
    Collect(StreamId),
    /// Append these files to the stream; then [`sent`](Ledger::sent).
    Offer(Vec<(u64, PathBuf)>),
    /// Read which files the stream has, and then the place of the last result; then [`audited`](Ledger::audited) or
    /// [`sent`](Ledger::sent) with a failure.
    Audit,
    /// Let everybody see the counts; then [`sent`](Ledger::sent).
    Publish(Counts),
    /// Everything is done or set aside. Comes once, as the last.
    Finish(Counts),
}

/// How far the work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub found: u64,
    /// No more will be found.
    pub all_found: bool,
    pub done: u64,
    pub set_aside: u64,
}

impl Ledger {
    pub fn new(ahead: usize) -> Ledger {
        Ledger {
            ahead,
            walk: Walk::Paused,
            found: VecDeque::new(),
            next: 0,
            open: BTreeMap::new(),
            again: VecDeque::new(),
            set_aside: BTreeMap::new(),
            done: 0,
            sending: false,
            collecting: false,
            publish: true,
            ticks: 0,
            audit: Audit::Sure,
            cursor: StreamId::default(),
            over: false,
        }
    }

    pub fn next_action(&mut self) -> Option<Action> {
        if self.over {
            return None;
        }
        if self.walk == Walk::Over && self.found.is_empty() && self.open.is_empty() && !self.sending {
            self.over = true;
            return Some(Action::Finish(self.counts()));
        }
        if self.walk == Walk::Paused && self.found.len() < ENOUGH_FOUND {
            self.walk = Walk::InFlight;
            return Some(Action::Walk);
        }
        if !self.collecting {
            self.collecting = true;
            return Some(Action::Collect(self.cursor));
        }
        if self.sending {
            return None;
        }
        let action = self.next_to_send();
        self.sending = action.is_some();
        action
    }

    /// One command at a time: a second would have to know whether the first arrived.
    fn next_to_send(&mut self) -> Option<Action> {
        if self.publish {
            self.publish = false;
            return Some(Action::Publish(self.counts()));
        }
        match self.audit {
            Audit::Due => {
                self.audit = Audit::InFlight;
                Some(Action::Audit)
            }
            Audit::InFlight | Audit::Reading { .. } => None,
            Audit::Sure => {
                let batch = self.next_batch();
                (!batch.is_empty()).then_some(Action::Offer(batch))
            }
        }
    }

    fn next_batch(&mut self) -> Vec<(u64, PathBuf)> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            if let Some(number) = self.again.pop_front() {
                // It may have got its result meanwhile.
                batch.extend(self.open.get(&number).map(|path| (number, path.clone())));
            } else if self.open.len() < self.ahead
                && let Some(path) = self.found.pop_front()
            {
                self.open.insert(self.next, path.clone());
                batch.push((self.next, path));
                self.next += 1;
            } else {
                break;
            }
        }
        batch
    }

    /// The walk has found these, and is over or not.
    pub fn walked(&mut self, found: impl IntoIterator<Item = PathBuf>, over: bool) {
        self.found.extend(found);
        self.walk = if over { Walk::Over } else { Walk::Paused };
    }

    /// The command was carried out; or failed, and nobody knows whether it was carried out.
    pub fn sent(&mut self, well: bool) {
        self.sending = false;
        if !well {
            self.doubt();
        }
    }

    /// Redis may have lost something, or never got it.
    pub fn doubt(&mut self) {
        self.audit = Audit::Due;
    }

    /// An interval has passed: the counts are to be published, when there is time. Now and then there is an audit too:
    /// somebody may have removed what Redis had, and no connection was lost.
    pub fn tick(&mut self) {
        self.publish = true;
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_AUDIT) && self.audit == Audit::Sure {
            self.audit = Audit::Due;
        }
    }

    /// The stream has these files, and at that time or later its last result was at `last`.
    pub fn audited(&mut self, listed: &BTreeSet<u64>, last: StreamId) {
        self.sending = false;
        // A Redis that has lost its results may begin again at smaller places.
        self.cursor = self.cursor.min(last);
        // A doubt that came meanwhile stays.
        if self.audit == Audit::InFlight {
            let missing = self.open.keys().filter(|number| !listed.contains(number)).copied().collect();
            self.audit = Audit::Reading { missing, until: last };
            self.end_audit();
        }
    }

    /// Results were read up to `cursor`; `None`: there were none, or they could not be read.
    pub fn collected(&mut self, cursor: Option<StreamId>) {
        self.collecting = false;
        self.cursor = cursor.unwrap_or(self.cursor);
        self.end_audit();
    }

    fn end_audit(&mut self) {
        if let Audit::Reading { missing, until } = &mut self.audit
            && self.cursor >= *until
        {
            self.again = missing.drain(..).collect();
            self.audit = Audit::Sure;
        }
    }

    /// A result is here. Returns the path of the file if it is done now, for the first time.
    pub fn settle(&mut self, outcome: &Outcome) -> Option<PathBuf> {
        let path = match self.open.remove(&outcome.number) {
            Some(path) => path,
            // A worker that was thought dead has hashed it after all.
            None if outcome.result.is_ok() => self.set_aside.remove(&outcome.number)?.0,
            None => return None,
        };
        match &outcome.result {
            Ok(_) => {
                self.done += 1;
                Some(path)
            }
            Err(error) => {
                self.set_aside.insert(outcome.number, (path, error.clone()));
                None
            }
        }
    }

    /// The files that no worker could hash, in the order in which they were found, and why.
    pub fn set_aside(&self) -> impl Iterator<Item = &(PathBuf, String)> {
        self.set_aside.values()
    }

    pub fn counts(&self) -> Counts {
        Counts {
            found: self.next + self.found.len() as u64,
            all_found: self.walk == Walk::Over,
            done: self.done,
            set_aside: self.set_aside.len() as u64,
        }
    }
}
