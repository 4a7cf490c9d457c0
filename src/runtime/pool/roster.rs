//! The threads of a pool: started and joined by one caller at a time.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::sync::Arc as StdArc;

use super::super::report::Incident;
use super::super::sync::{self, Arc, JoinHandle};
use super::hooks::Worker;
use super::shared::Shared;
use super::worker;
use crate::error::NeverRan;
use crate::machine::pool::{self as machine, Spawn, WorkerId};

/// Threads that are not joined yet.
///
/// Guards no state machine: it is held while threads are joined and started, so that whoever finds a worker retired finds its handle here, and nobody
/// starts a thread in the place of one that has not ended. Taken before the workers' lock, never after it.
#[derive(Default)]
pub(super) struct Roster {
    threads: BTreeMap<WorkerId, JoinHandle>,
    /// So many starts are to fail, in a test.
    failures: usize,
}

impl Roster {
    /// Waits for these threads, as far as they are not joined yet.
    fn join(&mut self, workers: &[WorkerId]) {
        for handle in workers.iter().filter_map(|id| self.threads.remove(id)) {
            handle.join();
        }
    }
}

impl Shared {
    pub(super) fn start_threads(this: &Arc<Self>, spawn: Spawn) {
        if worker::leaves() {
            // Whoever joins this thread holds the roster meanwhile, so somebody else has to wait for it.
            let (shared, count) = (Arc::clone(this), spawn.count);
            let begun =
                sync::spawn(format!("{}-starter", this.name), None, move || Self::start_threads(&shared, spawn));
            if let Err(error) = begun {
                Self::start_failed(this, count, error);
            }
            return;
        }
        let mut roster = this.roster.lock();
        if spawn.join_first > 0 {
            this.join_retired(&mut roster);
        }
        for begun in 0..spawn.count {
            let id = spawn.first + begun;
            match Self::start_thread(this, &mut roster, id) {
                Ok(Some(handle)) => drop(roster.threads.insert(id, handle)),
                Ok(None) => {}
                Err(error) => {
                    drop(roster);
                    Self::start_failed(this, spawn.count - begun, error);
                    return;
                }
            }
        }
    }

    /// A worker without a thread has no handle.
    fn start_thread(this: &Arc<Self>, roster: &mut Roster, id: WorkerId) -> io::Result<Option<JoinHandle>> {
        if roster.failures > 0 {
            roster.failures -= 1;
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "a thread whose start was to fail"));
        }
        if let Some(bench) = &this.bench {
            bench.seat(id);
            return Ok(None);
        }
        let shared = Arc::clone(this);
        let name = Worker::new(&this.name, id).thread_name();
        sync::spawn(name, this.stack_size, move || worker::work(shared, id)).map(Some)
    }

    fn start_failed(this: &Arc<Self>, count: usize, error: io::Error) {
        let (failed, farewells) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let failed = machine::spawn_failed(&mut workers.machine, &mut submit_queue, count);
            let farewells = workers.farewells(failed.stopped);
            (failed, farewells)
        };
        this.reporter.report(Incident::ThreadStart, &error, None);
        let told = this.tell(failed.refused, &NeverRan::ThreadStart(StdArc::new(error)));
        Self::carry_out(this, failed.wakeups);
        this.take_leave(farewells.or(told));
    }

    /// The next `count` starts fail.
    pub(super) fn fail_starts(&self, count: usize) {
        self.roster.lock().failures = count;
    }

    /// Waits for the threads of a pool that has stopped: all that are left have retired, and no more are started.
    pub(super) fn join_last(&self) {
        let mut roster = self.roster.lock();
        for (_, handle) in mem::take(&mut roster.threads) {
            handle.join();
        }
    }

    /// A worker that has retired waits for the threads of those that have too, as long as there are any. It does not wait for the roster: whoever holds it may be
    /// waiting for this very thread.
    pub(super) fn join_others(&self, me: WorkerId) {
        let Some(mut roster) = self.roster.try_lock() else { return };
        loop {
            let retired = self.workers.lock().machine.take_unjoined_except(me);
            if retired.is_empty() {
                return;
            }
            roster.join(&retired);
        }
    }

    /// Waits for the threads of workers that have made their last transition. They never wait for the roster, so it may be held meanwhile;
    /// it must be: whoever finds nobody left to join has to find that they have ended.
    fn join_retired(&self, roster: &mut Roster) {
        let retired = self.workers.lock().machine.take_unjoined();
        roster.join(&retired);
    }
}
