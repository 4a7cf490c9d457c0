//! One line on stderr, for whoever reads along.

use std::fmt::Display;
use std::io::{self, Write};

pub fn say(line: impl Display) {
    // `eprintln!` would panic where stderr cannot be written to; there is nobody left to tell.
    _ = writeln!(io::stderr(), "fleet: {line}");
}
