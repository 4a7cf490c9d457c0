//! Writes a recording as JSON, in the format of `chrome://tracing` and ui.perfetto.dev.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::time::Duration;

use super::{Kind, Recording};

pub(super) fn write(recording: &Recording, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{{\"displayTimeUnit\": \"ms\", \"otherData\": {{\"events left out\": {}}}, ", recording.left_out)?;
    write!(out, "\"traceEvents\": [")?;
    let mut separator = "\n";
    let mut event = |out: &mut dyn Write, fields: fmt::Arguments<'_>| {
        let written = write!(out, "{separator}{{\"pid\": 1, {fields}}}");
        separator = ",\n";
        written
    };
    for (thread, name) in recording.threads.iter().enumerate() {
        let name = quoted(name);
        let fields =
            format_args!("\"tid\": {thread}, \"ph\": \"M\", \"name\": \"thread_name\", \"args\": {{\"name\": {name}}}");
        event(out, fields)?;
    }
    for span in &recording.spans {
        let (name, at, time) = (quoted(&span.name), micros(span.begin), micros(span.time()));
        let (category, thread, number) = (category(span.kind), span.thread, span.number);
        let what = format_args!("\"tid\": {thread}, \"ph\": \"X\", \"cat\": \"{category}\", \"name\": {name}");
        event(out, format_args!("{what}, \"ts\": {at}, \"dur\": {time}"))?;
        if let Some((from, submitted)) = recording.submitted.get(&number) {
            let flow = format_args!("\"cat\": \"{category}\", \"name\": \"submitted\", \"id\": {number}");
            let submitted = micros(*submitted);
            event(out, format_args!("\"tid\": {from}, \"ph\": \"s\", {flow}, \"ts\": {submitted}"))?;
            event(out, format_args!("\"tid\": {thread}, \"ph\": \"f\", \"bp\": \"e\", {flow}, \"ts\": {at}"))?;
        }
    }
    for (thread, at, what) in &recording.instants {
        let (at, what) = (micros(*at), quoted(what));
        event(out, format_args!("\"tid\": {thread}, \"ph\": \"i\", \"s\": \"t\", \"name\": {what}, \"ts\": {at}"))?;
    }
    for (at, counts) in &recording.counts {
        let (at, stats, calls) = (micros(*at), &counts.pool, counts.calls);
        let (queued, busy, blocked, idle) = (stats.queued, stats.busy, stats.blocked, stats.idle);
        let calls = format_args!("\"args\": {{\"queued\": {calls}}}");
        event(out, format_args!("\"ph\": \"C\", \"name\": \"calls\", \"ts\": {at}, {calls}"))?;
        let jobs = format_args!("\"args\": {{\"queued\": {queued}}}");
        event(out, format_args!("\"ph\": \"C\", \"name\": \"jobs\", \"ts\": {at}, {jobs}"))?;
        let threads = format_args!("\"args\": {{\"busy\": {busy}, \"idle\": {idle}, \"blocked\": {blocked}}}");
        event(out, format_args!("\"ph\": \"C\", \"name\": \"threads\", \"ts\": {at}, {threads}"))?;
    }
    writeln!(out, "\n]}}")
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Job => "job",
        Kind::Turn => "turn",
        Kind::Call => "call",
        Kind::Timer => "timer",
    }
}

fn micros(time: Duration) -> String {
    format!("{}.{:03}", time.as_micros(), time.subsec_nanos() % 1000)
}

/// As a string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => _ = write!(quoted, "\\u{:04x}", u32::from(control)),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
