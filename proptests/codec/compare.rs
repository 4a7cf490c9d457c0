//! How what happened is compared with what should have.

use std::fmt::{self, Write};

/// The first place where two traces part, with what led there.
///
/// # Errors
/// A description, if they do.
pub fn compare<E: PartialEq + fmt::Debug>(expected: &[E], actual: &[E]) -> Result<(), String> {
    let same = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
    if same == expected.len() && same == actual.len() {
        return Ok(());
    }
    let mut text = String::from("the trace differs from the reference:\n");
    let begin = same.saturating_sub(12);
    for event in &expected[begin..same] {
        let _ = writeln!(text, "    {event:?}");
    }
    for (sign, trace) in [("-", expected), ("+", actual)] {
        for event in trace[same..].iter().take(6) {
            let _ = writeln!(text, "  {sign} {event:?}");
        }
        if trace.len() == same {
            let _ = writeln!(text, "  {sign} nothing more");
        }
    }
    text.push_str("(-: the reference, +: the real thing)");
    Err(text)
}
