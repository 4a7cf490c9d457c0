//! The chat server: `cargo run --release -- ADDRESS`. It prints the address that it listens on.

use std::process::ExitCode;

use selvedge_chat::{Settings, USAGE, serve};

fn main() -> ExitCode {
    let settings = match Settings::parse(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("chat: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}
