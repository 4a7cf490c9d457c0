//! Wakes workers, and starts their threads, as the machine's transitions require.

use std::io;

use super::super::report::Incident;
use super::super::sync::{Arc, StdArc};
use super::hooks::Worker;
use super::shared::{Shared, WorkerHost};
use super::thread_ends::ThreadEnds;
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
        for started in 0..spawn.count {
            if let Err(error) = Self::start_worker(this, spawn.first + started) {
                Self::start_failed(this, spawn.count - started, error);
                return;
            }
        }
    }

    fn start_worker(this: &Arc<Self>, id: WorkerId) -> io::Result<()> {
        if this.ends.fails_start() {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "a thread whose start was to fail"));
        }
        match &this.host {
            WorkerHost::Threads(run_worker) => {
                let (shared, run_worker) = (Arc::clone(this), *run_worker);
                let name = Worker::new(&this.name, id).thread_name();
                ThreadEnds::spawn_worker(&this.ends, name, this.stack_size, move |end| run_worker(shared, id, end))
            }
            WorkerHost::Stepper(workers) => {
                workers.start(id);
                Ok(())
            }
        }
    }

    fn start_failed(this: &Arc<Self>, count: usize, error: io::Error) {
        let failed = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::spawn_failed(&mut workers.machine, &mut submit_queue, count)
        };
        this.reporter.report(Incident::ThreadStart, &error, None);
        let refused_last = this.refuse_jobs(failed.refused, &NeverRan::ThreadStart(StdArc::new(error)));
        Self::carry_out(this, failed.wakeups);
        this.drained_if(failed.stopped || refused_last);
    }

    /// Tells those who wait for the pool's end, if a transition has returned that the pool has `stopped`.
    pub(super) fn drained_if(&self, stopped: bool) {
        if stopped {
            ThreadEnds::drained(&self.ends);
        }
    }
}
