//! Runs the server, and checks what its clients hear.

mod client;
mod limits;
mod program;
mod rooms;
mod stopping;
