//! What was recorded, sorted out: spans with their threads, submissions, wakes and counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::lane::{Event, Lanes};
use super::{Counts, Kind, chrome, page};

/// A copy of what a recorder had recorded at one time.
#[derive(Debug, Default)]
pub struct Recording {
    /// The names of the threads. A thread's number is its place here.
    pub threads: Vec<String>,
    /// Of each thread in the order of their ends; what has not ended yet ends now.
    pub spans: Vec<Span>,
    /// Where and when each job or call was submitted, by its number.
    pub submitted: HashMap<u64, (usize, Duration)>,
    /// Thread, time, and what happened.
    pub instants: Vec<(usize, Duration, Cow<'static, str>)>,
    pub counts: Vec<(Duration, Counts)>,
    pub until: Duration,
    /// Events that were not kept.
    pub left_out: u64,
}

/// Something that was at work.
#[derive(Debug, Clone)]
pub struct Span {
    pub thread: usize,
    pub kind: Kind,
    pub name: String,
    /// Zero if it was not submitted.
    pub number: u64,
    pub begin: Duration,
    pub end: Duration,
}

impl Span {
    pub fn time(&self) -> Duration {
        self.end.saturating_sub(self.begin)
    }
}

impl Recording {
    pub(super) fn of(lanes: &Lanes, until: Duration) -> Self {
        let mut recording = Self { until, ..Self::default() };
        for (thread, lane) in lanes.all().iter().enumerate() {
            recording.threads.push(lane.thread.clone());
            let (events, open, left_out) = {
                let state = lane.state();
                (state.events.clone(), state.open.clone(), state.left_out)
            };
            recording.left_out += left_out;
            for event in events {
                recording.add(thread, event);
            }
            for span in open.into_iter().rev() {
                let (kind, name, number, begin) = (span.kind, span.name, span.number, span.begin);
                recording.add(thread, Event::Span { kind, name, number, begin, end: until.max(begin) });
            }
        }
        recording
    }

    fn add(&mut self, thread: usize, event: Event) {
        match event {
            Event::Submitted { at, number } => drop(self.submitted.insert(number, (thread, at))),
            Event::Span { kind, name, number, begin, end } => {
                self.spans.push(Span { thread, kind, name: name.to_string(), number, begin, end });
            }
            Event::Instant { at, what } => self.instants.push((thread, at, what)),
            Event::Counts { at, counts } => self.counts.push((at, counts)),
        }
    }

    /// Writes a page that a browser shows if the name ends in `.html`, or else the format of `chrome://tracing` and
    /// ui.perfetto.dev.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(file)?);
        if file.extension().is_some_and(|extension| extension == "html") {
            page::write(self, &mut out)?;
        } else {
            chrome::write(self, &mut out)?;
        }
        out.flush()
    }
}
