//! The sites: one file for each kind.

mod asks;
mod coordination;
mod deferreds;
mod failures;
mod futures;
mod hooks;
mod jobs;
mod leftovers;
mod lists;
mod reactors;
mod tasks;
mod wakers;

use selvedge::Reactor;
use selvedge::reactor::ReactorBuilder;
use selvedge::report::Incident;

use super::act::Act;

/// On which thread the code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    Loop,
    /// That of another reactor.
    OtherLoop,
    Worker,
    /// A worker of another pool than the reactor's.
    OtherWorker,
    /// One that belongs to the program.
    Other,
}

/// When it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// The pool is being stopped; the loop takes calls until it has.
    Stopping,
    /// The reactor takes no more calls.
    Ended,
}

/// Who learns of a panic or of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// The sink, once.
    Reported(Incident),
    /// A Deferred, a callback for the result, or the caller: whoever asked for the result.
    Told,
    /// Nobody: it is caught, and shows in a text or on stderr only.
    Nobody,
}

/// How a site is brought to run the code.
#[derive(Clone, Copy)]
pub enum Install {
    /// In a call on the running loop.
    OnLoop(fn(&Reactor, &Act)),
    /// On a thread of the program, while the loop runs.
    Elsewhere(fn(&Act)),
}

pub struct Site {
    pub name: &'static str,
    pub thread: Thread,
    pub phase: Phase,
    pub panic: Goes,
    /// Of a panic after the code has cancelled what it belongs to, if that is somebody else.
    pub panic_after_cancel: Option<Goes>,
    /// `None` where the code can return no error.
    pub error: Option<Goes>,
    /// Whether it belongs to something that it can cancel.
    pub cancels: bool,
    /// Whether it belongs to something with handles that it can drop.
    pub has_handles: bool,
    /// Whether a failed Deferred that is dropped here is told to a sink of the cell, and not to stderr.
    pub has_sink: bool,
    /// What is reported in each cell, whatever the code does.
    pub reports: &'static [Incident],
    /// It is a destructor of a thread-local: Rust ends the process if a panic leaves it.
    pub must_not_panic: bool,
    /// The places in `src/` where this code is called, each a file and a function.
    pub places: &'static [&'static str],
    /// What the builder of the reactor is told.
    pub configure: fn(ReactorBuilder, &Act) -> ReactorBuilder,
    pub install: Install,
}

/// What most sites of the loop's thread have in common.
pub const ON_THE_LOOP: Site = Site {
    name: "",
    thread: Thread::Loop,
    phase: Phase::Running,
    panic: Goes::Told,
    panic_after_cancel: None,
    error: None,
    cancels: false,
    has_handles: false,
    has_sink: true,
    reports: &[],
    must_not_panic: false,
    places: &[],
    configure: |builder, _| builder,
    install: Install::OnLoop(|_, _| ()),
};

pub const ON_A_WORKER: Site = Site { thread: Thread::Worker, ..ON_THE_LOOP };

pub const ELSEWHERE: Site = Site { thread: Thread::Other, has_sink: false, ..ON_THE_LOOP };

/// All sites.
pub fn all() -> impl Iterator<Item = &'static Site> {
    [
        reactors::SITES,
        asks::SITES,
        deferreds::SITES,
        lists::SITES,
        futures::SITES,
        wakers::SITES,
        tasks::SITES,
        coordination::SITES,
        jobs::SITES,
        hooks::SITES,
        failures::SITES,
        leftovers::SITES,
    ]
    .into_iter()
    .flatten()
}
