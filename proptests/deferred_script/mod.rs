//! Random programs over Deferreds against a naive reference: shared by the properties, the fuzz target and the
//! comparison with Twisted.

pub mod actual;
pub mod program;
pub mod reference;
pub mod trace;

use crate::codec::compare;
use program::Program;

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
