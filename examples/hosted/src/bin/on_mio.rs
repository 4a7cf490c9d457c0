//! A chat server: mio waits for the sockets, and the reactor owns the rooms, on one thread; another one writes the log.
//!
//! `/join ROOM` enters a room; each other line is said to everybody else there. SIGTERM ends the server when all that
//! was said has been sent and logged. What a client does not read is kept for it, without a limit. It prints its
//! address: `cargo run --bin on_mio -- ADDRESS LOG`.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::{env, error::Error, fs::File, net::Shutdown, rc::Rc, sync::Arc, time::Duration};

use mio::{Events, Interest, Poll, Token, Waker, net::TcpListener, net::TcpStream};
use selvedge::reactor::{Event, Phase, Turn};
use selvedge::{Deferred, Reactor, Resolver};
use signal_hook_mio::v1_0::Signals;

const WAKE: Token = Token(0);
const SIGNALS: Token = Token(1);
const LISTENER: Token = Token(2);

struct Client {
    socket: TcpStream,
    room: String,
    unread: Vec<u8>,
    unsent: VecDeque<u8>,
}

impl Client {
    /// Sends what the socket takes; mio says when it takes more. An error is met by the next read, too.
    fn send(&mut self, text: &str, is_last: bool) {
        self.unsent.extend(text.as_bytes());
        while let (unsent @ [_, ..], _) = self.unsent.as_slices() {
            let Ok(sent) = self.socket.write(unsent) else { return };
            self.unsent.drain(..sent);
        }
        if is_last {
            self.socket.shutdown(Shutdown::Write).unwrap_or_default();
        }
    }
}

/// What the reactor owns. `all_left` is set while it stops.
#[derive(Default)]
struct Chat {
    clients: BTreeMap<Token, Client>,
    all_left: Option<Resolver<()>>,
}

impl Chat {
    /// A client has sent something, or can be sent more.
    fn ready(&mut self, token: Token, log: impl Fn(String)) {
        let Some(mut client) = self.clients.remove(&token) else { return };
        client.send("", self.all_left.is_some());
        let read = client.socket.read_to_end(&mut client.unread);
        let whole = client.unread.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let lines: Vec<u8> = client.unread.drain(..whole).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            if let Some(room) = line.strip_prefix("/join ") {
                client.room = room.to_owned();
                client.send(&format!("you are in {room}\n"), false);
            } else {
                let said = format!("{}: {line}\n", token.0);
                let others = self.clients.values_mut().filter(|other| other.room == client.room);
                others.for_each(|other| other.send(&said, false));
                log(said);
            }
        }
        if read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            self.clients.insert(token, client);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (address, log) = env::args().nth(1).zip(env::args().nth(2)).ok_or("usage: on_mio ADDRESS LOG")?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let (waker, mut signals) = (Waker::new(poll.registry(), WAKE)?, Signals::new([signal_hook::consts::SIGTERM])?);
    let (mut listener, log) = (TcpListener::bind(address.parse()?)?, Arc::new(File::create(log)?));
    poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("{}", listener.local_addr()?);

    // One thread keeps the log in order. When the server stops, clients have a minute to read and to close their end.
    let reactor = Reactor::builder().pool_size(1, 1).stop_within(Duration::from_secs(60));
    let reactor = reactor.on_wake(move || waker.wake().expect("mio wakes")).build()?;
    let chat = Rc::new(reactor.own(Chat::default()));
    let (stopping, (left, all_left)) = (Rc::clone(&chat), Deferred::new());
    reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| {
        let stop = |chat: &mut Chat| {
            chat.clients.values_mut().for_each(|client| client.send("the server stops\n", true));
            chat.all_left = Some(all_left);
        };
        stopping.with(stop).map_or_else(Deferred::fail, |()| left)
    });
    let write = |line: String| {
        let log = Arc::clone(&log);
        // Refused only when that minute is over.
        let _ = reactor.call_in_thread(move || (&*log).write_all(line.as_bytes()).expect("the log is written"));
    };

    let mut tokens = (LISTENER.0 + 1..).map(Token);
    loop {
        let turn = reactor.turn()?;
        if turn == Turn::Ended {
            return Ok(());
        }
        if let Some(all_left) = chat.with(|chat| chat.all_left.take_if(|_| chat.clients.is_empty()))? {
            all_left.callback(());
        }
        let polled = poll.poll(&mut events, turn.timeout());
        polled.or_else(|error| if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) })?;
        for token in events.iter().map(mio::event::Event::token) {
            match token {
                WAKE => {}
                SIGNALS => signals.pending().for_each(|_| reactor.handle().stop()),
                LISTENER => {
                    while let (Ok((mut socket, _)), Some(token)) = (listener.accept(), tokens.next()) {
                        poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
                        let (room, unread, unsent) = Default::default();
                        chat.with(|chat| chat.clients.insert(token, Client { socket, room, unread, unsent }))?;
                    }
                }
                token => chat.with(|chat| chat.ready(token, write))?,
            }
        }
    }
}
