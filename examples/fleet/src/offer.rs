//! Offers the files of a tree to the fleet, collects what becomes of them, and prints what hash_tree would.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use selvedge::reactor::{Event, Phase};
use selvedge::task::LoopingCall;
use selvedge::threads::defer_to_thread;
use selvedge::{Deferred, Failure, LocalHandle, Reactor, ThreadPool};

use crate::arguments::{Fleet, Offer as Arguments};
use crate::digest::Algorithm;
use crate::ledger::{Action, Counts, Ledger};
use crate::link::{self, Link};
use crate::progress::Progress;
use crate::results::Results;
use crate::say::say;
use crate::signals;
use crate::store::{Audited, Begun, Collected};
use crate::walk::{Step, Walk};
use crate::{INCOMPLETE, INTERRUPTED, UNUSABLE};

/// How often everybody sees the counts.
const PUBLISH: Duration = Duration::from_millis(300);

/// Belongs to the reactor's thread: a `RefCell` and no lock. Jobs never use it: the callbacks of their Deferreds do.
struct Offer {
    local: LocalHandle,
    run: Arc<str>,
    /// Two connections, because one of them waits for results.
    sending: Rc<Link>,
    collecting: Rc<Link>,
    state: RefCell<State>,
    /// [`act`](Offer::act) runs further up this thread's stack.
    acting: Cell<bool>,
}

struct State {
    ledger: Ledger,
    /// A job has it, or it is over, if it is not here.
    walk: Option<Walk>,
    results: Results,
    /// Nothing was left out so far.
    complete: bool,
    end: End,
}

/// Why the reactor stops.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// It does not.
    NotYet,
    /// A signal.
    Interrupted,
    Finished,
    /// Another offer has the fleet.
    Refused(String),
}

/// Returns the exit code.
pub fn offer(fleet: &Fleet, arguments: &Arguments) -> Result<u8, Failure> {
    let root = arguments.root();
    let metadata = fs::metadata(root).map_err(|error| Failure::msg(format!("{root:?}: {error}")))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Failure::msg(format!("{root:?}: neither a file nor a directory")));
    }
    let store = Arc::new(fleet.store()?);
    let reactor = Reactor::builder()
        .pool_size(0, 1)
        .add_pool(link::POOL, ThreadPool::builder().size(0, 2))
        .on_report(|report| say(report))
        .build()?;
    signals::stop_on_signal(reactor.handle())?;
    let offer = Rc::new(Offer {
        local: reactor.local(),
        run: run_name().into(),
        sending: Link::new("offers", &reactor, &store)?,
        collecting: Link::new("results", &reactor, &store)?,
        state: RefCell::new(State {
            ledger: Ledger::new(arguments.ahead()),
            walk: Some(Walk::of_tree(root)),
            results: Results::lines(),
            complete: true,
            end: End::NotYet,
        }),
        acting: Cell::new(false),
    });
    let this = Rc::clone(&offer);
    reactor.call_when_running(move |_| this.begin());
    reactor.run();

    let mut state = offer.state.borrow_mut();
    match &state.end {
        End::NotYet | End::Interrupted => {
            let Counts { found, done, .. } = state.ledger.counts();
            say(format_args!("interrupted: {done} of the {found} files found so far are done"));
            return Ok(INTERRUPTED);
        }
        End::Refused(other) => {
            say(format_args!("another offer has this fleet ({other}): wait for it, or take another --name"));
            return Ok(UNUSABLE);
        }
        End::Finished => {}
    }
    let aside: Vec<_> = state.ledger.set_aside().map(|(path, error)| format!("{path:?}: {error}")).collect();
    aside.iter().for_each(say);
    let written = print(&mut state.results);
    if let Err(error) = &written {
        say(format_args!("standard output: {error}"));
    }
    Ok(if state.complete && aside.is_empty() && written.is_ok() { 0 } else { INCOMPLETE })
}

impl Offer {
    /// Takes the fleet, and then offers files.
    fn begin(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let run = Arc::clone(&self.run);
        let begun = self.sending.insist(move |store, connection| store.begin(connection, &run));
        begun.add_both(move |begun| match begun {
            Ok(Begun::Now) => this.begun(),
            Ok(Begun::Busy { other }) => this.end(End::Refused(other)),
            // The reactor has stopped.
            Err(_) => {}
        });
    }

    fn begun(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let publishing = LoopingCall::new(move |_| {
            this.state.borrow_mut().ledger.tick();
            this.act();
        });
        let this = Rc::clone(self);
        let started = self.local.with(move |reactor| {
            // A signal: whoever comes next need not wait until the name has expired.
            reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| this.leave());
            publishing.start(reactor, PUBLISH).map(Deferred::log_error)
        });
        if let Ok(Err(error)) = started {
            say(error);
        }
        self.act();
    }

    /// Does whatever the ledger wants done.
    fn act(self: &Rc<Self>) {
        // A Deferred that has fired already calls this from inside the loop below, and the loop then continues.
        if self.acting.replace(true) {
            return;
        }
        while let Some(action) = self.next_action() {
            match action {
                Action::Walk => self.walk(),
                Action::Collect(cursor) => self.collect(cursor),
                Action::Offer(files) => {
                    let run = Arc::clone(&self.run);
                    let sent = self.sending.run(move |store, connection| store.offer(connection, &run, files));
                    self.then(sent, |this, sent| this.state.borrow_mut().ledger.sent(sent.is_ok()));
                }
                Action::Audit => self.audit(),
                Action::Publish(counts) => self.publish(counts),
                Action::Finish(counts) => self.finish(counts),
            }
        }
        self.acting.set(false);
    }

    /// None after the reactor's end, when each action would fail at once.
    fn next_action(&self) -> Option<Action> {
        let mut state = self.state.borrow_mut();
        if state.end != End::NotYet || self.local.has_ended() {
            return None;
        }
        state.ledger.next_action()
    }

    /// Hands on what became of an action, and then does whatever is to be done next.
    fn then<T: 'static>(self: &Rc<Self>, done: Deferred<T>, f: impl FnOnce(&Rc<Self>, Result<T, Failure>) + 'static) {
        let this = Rc::clone(self);
        done.add_both(move |result| {
            f(&this, result);
            this.act();
        });
    }

    fn walk(self: &Rc<Self>) {
        let Some(walk) = self.state.borrow_mut().walk.take() else { return };
        let job = move || walk.next_step(&Progress::default());
        let Ok(step) = self.local.with(|reactor| defer_to_thread(reactor, job)) else { return };
        self.then(step, |this, step| this.walked(step));
    }

    fn walked(&self, step: Result<Step, Failure>) {
        let (batch, rest) = step.unwrap_or_else(|failure| (vec![Err(failure.to_string())], None));
        let mut files = Vec::new();
        for found in batch {
            match found {
                Ok(found) => files.push(found.path),
                Err(unreadable) => self.leave_out(unreadable),
            }
        }
        let mut state = self.state.borrow_mut();
        state.ledger.walked(files, rest.is_none());
        state.walk = rest;
    }

    fn collect(self: &Rc<Self>, cursor: crate::entry::StreamId) {
        let run = Arc::clone(&self.run);
        let collected = self.collecting.run(move |store, connection| store.collect(connection, &run, cursor));
        self.then(collected, |this, collected| this.collected(collected));
    }

    fn collected(&self, collected: Result<Collected, Failure>) {
        let Ok(Collected { outcomes, unreadable, cursor }) = collected else {
            let ledger = &mut self.state.borrow_mut().ledger;
            ledger.doubt();
            return ledger.collected(None);
        };
        unreadable.iter().for_each(say);
        let State { ledger, results, .. } = &mut *self.state.borrow_mut();
        for outcome in &outcomes {
            if let (Some(path), Ok(digest)) = (ledger.settle(outcome), &outcome.result) {
                results.add(outcome.number as usize, &path, digest);
            }
        }
        ledger.collected(cursor);
    }

    fn audit(self: &Rc<Self>) {
        let run = Arc::clone(&self.run);
        let audited = self.sending.run(move |store, connection| store.audit(connection, &run));
        self.then(audited, |this, audited| {
            let ledger = &mut this.state.borrow_mut().ledger;
            match audited {
                Ok(Audited { listed, last }) => ledger.audited(&listed, last),
                Err(_) => ledger.sent(false),
            }
        });
    }

    fn publish(self: &Rc<Self>, counts: Counts) {
        let run = Arc::clone(&self.run);
        let published = self.sending.run(move |store, connection| store.publish(connection, &run, counts));
        self.then(published, |this, published| {
            this.state.borrow_mut().ledger.sent(published.is_ok());
            if let Ok(Some(other)) = published {
                this.end(End::Refused(other));
            }
        });
    }

    fn finish(self: &Rc<Self>, counts: Counts) {
        let (this, run) = (Rc::clone(self), Arc::clone(&self.run));
        let finished = self.sending.insist(move |store, connection| store.finish(connection, &run, counts));
        finished.add_both(move |finished| {
            // If not, the reactor has stopped.
            if finished.is_ok() {
                this.end(End::Finished);
            }
        });
    }

    fn end(&self, end: End) {
        self.state.borrow_mut().end = end;
        self.local.stop();
    }

    /// Once only, and without a wait for Redis to come back.
    fn leave(&self) -> Deferred<()> {
        let mut state = self.state.borrow_mut();
        if state.end != End::NotYet {
            return Deferred::succeed(());
        }
        state.end = End::Interrupted;
        drop(state);
        let (run, counts) = (Arc::clone(&self.run), self.state.borrow().ledger.counts());
        let left = self.sending.run(move |store, connection| store.finish(connection, &run, counts));
        left.add_errback(|_said| ())
    }

    /// Says it now, and changes the exit code.
    fn leave_out(&self, what: impl Display) {
        say(what);
        self.state.borrow_mut().complete = false;
    }
}

/// No two offers have the same.
fn run_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{:x}", hostname(), process::id(), now.as_nanos())
}

/// The name of this host, or else something that is none.
pub fn hostname() -> String {
    let name = fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    if name.trim().is_empty() { "host".to_owned() } else { name.trim().to_owned() }
}

fn print(results: &mut Results) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match results.print(Algorithm::Sha256, &mut out).and_then(|()| out.flush()) {
        // The reader has closed the pipe (`| head`), which is not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
