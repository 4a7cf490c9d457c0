//! What one thread did, in the order in which it did it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use selvedge::pool::{JobLabel, PoolStats};

use super::describe;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Job,
    Turn,
    Call,
    Timer,
}

/// What waited for the reactor, and the state of its pool.
#[derive(Debug, Clone)]
pub struct Counts {
    pub calls: usize,
    pub pool: PoolStats,
}

/// What was at work.
#[derive(Debug, Clone)]
pub enum Name {
    Job(JobLabel),
    /// The name that it was posted with, or the type of its function.
    Call(&'static str),
    /// The type of its function.
    Timer(&'static str),
    Turn,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(label) => f.write_str(&describe(label)),
            Self::Call(name) | Self::Timer(name) => f.write_str(&shortened(name)),
            Self::Turn => f.write_str("turn"),
        }
    }
}

/// The name of a type without what says nothing to a reader: that it is a closure, and the insides of the crate.
fn shortened(name: &str) -> String {
    name.replace("::{{closure}}", "").replace("selvedge::std_build::runtime::", "")
}

/// One thing that happened, on this thread.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Submitted {
        at: Duration,
        number: u64,
    },
    /// Something was at work from `begin` to `end`. Added when it ends.
    Span {
        kind: Kind,
        name: Name,
        number: u64,
        begin: Duration,
        end: Duration,
    },
    Instant {
        at: Duration,
        what: Cow<'static, str>,
    },
    Counts {
        at: Duration,
        counts: Counts,
    },
}

/// What is still at work.
#[derive(Debug, Clone)]
pub(super) struct OpenSpan {
    pub(super) kind: Kind,
    pub(super) name: Name,
    pub(super) number: u64,
    pub(super) begin: Duration,
    /// A watch has told of it.
    pub(super) told: bool,
}

/// One thread.
pub(super) struct Lane {
    pub(super) thread: String,
    keep: usize,
    state: Mutex<LaneState>,
}

#[derive(Default)]
pub(super) struct LaneState {
    pub(super) events: Vec<Event>,
    /// The innermost last.
    pub(super) open: Vec<OpenSpan>,
    /// Events that were not kept.
    pub(super) left_out: u64,
}

/// All threads.
pub(super) struct Lanes {
    keep: usize,
    all: Mutex<Vec<Arc<Lane>>>,
}

thread_local! {
    /// This thread's lane in each recorder that has one here.
    static LANES: RefCell<Vec<(usize, Weak<Lane>)>> = const { RefCell::new(Vec::new()) };
}

impl Lanes {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, all: Mutex::new(Vec::new()) }
    }

    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn of_this_thread(&self) -> Arc<Lane> {
        let recorder = std::ptr::from_ref(self).addr();
        let known = LANES.try_with(|lanes| {
            let lanes = lanes.borrow();
            lanes.iter().find(|(of, _)| *of == recorder).and_then(|(_, lane)| lane.upgrade())
        });
        known.ok().flatten().unwrap_or_else(|| self.add(recorder))
    }

    fn add(&self, recorder: usize) -> Arc<Lane> {
        let thread = thread::current();
        let thread = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
        let lane = Arc::new(Lane { thread, keep: self.keep, state: Mutex::default() });
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&lane));
        // A thread whose thread-locals are gone gets a lane for each event.
        let _ = LANES.try_with(|lanes| {
            let mut lanes = lanes.borrow_mut();
            lanes.retain(|(_, lane)| lane.strong_count() > 0);
            lanes.push((recorder, Arc::downgrade(&lane)));
        });
        lane
    }
}

impl Lane {
    pub(super) fn state(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, state: &mut LaneState, event: Event) {
        if state.events.len() < self.keep {
            state.events.push(event);
        } else {
            state.left_out += 1;
        }
    }

    pub(super) fn submitted(&self, at: Duration, number: u64) {
        self.add(&mut self.state(), Event::Submitted { at, number });
    }

    pub(super) fn instant(&self, at: Duration, what: Cow<'static, str>) {
        self.add(&mut self.state(), Event::Instant { at, what });
    }

    pub(super) fn counts(&self, at: Duration, counts: Counts) {
        self.add(&mut self.state(), Event::Counts { at, counts });
    }

    pub(super) fn begin(&self, begin: Duration, kind: Kind, name: Name, number: u64) {
        self.state().open.push(OpenSpan { kind, name, number, begin, told: false });
    }

    /// If the innermost is a call without a number, it has this name and this number.
    pub(super) fn name_call(&self, name: &'static str, number: u64) -> bool {
        match self.state().open.last_mut() {
            Some(open) if open.kind == Kind::Call && open.number == 0 => {
                (open.name, open.number) = (Name::Call(name), number);
                true
            }
            _ => false,
        }
    }

    /// The innermost has ended.
    pub(super) fn end(&self, end: Duration) {
        let mut state = self.state();
        if let Some(OpenSpan { kind, name, number, begin, .. }) = state.open.pop() {
            self.add(&mut state, Event::Span { kind, name, number, begin, end });
        }
    }
}
