//! The peer that the server is measured beside: the same protocol in tokio's usual way, on its `current_thread`
//! runtime. Two tasks for each client, an unbounded channel between them, and no limits, timers or log. It prints its
//! address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::rc::Rc;

use selvedge_chat::protocol::{BadLine, Command, Line, Lines, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::{self, LocalSet};

const MAX_LINE: usize = 4096;
/// The same as the server's.
const READ: usize = 16 << 10;

type Outbox = UnboundedSender<Rc<str>>;
type Rooms = Rc<RefCell<HashMap<String, HashMap<u64, Outbox>>>>;

struct Client {
    id: u64,
    outbox: Outbox,
    room: Option<String>,
    rooms: Rooms,
}

impl Client {
    fn reply(&self, reply: &Reply<'_>) {
        // Fails if the connection has: then the client is about to end.
        let _ = self.outbox.send(format!("{reply}\n").into());
    }

    fn leave(&mut self) {
        let Some(room) = self.room.take() else { return };
        let mut rooms = self.rooms.borrow_mut();
        let Some(members) = rooms.get_mut(&room) else { return };
        members.remove(&self.id);
        if members.is_empty() {
            rooms.remove(&room);
        }
    }

    /// False if it leaves.
    fn obey(&mut self, command: Result<Command<'_>, BadLine<'_>>) -> bool {
        match command {
            Ok(Command::Nothing) => {}
            Ok(Command::Quit) => return false,
            Ok(Command::Ping(text)) => self.reply(&Reply::Pong(text)),
            Ok(Command::Join(room)) => {
                self.leave();
                let mut rooms = self.rooms.borrow_mut();
                rooms.entry(room.to_owned()).or_default().insert(self.id, self.outbox.clone());
                self.room = Some(room.to_owned());
                self.reply(&Reply::Joined(room));
            }
            Ok(Command::Say(text)) => {
                let rooms = self.rooms.borrow();
                let Some(members) = self.room.as_ref().and_then(|room| rooms.get(room)) else {
                    self.reply(&Reply::Error(BadLine::NotInARoom));
                    return true;
                };
                let line: Rc<str> = format!("{}\n", Reply::Said { by: self.id, text }).into();
                for (_, outbox) in members.iter().filter(|(id, _)| **id != self.id) {
                    let _ = outbox.send(Rc::clone(&line));
                }
            }
            Err(bad) => self.reply(&Reply::Error(bad)),
        }
        true
    }

    async fn read(mut self, mut socket: OwnedReadHalf, buffer: Rc<RefCell<Vec<u8>>>) {
        let (mut lines, mut stays) = (Lines::default(), true);
        while stays && socket.readable().await.is_ok() {
            // One buffer for all, as the server has: a buffer in each task would be most of a client's memory.
            let mut buffer = buffer.borrow_mut();
            match socket.try_read(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) | Ok(0) => stays = false,
                Ok(length) => lines.take(&buffer[..length], MAX_LINE, |line| {
                    stays = stays
                        && self.obey(match line {
                            Line::Whole(line) => Command::parse(line),
                            Line::TooLong => Err(BadLine::TooLong { limit: MAX_LINE }),
                        });
                }),
            }
        }
        self.leave();
        self.reply(&Reply::Bye);
        drop(self);
        // Until the client's end, so that the connection is not reset.
        let mut rest = [0; 64];
        while matches!(socket.read(&mut rest).await, Ok(1..)) {}
    }
}

fn serve(socket: TcpStream, id: u64, rooms: Rooms, buffer: Rc<RefCell<Vec<u8>>>) {
    // Fails if the client has gone: its first read says so.
    let _ = socket.set_nodelay(true);
    let (reads, mut writes) = socket.into_split();
    let (outbox, mut unsent) = mpsc::unbounded_channel::<Rc<str>>();
    task::spawn_local(Client { id, outbox, room: None, rooms }.read(reads, buffer));
    task::spawn_local(async move {
        let mut batch = Vec::new();
        while let Some(line) = unsent.recv().await {
            batch.extend_from_slice(line.as_bytes());
            while let Ok(line) = unsent.try_recv() {
                batch.extend_from_slice(line.as_bytes());
            }
            if writes.write_all(&std::mem::take(&mut batch)).await.is_err() {
                return;
            }
        }
    });
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: tokio_chat ADDRESS")?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        let (rooms, buffer) = (Rooms::default(), Rc::new(RefCell::new(vec![0; READ])));
        for id in 0.. {
            let (socket, _) = listener.accept().await?;
            serve(socket, id, Rc::clone(&rooms), Rc::clone(&buffer));
        }
        Ok(())
    })
}
