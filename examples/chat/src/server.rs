//! The loop: mio waits for sockets, signals and the reactor's wakes, and the reactor is turned.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::rc::Rc;
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use selvedge::reactor::{Event, Phase, Turn};
use selvedge::{Address, Deferred, Failure, Reactor, threads};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;

use crate::chat::{Chat, watch};
use crate::client::Stage;
use crate::log::Log;
use crate::protocol::{DropReason, Reply};
use crate::rooms::ClientId;
use crate::settings::{Limits, Settings};

const WAKE: Token = Token(0);
const SIGNALS: Token = Token(1);
const LISTENER: Token = Token(2);
const FIRST_CLIENT: ClientId = 3;

/// So many are accepted before those that are there are served.
const ACCEPT: usize = 64;
/// A server that cannot accept, because it has no descriptor left, tries again.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// Descriptors that are not clients.
const OTHER_FILES: u64 = 64;

/// Serves until SIGTERM or SIGINT, and then until all that was said has been sent and logged.
///
/// # Errors
///
/// What keeps it from listening, or from writing its log.
pub fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let limits = settings.limits;
    let files = limits.clients as u64 + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(files)?;
    if allowed < files {
        eprintln!("chat: {allowed} files may be open: there will be fewer than {} clients", limits.clients);
    }
    let log = settings.log.map(|path| File::create(&path).map_err(|error| format!("{}: {error}", path.display())));
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let (waker, mut signals) = (Waker::new(poll.registry(), WAKE)?, Signals::new([SIGTERM, SIGINT])?);
    let listener = TcpListener::bind(settings.address).map_err(|error| format!("{}: {error}", settings.address))?;
    poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;

    // One thread writes the log.
    let reactor = Reactor::builder().pool_size(1, 1).stop_within(limits.stop);
    let reactor = reactor.on_wake(move || waker.wake().expect("mio wakes")).build()?;
    let chat = reactor.own(Chat::new(limits, Log::new(log.transpose()?))).detach();
    let stopping = chat.clone();
    reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |reactor| {
        let (left, all_left) = Deferred::new();
        stopping.with(reactor, |chat| chat.stop(all_left)).map_or_else(Deferred::fail, |()| left)
    });
    let failed = Rc::new(RefCell::new(None));
    let mut door = Door::open(listener, poll.registry())?;

    loop {
        let turn = reactor.turn()?;
        if turn == Turn::Ended {
            return failed.take().map_or(Ok(()), |failure: Failure| Err(format!("the log: {failure}").into()));
        }
        // After the turn, which may have removed the last client, and may have logged that: nothing else ends the poll.
        write_log(&reactor, &chat, &failed)?;
        if let Some(all_left) = chat.with(&reactor, Chat::all_left)? {
            all_left.callback(());
        }
        let is_busy = door.is_ready() || chat.with(&reactor, |chat| chat.has_unread())?;
        let polled = poll.poll(&mut events, if is_busy { Some(Duration::ZERO) } else { turn.timeout() });
        polled.or_else(|error| if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) })?;
        let stops = chat.with(&reactor, |chat| {
            let mut stops = false;
            for event in &events {
                match event.token() {
                    WAKE => {}
                    SIGNALS => stops |= signals.pending().count() > 0,
                    LISTENER => door.is_ready.set(true),
                    Token(id) => chat.ready(id, event.is_read_closed()),
                }
            }
            chat.read_all();
            stops
        })?;
        if stops {
            reactor.handle().stop();
        }
        if chat.with(&reactor, |chat| chat.is_stopping())? {
            door.close(poll.registry())?;
        }
        door.accept(poll.registry(), &reactor, &chat, &limits)?;
    }
}

/// Where clients come in.
struct Door {
    listener: Option<TcpListener>,
    /// Somebody may be waiting.
    is_ready: Rc<Cell<bool>>,
    next: ClientId,
}

impl Door {
    /// Prints the address.
    fn open(mut listener: TcpListener, registry: &Registry) -> io::Result<Self> {
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        println!("{}", listener.local_addr()?);
        io::stdout().flush()?;
        Ok(Self { listener: Some(listener), is_ready: Rc::default(), next: FIRST_CLIENT })
    }

    fn is_ready(&self) -> bool {
        self.listener.is_some() && self.is_ready.get()
    }

    /// Nobody else comes in.
    fn close(&mut self, registry: &Registry) -> io::Result<()> {
        self.listener.take().map_or(Ok(()), |mut listener| registry.deregister(&mut listener))
    }

    fn accept(
        &mut self,
        registry: &Registry,
        reactor: &Reactor,
        chat: &Address<Chat>,
        limits: &Limits,
    ) -> Result<(), Box<dyn Error>> {
        let Some(listener) = self.listener.as_ref().filter(|_| self.is_ready.get()) else { return Ok(()) };
        for _ in 0..ACCEPT {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_ready.set(false);
                    return Ok(());
                }
                // The client has gone already.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => continue,
                Err(error) => {
                    eprintln!("chat: nobody is let in for {ACCEPT_AGAIN:?}: {error}");
                    self.is_ready.set(false);
                    let is_ready = Rc::clone(&self.is_ready);
                    reactor.call_later(ACCEPT_AGAIN, move |_| is_ready.set(true));
                    return Ok(());
                }
            };
            if chat.with(reactor, |chat| chat.is_full())? {
                let full = Reply::Dropped(DropReason::Full { clients: limits.clients });
                // A new socket takes a line; a client that has gone needs none.
                let _ = writeln!(socket, "{full}");
                continue;
            }
            let id = self.next;
            self.next += 1;
            // Fails if the client has gone: its first read says so.
            let _ = socket.set_nodelay(true);
            registry.register(&mut socket, Token(id), Interest::READABLE | Interest::WRITABLE)?;
            let timer = watch(reactor, chat, id, limits, Stage::Open);
            chat.with(reactor, |chat| chat.add(id, socket, timer))?;
        }
        Ok(())
    }
}

/// Lets the thread write what has been logged. A log that cannot be written stops the server.
fn write_log(
    reactor: &Reactor,
    chat: &Address<Chat>,
    failed: &Rc<RefCell<Option<Failure>>>,
) -> Result<(), Box<dyn Error>> {
    let Some(batch) = chat.with(reactor, |chat| chat.log.take_batch())? else { return Ok(()) };
    let (chat, local, failed) = (chat.clone(), reactor.local(), Rc::clone(failed));
    threads::defer_to_thread(reactor, move || (&*batch.file).write_all(batch.lines.as_bytes())).add_both(
        move |written| {
            let fails = written.is_err();
            if let Err(failure) = written {
                *failed.borrow_mut() = Some(failure);
            }
            let end = |chat: &mut Chat| if fails { chat.log.fail() } else { chat.log.written() };
            if fails {
                local.stop();
            }
            local.with(|reactor| chat.with(reactor, end)).map(drop)
        },
    );
    Ok(())
}
