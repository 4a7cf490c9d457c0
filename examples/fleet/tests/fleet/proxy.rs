//! A cable that can be cut: passes bytes on between a port of its own and another, and holds them back while it stalls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

pub struct Proxy {
    port: u16,
    stalled: Arc<AtomicBool>,
}

impl Proxy {
    /// Lives as long as the process.
    pub fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, stalled) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let stalls = Arc::clone(&stalled);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let stalls = Arc::clone(&stalls);
                thread::spawn(move || join(near, target, &stalls));
            }
        });
        Proxy { port, stalled }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn stall(&self, stall: bool) {
        self.stalled.store(stall, SeqCst);
    }
}

fn join(near: TcpStream, target: u16, stalled: &Arc<AtomicBool>) {
    wait(stalled);
    let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else { return };
    let (near_too, far_too, stalls) = (near.try_clone().unwrap(), far.try_clone().unwrap(), Arc::clone(stalled));
    thread::spawn(move || pass(far_too, near_too, &stalls));
    pass(near, far, stalled);
}

fn pass(mut from: TcpStream, mut to: TcpStream, stalled: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        wait(stalled);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    wait(stalled);
    _ = to.shutdown(Shutdown::Both);
    _ = from.shutdown(Shutdown::Both);
}

fn wait(stalled: &AtomicBool) {
    while stalled.load(SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
}
