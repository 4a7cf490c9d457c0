//! Messages of errors and of their causes. `Display` and `source` are user code: they may panic, or have no end.

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
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(source(error), |cause| source(*cause)).take(MAX_CAUSES)
}

/// The error itself, and then its [`causes`].
pub(crate) fn causes_and_self<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::once(error).chain(causes(error))
}

fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    contain(|| error.source()).ok().flatten()
}

/// The message of an error, then that of each cause behind `separator`.
pub(crate) fn message_with_causes(error: &(dyn Error + 'static), separator: &str) -> String {
    let mut message = LimitedText::default();
    message.add(error);
    for cause in causes(error) {
        if message.write_str(separator).is_err() {
            break;
        }
        message.add(cause);
    }
    message.text
}

/// Displays an error as the formatter asks for it, and fails only if the formatter's output does.
pub(super) fn display(error: &dyn fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let alternate = f.alternate();
    if f.width().is_some() || f.precision().is_some() {
        let mut message = LimitedText::default();
        message.add(error);
        return f.pad(&message.text);
    }
    let mut output = Output { output: f, failed: false };
    let written = contain(|| if alternate { write!(output, "{error:#}") } else { write!(output, "{error}") });
    let Output { output, failed } = output;
    add_reason(output, written, failed)
}

/// Where an error is displayed. If that has not failed, it is the error's `Display` that fails.
struct Output<'a, 'b> {
    output: &'a mut fmt::Formatter<'b>,
    failed: bool,
}

impl Write for Output<'_, '_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.output.write_str(part).inspect_err(|_| self.failed = true)
    }
}

/// Adds why an error could not be displayed, unless the output itself has failed.
fn add_reason(output: &mut impl Write, written: Result<fmt::Result, Panic>, output_failed: bool) -> fmt::Result {
    match written {
        Ok(Ok(())) => Ok(()),
        _ if output_failed => Err(fmt::Error),
        Ok(Err(fmt::Error)) => output.write_str("(its `Display` failed)"),
        Err(panic) => write!(output, "(its `Display` {panic})"),
    }
}

/// A text of limited length. Writing more is an error, so a `Display` that writes without end is stopped.
#[derive(Default)]
struct LimitedText {
    text: String,
    full: bool,
}

impl LimitedText {
    /// Adds what is displayed, or why it could not be.
    fn add(&mut self, shown: &(impl fmt::Display + ?Sized)) {
        let written = contain(|| write!(self, "{shown}"));
        let full = self.full;
        // An error means that the text is full.
        let _ = add_reason(self, written, full);
    }
}

impl Write for LimitedText {
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
