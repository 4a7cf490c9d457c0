//! What submitters and workers share: the two locks, and the actions that follow once they are released.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io;
use std::ptr;
use std::sync::Arc as StdArc;

use super::super::apart::Apart;
use super::super::report::{Incident, Reporter};
use super::super::sync::{self, Arc, Condvar, Hint, JoinHandle, Mutex, Spin};
use super::Job;
use super::hooks::{Hooks, Worker};
use super::job::Ran;
use super::stats::{Histograms, PoolStats, PoolTimes};
use super::worker::{self, WORKS_FOR};
use crate::error::{NeverRan, PoolStopped, Rejected, Rejection};
use crate::machine::pool::{self as machine, Call, Crew, Intake, Phase, Sizes, Start, Submitted, WorkerId};

/// Called when nothing is left to run.
type Farewell = Box<dyn FnOnce() + Send>;

/// A pool, as its handles and its workers see it. Locks are taken in the order in which they stand here, never both by a submitter.
pub(crate) struct Shared {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) reporter: Reporter,
    pub(super) hooks: Hooks,
    pub(super) crew: Apart<Mutex<Workers>>,
    /// Idle workers wait here, with `crew`.
    pub(super) bell: Condvar,
    /// Those who wait for the pool to stop wait here, with `crew`.
    pub(super) stopped: Condvar,
    pub(super) intake: Apart<Mutex<Intake<Job>>>,
    /// The intake has had a job since a worker last looked.
    pub(super) filled: Apart<Hint>,
    /// How long a worker spins before it sleeps.
    pub(super) spin: Spin,
    /// Threads that are not joined yet. Guards no state machine: it is held while threads are joined and started, so that whoever finds a
    /// worker retired finds its handle here, and nobody starts a thread in the place of one that has not ended. Taken before the
    /// crew's lock, never after it.
    roster: Mutex<BTreeMap<WorkerId, JoinHandle>>,
}

/// The workers' half of the machine, and whom to tell when it has stopped.
pub(super) struct Workers {
    pub(super) machine: Crew<Job>,
    pub(super) farewells: Vec<Farewell>,
    /// Where the pool takes them.
    pub(super) times: Option<Histograms>,
}

impl Workers {
    /// A job has ended: it is counted, and its times are recorded, in one instant.
    pub(super) fn finished(&mut self, ran: &Ran) {
        self.machine.finished(ran.panicked);
        if let (Some(histograms), Some(times)) = (&mut self.times, &ran.times) {
            histograms.record(times);
        }
    }
}

impl Shared {
    pub(super) fn new(
        name: String,
        stack_size: Option<usize>,
        reporter: Reporter,
        hooks: Hooks,
        target: Sizes,
    ) -> Self {
        let times = hooks.timed.then(Histograms::default);
        Self {
            name,
            stack_size,
            reporter,
            hooks,
            crew: Apart(Mutex::new(Workers { machine: Crew::new(target), farewells: Vec::new(), times })),
            bell: Condvar::new(),
            stopped: Condvar::new(),
            intake: Apart(Mutex::new(Intake::new())),
            filled: Apart(Hint::default()),
            spin: Spin::new(),
            roster: Mutex::new(BTreeMap::new()),
        }
    }

    pub(super) fn submit(this: &Arc<Self>, job: Job) -> Result<(), Rejected<Job>> {
        let submitted = this.intake.lock().submit(job);
        match submitted {
            Ok(Submitted::OweNothing) => this.filled.set(true),
            Ok(Submitted::Summon) => {
                this.filled.set(true);
                let call = this.crew.lock().machine.summon();
                Self::carry_out(this, call);
            }
            Err(job) => return Err(Rejected::new(job, Rejection::PoolStopped)),
        }
        Ok(())
    }

    pub(super) fn start(this: &Arc<Self>, lazily: bool) -> Result<(), PoolStopped> {
        let call = {
            let mut crew = this.crew.lock();
            let mut intake = this.intake.lock();
            machine::start(&mut crew.machine, &mut intake, lazily).map_err(|()| PoolStopped)?
        };
        Self::carry_out(this, call);
        Ok(())
    }

    pub(super) fn resize(this: &Arc<Self>, target: impl FnOnce(Sizes) -> Sizes) {
        let call = {
            let mut crew = this.crew.lock();
            let mut intake = this.intake.lock();
            let target = target(crew.machine.target());
            machine::resize(&mut crew.machine, &mut intake, target)
        };
        Self::carry_out(this, call);
    }

    /// Intake closes. `then` is called when nothing is left to run, which may be now.
    pub(super) fn begin_stop(this: &Arc<Self>, then: Option<Farewell>) {
        let stop = {
            let mut crew = this.crew.lock();
            let mut intake = this.intake.lock();
            let stop = machine::stop(&mut crew.machine, &mut intake);
            crew.farewells.extend(then);
            stop
        };
        this.refuse(stop.cancelled, &NeverRan::PoolStopped);
        Self::carry_out(this, stop.call);
        this.take_leave();
    }

    /// Waits until the pool has stopped, then for the threads themselves.
    pub(super) fn join(&self) {
        let mut crew = self.crew.lock();
        while crew.machine.phase() != Phase::Stopped {
            crew = self.stopped.wait(crew);
        }
        drop(crew);
        self.join_retired(&mut self.roster.lock());
    }

    pub(super) fn is_own_worker(&self) -> bool {
        WORKS_FOR.try_with(|pool| pool.get() == self.address()).unwrap_or(false)
    }

    /// What tells this pool from every other that exists now.
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    pub(super) fn stats(&self) -> PoolStats {
        let crew = self.crew.lock();
        PoolStats::of(&crew.machine, &self.intake.lock())
    }

    /// The histograms' memory is there before the locks are taken, and what is copied under them is plain numbers.
    pub(super) fn times(&self) -> Option<PoolTimes> {
        if !self.hooks.timed {
            return None;
        }
        let mut copy = Histograms::default();
        let crew = self.crew.lock();
        copy.copy_from(crew.times.as_ref()?);
        let stats = PoolStats::of(&crew.machine, &self.intake.lock());
        Some(copy.with(stats))
    }

    /// The action that a transition returned, with no lock held.
    pub(super) fn carry_out(this: &Arc<Self>, call: Call) {
        match call {
            Call::Nobody => {}
            Call::One => this.bell.notify_one(),
            Call::All => this.bell.notify_all(),
            Call::Start(start) => Self::start_threads(this, start),
            Call::AllAndStart(start) => {
                this.bell.notify_all();
                Self::start_threads(this, start);
            }
        }
    }

    fn start_threads(this: &Arc<Self>, start: Start) {
        if worker::leaves() {
            // Whoever joins this thread holds the roster meanwhile, so somebody else has to wait for it.
            let (shared, count) = (Arc::clone(this), start.count);
            let begun =
                sync::spawn(format!("{}-starter", this.name), None, move || Self::start_threads(&shared, start));
            if let Err(error) = begun {
                Self::start_failed(this, count, error);
            }
            return;
        }
        let mut roster = this.roster.lock();
        this.join_retired(&mut roster);
        for begun in 0..start.count {
            let id = start.first + begun;
            match Self::start_thread(this, id) {
                Ok(handle) => drop(roster.insert(id, handle)),
                Err(error) => {
                    drop(roster);
                    Self::start_failed(this, start.count - begun, error);
                    return;
                }
            }
        }
    }

    fn start_thread(this: &Arc<Self>, id: WorkerId) -> io::Result<JoinHandle> {
        let shared = Arc::clone(this);
        let name = Worker::new(&this.name, id).thread_name();
        sync::spawn(name, this.stack_size, move || worker::work(&shared, id))
    }

    fn start_failed(this: &Arc<Self>, count: usize, error: io::Error) {
        let failed = {
            let mut crew = this.crew.lock();
            let mut intake = this.intake.lock();
            crew.machine.start_failed(&mut intake, count)
        };
        this.reporter.report(Incident::ThreadStart, &error, None);
        this.refuse(failed.orphans, &NeverRan::ThreadStart(StdArc::new(error)));
        Self::carry_out(this, failed.call);
        this.take_leave();
    }

    fn refuse(&self, jobs: VecDeque<Job>, why: &NeverRan) {
        for job in jobs {
            job.refuse(why.clone(), &self.hooks, &self.reporter);
        }
    }

    /// If the pool has stopped, tells those who wait for it. Called by whoever may have stopped it.
    pub(super) fn take_leave(&self) {
        let farewells = {
            let mut crew = self.crew.lock();
            if crew.machine.phase() != Phase::Stopped {
                return;
            }
            std::mem::take(&mut crew.farewells)
        };
        self.stopped.notify_all();
        for farewell in farewells {
            self.reporter.contain(Incident::Job, farewell);
        }
    }

    /// Waits for the threads of workers that have made their last transition. They never wait for the roster, so it may be held meanwhile;
    /// it must be: whoever finds nobody left to join has to find that they have ended.
    fn join_retired(&self, roster: &mut BTreeMap<WorkerId, JoinHandle>) {
        let retired = self.crew.lock().machine.take_retired();
        for handle in retired.iter().filter_map(|id| roster.remove(id)) {
            handle.join();
        }
    }
}
