//! The chat server: `cargo run --release -- ADDRESS`. It prints the address that it listens on.

use std::process::ExitCode;

use clap::Parser;
use selvedge_chat::{Settings, serve};

fn main() -> ExitCode {
    match serve(Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}
