//! A thread that needs an answer of the reactor: it waits for a value, or for a Deferred, or gets the error.
//!
//! ```python
//! def inThread():
//!     try:
//!         result = threads.blockingCallFromThread(
//!             reactor, getPage, "http://twistedmatrix.com/")
//!     except Error, exc:
//!         print exc
//!     else:
//!         print result
//!     reactor.callFromThread(reactor.stop)
//!
//! reactor.callInThread(inThread)
//! reactor.run()
//! ```
//!
//! The pages come over real HTTP: one that this program's server has, one that it has not, and one from an address at
//! which there is no server.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use selvedge::threads::{blocking_call_from_thread, defer_to_thread};
use selvedge::{Deferred, Failure, Handle, Reactor, error::BlockingCallError};
use tiny_http::{Response, Server};

/// Nobody listens at this port: programs are given other ones, and its service has been out of use for long.
const CLOSED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Twisted's `getPage`: called on the reactor's thread, returns at once, and fires with the text.
fn get_page(reactor: &Reactor, url: String) -> Deferred<String> {
    defer_to_thread(reactor, move || {
        let loopback_only =
            ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(300))).build();
        loopback_only.new_agent().get(url).call()?.body_mut().read_to_string()
    })
}

/// Runs on a thread of the pool, which may block.
fn in_thread(reactor: &Handle, url: String) {
    match blocking_call_from_thread(reactor, move |reactor| get_page(reactor, url)) {
        Ok(page) => println!("{page}"),
        Err(BlockingCallError::Failed(failure)) => explain(&failure),
        // Not an error of the function: it panicked, the reactor has stopped, and so on.
        Err(other) => println!("no answer: {other}"),
    }
}

/// `except Error`: the failure still holds the very error that the other thread returned.
fn explain(failure: &Failure) {
    match failure.downcast_ref::<ureq::Error>() {
        Some(ureq::Error::StatusCode(404)) => println!("that page is not there"),
        Some(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            println!("nobody listens there");
        }
        Some(error) => println!("HTTP failed: {error}"),
        None => println!("something else failed: {failure}"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Arc::new(Server::http((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error as Box<dyn Error>)?);
    let address = server.server_addr();
    let urls = [format!("http://{address}/"), format!("http://{address}/missing"), format!("http://{CLOSED}/")];
    let serving = thread::spawn({
        let server = Arc::clone(&server);
        move || serve(&server)
    });

    let reactor = Reactor::new();
    let handle = reactor.handle();
    reactor.call_in_thread(move || {
        for url in urls {
            in_thread(&handle, url);
        }
        _ = handle.call_from_thread(|reactor| _ = reactor.stop());
    })?;
    reactor.run();

    server.unblock();
    match serving.join() {
        Ok(served) => Ok(served?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Serves one page, until the server is unblocked.
fn serve(server: &Server) -> io::Result<()> {
    for request in server.incoming_requests() {
        if request.url() == "/" {
            request.respond(Response::from_string("Hello from the other end of the loopback"))?;
        } else {
            request.respond(Response::empty(404))?;
        }
    }
    Ok(())
}
