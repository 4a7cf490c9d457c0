//! Runs a program on the real pool, on one thread; every event is checked by the reference.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selvedge::{
    Failure, Job, ThreadPool,
    error::{NeverRan, Rejected, Rejection},
    pool::{CancelToken, Cancellation, StopPolicy, Ticket, WhenFull},
    testing::{Injected, Stepper},
    threads,
};

use super::program::{Closure, Op, Program, Way};
use super::reference::{Answer, CancelOutcome, ExpectedStep, Id, NotRun, Reference};
use crate::codec::{Body, Small};

/// More steps than this in a row mean that the pool never becomes idle.
const ENDLESS: usize = 10_000;

/// What a program and its jobs can use.
struct World {
    pool: ThreadPool,
    stepper: Stepper,
    reference: Arc<Mutex<Reference>>,
    tickets: Mutex<Vec<(Id, Ticket)>>,
    /// How many operations are under way.
    depth: AtomicUsize,
}

/// Who performs an operation: only a job may panic.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Job,
    Anybody,
}

/// Runs a program, and checks each of its steps.
///
/// # Errors
/// The first step that the reference does not allow, and the events before it.
pub fn run(program: &Program) -> Result<(), String> {
    let reference = Arc::new(Mutex::new(Reference::new(program)));
    let config = program.config;
    let hears = Arc::clone(&reference);
    // The sink needs the pool, which exists by the first report.
    let world = Arc::new_cyclic(|weak: &std::sync::Weak<World>| {
        let weak = weak.clone();
        let mut builder = ThreadPool::builder().size(config.sizes.min(), config.sizes.max());
        if let Some(bound) = NonZeroUsize::new(config.bound.into()) {
            builder = builder.queue_bound(bound);
        }
        let keep_alive = config.keeps_alive.then_some(Duration::from_secs(1));
        let builder = builder.compensation(config.compensation.into()).keep_alive(keep_alive);
        let built = builder.on_report(move |report| {
            if let Some(world) = weak.upgrade() {
                world.check_workers();
                let stats = world.pool.stats();
                let mut reference = lock(&hears);
                reference.starts_failed(stats.start_failures, stats.live);
                reference.report(report.incident, stats.live);
            }
        });
        let (pool, stepper) = built.build_stepped().expect("sizes in order");
        World {
            pool,
            stepper,
            reference: Arc::clone(&reference),
            tickets: Mutex::default(),
            depth: AtomicUsize::new(0),
        }
    });
    world.perform(&program.script, Who::Anybody);
    world.run_out();
    let verdict = world.reference().verdict();
    lock(&world.tickets).clear();
    verdict
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn reference(&self) -> MutexGuard<'_, Reference> {
        lock(&self.reference)
    }

    /// Runs what is left: until the pool is idle, until its keep-alive has passed, and until it has stopped.
    fn run_out(self: &Arc<Self>) {
        self.perform(&[Op::FailStarts(Small(0))], Who::Anybody);
        self.step_out();
        self.reference().rests(false);
        self.perform(&[Op::Expire], Who::Anybody);
        self.step_out();
        self.reference().rests(true);
        self.perform(&[Op::Stop(false)], Who::Anybody);
        self.step_out();
        self.check_invariants();
        self.reference().ended();
    }

    fn step_out(self: &Arc<Self>) {
        for _ in 0..ENDLESS {
            self.check_invariants();
            if self.reference().has_fault() || self.step(None) == ExpectedStep::Nobody {
                return;
            }
        }
        self.reference().require(false, || "it never comes to rest".into());
    }

    fn check_workers(&self) {
        let workers = self.stepper.workers();
        self.reference().check_workers(&workers);
    }

    fn check_invariants(&self) {
        self.check_workers();
        let stats = self.pool.stats();
        let has_stopped = self.pool.has_stopped();
        let is_between_operations = self.depth.load(Relaxed) == 0;
        self.reference().check_invariants(&stats, has_stopped, is_between_operations);
    }

    fn perform(self: &Arc<Self>, ops: &[Op], who: Who) {
        for op in ops {
            self.check_invariants();
            if self.reference().has_fault() {
                return;
            }
            self.depth.fetch_add(1, Relaxed);
            let deeper = DepthGuard(&self.depth);
            self.act(op, who);
            drop(deeper);
            self.check_invariants();
        }
    }

    fn act(self: &Arc<Self>, op: &Op, who: Who) {
        if !matches!(op, Op::Step | Op::StepWorker(_) | Op::Submit(..) | Op::Block(_)) {
            self.reference().note(format!("{op:?}"));
        }
        match op {
            Op::Start => {
                let expected = self.reference().start();
                let started = self.pool.start().is_ok();
                self.reference().require(started == expected, || format!("started: {started}"));
            }
            Op::Submit(way, closure) => self.submit(*way, closure),
            Op::Cancel(nth) => {
                let tickets = lock(&self.tickets);
                let Some(ticket) = nth.of(tickets.len()).map(|nth| tickets[nth].clone()) else { return };
                drop(tickets);
                self.cancel(ticket.0, &ticket.1);
            }
            Op::Step => _ = self.step(None),
            Op::StepWorker(nth) => {
                let workers = self.stepper.workers();
                let Some(nth) = nth.of(workers.len()) else { return };
                self.step(Some(workers[nth].0));
            }
            Op::Resize(sizes) => {
                self.reference().resize(*sizes);
                self.pool.adjust_pool_size(sizes.min(), sizes.max()).expect("sizes in order");
            }
            Op::Expire => {
                self.reference().expire();
                self.pool.let_deadlines_pass();
            }
            Op::FailStarts(count) => {
                self.reference().fail_starts((*count).into());
                self.pool.fail_starts((*count).into());
            }
            Op::Stop(cancels) => {
                self.reference().stop(*cancels);
                self.pool.ask_to_stop(if *cancels { StopPolicy::CancelQueued } else { StopPolicy::Drain });
            }
            Op::Block(Body(body)) => {
                let worker = self.reference().block();
                let _leaves = worker.map(|worker| UnblockOnDrop(self, worker));
                threads::blocked(|| {
                    self.check_invariants();
                    self.perform(body, who);
                });
            }
            Op::WakeSpuriously => self.pool.wake_spuriously(),
            Op::Panic if who == Who::Job => resume_unwind(Box::new(Injected)),
            Op::Panic => {}
        }
    }

    fn step(self: &Arc<Self>, which: Option<usize>) -> ExpectedStep {
        let expect_step = self.reference().expect_step(which);
        let step = match which {
            None => self.stepper.step(),
            Some(worker) => self.stepper.step_worker(worker),
        };
        self.reference().stepped(expect_step, step);
        expect_step
    }

    fn cancel(&self, id: Id, ticket: &Ticket) {
        let expected = self.reference().cancel(id);
        let cancelled = ticket.cancel();
        let rightly = match expected {
            CancelOutcome::NeverRuns => cancelled == Cancellation::NeverRuns,
            CancelOutcome::Asked => cancelled == Cancellation::Asked,
            CancelOutcome::Over => cancelled == Cancellation::Over,
            CancelOutcome::AskedOrOver => matches!(cancelled, Cancellation::Asked | Cancellation::Over),
        };
        self.reference().require(rightly, || format!("cancelling job {id} returned {cancelled:?}, not {expected:?}"));
    }

    fn submit(self: &Arc<Self>, way: Way, closure: &Closure) {
        let (id, expected) = self.reference().submit(way == Way::WithCallback, way == Way::Waiting);
        self.reference().note(format!("job {id} is submitted, {way:?}"));
        let job = TracedJob { id, world: Arc::clone(self), on_drop: closure.on_drop.clone(), way, began: false };
        let body = closure.body.clone();
        let submitted = match way {
            Way::Plain => self.pool.call_in_thread(move || job.run(&body, None)),
            Way::Waiting => self.pool.call_in_thread(Job::new(move || job.run(&body, None)).when_full(WhenFull::Wait)),
            Way::WithCallback => {
                let world = Arc::clone(self);
                let on_result = move |result: Result<(), Failure>| world.reference().job_callback(id, outcome(&result));
                self.pool.call_in_thread_with_callback(on_result, move || job.run(&body, None))
            }
            Way::Ticketed => {
                let submitted =
                    self.pool.call_in_thread_ticketed(Job::with_token(move |token| job.run(&body, Some(token))));
                submitted.map(|ticket| lock(&self.tickets).push((id, ticket)))
            }
        };
        let answer = match &submitted {
            Ok(()) => Some(Answer::Accepted),
            Err(Rejected { reason: Rejection::PoolStopped, .. }) => Some(Answer::Stopped),
            Err(Rejected { reason: Rejection::QueueFull, .. }) if way != Way::Waiting => Some(Answer::Full),
            Err(Rejected { reason: Rejection::TimedOut, .. }) if way == Way::Waiting => Some(Answer::Full),
            Err(Rejected { reason: Rejection::WouldDeadlock, .. }) => Some(Answer::WouldDeadlock),
            Err(_) => None,
        };
        let rightly = answer == Some(expected);
        self.reference().require(rightly, || format!("job {id}: {answer:?}, and should have been {expected:?}"));
        // A rejected job is dropped here, which performs its operations.
        drop(submitted);
    }
}

fn outcome(result: &Result<(), Failure>) -> Result<bool, NotRun> {
    match result {
        Ok(()) => Ok(false),
        Err(failure) => match failure.downcast_ref::<NeverRan>() {
            None => Ok(true),
            Some(NeverRan::Cancelled) => Err(NotRun::Cancelled),
            Some(NeverRan::CancelledByStop) => Err(NotRun::CancelledByStop),
            Some(NeverRan::ThreadStart(_)) => Err(NotRun::ThreadStart),
            Some(_) => Err(NotRun::PoolStopped),
        },
    }
}

/// Ends an operation, also by a panic.
struct DepthGuard<'a>(&'a AtomicUsize);

impl Drop for DepthGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Ends a `blocked` region, also by a panic.
struct UnblockOnDrop<'a>(&'a World, usize);

impl Drop for UnblockOnDrop<'_> {
    fn drop(&mut self) {
        self.0.reference().unblock(self.1);
    }
}

/// Captured by a job: tells the reference when the job runs and when it is dropped.
struct TracedJob {
    id: Id,
    world: Arc<World>,
    on_drop: Vec<Op>,
    way: Way,
    began: bool,
}

impl TracedJob {
    fn run(mut self, body: &[Op], token: Option<&CancelToken>) {
        self.began = true;
        let asked = self.world.reference().job_begins(self.id);
        self.check_token(token, asked);
        self.world.perform(body, Who::Job);
        let asked = self.world.reference().is_asked(self.id);
        self.check_token(token, asked);
    }

    /// A job's token shows whether its cancellation was requested; a job without a ticket has no token.
    fn check_token(&self, token: Option<&CancelToken>, asked: bool) {
        let own = CancelToken::current().is_some();
        let rightly = own == token.is_some() && token.is_none_or(|token| token.is_cancelled() == asked);
        self.world
            .reference()
            .require(rightly, || format!("job {} was asked to end: {asked}; token: {token:?}", self.id));
    }

    /// Without a callback, a failure is reported.
    fn is_reported(&self) -> bool {
        self.way != Way::WithCallback
    }
}

impl Drop for TracedJob {
    fn drop(&mut self) {
        if self.began {
            self.world.reference().job_ends(self.id, std::thread::panicking(), self.is_reported());
        } else {
            let stats = self.world.pool.stats();
            self.world.reference().starts_failed(stats.start_failures, stats.live);
            self.world.reference().job_dropped(self.id, self.is_reported());
            let on_drop = std::mem::take(&mut self.on_drop);
            self.world.perform(&on_drop, Who::Anybody);
        }
    }
}
