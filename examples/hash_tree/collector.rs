//! The reactor's side of the work: keeps a fixed number of jobs in flight and collects their results.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Display;
use std::mem;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use selvedge::threads::defer_to_thread;
use selvedge::{Failure, Job, LocalHandle, Reactor};

use crate::arguments::Arguments;
use crate::digest::{self, Algorithm, Digest};
use crate::progress::Progress;
use crate::results::Results;
use crate::walk::{Found, Step, Walk};

/// Files in flight for each thread: one that it reads, and others in the pool's queue, so that it need not wait for the
/// reactor. Those are only paths: no more files are open than there are threads.
const FILES_PER_THREAD: usize = 16;

/// The walk continues while fewer files than this wait to be sent to the pool.
const ENOUGH_WAITING: usize = 256;

/// Belongs to the reactor's thread (it is not `Send`), so it needs a `RefCell` and no lock. Jobs never use it: the
/// callbacks of their Deferreds do.
pub struct Collector {
    /// Does not keep the reactor alive, so callbacks that hold the collector make no cycle.
    reactor: LocalHandle,
    progress: Arc<Progress>,
    algorithm: Algorithm,
    /// Jobs have the names of their files, for the trace.
    named: bool,
    state: RefCell<State>,
}

struct State {
    walk: Walking,
    /// Found, and not yet in flight: never more than [`ENOUGH_WAITING`] and one batch of the walk.
    waiting: VecDeque<Found>,
    /// Handed to the pool, and not yet back.
    in_flight: usize,
    most_in_flight: usize,
    /// `schedule` is running further up this thread's stack.
    scheduling: bool,
    results: Results,
    /// Nothing was left out so far.
    complete: bool,
}

enum Walking {
    /// Enough files wait; no job reads directories.
    Paused(Walk),
    /// A job has it.
    InFlight,
    /// The whole tree has been seen.
    Over,
}

impl Collector {
    /// Begins when the reactor runs, and stops the reactor when all files are done.
    pub fn start(
        reactor: &Reactor,
        (walk, results): (Walk, Results),
        arguments: &Arguments,
        progress: Arc<Progress>,
    ) -> Rc<Collector> {
        let collector = Rc::new(Collector {
            reactor: reactor.local(),
            progress,
            algorithm: arguments.algorithm(),
            named: arguments.trace().is_some(),
            state: RefCell::new(State {
                walk: Walking::Paused(walk),
                waiting: VecDeque::new(),
                in_flight: 0,
                most_in_flight: arguments.threads() * FILES_PER_THREAD,
                scheduling: false,
                results,
                complete: true,
            }),
        });
        let this = Rc::clone(&collector);
        reactor.call_when_running(move |reactor| this.schedule(reactor));
        collector
    }

    /// What was hashed, and whether that is everything.
    pub fn take_results(&self) -> (Results, bool) {
        let mut state = self.state.borrow_mut();
        (mem::replace(&mut state.results, Results::lines()), state.complete)
    }

    /// Sends files to the pool up to the limit, continues the walk if few files wait, and stops the reactor when all is
    /// done.
    fn schedule(self: &Rc<Self>, reactor: &Reactor) {
        // A reactor that stops takes no more jobs. A Deferred that has failed already (no thread could be started)
        // calls this function from inside the loop below, and the loop then continues.
        if self.progress.is_interrupted() || self.state.borrow().scheduling {
            return;
        }
        self.state.borrow_mut().scheduling = true;
        while let Some(found) = self.next_file() {
            self.hash(reactor, found);
        }
        if let Some(walk) = self.next_walk() {
            self.walk(reactor, walk);
        }
        let mut state = self.state.borrow_mut();
        state.scheduling = false;
        if state.is_done() {
            // Fails only if Ctrl-C has stopped the reactor already.
            _ = reactor.stop();
        }
    }

    fn next_file(&self) -> Option<Found> {
        self.state.borrow_mut().next_file()
    }

    fn next_walk(&self) -> Option<Walk> {
        self.state.borrow_mut().next_walk()
    }

    fn hash(self: &Rc<Self>, reactor: &Reactor, Found { number, path }: Found) {
        let this = Rc::clone(self);
        let (algorithm, progress) = (self.algorithm, Arc::clone(&self.progress));
        let file = path.clone();
        let mut job = Job::new(move || digest::of_file(&file, algorithm, &progress));
        if self.named {
            job = job.named(path.to_string_lossy());
        }
        defer_to_thread(reactor, job).add_both(move |result| this.hashed(number, path, result));
    }

    fn hashed(self: &Rc<Self>, number: usize, path: PathBuf, result: Result<Option<Digest>, Failure>) {
        self.state.borrow_mut().in_flight -= 1;
        match result {
            Ok(Some(digest)) => {
                self.progress.hashed_file();
                self.state.borrow_mut().results.add(number, &path, &digest);
            }
            // Interrupted: `main` knows.
            Ok(None) => {}
            Err(error) => self.leave_out(format_args!("{path:?}: {error}")),
        }
        self.schedule_next();
    }

    fn walk(self: &Rc<Self>, reactor: &Reactor, walk: Walk) {
        let this = Rc::clone(self);
        let progress = Arc::clone(&self.progress);
        defer_to_thread(reactor, move || walk.next_step(&progress)).add_both(move |step| this.walked(step));
    }

    fn walked(self: &Rc<Self>, step: Result<Step, Failure>) {
        let (batch, rest) = step.unwrap_or_else(|failure| (vec![Err(failure.to_string())], None));
        self.state.borrow_mut().walk = rest.map_or(Walking::Over, Walking::Paused);
        for found in batch {
            match found {
                Ok(found) => self.state.borrow_mut().waiting.push_back(found),
                Err(unreadable) => self.leave_out(unreadable),
            }
        }
        self.schedule_next();
    }

    /// Prints it now, and changes the exit code.
    fn leave_out(&self, what: impl Display) {
        self.progress.say(what);
        self.state.borrow_mut().complete = false;
    }

    /// [`schedule`](Self::schedule) for a Deferred's callback, which is not given the reactor. After the reactor's end
    /// there is nothing to do.
    fn schedule_next(self: &Rc<Self>) {
        _ = self.reactor.with(|reactor| self.schedule(reactor));
    }
}

impl State {
    fn next_file(&mut self) -> Option<Found> {
        if self.in_flight == self.most_in_flight {
            return None;
        }
        let found = self.waiting.pop_front()?;
        self.in_flight += 1;
        Some(found)
    }

    fn next_walk(&mut self) -> Option<Walk> {
        if self.waiting.len() >= ENOUGH_WAITING {
            return None;
        }
        match mem::replace(&mut self.walk, Walking::InFlight) {
            Walking::Paused(walk) => Some(walk),
            other => {
                self.walk = other;
                None
            }
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.walk, Walking::Over) && self.waiting.is_empty() && self.in_flight == 0
    }
}
