//! What an error says of itself and of its causes, whatever `Display` and `source` do: both are user code.

use std::error::Error;
use std::fmt::{self, Write};
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Panic;

/// How many causes of an error are looked at: an error may be its own source, and a chain of sources may have no end.
const MAX_CAUSES: usize = 1 << 20;

/// How many bytes of a message are kept: a `Display` may write without end.
const MAX_MESSAGE: usize = 1 << 16;

/// The causes of an error, the nearest first. A `source` that panics ends them.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(source(error), |cause| source(*cause)).take(MAX_CAUSES)
}

fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    contain(|| error.source()).ok().flatten()
}

/// The message of an error, then that of each cause behind `separator`.
pub(crate) fn message_with_causes(error: &(dyn Error + 'static), separator: &str) -> String {
    let mut message = Message::default();
    message.add(error);
    for cause in causes(error) {
        if message.write_str(separator).is_err() {
            break;
        }
        message.add(cause);
    }
    message.text
}

/// The message of an error, as `{}` or, if `alternate`, as `{:#}` displays it.
pub(super) fn message(error: &dyn fmt::Display, alternate: bool) -> String {
    let mut message = Message::default();
    if alternate {
        message.add(&format_args!("{error:#}"))
    } else {
        message.add(error)
    }
    message.text
}

/// A text of limited length. Writing more is an error, so a `Display` that writes without end is stopped.
#[derive(Default)]
struct Message {
    text: String,
    full: bool,
}

impl Message {
    /// Adds what is displayed, or why it could not be.
    fn add(&mut self, shown: &(impl fmt::Display + ?Sized)) {
        let written = contain(|| write!(self, "{shown}"));
        // An error here means that the text is full.
        let _ = match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fmt::Error)) => self.write_str("(its `Display` failed)"),
            Err(panic) => write!(self, "(its `Display` {panic})"),
        };
    }
}

impl Write for Message {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let mut room = (MAX_MESSAGE - self.text.len()).min(part.len());
        while !part.is_char_boundary(room) {
            room -= 1;
        }
        let (kept, cut) = part.split_at(room);
        self.text.push_str(kept);
        if cut.is_empty() {
            return Ok(());
        }
        self.full = true;
        self.text.push('…');
        Err(fmt::Error)
    }
}

/// Runs an error's own code.
pub(super) fn contain<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(Panic::new)
}
