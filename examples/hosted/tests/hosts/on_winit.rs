//! The reactor in winit's loop: results of the pool reach a window that waits for nothing else, and the loop ends.

use std::process::Command;
use std::{fs, iter};

use crate::program::Program;

/// On a display of its own, which `xvfb-run` makes.
#[test]
fn results_wake_the_loop_of_a_window_and_turns_alone_end_it() {
    let files = ["Cargo.toml", "Cargo.lock", "src/bin/on_winit.rs"];
    let total: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    let mut command = Command::new("xvfb-run");
    let mut program = Program::start(command.arg("-a").arg(env!("CARGO_BIN_EXE_on_winit")).args(files));
    let titles: Vec<_> = iter::repeat_with(|| program.line()).take(files.len()).collect();
    assert!(titles[0].starts_with("files: 1, bytes: "), "{titles:?}");
    assert_eq!(titles[2], format!("files: 3, bytes: {total}"));
    assert_eq!(program.line(), "the reactor has ended");
    program.ends_well();
}
