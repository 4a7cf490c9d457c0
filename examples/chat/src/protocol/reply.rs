//! What the server sends, a line each.

use std::fmt;
use std::time::Duration;

use super::BadLine;

/// Written without the line's end.
#[derive(Debug)]
pub enum Reply<'a> {
    Said { by: u64, text: &'a str },
    Joined(&'a str),
    Pong(&'a str),
    Bye,
    Error(BadLine<'a>),
    Dropped(DropReason),
    Stops,
}

/// Why a client is dropped: it is told so, and so is the log.
#[derive(Debug, Clone, Copy)]
pub enum DropReason {
    Idle(Duration),
    ReadsTooSlowly { outbox: usize },
    Full { clients: usize },
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { by, text } => write!(f, "{by}: {text}"),
            Self::Joined(room) => write!(f, "you are in {room}"),
            Self::Pong(text) => write!(f, "pong {text}"),
            Self::Bye => f.write_str("bye"),
            Self::Error(bad) => write!(f, "error: {bad}"),
            Self::Dropped(reason) => write!(f, "dropped: {reason}"),
            Self::Stops => f.write_str("the server stops"),
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(time) => write!(f, "no line came for {time:?}"),
            Self::ReadsTooSlowly { outbox } => write!(f, "more than {outbox} bytes were waiting to be read"),
            Self::Full { clients } => write!(f, "the server is full, with {clients} clients"),
        }
    }
}
