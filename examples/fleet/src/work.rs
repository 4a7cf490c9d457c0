//! A worker: takes files from the fleet, hashes them on its threads, and reports.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use selvedge::deferred::CancelHandle;
use selvedge::reactor::{Event, Phase};
use selvedge::task::LoopingCall;
use selvedge::threads::defer_to_thread;
use selvedge::{Deferred, Failure, Job, LocalHandle, Reactor, Resolver, ThreadPool};

use crate::arguments::{Fleet, Work as Arguments};
use crate::claims::{Action, Claims, Report};
use crate::digest::{self, Algorithm};
use crate::entry::{Entry, StreamId};
use crate::link::{self, Link};
use crate::offer::hostname;
use crate::progress::Progress;
use crate::say::say;
use crate::signals;
use crate::store::Taken;

/// In hand is renewed so often in the time after which it would be taken over.
const RENEWALS: u32 = 4;

/// Belongs to the reactor's thread: a `RefCell` and no lock. Jobs never use it: the callbacks of their Deferreds do.
struct Worker {
    local: LocalHandle,
    name: Arc<str>,
    directory: PathBuf,
    progress: Progress,
    /// Two connections, because one of them waits for files.
    taking: Rc<Link>,
    reporting: Rc<Link>,
    state: RefCell<State>,
    /// [`act`](Worker::act) runs further up this thread's stack.
    acting: Cell<bool>,
}

struct State {
    claims: Claims,
    /// Of the files that are hashed.
    cancels: BTreeMap<StreamId, CancelHandle>,
    /// Shutdown waits for it.
    stopped: Option<Resolver<()>>,
    hashed: u64,
    given_back: u64,
}

/// Returns the exit code.
pub fn work(fleet: &Fleet, arguments: &Arguments) -> Result<u8, Failure> {
    check(arguments.directory())?;
    let store = Arc::new(fleet.store()?);
    let threads = arguments.threads();
    let reactor = Reactor::builder()
        .pool_size(threads, threads)
        .add_pool(link::POOL, ThreadPool::builder().size(0, 2))
        .on_report(|report| say(report))
        .build()?;
    signals::stop_on_signal(reactor.handle())?;
    let worker = Rc::new(Worker {
        local: reactor.local(),
        name: arguments.known_as().unwrap_or_else(|| format!("{}-{}", hostname(), process::id())).into(),
        directory: arguments.directory().to_owned(),
        progress: Progress { rate: arguments.rate() },
        taking: Link::new("files", &reactor, &store)?,
        reporting: Link::new("reports", &reactor, &store)?,
        state: RefCell::new(State {
            claims: Claims::new(threads, arguments.tries()),
            cancels: BTreeMap::new(),
            stopped: None,
            hashed: 0,
            given_back: 0,
        }),
        acting: Cell::new(false),
    });
    worker.start(&reactor, store.takeover() / RENEWALS);
    say(format_args!("{}: at work", worker.name));
    reactor.run();
    let state = worker.state.borrow();
    say(format_args!("{}: {} files hashed, {} given back", worker.name, state.hashed, state.given_back));
    Ok(0)
}

impl Worker {
    fn start(self: &Rc<Self>, reactor: &Reactor, renewal: Duration) {
        let this = Rc::clone(self);
        reactor.call_when_running(move |_| this.act());
        let this = Rc::clone(self);
        reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| this.stop());
        let this = Rc::clone(self);
        let renewing = LoopingCall::new(move |_| {
            this.state.borrow_mut().claims.renew();
            this.act();
        });
        match renewing.start_later(reactor, renewal) {
            Ok(running) => running.log_error(),
            Err(error) => say(error),
        }
    }

    /// Does whatever the claims want done.
    fn act(self: &Rc<Self>) {
        // A Deferred that has fired already calls this from inside the loop below, and the loop then continues.
        if self.acting.replace(true) {
            return;
        }
        while let Some(action) = self.next_action() {
            match action {
                Action::Hash(entry) => self.hash(entry),
                Action::Take(room) => self.take(room),
                Action::Report(reports) => self.report(reports),
                Action::Renew(held) => self.renew(held),
                Action::Stopped => self.stopped(),
            }
        }
        self.acting.set(false);
    }

    /// None after the reactor's end, when each action would fail at once.
    fn next_action(&self) -> Option<Action> {
        if self.local.has_ended() { None } else { self.state.borrow_mut().claims.next_action() }
    }

    /// Hands on what became of an action, and then does whatever is to be done next.
    fn then<T: 'static>(self: &Rc<Self>, done: Deferred<T>, f: impl FnOnce(&Self, Result<T, Failure>) + 'static) {
        let this = Rc::clone(self);
        done.add_both(move |result| {
            f(&this, result);
            this.act();
        });
    }

    fn hash(self: &Rc<Self>, entry: Entry) {
        let (id, progress) = (entry.id, self.progress);
        let path = self.directory.join(&entry.path);
        let job =
            Job::new(move || digest::of_file(&path, Algorithm::Sha256, &progress)).named(entry.path.to_string_lossy());
        let Ok(hashed) = self.local.with(|reactor| defer_to_thread(reactor, job)) else { return };
        let (hashed, cancel) = hashed.with_cancel_handle();
        self.state.borrow_mut().cancels.insert(id, cancel);
        self.then(hashed, move |this, result| {
            let state = &mut *this.state.borrow_mut();
            state.cancels.remove(&id);
            state.claims.hashed(
                id,
                match result {
                    Ok(Some(digest)) => Ok(digest.into_vec()),
                    // Another worker has it.
                    Ok(None) => Err("interrupted".to_owned()),
                    Err(failure) => Err(failure.to_string()),
                },
            );
        });
    }

    fn take(self: &Rc<Self>, room: usize) {
        let name = Arc::clone(&self.name);
        let taken = self.taking.run(move |store, connection| store.take(connection, &name, room));
        self.then(taken, |this, taken| {
            let Taken { entries, taken_over, unreadable } = taken.unwrap_or_default();
            unreadable.iter().for_each(say);
            if taken_over > 0 {
                say(format_args!("{}: takes over {taken_over} files", this.name));
            }
            this.state.borrow_mut().claims.taken(entries);
        });
    }

    fn report(self: &Rc<Self>, reports: Vec<Report>) {
        let name = Arc::clone(&self.name);
        let (mut hashed, mut given_back) = (0, 0);
        for report in &reports {
            match report {
                Report::Done { .. } => hashed += 1,
                Report::GivenBack { .. } => given_back += 1,
                Report::Failed { entry, error } => say(format_args!("{:?}: {error}; tried again", entry.path)),
                Report::SetAside { entry, error } => say(format_args!("{:?}: {error}; set aside", entry.path)),
            }
        }
        let reported = self.reporting.run(move |store, connection| store.report(connection, &name, &reports));
        self.then(reported, move |this, reported| {
            let state = &mut *this.state.borrow_mut();
            state.claims.reported(reported.is_ok());
            if reported.is_ok() {
                state.hashed += hashed;
                state.given_back += given_back;
            }
        });
    }

    fn renew(self: &Rc<Self>, held: Vec<StreamId>) {
        let (name, ids) = (Arc::clone(&self.name), held.clone());
        let renewed = self.reporting.run(move |store, connection| store.renew(connection, &name, &ids));
        self.then(renewed, move |this, mine| {
            let mut state = this.state.borrow_mut();
            let lost = state.claims.renewed(&held, mine.as_ref().ok());
            let cancels: Vec<_> = lost.iter().filter_map(|id| state.cancels.remove(id)).collect();
            drop(state);
            if !cancels.is_empty() {
                say(format_args!("{}: {} files were taken over by others", this.name, cancels.len()));
            }
            cancels.iter().for_each(CancelHandle::cancel);
        });
    }

    /// Shutdown goes on when what runs is finished and the rest is given back.
    fn stop(self: &Rc<Self>) -> Deferred<()> {
        let (stopped, resolver) = Deferred::new();
        let mut state = self.state.borrow_mut();
        state.claims.stop();
        state.stopped = Some(resolver);
        drop(state);
        self.act();
        stopped
    }

    fn stopped(&self) {
        let resolver = self.state.borrow_mut().stopped.take();
        if let Some(resolver) = resolver {
            resolver.callback(());
        }
    }
}

/// Whether the directory can be worked in: said before anything is taken.
fn check(directory: &Path) -> Result<(), Failure> {
    match directory.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Failure::msg(format!("{directory:?}: no directory"))),
        Err(error) => Err(Failure::msg(format!("{directory:?}: {error}"))),
    }
}
