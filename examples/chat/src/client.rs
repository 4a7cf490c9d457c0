//! One connection: its socket, the part of a line that has come, what has not been sent, and its timer.

use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;
use selvedge::DelayedCall;

use crate::outbox::Outbox;
use crate::protocol::Lines;
use crate::rooms::Room;

pub struct Client {
    socket: TcpStream,
    pub lines: Lines,
    outbox: Outbox,
    pub room: Option<Room>,
    pub stage: Stage,
    /// While it is open, its next line is awaited for so long; then, that it closes its end.
    pub timer: DelayedCall,
    /// It has closed its end, though more may have to be read before.
    pub has_ended: bool,
    /// It is in the list of those that are to be read; of those that are to be sent to.
    pub is_unread: bool,
    pub is_unsent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Open,
    /// Its last line is in the outbox. What it sends is ignored.
    Closing,
    /// Its last line has been sent, and the end after it. Now its own end is awaited: a socket that is closed before
    /// all was read from it resets the connection, and what it has sent may be lost.
    Closed,
}

/// What came of an attempt to read.
pub enum Got {
    Bytes(usize),
    Nothing,
    End,
    Failed(io::Error),
}

impl Client {
    pub fn new(socket: TcpStream, timer: DelayedCall) -> Self {
        let (lines, outbox, room, stage) = (Lines::default(), Outbox::default(), None, Stage::Open);
        let (has_ended, is_unread, is_unsent) = (false, false, false);
        Self { socket, lines, outbox, room, stage, timer, has_ended, is_unread, is_unsent }
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> Got {
        match self.socket.read(buffer) {
            Ok(0) => Got::End,
            Ok(length) => Got::Bytes(length),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => Got::Nothing,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted) => self.read(buffer),
            Err(error) => Got::Failed(error),
        }
    }

    /// Sends what the socket takes.
    ///
    /// # Errors
    ///
    /// Those of the socket: the connection is of no more use.
    pub fn send(&mut self) -> io::Result<()> {
        if self.outbox.send(&mut self.socket)? && self.stage == Stage::Closing {
            self.stage = Stage::Closed;
            self.socket.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    /// Queues a line, with its end. False if more than `limit` bytes would wait, however much the socket takes.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn push(&mut self, line: &str, limit: usize) -> io::Result<bool> {
        if self.outbox.len() + line.len() > limit {
            self.send()?;
            if self.outbox.len() + line.len() > limit && !self.outbox.is_empty() {
                return Ok(false);
            }
        }
        self.outbox.push(line.as_bytes());
        Ok(true)
    }

    /// This is its last line; it has `linger` to read it and to close its end.
    pub fn close(&mut self, line: &str, linger: Duration) {
        self.stage = Stage::Closing;
        self.lines = Lines::default();
        self.outbox.push(line.as_bytes());
        // A timer that has fired is replaced by the one who called this.
        self.timer.reset(linger).unwrap_or_default();
    }

    /// Forgets what waits, so that a last line follows at once.
    pub fn cut(&mut self) {
        self.outbox.cut();
    }
}
