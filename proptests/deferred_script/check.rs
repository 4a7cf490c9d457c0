//! Runs a program on Deferreds and on the reference, and compares.

use super::program::Program;
use super::{actual, reference};
use crate::codec::compare;

/// Runs a program on Deferreds and on the reference, and compares their traces. A program that deadlocks is not run:
/// its memory would leak.
///
/// # Errors
/// The first difference.
pub fn check(program: &Program) -> Result<(), String> {
    let expected = reference::run(program);
    if expected.deadlocks {
        return Ok(());
    }
    let actual = actual::run(program);
    compare(&expected.trace, &actual)?;
    expected.account(&actual)
}
