//! What every program of every language survives: being written, as bytes and as text, and read again.

use std::fmt::{Debug, Display};

use crate::codec::{Code, decode, encode, read};

/// Whether a program that is written is read as the same one.
///
/// # Errors
/// The program, and what was read.
pub fn survives_being_written<P: Code + Debug + Display + PartialEq>(program: &P) -> Result<(), String> {
    for found in [decode::<P>(&encode(program)), read(&program.to_string())] {
        if found != *program {
            return Err(format!("written:\n{program}\nread:\n{found}"));
        }
    }
    Ok(())
}
