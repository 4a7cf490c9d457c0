//! The time limits of a job against its worker: the limit in the queue and the start have one order, and the start, its
//! result, a cancel and the limit from the start fire the Deferred once.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use loom::thread;
use selvedge::Failure;
use selvedge::error::{Cancelled, TimedOut};
use selvedge::loom::reactor::Turn;
use selvedge::loom::testing::{Step, Stepper, VirtualClock};
use selvedge::loom::threads::defer_to_thread_pool;
use selvedge::loom::{Deferred, Job, Reactor, ThreadPool};

use crate::explore::explore_calm;
use crate::probes::Log;

const LIMIT: Duration = Duration::from_secs(1);

/// How the Deferred has fired.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fired {
    Not,
    Result,
    Cancelled,
    TimedOut(TimedOut),
}

/// A reactor on a virtual clock, and a thread that steps a worker, which has `taken` its job or finds it in the queue.
fn with_job(taken: bool, job: impl FnOnce(Job<Box<dyn FnOnce() + Send>>) -> Job<Box<dyn FnOnce() + Send>>) -> World {
    let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let reactor = Reactor::builder()
        .clock(VirtualClock::new())
        .on_report(|report| panic!("nothing should be reported: {report}"))
        .build()
        .unwrap();
    let (log, fired) = (Log::default(), Rc::new(Cell::new(Fired::Not)));
    let told = Rc::clone(&fired);
    let function: Box<dyn FnOnce() + Send> = Box::new(log.job(1));
    let deferred = defer_to_thread_pool(&reactor, &pool, job(Job::new(function)));
    let deferred = deferred.add_both(move |result: Result<(), Failure>| {
        assert_eq!(told.get(), Fired::Not, "fired twice");
        told.set(match result {
            Ok(()) => Fired::Result,
            Err(failure) if failure.is::<Cancelled>() => Fired::Cancelled,
            Err(failure) => Fired::TimedOut(failure.downcast().unwrap()),
        });
    });
    // Startup is in no race, nor is the worker's first look if it is to have the job already.
    reactor.turn().unwrap();
    let worker = if taken {
        assert_eq!(stepper.step(), Some(Step::Took));
        // It runs the job, and no more.
        thread::spawn(move || {
            stepper.step();
            stepper
        })
    } else {
        thread::spawn(move || {
            while stepper.step().is_some() {}
            stepper
        })
    };
    World { reactor, _pool: pool, deferred, worker, log, fired }
}

struct World {
    reactor: Reactor,
    _pool: ThreadPool,
    deferred: Deferred<()>,
    worker: thread::JoinHandle<Stepper>,
    log: Log,
    fired: Rc<Cell<Fired>>,
}

impl World {
    /// Returns how often the job has run, and how its Deferred has fired. No timer is left.
    fn end(self) -> (usize, Fired) {
        drop(self.worker.join().unwrap());
        assert_eq!(self.reactor.turn().unwrap(), Turn::Idle);
        (self.log.seen().len(), self.fired.get())
    }
}

// Checks: P113, P114, B43
#[test]
fn a_job_whose_time_in_the_queue_ends_against_its_start_runs_or_fails_as_never_begun() {
    explore_calm(|_| {
        let world = with_job(false, |job| job.queue_limit(LIMIT));
        world.reactor.advance(LIMIT).unwrap();
        let never = Fired::TimedOut(TimedOut { after: LIMIT, started: Some(false) });
        let ended = world.end();
        assert!(ended == (0, never) || ended == (1, Fired::Result), "{ended:?}");
    });
}

// Checks: P112, P114
#[test]
fn a_limit_from_the_start_and_a_cancel_against_the_result_fire_the_deferred_once() {
    explore_calm(|_| {
        let world = with_job(true, |job| job.time_limit(LIMIT));
        // It may learn of the start in this turn.
        world.reactor.turn().unwrap();
        world.reactor.advance(LIMIT).unwrap();
        world.deferred.cancel();
        let late = Fired::TimedOut(TimedOut { after: LIMIT, started: Some(true) });
        let (ran, fired) = world.end();
        assert!(ran == 1 && [Fired::Result, Fired::Cancelled, late].contains(&fired), "{ran}, {fired:?}");
    });
}
