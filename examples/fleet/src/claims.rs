//! What a worker has taken: files that wait, files that are hashed, reports that wait to be sent. A plain value: one
//! method for each event, and [`next_action`](Claims::next_action) says what is to be done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::entry::{Entry, StreamId};

/// Files in hand for each thread: one that it hashes, and others, so that it need not wait for the network.
const FILES_PER_THREAD: usize = 4;

#[derive(Debug)]
pub struct Claims {
    threads: usize,
    /// After so many tries a file is set aside.
    most_tries: u32,
    waiting: VecDeque<Entry>,
    running: BTreeMap<StreamId, Running>,
    /// Not yet sent.
    reports: Vec<Report>,
    /// Sent, and kept until Redis has confirmed them.
    in_doubt: Vec<Report>,
    taking: bool,
    sending: bool,
    renew: bool,
    stop: Stop,
}

#[derive(Debug)]
struct Running {
    entry: Entry,
    /// Another worker has taken it over, and this one gives up.
    lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    /// What runs is finished, what waits is given back, nothing is taken.
    Stopping,
    Stopped,
}

/// What is told about an entry, which is then no longer in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    Done {
        entry: Entry,
        digest: Vec<u8>,
    },
    /// Tried in vain: somebody is to try once more, after a pause.
    Failed {
        entry: Entry,
        error: String,
    },
    /// Tried in vain for the last time.
    SetAside {
        entry: Entry,
        error: String,
    },
    /// Not tried.
    GivenBack {
        entry: Entry,
    },
}

/// What the caller has to do, and to tell when it has been done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Hash this file on a thread; then [`hashed`](Claims::hashed).
    Hash(Entry),
    /// Take at most so many from the stream; then [`taken`](Claims::taken).
    Take(usize),
    /// Send these; then [`reported`](Claims::reported).
    Report(Vec<Report>),
    /// Tell Redis that these are in hand, and read which of them still belong to this worker; then
    /// [`renewed`](Claims::renewed).
    Renew(Vec<StreamId>),
    /// Everything is finished or given back. Comes once, as the last.
    Stopped,
}

impl Claims {
    pub fn new(threads: usize, most_tries: u32) -> Claims {
        Claims {
            threads,
            most_tries,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            reports: Vec::new(),
            in_doubt: Vec::new(),
            taking: false,
            sending: false,
            renew: false,
            stop: Stop::No,
        }
    }

    pub fn next_action(&mut self) -> Option<Action> {
        if self.stop == Stop::Stopped {
            return None;
        }
        if self.running.len() < self.threads
            && let Some(entry) = self.waiting.pop_front()
        {
            self.running.insert(entry.id, Running { entry: entry.clone(), lost: false });
            return Some(Action::Hash(entry));
        }
        if !self.sending && !self.reports.is_empty() {
            self.sending = true;
            self.in_doubt = std::mem::take(&mut self.reports);
            return Some(Action::Report(self.in_doubt.clone()));
        }
        if !self.sending && self.renew {
            self.sending = true;
            self.renew = false;
            return Some(Action::Renew(self.held()));
        }
        let room = self.room();
        if !self.taking && room > 0 && self.stop == Stop::No {
            self.taking = true;
            return Some(Action::Take(room));
        }
        if self.stop == Stop::Stopping && !self.taking && !self.sending && self.running.is_empty() {
            self.stop = Stop::Stopped;
            return Some(Action::Stopped);
        }
        None
    }

    /// Reports that cannot be sent count too: while Redis is away, nothing piles up here.
    fn room(&self) -> usize {
        let in_hand = self.waiting.len() + self.running.len() + self.reports.len() + self.in_doubt.len();
        (self.threads * FILES_PER_THREAD).saturating_sub(in_hand)
    }

    fn held(&self) -> Vec<StreamId> {
        let running = self.running.values().filter(|running| !running.lost).map(|running| &running.entry);
        running.chain(&self.waiting).map(|entry| entry.id).collect()
    }

    /// Redis has given these to this worker, or none because it has none or is away.
    pub fn taken(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.taking = false;
        for entry in entries {
            if self.has(entry.id) {
                // It was idle for so long that this worker has taken it over from itself.
            } else if entry.tries >= self.most_tries {
                let error = format!("not done after {} tries", entry.tries);
                self.reports.push(Report::SetAside { entry, error });
            } else if self.stop == Stop::No {
                self.waiting.push_back(entry);
            } else {
                self.reports.push(Report::GivenBack { entry });
            }
        }
    }

    fn has(&self, id: StreamId) -> bool {
        let reports = self.reports.iter().chain(&self.in_doubt).map(Report::entry);
        self.running.contains_key(&id) || self.waiting.iter().chain(reports).any(|entry| entry.id == id)
    }

    /// A thread has hashed a file, or failed to.
    pub fn hashed(&mut self, id: StreamId, result: Result<Vec<u8>, String>) {
        let Some(Running { entry, lost: false }) = self.running.remove(&id) else { return };
        self.reports.push(match result {
            Ok(digest) => Report::Done { entry, digest },
            Err(error) if entry.tries + 1 >= self.most_tries => Report::SetAside { entry, error },
            Err(error) => Report::Failed { entry, error },
        });
    }

    /// The reports have arrived; or nobody knows whether they have, and they are sent once more.
    pub fn reported(&mut self, well: bool) {
        self.sending = false;
        let mut reports = std::mem::take(&mut self.in_doubt);
        if !well {
            reports.append(&mut self.reports);
            self.reports = reports;
        }
    }

    /// What is in hand is to be renewed, when there is time.
    pub fn renew(&mut self) {
        self.renew = true;
    }

    /// Of those that were `held`, these still belong to this worker. Returns which running ones do not: they are to be
    /// cancelled. `None`: Redis is away.
    pub fn renewed(&mut self, held: &[StreamId], mine: Option<&BTreeSet<StreamId>>) -> Vec<StreamId> {
        self.sending = false;
        let Some(mine) = mine else { return Vec::new() };
        let lost: BTreeSet<_> = held.iter().filter(|id| !mine.contains(id)).copied().collect();
        self.waiting.retain(|entry| !lost.contains(&entry.id));
        // What has been hashed meanwhile is reported: a second result for a file changes nothing.
        let running = self.running.iter_mut().filter(|(id, running)| lost.contains(id) && !running.lost);
        running.map(|(id, running)| (running.lost = true, *id).1).collect()
    }

    /// Nothing more is taken, and what waits is given back.
    pub fn stop(&mut self) {
        if self.stop == Stop::No {
            self.stop = Stop::Stopping;
            self.reports.extend(self.waiting.drain(..).map(|entry| Report::GivenBack { entry }));
        }
    }
}

impl Report {
    pub fn entry(&self) -> &Entry {
        match self {
            Report::Done { entry, .. }
            | Report::Failed { entry, .. }
            | Report::SetAside { entry, .. }
            | Report::GivenBack { entry } => entry,
        }
    }
}
