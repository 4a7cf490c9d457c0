//! Runs each program of this crate, and checks what it does.

mod on_polling;
mod on_tokio;
mod on_winit;
mod program;
