//! A chat server with limits: mio waits for the sockets, a reactor owns the clients and their timers, and a thread of
//! its pool writes the log. README.md describes the protocol and what was measured.

mod chat;
mod client;
mod log;
mod outbox;
pub mod protocol;
mod rooms;
mod server;
mod settings;

pub use outbox::Outbox;
pub use server::serve;
pub use settings::{Limits, Settings};
