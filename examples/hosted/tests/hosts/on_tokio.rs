//! The reactor on tokio: a thousand tasks ask it, one of its own awaits them, and turns alone bring it to its end.

use std::process::Command;

use crate::program::Program;

#[test]
fn tasks_of_both_await_each_other_and_the_reactor_ends() {
    for _ in 0..10 {
        let mut program = Program::start(&mut Command::new(env!("CARGO_BIN_EXE_on_tokio")));
        assert_eq!(program.line(), "the last sum: 500500");
        assert_eq!(program.line(), "the reactor has ended");
        program.ends_well();
    }
}
