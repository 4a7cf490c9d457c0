//! The commands of Redis, each a function that blocks. Which file holds those of which program says its name.
//!
//! | key, after the fleet's name | type | what it holds |
//! |---|---|---|
//! | `:offer` | string, expires | which offer has the fleet now |
//! | `:jobs` | stream | the files that are not done, with the group `workers`: who has which |
//! | `:results` | stream | what workers have done, until the offer has read it |
//! | `:state` | hash | how far the offer is |
//! | `:workers` | hash | how many files each worker has hashed |
//! | `:poison` | stream, bounded | entries that were set aside, with their errors |

mod offering;
mod watching;
mod working;

use std::time::Duration;

use redis::{Client, Cmd, Connection, FromRedisValue, RedisError, RedisResult};

use crate::entry::{Fields, StreamId};

pub use offering::{Audited, Begun, Collected};

pub use working::Taken;

/// The group of consumers that all workers are in.
const GROUP: &str = "workers";

/// A connection that takes longer is given up.
const CONNECT: Duration = Duration::from_secs(1);

/// An answer that takes longer does not come: the link is cut. Much longer than [`BLOCK`].
const ANSWER: Duration = Duration::from_secs(2);

/// How long a command waits for entries that are not there yet, in milliseconds.
const BLOCK: u64 = 250;

/// Entries as Redis returns them.
type Entries = Vec<(String, Fields)>;

/// Where the fleet's keys are. Every function takes a connection, which it blocks on.
pub struct Store {
    client: Client,
    name: String,
    /// An entry whose worker has been silent for so long is taken over.
    takeover: Duration,
}

impl Store {
    /// Fails only if `url` is none; does not connect.
    pub fn new(url: &str, name: &str, takeover: Duration) -> RedisResult<Store> {
        Ok(Store { client: Client::open(url)?, name: name.to_owned(), takeover })
    }

    pub fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(CONNECT)?;
        connection.set_read_timeout(Some(ANSWER))?;
        connection.set_write_timeout(Some(ANSWER))?;
        Ok(connection)
    }

    pub fn takeover(&self) -> Duration {
        self.takeover
    }

    fn key(&self, what: &str) -> String {
        format!("{}:{what}", self.name)
    }

    /// Makes the stream of jobs and its group, if they are not there.
    fn make_group(&self, connection: &mut Connection) -> RedisResult<()> {
        let mut create = redis::cmd("XGROUP");
        create.arg("CREATE").arg(self.key("jobs")).arg(GROUP).arg("0").arg("MKSTREAM");
        match create.exec(connection) {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            made => made,
        }
    }

    /// Reads entries after a place, and waits a moment if there are none.
    fn read_stream(command: &mut Cmd, key: &str, after: &str, connection: &mut Connection) -> RedisResult<Entries> {
        command.arg("BLOCK").arg(BLOCK).arg("STREAMS").arg(key).arg(after);
        let streams: Option<Vec<(String, Entries)>> = command.query(connection)?;
        Ok(streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
    }
}

/// There is no such group: nothing has been offered, or Redis has lost everything.
fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP") || error.code() == Some("UNBLOCKED")
}

/// A place in a stream, as Redis writes it.
fn place(text: &str) -> RedisResult<StreamId> {
    text.parse().map_err(|error: String| RedisError::from((redis::ErrorKind::UnexpectedReturnType, "", error)))
}

/// The same for the error of a group that is not there: nothing.
fn unless_no_group<T: FromRedisValue + Default>(result: RedisResult<T>) -> RedisResult<T> {
    match result {
        Err(error) if is_no_group(&error) => Ok(T::default()),
        other => other,
    }
}
