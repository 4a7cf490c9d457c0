//! The end of a pool's threads: spawns them with their own handle, lets each join the one before it, and waits for all.
//! A shell around `machine::pool::JoinState`.
//!
//! It has an `Arc` and a lock of its own, and no value of the program in it: a thread holds it to its very end, when
//! the pool itself may be gone.

use std::collections::{BTreeMap, LinkedList};
use std::io;
use std::mem;
use std::ptr;
use std::time::Duration;

use super::super::deadline::{Deadline, Epoch};
use super::super::report::{self, Incident, Reporter};
use super::super::sync::{self, Arc, Condvar, Instant, JoinHandle, Mutex, MutexGuard, StdArc, catch};
use super::delaying_stop::DelayingStop;
use super::slots::Slots;
use crate::machine::pool::{self as machine, EndAction, EndWait, WorkerId, WorkerSlot};

/// Called when the pool has stopped.
pub(super) type StopCallback = Box<dyn FnOnce() + Send>;

/// The request of somebody who does not block: to be called when the pool has stopped.
struct Request {
    callback: StopCallback,
    /// The pool's, which may be gone by then.
    reporter: Reporter,
}

/// The threads of a pool that are still to be joined, and those who wait for the end of all.
pub(super) struct ThreadEnds {
    /// The name of the closing thread.
    closing_name: String,
    /// `false` in models of anything else, and for a pool without threads.
    joins: bool,
    locked: Mutex<LockedEnds>,
    /// Callers that wait for the end wait here, with `locked`.
    changed: Condvar,
}

struct LockedEnds {
    machine: machine::JoinState<JoinHandle>,
    /// A list, because adding one to it copies nothing.
    requests: LinkedList<Request>,
    /// The threads that were spawned and have not ended.
    threads: Slots<StdArc<ThreadExit>>,
    /// The one that ended last.
    last: Option<StdArc<ThreadExit>>,
    /// How often a test has let all deadlines pass.
    deadline_epoch: Epoch,
    /// How many of the next starts fail, for a test.
    failures: usize,
    /// Whether a thread was ever spawned.
    had_threads: bool,
    /// Whether one of those who asked to be told of the end has a host.
    wakes_host: bool,
    /// How many threads are telling those who asked for it that the pool has ended.
    announcing: usize,
    /// Reactors on a virtual clock, whose time does not pass while a thread ends, by asker: told when one has ended.
    notes: BTreeMap<usize, RestNote>,
}

/// What tells a reactor to look again.
pub(crate) type RestNote = Box<dyn FnOnce() + Send>;

/// Whether a thread's worker has made its last transition, so that what runs on it are destructors of thread-locals.
///
/// It has a lock of its own, which an exiting thread shares only with callers that list stragglers.
pub(super) struct ThreadExit(Mutex<Option<ExitedWorker>>);

/// A worker that has made its last transition.
#[derive(Clone, Copy)]
pub(super) struct ExitedWorker {
    pub(super) worker: WorkerId,
    pub(super) since: Instant,
    /// It was the last of a pool that was told to stop: when its thread has ended the pool is drained.
    drains: bool,
}

impl ThreadExit {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The worker has made its last transition. `drains`: it was the last of a pool that was told to stop.
    pub(super) fn exited(&self, worker: WorkerId, drains: bool) {
        let since = Instant::now();
        *self.0.lock() = Some(ExitedWorker { worker, since, drains });
    }

    fn get(&self) -> Option<ExitedWorker> {
        *self.0.lock()
    }
}

impl ThreadEnds {
    pub(super) fn new(pool_name: &str, joins: bool) -> Self {
        let locked = LockedEnds {
            machine: machine::JoinState::new(),
            requests: LinkedList::new(),
            threads: Slots::default(),
            last: None,
            deadline_epoch: Epoch::default(),
            failures: 0,
            had_threads: false,
            wakes_host: false,
            announcing: 0,
            notes: BTreeMap::new(),
        };
        Self { closing_name: format!("{pool_name}-end"), joins, locked: Mutex::new(locked), changed: Condvar::new() }
    }

    /// Identifies the pool.
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Spawns the thread of a worker, which runs `body`, then the destructors of its thread-locals, and then says here
    /// that it ends.
    pub(super) fn spawn_worker(
        this: &Arc<Self>,
        name: String,
        stack_size: Option<usize>,
        body: impl FnOnce(&ThreadExit) + Send + 'static,
    ) -> io::Result<()> {
        let exit = StdArc::new(ThreadExit::new());
        if !this.joins {
            let (ends, exited) = (Arc::clone(this), StdArc::clone(&exit));
            let last = move |_own| {
                if exited.get().is_some_and(|exited| exited.drains) {
                    Self::drained(&ends);
                }
            };
            return sync::spawn(name, stack_size, move || body(&exit), last);
        }
        let slot = {
            let mut locked = this.locked.lock();
            locked.fail_start()?;
            locked.machine.spawn();
            locked.had_threads = true;
            locked.threads.insert(StdArc::clone(&exit))
        };
        let (ends, exited) = (Arc::clone(this), StdArc::clone(&exit));
        let last = move |own| Self::ended(&ends, slot, exited.get().is_some_and(|exited| exited.drains), own);
        let spawned = sync::spawn(name, stack_size, move || body(&exit), last);
        if spawned.is_err() {
            let mut locked = this.locked.lock();
            locked.machine.spawn_failed();
            locked.threads.free_slot(slot);
        }
        spawned
    }

    /// The last act of a worker's thread.
    fn ended(this: &Arc<Self>, slot: WorkerSlot, drains: bool, own: JoinHandle) {
        let mut locked = this.locked.lock();
        locked.last = locked.threads.free_slot(slot);
        let (previous, action) = locked.machine.ended(own, drains);
        let notes = mem::take(&mut locked.notes);
        Self::carry_out(this, action, locked);
        tell(notes);
        if let Some(previous) = previous {
            previous.join();
        }
    }

    /// The pool has neither jobs nor workers, and none will come.
    pub(super) fn drained(this: &Arc<Self>) {
        Self::step(this, |locked| locked.machine.drained());
    }

    /// Calls `callback` when all threads have ended, on some thread: perhaps now, on this one. What may be left to be
    /// joined then is a thread that runs no code of the program: see [`join_last`](Self::join_last). `wakes_host`: the
    /// callback may call the hook of a host, which is code of the program.
    pub(super) fn when_ended(this: &Arc<Self>, reporter: &Reporter, wakes_host: bool, callback: StopCallback) {
        let mut request = LinkedList::from([Request { callback, reporter: reporter.clone() }]);
        Self::step(this, |locked| {
            locked.requests.append(&mut request);
            locked.wakes_host |= wakes_host;
            locked.machine.request()
        });
    }

    /// Joins the closing thread, if nobody else does.
    pub(super) fn join_last(this: &Arc<Self>) {
        let left = this.locked.lock().machine.take_left();
        if let Some(handle) = left {
            Self::join(this, handle);
        }
    }

    /// Waits until all threads are joined, for at most `timeout`; returns whether they are.
    pub(super) fn wait(this: &Arc<Self>, timeout: Option<Duration>) -> bool {
        let mut locked = this.locked.lock();
        let deadline = Deadline::new(timeout, locked.deadline_epoch);
        loop {
            match locked.machine.wait(timeout.is_some()) {
                EndWait::Return => return true,
                EndWait::Join(handle) => {
                    drop(locked);
                    Self::join(this, handle);
                    return true;
                }
                EndWait::Close(handle) => {
                    drop(locked);
                    Self::close(this, handle);
                    locked = this.locked.lock();
                    continue;
                }
                EndWait::Sleep => {}
            }
            if deadline.has_passed(locked.deadline_epoch) {
                return false;
            }
            locked = this.changed.wait_for(locked, deadline.remaining());
        }
    }

    /// How many threads of the pool end, which has so many live workers. If there are any, a note is made, which is
    /// called when one has ended. An earlier note of the asker is returned, to be dropped without a lock.
    pub(super) fn ending(
        &self,
        live: usize,
        asker: usize,
        note: impl FnOnce() -> RestNote,
    ) -> (usize, Option<RestNote>) {
        if !self.joins {
            return (0, None);
        }
        let mut locked = self.locked.lock();
        let ending = locked.machine.ending(live);
        match ending + locked.announcing {
            0 => (0, None),
            ending => (ending, locked.notes.insert(asker, note())),
        }
    }

    /// The asker is told no more.
    pub(super) fn forget(&self, asker: usize) {
        if !self.joins {
            return;
        }
        let forgotten = self.locked.lock().notes.remove(&asker);
        drop(forgotten);
    }

    /// Whether the pool is drained and all its threads have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.locked.lock().machine.has_ended()
    }

    /// Workers that have exited, and whose threads have not ended, or are not joined.
    pub(super) fn exited_workers(&self) -> Vec<ExitedWorker> {
        let exits: Vec<_> = {
            let locked = self.locked.lock();
            let unjoined = if locked.machine.has_ended() { locked.last.as_ref() } else { None };
            locked.threads.iter().chain(unjoined).map(StdArc::clone).collect()
        };
        exits.iter().filter_map(|exit| exit.get()).collect()
    }

    /// Lets every deadline pass that a caller waits for now.
    pub(super) fn let_deadlines_pass(&self) {
        self.locked.lock().deadline_epoch.advance();
        self.wake_spuriously();
    }

    /// Wakes those who wait for the end.
    pub(super) fn wake_spuriously(&self) {
        self.changed.notify_all();
    }

    /// Lets the next `count` starts fail, of workers' threads and of the closing thread.
    pub(super) fn fail_starts(&self, count: usize) {
        self.locked.lock().failures = count;
    }

    /// Fails if a test has asked for the next start to fail.
    pub(super) fn fail_start(&self) -> io::Result<()> {
        self.locked.lock().fail_start()
    }

    /// Makes a transition, unlocks, and carries out what it returned.
    fn step(this: &Arc<Self>, transition: impl FnOnce(&mut LockedEnds) -> EndAction<JoinHandle>) {
        let mut locked = this.locked.lock();
        let action = transition(&mut locked);
        Self::carry_out(this, action, locked);
    }

    fn carry_out(this: &Arc<Self>, action: EndAction<JoinHandle>, mut locked: MutexGuard<'_, LockedEnds>) {
        // Under the same hold of the lock as the transition, so that only one caller gets them.
        let (requests, notes) = if matches!(action, EndAction::Announce) {
            (mem::take(&mut locked.requests), mem::take(&mut locked.notes))
        } else {
            (LinkedList::new(), BTreeMap::new())
        };
        // Until all have been told, this counts as a thread that ends: virtual time must not pass before that.
        let announces = locked.had_threads && !requests.is_empty();
        locked.announcing += usize::from(announces);
        drop(locked);
        match action {
            EndAction::Nothing => {}
            EndAction::Wake => this.changed.notify_all(),
            EndAction::Close(last) => Self::close(this, last),
            EndAction::Announce => {
                this.changed.notify_all();
                // The sink goes first, if this has the last pointer to it: the drop of what it captured may ask a
                // reactor, which joins this thread once it has been told.
                let callbacks: Vec<_> = requests.into_iter().map(|request| request.callback).collect();
                for callback in callbacks {
                    if let Err(panic) = catch(callback) {
                        report::report(Incident::Job, &panic, None);
                    }
                }
            }
        }
        if announces {
            let mut locked = this.locked.lock();
            locked.announcing -= 1;
            let later = mem::take(&mut locked.notes);
            drop(locked);
            tell(later);
        }
        tell(notes);
    }

    /// Reports that the closing thread could not be started: to the sink of the first request, or of this thread.
    #[cold]
    fn report(&self, error: &io::Error) {
        let reporter = self.locked.lock().requests.front().map(|request| request.reporter.clone());
        match reporter {
            Some(reporter) => reporter.report(Incident::ThreadStart, error, None),
            None => report::report(Incident::ThreadStart, error, None),
        }
    }

    fn join(this: &Arc<Self>, handle: JoinHandle) {
        handle.join();
        Self::step(this, |locked| locked.machine.joined());
    }

    /// Spawns the closing thread, which joins the last thread of a worker. It runs no code of the program.
    fn close(this: &Arc<Self>, last: JoinHandle) {
        // It stays here if the closing thread cannot be started.
        let last = StdArc::new(Mutex::new(Some(last)));
        let (to_join, ends) = (StdArc::clone(&last), Arc::clone(this));
        let joins = move || {
            let last = to_join.lock().take();
            if let Some(last) = last {
                JoinHandle::join(last);
            }
        };
        let closed = move |own| {
            Self::step(&ends, |locked| {
                let left = if locked.wakes_host { None } else { Some(own) };
                locked.machine.closed(left)
            });
        };
        let name = this.closing_name.clone();
        if let Err(error) = this.fail_start().and_then(|()| sync::spawn(name, None, joins, closed)) {
            let delaying = DelayingStop::of(this.address());
            this.report(&error);
            drop(delaying);
            let last = last.lock().take();
            if let Some(last) = last {
                Self::step(this, |locked| locked.machine.not_closed(last));
            }
        }
    }
}

/// Called without a lock.
fn tell(notes: BTreeMap<usize, RestNote>) {
    notes.into_values().for_each(|note| note());
}

impl LockedEnds {
    fn fail_start(&mut self) -> io::Result<()> {
        if self.failures == 0 {
            return Ok(());
        }
        self.failures -= 1;
        Err(io::Error::new(io::ErrorKind::WouldBlock, "a thread whose start was to fail"))
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::mpsc;

    use super::super::super::reactor::Reactor;
    use super::super::super::sync::check_on_threads;
    use super::super::{StopPolicy, ThreadPool};
    use super::{EndWait, ThreadEnds};

    // Checks: B42
    #[test]
    fn a_reactor_that_waits_for_a_pools_end_joins_its_closing_thread() {
        check_on_threads(|| {
            let pool = ThreadPool::new(1, 1).expect("the sizes are valid");
            pool.start().expect("it is new");
            let reactor = Reactor::new();
            let handle = reactor.handle();
            drop(pool.stopped(&reactor).add_callback(move |()| handle.stop()));
            pool.ask_to_stop(StopPolicy::Drain);
            let own = reactor.thread_pool().clone();
            assert!(own.call_in_thread(|| ()).is_ok());
            reactor.run();
            for pool in [pool, own] {
                let left = pool.owner.shared.ends.locked.lock().machine.wait(false);
                assert!(matches!(left, EndWait::Return), "{left:?}");
            }
        });
    }

    // Checks: P88
    #[test]
    fn whoever_is_held_up_by_the_join_of_the_last_thread_is_told_of_it() {
        check_on_threads(|| {
            let pool = ThreadPool::new(1, 1).expect("the sizes are valid");
            pool.start().expect("it is new");
            pool.ask_to_stop(StopPolicy::Drain);
            let ends = &pool.owner.shared.ends;
            let mut looks = iter::repeat_with(|| ends.locked.lock().machine.wait(false));
            let last = looks.find_map(|left| if let EndWait::Join(last) = left { Some(last) } else { None });
            let (tells, told) = mpsc::channel();
            let (ending, _) = ends.ending(0, 0, || Box::new(move || tells.send(()).unwrap_or_default()));
            assert_eq!(ending, 1);
            ThreadEnds::join(ends, last.expect("it looks until the thread has ended"));
            assert_eq!(told.try_recv(), Ok(()));
        });
    }
}
