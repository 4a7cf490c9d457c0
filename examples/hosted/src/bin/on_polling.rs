//! A reactor that waits for sockets: it hosts itself over the poller of the crate `polling`, in the ten lines of `run`.
//!
//! It answers datagrams: one that names a file with the file's size, which a thread of the pool reads; `stop` ends it.
//! It prints the address that it listens on.
//!
//! ```text
//! cargo run --bin on_polling -- [ADDRESS]
//! ```

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::rc::Rc;
use std::sync::Arc;
use std::{env, fs};

use polling::{Event, Events, Poller};
use selvedge::reactor::Turn;
use selvedge::{Failure, Reactor, threads};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs the reactor to its end. `ready` is called between turns, for each thing that has happened to a socket.
fn run(reactor: &Reactor, poller: &Poller, mut ready: impl FnMut(Event) -> io::Result<()>) -> Result<()> {
    let mut events = Events::new();
    loop {
        let turn = reactor.turn()?;
        if turn == Turn::Ended {
            return Ok(());
        }
        poller.wait(&mut events, turn.timeout())?;
        events.iter().try_for_each(&mut ready)?;
        events.clear();
    }
}

fn main() -> Result<()> {
    let poller = Arc::new(Poller::new()?);
    let waking = Arc::clone(&poller);
    let reactor = Reactor::builder().on_wake(move || waking.notify().expect("the poller is woken")).build()?;

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let socket = Rc::new(UdpSocket::bind(address)?);
    socket.set_nonblocking(true)?;
    println!("{}", socket.local_addr()?);
    #[expect(unsafe_code, reason = "`polling` asks its user to remove each socket before it is closed")]
    // SAFETY: `socket` lives to the end of this function, and is removed before.
    unsafe {
        poller.add(&*socket, Event::readable(0))?;
    }
    let result = run(&reactor, &poller, |_| {
        answer(&reactor, &socket)?;
        poller.modify(&*socket, Event::readable(0))
    });
    poller.delete(&*socket)?;
    result
}

/// Answers what has arrived: at once or, of a file, when its size is known.
fn answer(reactor: &Reactor, socket: &Rc<UdpSocket>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let (length, sender) = match socket.recv_from(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            received => received?,
        };
        let path = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if path == "stop" {
            // Refused only if it stops already.
            let _ = reactor.stop();
            continue;
        }
        let socket = Rc::clone(socket);
        threads::defer_to_thread(reactor, move || fs::metadata(path).map(|file| file.len().to_string()))
            .add_errback(|failure| Ok::<_, Failure>(failure.to_string()))
            .add_callback(move |answer| socket.send_to(answer.as_bytes(), sender).map(drop));
    }
}
