//! Wakes workers, and starts and joins their threads, as the machine's transitions require.

use std::io;
use std::mem;

use super::super::report::Incident;
use super::super::sync::{self, Arc, JoinHandle, StdArc};
use super::context;
use super::hooks::Worker;
use super::shared::{JoinHandles, Shared, WorkerHost};
use crate::error::{NeverRan, Saturated};
use crate::machine::pool::{self as machine, Notify, Spawn, Wakeups, WorkerId};

impl Shared {
    /// Carries out what a transition returned. Called without a lock.
    #[inline]
    pub(super) fn carry_out(this: &Arc<Self>, wakeups: Wakeups) {
        this.wake_workers(wakeups.workers);
        match wakeups.submitters {
            Notify::Nobody => {}
            Notify::One => this.not_full.notify_one(),
            Notify::All => this.not_full.notify_all(),
        }
        if wakeups.spawn.count > 0 {
            Self::start_threads(this, wakeups.spawn);
        }
        if wakeups.report_saturation {
            this.reporter.report(Incident::Saturated, &Saturated, None);
        }
    }

    /// Wakes idle workers. To wake more than a transition asks for is safe: wakes may be spurious.
    pub(super) fn wake_workers(&self, whom: Notify) {
        match (whom, &self.host) {
            (Notify::Nobody, _) => {}
            (Notify::One, WorkerHost::Threads(_)) => {
                self.idle_hint.take();
                self.work_available.notify_one();
            }
            (Notify::All, WorkerHost::Threads(_)) => {
                self.idle_hint.set(0);
                self.work_available.notify_all();
            }
            (_, WorkerHost::Stepper(workers)) => workers.wake(whom),
        }
    }

    /// Wakes one idle worker more than the machine asks for, where that is likely to pay: see
    /// [`wake_ahead`](super::wake_ahead).
    #[inline]
    pub(super) fn wake_ahead(&self) {
        if self.idle_hint.take() && self.host.has_threads() {
            self.work_available.notify_one();
        }
    }

    fn start_threads(this: &Arc<Self>, spawn: Spawn) {
        if context::is_exiting() {
            // Whoever joins this thread holds the join handles meanwhile, so another thread has to wait for them.
            let (shared, count) = (Arc::clone(this), spawn.count);
            let starter =
                sync::spawn(format!("{}-starter", this.name), None, move || Self::start_threads(&shared, spawn));
            if let Err(error) = starter {
                Self::start_failed(this, count, error);
            }
            return;
        }
        let mut join_handles = this.join_handles.lock();
        if spawn.join_first > 0 {
            this.join_exited(&mut join_handles);
        }
        for started in 0..spawn.count {
            let id = spawn.first + started;
            match Self::start_worker(this, &mut join_handles, id) {
                Ok(Some(handle)) => drop(join_handles.handles.insert(id, handle)),
                Ok(None) => {}
                Err(error) => {
                    drop(join_handles);
                    Self::start_failed(this, spawn.count - started, error);
                    return;
                }
            }
        }
    }

    /// Returns the handle of the worker's thread, if it has one.
    fn start_worker(this: &Arc<Self>, join_handles: &mut JoinHandles, id: WorkerId) -> io::Result<Option<JoinHandle>> {
        if join_handles.failures > 0 {
            join_handles.failures -= 1;
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "a thread whose start was to fail"));
        }
        match &this.host {
            WorkerHost::Threads(run_worker) => {
                let (shared, run_worker) = (Arc::clone(this), *run_worker);
                let name = Worker::new(&this.name, id).thread_name();
                sync::spawn(name, this.stack_size, move || run_worker(shared, id)).map(Some)
            }
            WorkerHost::Stepper(workers) => {
                workers.start(id);
                Ok(None)
            }
        }
    }

    fn start_failed(this: &Arc<Self>, count: usize, error: io::Error) {
        let (failed, stop_callbacks) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let failed = machine::spawn_failed(&mut workers.machine, &mut submit_queue, count);
            let stop_callbacks = workers.take_stop_callbacks(failed.stopped);
            (failed, stop_callbacks)
        };
        this.reporter.report(Incident::ThreadStart, &error, None);
        let after_refusing = this.refuse_jobs(failed.refused, &NeverRan::ThreadStart(StdArc::new(error)));
        Self::carry_out(this, failed.wakeups);
        this.run_stop_callbacks(stop_callbacks.or(after_refusing));
    }

    /// Joins the threads of exited workers before others are started. Exiting workers never wait for the join handles,
    /// so they may be held meanwhile. They have to be: a caller that then finds no worker left to join relies on those
    /// threads having ended.
    fn join_exited(&self, join_handles: &mut JoinHandles) {
        let exited = self.workers.lock().machine.take_unjoined();
        join_handles.join(&exited);
    }

    /// Joins exited workers' threads from the thread of another, `me`, until there are none. Gives up if another thread
    /// holds the join handles: that one may be joining this very thread.
    pub(super) fn join_other_exited(&self, me: WorkerId) {
        let Some(mut join_handles) = self.join_handles.try_lock() else { return };
        loop {
            let exited = self.workers.lock().machine.take_unjoined_except(me);
            if exited.is_empty() {
                return;
            }
            join_handles.join(&exited);
        }
    }

    /// Joins the last threads of a pool that has stopped.
    pub(super) fn join_all(&self) {
        let mut join_handles = self.join_handles.lock();
        for (_, handle) in mem::take(&mut join_handles.handles) {
            handle.join();
        }
    }

    /// Lets the next `count` starts fail.
    pub(super) fn fail_starts(&self, count: usize) {
        self.join_handles.lock().failures = count;
    }
}

impl JoinHandles {
    /// Joins the threads of these workers, except those joined already.
    fn join(&mut self, workers: &[WorkerId]) {
        for handle in workers.iter().filter_map(|id| self.handles.remove(id)) {
            handle.join();
        }
    }
}
