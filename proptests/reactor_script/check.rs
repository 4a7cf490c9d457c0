//! Runs a program on the reactor and on the reference, and compares.

use super::program::{Ending, Program};
use super::{actual, reference, trace};
use crate::codec::compare;

/// Runs a program on the reactor and on the reference, and compares their traces.
///
/// # Errors
/// The first difference.
pub fn check(program: &Program) -> Result<(), String> {
    let mut program = program.clone();
    let mut expected = reference::run(&program);
    if expected.waits_for_ever {
        program.ending = Ending::TurnOut;
        expected = reference::run(&program);
    }
    let actual = actual::run(&program);
    compare(&expected.trace, &actual)?;
    trace::account(&actual, expected.made)
}
