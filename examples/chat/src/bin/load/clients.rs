//! The clients: they enter, speak, hear and leave, on one thread.

use std::error::Error;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use selvedge_chat::Outbox;
use selvedge_chat::protocol::{Line, Lines};
use socket2::{Domain, Socket, Type};

use crate::account::{Heard, Spoken};
use crate::settings::Settings;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MAX_LINE: usize = 4096;
/// Addresses that they come from: each has its own ports.
const SOURCES: usize = 16;
/// Many times what anything needs: a line that has not come by then is lost.
const LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Entering,
    In,
    /// It has asked for its end, and comes back after it.
    Leaving,
    Gone,
}

/// How a client leaves.
#[derive(Debug, Clone, Copy)]
pub enum Leave {
    Quits,
    /// In the middle of a line.
    CutsOff,
    /// Its connection is reset, perhaps with lines on the way.
    Resets,
}

struct Client {
    socket: TcpStream,
    lines: Lines,
    outbox: Outbox,
    stage: Stage,
    /// What it has heard of each place of its room.
    heard: Vec<Heard>,
    pongs: usize,
}

pub struct Clients {
    address: SocketAddr,
    room: usize,
    poll: Poll,
    clients: Vec<Client>,
    spoken: Vec<Spoken>,
    began: Instant,
    buffer: Vec<u8>,
    lost: u64,
    /// How often, and how long after a line was said, somebody heard it: in microseconds.
    pub latencies: Vec<u32>,
    pub said: u64,
}

impl Clients {
    /// Returns when all have entered their rooms.
    pub fn connect(address: SocketAddr, settings: &Settings) -> Result<Self> {
        let (poll, began, spoken) = (Poll::new()?, Instant::now(), vec![Spoken::default(); settings.clients]);
        let (clients, buffer, latencies) = (Vec::with_capacity(settings.clients), vec![0; 64 << 10], Vec::new());
        let (room, lost, said) = (settings.room, 0, 0);
        let mut all = Self { address, room, poll, clients, spoken, began, buffer, lost, latencies, said };
        for place in 0..settings.clients {
            let client = all.enter(place)?;
            all.clients.push(client);
            // The backlog of a listener is short.
            if place % 64 == 63 {
                all.until("clients enter", |clients| clients.all(&[Stage::In]))?;
            }
        }
        all.until("clients enter", |clients| clients.all(&[Stage::In]))?;
        Ok(all)
    }

    fn enter(&self, place: usize) -> Result<Client> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let source = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + place % SOURCES)?);
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        socket.connect(&self.address.into())?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let mut socket = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut socket, Token(place), Interest::READABLE | Interest::WRITABLE)?;
        let (lines, outbox, stage, heard) = (Lines::default(), Outbox::default(), Stage::Entering, Vec::new());
        let mut client = Client { socket, lines, outbox, stage, heard, pongs: 0 };
        client.send(&format!("/join room {}\n", place / self.room))?;
        Ok(client)
    }

    /// One of them says something, if it is in its room.
    pub fn say(&mut self, place: usize) -> Result<()> {
        let (client, spoken) = (&mut self.clients[place], &mut self.spoken[place]);
        if client.stage != Stage::In {
            return Ok(());
        }
        let now = self.began.elapsed().as_nanos();
        let line = format!("{} {} {} {now}\n", place % self.room, spoken.incarnation, spoken.lines);
        spoken.lines += 1;
        self.said += 1;
        client.send(&line)
    }

    /// One of them leaves, if it is in its room, and comes back.
    pub fn leave_and_return(&mut self, place: usize, how: Leave) -> Result<()> {
        let client = &mut self.clients[place];
        if client.stage != Stage::In {
            return Ok(());
        }
        client.stage = Stage::Leaving;
        self.spoken[place].end(!matches!(how, Leave::Resets));
        match how {
            Leave::Quits => client.send("/quit\n"),
            Leave::CutsOff => {
                client.send("half a line")?;
                // What waits in the outbox would be cut off too: so short a line never does.
                Ok(client.socket.shutdown(Shutdown::Write)?)
            }
            Leave::Resets => {
                socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO))?;
                self.clients[place] = self.enter(place)?;
                Ok(())
            }
        }
    }

    /// Waits for what the sockets have, and takes it.
    pub fn turn(&mut self, events: &mut Events, timeout: Duration) -> Result<()> {
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for Token(place) in events.iter().map(mio::event::Event::token) {
            self.clients[place].flush()?;
            self.hear(place)?;
        }
        Ok(())
    }

    fn hear(&mut self, place: usize) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.clients[place].stage != Stage::Gone {
            match self.clients[place].socket.read(&mut buffer) {
                Ok(0) => self.end_of(place)?,
                Ok(length) => self.take(place, &buffer[..length])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("client {place}: {error}").into()),
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    fn end_of(&mut self, place: usize) -> Result<()> {
        match self.clients[place].stage {
            Stage::Leaving => self.clients[place] = self.enter(place)?,
            Stage::Gone => {}
            stage => return Err(format!("client {place} gets its end while it is {stage:?}").into()),
        }
        Ok(())
    }

    fn take(&mut self, place: usize, bytes: &[u8]) -> Result<()> {
        let mut lines = std::mem::take(&mut self.clients[place].lines);
        let mut result = Ok(());
        lines.take(bytes, MAX_LINE, |line| {
            if result.is_ok() {
                result = match line {
                    Line::Whole(line) => self.line(place, &String::from_utf8_lossy(line)),
                    Line::TooLong => Err("a line is too long".into()),
                };
            }
        });
        self.clients[place].lines = lines;
        result.map_err(|error| format!("client {place}: {error}").into())
    }

    fn line(&mut self, place: usize, line: &str) -> Result<()> {
        let first = place - place % self.room;
        let (client, spoken) = (&mut self.clients[place], &self.spoken[first..first + self.room]);
        if line.starts_with("you are in ") {
            client.stage = Stage::In;
            client.heard = spoken.iter().map(Heard::from_now).collect();
        } else if line.starts_with("pong") {
            client.pongs += 1;
        } else if line == "bye" || line.starts_with("error: the last line") {
            if client.stage != Stage::Leaving {
                return Err(format!("it hears {line:?}").into());
            }
        } else {
            let (_, text) = line.split_once(": ").ok_or_else(|| format!("it hears {line:?}"))?;
            let mut numbers = text.split(' ').map(str::parse::<u64>);
            let mut number = || numbers.next().and_then(std::result::Result::ok).ok_or_else(|| format!("{line:?}"));
            let [by, incarnation, line, time] = [number()?, number()?, number()?, number()?];
            let now = self.began.elapsed().as_nanos();
            // Between its request to enter and the answer, it hears nothing.
            let by = usize::try_from(by)?;
            let heard = client.heard.get_mut(by).ok_or("it hears somebody before it has entered")?;
            let lost = heard.line(u32::try_from(incarnation)?, u32::try_from(line)?, &spoken[by])?;
            self.lost += u64::from(lost);
            self.latencies.push(u32::try_from((now - u128::from(time)) / 1000)?);
        }
        Ok(())
    }

    /// Waits until all that was said must have been heard, and counts what was not.
    pub fn settle(&mut self) -> Result<()> {
        self.until("clients come back", |clients| clients.all(&[Stage::In]))?;
        // When the first answers are here, all lines were taken; when the second ones are, all were heard.
        for round in 1..=2 {
            for client in &mut self.clients {
                client.pongs = 0;
                client.send("/ping\n")?;
            }
            self.until(&format!("pongs of round {round}"), |all| all.clients.iter().all(|client| client.pongs == 1))?;
        }
        for place in 0..self.clients.len() {
            let first = place - place % self.room;
            for by in (0..self.room).filter(|by| first + by != place) {
                self.lost += u64::from(self.clients[place].heard[by].end(&self.spoken[first + by]));
            }
        }
        Ok(())
    }

    /// All leave for good.
    pub fn leave(&mut self) -> Result<()> {
        for client in &mut self.clients {
            client.stage = Stage::Gone;
            client.socket.shutdown(Shutdown::Write)?;
        }
        self.clients = Vec::new();
        Ok(())
    }

    /// How often somebody heard a line.
    pub fn heard(&self) -> f64 {
        self.latencies.len() as f64
    }

    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn all(&self, stages: &[Stage]) -> bool {
        self.clients.iter().all(|client| stages.contains(&client.stage))
    }

    fn until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) -> Result<()> {
        let (mut events, began) = (Events::with_capacity(1024), Instant::now());
        while !is_done(self) {
            if began.elapsed() > LIMIT {
                return Err(format!("waited for {LIMIT:?}: {what}").into());
            }
            self.turn(&mut events, Duration::from_millis(100))?;
        }
        Ok(())
    }
}

impl Client {
    fn send(&mut self, text: &str) -> Result<()> {
        self.outbox.push(text.as_bytes());
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.outbox.send(&mut self.socket)?;
        Ok(())
    }
}
