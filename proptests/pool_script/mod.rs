//! Random programs for a pool without threads, stepped on one thread and compared with a naive reference: shared by the
//! property and the fuzz target.

pub mod actual;
pub mod program;
pub mod reference;

use program::Program;

/// Runs a program, and checks each of its steps.
///
/// # Errors
/// The first step that the reference does not allow, and the events before it.
pub fn check(program: &Program) -> Result<(), String> {
    actual::run(program)
}
