//! What a worker does with Redis.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::{Connection, Pipeline, RedisResult};

use super::{Entries, GROUP, Store, is_no_group, place};
use crate::claims::Report;
use crate::entry::{Entry, Fields, StreamId};

/// About how many entries that were set aside are kept for whoever wants to know.
const POISON: usize = 1000;

/// How long a file that could not be read is left alone.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Taken {
    pub entries: Vec<Entry>,
    /// How many of them another worker had.
    pub taken_over: usize,
    /// In one line each, what could not be read, and was set aside.
    pub unreadable: Vec<String>,
}

impl Store {
    /// Takes what a silent worker has, or else what is new. Waits a moment if there is nothing.
    pub fn take(&self, connection: &mut Connection, me: &str, room: usize) -> RedisResult<Taken> {
        match self.take_from_group(connection, me, room) {
            Err(error) if is_no_group(&error) => {
                self.make_group(connection)?;
                Ok(Taken::default())
            }
            taken => taken,
        }
    }

    fn take_from_group(&self, connection: &mut Connection, me: &str, room: usize) -> RedisResult<Taken> {
        let jobs = self.key("jobs");
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim.arg(&jobs).arg(GROUP).arg(me).arg(self.takeover.as_millis() as u64).arg("0-0").arg("COUNT").arg(room);
        let (_, claimed, _): (String, Entries, Vec<String>) = claim.query(connection)?;
        let mut taken = Taken { taken_over: claimed.len(), ..Taken::default() };
        for (id, fields) in claimed {
            // `XAUTOCLAIM` does not say how often an entry has been delivered.
            let mut pending = redis::cmd("XPENDING");
            pending.arg(&jobs).arg(GROUP).arg(&id).arg(&id).arg(1);
            let delivered: Vec<(String, String, u64, u32)> = pending.query(connection)?;
            let redelivered = delivered.first().map_or(0, |(_, _, _, times)| times.saturating_sub(1));
            self.read_entry(connection, id, &fields, redelivered, &mut taken)?;
        }
        if taken.taken_over == 0 {
            let mut read = redis::cmd("XREADGROUP");
            read.arg("GROUP").arg(GROUP).arg(me).arg("COUNT").arg(room);
            for (id, fields) in Self::read_stream(&mut read, &jobs, ">", connection)? {
                self.read_entry(connection, id, &fields, 0, &mut taken)?;
            }
        }
        Ok(taken)
    }

    /// An entry of somebody else is set aside: it would come back for ever.
    fn read_entry(
        &self,
        connection: &mut Connection,
        id: String,
        fields: &Fields,
        redelivered: u32,
        taken: &mut Taken,
    ) -> RedisResult<()> {
        match Entry::read(place(&id)?, fields, redelivered) {
            Ok(entry) => taken.entries.push(entry),
            Err(error) => {
                let mut commands = redis::pipe();
                commands.atomic();
                self.keep_poison(&mut commands, fields, &error);
                self.remove(&mut commands, &id);
                commands.exec(connection)?;
                taken.unreadable.push(format!("{}, entry {id}: {error}; set aside", self.key("jobs")));
            }
        }
        Ok(())
    }

    /// All reports, or none of them. If the answer is lost they are sent again: a file that has two results, or is
    /// tried once more, is done once all the same.
    pub fn report(&self, connection: &mut Connection, me: &str, reports: &[Report]) -> RedisResult<()> {
        let (jobs, results) = (self.key("jobs"), self.key("results"));
        let mut commands = redis::pipe();
        commands.atomic();
        for report in reports {
            match report {
                Report::Done { entry, digest } => {
                    let outcome = entry.outcome(Ok(digest.clone())).write(me);
                    commands.cmd("XADD").arg(&results).arg("*").arg(outcome).ignore();
                    commands.cmd("HINCRBY").arg(self.key("workers")).arg(me).arg(1).ignore();
                }
                // It stays in the stream, and whoever takes it over then counts one try more.
                Report::Failed { entry, .. } => {
                    let idle = self.takeover.saturating_sub(PAUSE).as_millis() as u64;
                    commands.cmd("XCLAIM").arg(&jobs).arg(GROUP).arg(me).arg(0).arg(entry.id.to_string());
                    commands.arg("IDLE").arg(idle).arg("JUSTID").ignore();
                    continue;
                }
                Report::SetAside { entry, error } => {
                    let outcome = entry.outcome(Err(error.clone())).write(me);
                    commands.cmd("XADD").arg(&results).arg("*").arg(outcome).ignore();
                    self.keep_poison(&mut commands, &entry.write(), error);
                }
                Report::GivenBack { entry } => {
                    commands.cmd("XADD").arg(&jobs).arg("*").arg(entry.write()).ignore();
                }
            }
            self.remove(&mut commands, &report.entry().id.to_string());
        }
        commands.exec(connection)
    }

    fn keep_poison(&self, commands: &mut Pipeline, fields: &Fields, error: &str) {
        commands.cmd("XADD").arg(self.key("poison")).arg("MAXLEN").arg("~").arg(POISON).arg("*");
        commands.arg(fields).arg("why").arg(error).ignore();
    }

    /// Acknowledges an entry and takes it out of the stream.
    fn remove(&self, commands: &mut Pipeline, id: &str) {
        commands.cmd("XACK").arg(self.key("jobs")).arg(GROUP).arg(id).ignore();
        commands.cmd("XDEL").arg(self.key("jobs")).arg(id).ignore();
    }

    /// Of those that are `held`, which are still this worker's. These stay so for a while longer; others that Redis
    /// thinks to be this worker's (their answer was lost) do not, and are taken over in time.
    pub fn renew(&self, connection: &mut Connection, me: &str, held: &[StreamId]) -> RedisResult<BTreeSet<StreamId>> {
        let Some((first, last)) = held.iter().min().zip(held.iter().max()) else { return Ok(BTreeSet::new()) };
        let mut pending = redis::cmd("XPENDING");
        pending.arg(self.key("jobs")).arg(GROUP).arg(first.to_string()).arg(last.to_string()).arg(i32::MAX).arg(me);
        let pending: Vec<(String, String, u64, u32)> = super::unless_no_group(pending.query(connection))?;
        let mine: BTreeSet<_> = pending.iter().map(|(id, ..)| place(id)).collect::<RedisResult<_>>()?;
        let kept: BTreeSet<_> = held.iter().filter(|id| mine.contains(id)).copied().collect();
        if !kept.is_empty() {
            let mut claim = redis::cmd("XCLAIM");
            claim.arg(self.key("jobs")).arg(GROUP).arg(me).arg(0);
            kept.iter().for_each(|id| _ = claim.arg(id.to_string()));
            // Without counting it as a delivery.
            claim.arg("JUSTID").exec(connection)?;
        }
        Ok(kept)
    }
}
