//! What an offer does with Redis.

use std::collections::BTreeSet;
use std::path::PathBuf;

use redis::{Connection, Pipeline, RedisResult};

use super::{Entries, GROUP, Store, place};
use crate::entry::{Entry, Outcome, StreamId};
use crate::ledger::Counts;

/// How long the counts of a finished offer can be seen, in seconds.
const SHOWN: u64 = 3600;

/// Results read at a time.
const RESULTS: usize = 512;

pub enum Begun {
    Now,
    /// Another offer has the fleet.
    Busy {
        other: String,
    },
}

/// Which files the stream has, and the place of the last result, read after them.
pub struct Audited {
    pub listed: BTreeSet<u64>,
    pub last: StreamId,
}

pub struct Collected {
    pub outcomes: Vec<Outcome>,
    /// In one line each, what could not be read.
    pub unreadable: Vec<String>,
    /// Of the last one.
    pub cursor: Option<StreamId>,
}

impl Store {
    /// Takes the fleet for this run, and removes what an earlier one has left. May be repeated.
    pub fn begin(&self, connection: &mut Connection, run: &str) -> RedisResult<Begun> {
        if let Some(other) = self.hold(connection, run)? {
            return Ok(Begun::Busy { other });
        }
        let mut clear = redis::cmd("DEL");
        clear.arg(["jobs", "results", "state", "workers"].map(|what| self.key(what)).as_slice());
        clear.exec(connection)?;
        self.make_group(connection)?;
        Ok(Begun::Now)
    }

    /// Keeps the fleet for a while longer. If another offer has it, says which.
    fn hold(&self, connection: &mut Connection, run: &str) -> RedisResult<Option<String>> {
        let milliseconds = 3 * self.takeover.as_millis() as u64;
        let mut set = redis::cmd("SET");
        set.arg(self.key("offer")).arg(run).arg("GET").arg("PX").arg(milliseconds).arg("NX");
        // The value before: of nobody, of this offer, of another.
        match set.query::<Option<String>>(connection)? {
            Some(other) if other != run => Ok(Some(other)),
            Some(_) => {
                redis::cmd("PEXPIRE").arg(self.key("offer")).arg(milliseconds).exec(connection)?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Appends the files to the stream.
    pub fn offer(&self, connection: &mut Connection, run: &str, files: Vec<(u64, PathBuf)>) -> RedisResult<()> {
        let mut commands = redis::pipe();
        for (number, path) in files {
            let entry = Entry { id: StreamId::default(), run: run.to_owned(), number, path, tries: 0 };
            commands.cmd("XADD").arg(self.key("jobs")).arg("*").arg(entry.write()).ignore();
        }
        commands.exec(connection)
    }

    /// In this order: a file that leaves the stream after it was listed is in the stream's list, and one that has left
    /// it before has its result before the last one.
    pub fn audit(&self, connection: &mut Connection, run: &str) -> RedisResult<Audited> {
        self.make_group(connection)?;
        let jobs: Entries = redis::cmd("XRANGE").arg(self.key("jobs")).arg("-").arg("+").query(connection)?;
        let entries = jobs.iter().filter_map(|(_, fields)| Entry::read(StreamId::default(), fields, 0).ok());
        let listed = entries.filter(|entry| entry.run == run).map(|entry| entry.number).collect();
        let mut newest = redis::cmd("XREVRANGE");
        newest.arg(self.key("results")).arg("+").arg("-").arg("COUNT").arg(1);
        let last: Entries = newest.query(connection)?;
        let last = last.first().map_or(Ok(StreamId::default()), |(id, _)| place(id))?;
        Ok(Audited { listed, last })
    }

    /// Reads results after `cursor`, and drops those before it, which have been read.
    pub fn collect(&self, connection: &mut Connection, run: &str, cursor: StreamId) -> RedisResult<Collected> {
        let key = self.key("results");
        redis::cmd("XTRIM").arg(&key).arg("MINID").arg(cursor.to_string()).exec(connection)?;
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(RESULTS);
        let entries = Self::read_stream(&mut read, &key, &cursor.to_string(), connection)?;
        let cursor = entries.last().map(|(id, _)| place(id)).transpose()?;
        let mut collected = Collected { outcomes: Vec::new(), unreadable: Vec::new(), cursor };
        for (id, fields) in &entries {
            match Outcome::read(fields) {
                Ok(outcome) if outcome.run == run => collected.outcomes.push(outcome),
                // Of an offer that is over.
                Ok(_) => {}
                Err(error) => collected.unreadable.push(format!("{key}, entry {id}: {error}")),
            }
        }
        Ok(collected)
    }

    /// Lets everybody see how far the offer is, and keeps the fleet. If another offer has it, says which.
    pub fn publish(&self, connection: &mut Connection, run: &str, counts: Counts) -> RedisResult<Option<String>> {
        if let Some(other) = self.hold(connection, run)? {
            return Ok(Some(other));
        }
        let mut commands = redis::pipe();
        self.set_state(&mut commands, run, counts, false);
        commands.exec(connection)?;
        Ok(None)
    }

    /// The end of an offer: only its counts stay, for a while. May be repeated.
    pub fn finish(&self, connection: &mut Connection, run: &str, counts: Counts) -> RedisResult<()> {
        let mut commands = redis::pipe();
        commands.atomic();
        self.set_state(&mut commands, run, counts, true);
        commands.cmd("DEL").arg(["jobs", "results", "offer"].map(|what| self.key(what)).as_slice()).ignore();
        for kept in ["state", "workers"] {
            commands.cmd("EXPIRE").arg(self.key(kept)).arg(SHOWN).ignore();
        }
        commands.cmd("XGROUP").arg("CREATE").arg(self.key("jobs")).arg(GROUP).arg("0").arg("MKSTREAM").ignore();
        commands.exec(connection)
    }

    fn set_state(&self, commands: &mut Pipeline, run: &str, counts: Counts, over: bool) {
        let Counts { found, all_found, done, set_aside } = counts;
        commands.cmd("HSET").arg(self.key("state")).arg("run").arg(run).arg("found").arg(found);
        commands.arg("all_found").arg(u8::from(all_found)).arg("done").arg(done).arg("set_aside").arg(set_aside);
        commands.arg("over").arg(u8::from(over)).ignore();
    }
}
