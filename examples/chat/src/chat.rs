//! What the reactor owns: the clients, the rooms and the log. It is touched between turns, when sockets are ready, and
//! by timers.

use std::collections::BTreeMap;
use std::io;
use std::mem;

use mio::net::TcpStream;
use selvedge::{Address, DelayedCall, Reactor, Resolver};

use crate::client::{Client, Got, Stage};
use crate::log::Log;
use crate::protocol::{BadLine, Command, DropReason, Line, Reply};
use crate::rooms::{ClientId, Rooms};
use crate::settings::Limits;

/// So much is read from a client before it is another's turn.
const READ: usize = 16 << 10;

pub struct Chat {
    limits: Limits,
    clients: BTreeMap<ClientId, Client>,
    rooms: Rooms,
    pub log: Log,
    /// Clients with something in their outbox since `send_all`.
    unsent: Vec<ClientId>,
    /// Clients that may have sent more than was read.
    unread: Vec<ClientId>,
    /// What was read last.
    buffer: Box<[u8]>,
    /// To whom something is said; kept for its memory.
    members: Vec<ClientId>,
    is_stopping: bool,
    /// Fired once, when the server stops.
    all_left: Option<Resolver<()>>,
}

/// Starts the timer of a client.
pub fn watch(reactor: &Reactor, chat: &Address<Chat>, id: ClientId, limits: &Limits, stage: Stage) -> DelayedCall {
    let (time, chat) = (if stage == Stage::Open { limits.idle } else { limits.linger }, chat.clone());
    reactor.call_later(time, move |reactor| {
        let address = chat.clone();
        // While the reactor runs timers, the chat is there.
        chat.with(reactor, |chat| chat.time_is_over(reactor, &address, id)).unwrap_or_default();
    })
}

impl Chat {
    pub fn new(limits: Limits, log: Log) -> Self {
        let (clients, rooms, unsent, unread, members) = Default::default();
        let (buffer, is_stopping, all_left) = (vec![0; READ].into(), false, None);
        Self { limits, clients, rooms, log, unsent, unread, buffer, members, is_stopping, all_left }
    }

    pub fn is_full(&self) -> bool {
        self.clients.len() >= self.limits.clients
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    pub fn add(&mut self, id: ClientId, socket: TcpStream, timer: DelayedCall) {
        self.clients.insert(id, Client::new(socket, timer));
    }

    /// A client has sent something, its end perhaps, or can be sent more.
    pub fn ready(&mut self, id: ClientId, has_ended: bool) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.has_ended |= has_ended;
        }
        self.will_read(id);
        self.will_send(id);
    }

    /// Whether there are clients to read that need no event.
    pub fn has_unread(&self) -> bool {
        !self.unread.is_empty() && !self.log.is_full()
    }

    /// Reads each client that is ready once, does what it says, and sends what has come of all that.
    pub fn read_all(&mut self) {
        if !self.log.is_full() {
            for id in mem::take(&mut self.unread) {
                self.read(id);
            }
        }
        self.send_all();
    }

    fn read(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.is_unread = false;
        match client.read(&mut self.buffer) {
            Got::Nothing => {}
            Got::Failed(error) => self.remove(id, Some(&error)),
            Got::End => self.end_of(id),
            Got::Bytes(length) => {
                // Less than there is room for is all that has come; the end that was announced is behind it.
                if length == self.buffer.len() || client.has_ended {
                    self.will_read(id);
                }
                self.take(id, length);
            }
        }
    }

    /// Takes what has been read into the buffer.
    fn take(&mut self, id: ClientId, length: usize) {
        let Some(client) = self.clients.get_mut(&id).filter(|client| client.stage == Stage::Open) else { return };
        let (mut lines, buffer) = (mem::take(&mut client.lines), mem::take(&mut self.buffer));
        let mut any = false;
        lines.take(&buffer[..length], self.limits.line, |line| {
            any = true;
            let command = match line {
                Line::Whole(line) => Command::parse(line),
                Line::TooLong => Err(BadLine::TooLong { limit: self.limits.line }),
            };
            self.obey(id, command);
        });
        self.buffer = buffer;
        if let Some(client) = self.clients.get_mut(&id).filter(|client| client.stage == Stage::Open) {
            client.lines = lines;
            if any {
                client.timer.reset(self.limits.idle).unwrap_or_default();
            }
        }
    }

    fn obey(&mut self, id: ClientId, command: Result<Command<'_>, BadLine<'_>>) {
        // An earlier line may have been its last.
        let Some(client) = self.clients.get_mut(&id).filter(|client| client.stage == Stage::Open) else { return };
        match command {
            Ok(Command::Nothing) => {}
            Ok(Command::Quit) => self.close(id, &Reply::Bye),
            Ok(Command::Ping(text)) => self.reply(id, &Reply::Pong(text)),
            Ok(Command::Join(name)) => {
                if let Some(room) = client.room.take() {
                    self.rooms.leave(&room, id);
                }
                client.room = Some(self.rooms.enter(name, id));
                self.reply(id, &Reply::Joined(name));
            }
            Ok(Command::Say(text)) if client.room.is_some() => self.say(id, text),
            Ok(Command::Say(_)) => self.reply(id, &Reply::Error(BadLine::NotInARoom)),
            Err(bad) => self.reply(id, &Reply::Error(bad)),
        }
    }

    /// Says a text to everybody else in the room.
    fn say(&mut self, by: ClientId, text: &str) {
        let Some(room) = self.clients.get(&by).and_then(|client| client.room.clone()) else { return };
        let said = Reply::Said { by: by as u64, text };
        self.log.add(&said);
        let line = format!("{said}\n");
        let mut members = mem::take(&mut self.members);
        members.extend_from_slice(self.rooms.members(&room));
        for id in members.drain(..).filter(|id| *id != by) {
            self.push(id, &line);
        }
        self.members = members;
    }

    fn reply(&mut self, id: ClientId, reply: &Reply<'_>) {
        self.push(id, &format!("{reply}\n"));
    }

    /// Queues a line for a client, unless that has got its last one. A client that reads too slowly is dropped.
    fn push(&mut self, id: ClientId, line: &str) {
        let outbox = self.limits.outbox;
        let client = self.clients.get_mut(&id).filter(|client| client.stage == Stage::Open);
        match client.map(|client| client.push(line, outbox)) {
            Some(Ok(true)) => self.will_send(id),
            Some(Ok(false)) => self.drop_client(id, DropReason::ReadsTooSlowly { outbox }),
            Some(Err(error)) => self.remove(id, Some(&error)),
            None => {}
        }
    }

    fn drop_client(&mut self, id: ClientId, reason: DropReason) {
        self.log.add(format_args!("client {id} is dropped: {reason}"));
        if let (DropReason::ReadsTooSlowly { .. }, Some(client)) = (reason, self.clients.get_mut(&id)) {
            client.cut();
        }
        self.close(id, &Reply::Dropped(reason));
    }

    /// Says a last thing to a client, which leaves its room.
    fn close(&mut self, id: ClientId, last: &Reply<'_>) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.close(&format!("{last}\n"), self.limits.linger);
        if let Some(room) = client.room.take() {
            self.rooms.leave(&room, id);
        }
        self.will_send(id);
    }

    /// A client has closed its end. It may still be reading.
    fn end_of(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match client.stage {
            Stage::Open if client.lines.is_cut_off() => self.close(id, &Reply::Error(BadLine::CutOff)),
            Stage::Open => self.close(id, &Reply::Bye),
            Stage::Closing => {}
            Stage::Closed => self.remove(id, None),
        }
    }

    /// Forgets a client: its socket is closed.
    fn remove(&mut self, id: ClientId, error: Option<&io::Error>) {
        let Some(client) = self.clients.remove(&id) else { return };
        // It fails if the timer has fired: then it is what removes the client.
        client.timer.cancel().unwrap_or_default();
        if let Some(room) = &client.room {
            self.rooms.leave(room, id);
        }
        if let Some(error) = error {
            self.log.add(format_args!("client {id} is gone: {error}"));
        }
    }

    fn time_is_over(&mut self, reactor: &Reactor, address: &Address<Self>, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.stage == Stage::Open {
            client.timer = watch(reactor, address, id, &self.limits, Stage::Closing);
            self.drop_client(id, DropReason::Idle(self.limits.idle));
            self.send_all();
        } else {
            self.remove(id, None);
        }
    }

    fn will_read(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id).filter(|client| !client.is_unread) {
            client.is_unread = true;
            self.unread.push(id);
        }
    }

    fn will_send(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id).filter(|client| !client.is_unsent) {
            client.is_unsent = true;
            self.unsent.push(id);
        }
    }

    fn send_all(&mut self) {
        for id in mem::take(&mut self.unsent) {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            client.is_unsent = false;
            if let Err(error) = client.send() {
                self.remove(id, Some(&error));
            }
        }
    }

    /// Tells every client that the server stops. `all_left` is fired when all have gone, and the log is written.
    pub fn stop(&mut self, all_left: Resolver<()>) {
        self.is_stopping = true;
        let open: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| client.stage == Stage::Open).map(|(id, _)| *id).collect();
        for id in open {
            self.close(id, &Reply::Stops);
        }
        self.send_all();
        self.all_left = Some(all_left);
    }

    /// What is to be fired: the last client has gone, and the log is written.
    pub fn all_left(&mut self) -> Option<Resolver<()>> {
        if self.clients.is_empty() && self.log.is_written() { self.all_left.take() } else { None }
    }
}
