//! What a spectator reads from Redis.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use redis::{Connection, RedisResult};

use super::{GROUP, Store, unless_no_group};

/// How far an offer is, over all workers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Status {
    state: HashMap<String, String>,
    /// Entries in the stream, taken or not.
    in_stream: u64,
    /// Those that a worker has.
    taken: u64,
    hashed_by: BTreeMap<String, u64>,
}

/// A summary of `XPENDING`: how many, the first, the last, how many by consumer.
type Pending = (u64, Option<String>, Option<String>, Option<Vec<(String, u64)>>);

impl Store {
    pub fn status(&self, connection: &mut Connection) -> RedisResult<Status> {
        let pending: RedisResult<Pending> = redis::cmd("XPENDING").arg(self.key("jobs")).arg(GROUP).query(connection);
        Ok(Status {
            state: redis::cmd("HGETALL").arg(self.key("state")).query(connection)?,
            in_stream: redis::cmd("XLEN").arg(self.key("jobs")).query(connection)?,
            taken: unless_no_group(pending)?.0,
            hashed_by: redis::cmd("HGETALL").arg(self.key("workers")).query(connection)?,
        })
    }
}

impl Status {
    pub fn is_over(&self) -> bool {
        self.field("over") == "1"
    }

    fn field(&self, name: &str) -> &str {
        self.state.get(name).map_or("0", String::as_str)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.state.is_empty() {
            return write!(f, "nothing is offered");
        }
        let more = if self.field("all_found") == "1" { "" } else { " found so far" };
        write!(f, "{} of {} files{more} are done", self.field("done"), self.field("found"))?;
        if self.is_over() {
            write!(f, ", none is left")?;
        } else {
            write!(f, ", workers have {}, {} wait", self.taken, self.in_stream.saturating_sub(self.taken))?;
        }
        if self.field("set_aside") != "0" {
            write!(f, ", {} set aside", self.field("set_aside"))?;
        }
        self.hashed_by.iter().try_for_each(|(worker, files)| write!(f, "; {worker}: {files}"))
    }
}
