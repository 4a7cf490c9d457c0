//! The time limits of a job whose result is a Deferred: the reactor keeps them, on its own clock.

use std::time::Duration;
use std::{io, thread};

use selvedge::{
    Deferred, Job, Reactor, ThreadPool,
    error::{Cancelled, ReactorStopped, TimedOut},
    pool::CancelToken,
    reactor::Turn,
    report::{Incident, Report},
    testing::{Step, Stepper},
    threads::defer_to_thread_pool,
};

use crate::support::{Gate, Log, virtual_time, wait_until, with_watchdog};

const LIMIT: Duration = Duration::from_secs(5);

fn stepped() -> (ThreadPool, Stepper) {
    let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

fn run(stepper: &Stepper) {
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
}

/// Whether the job that runs here was asked to end.
fn asked() -> bool {
    CancelToken::current().unwrap().is_cancelled()
}

fn timed_out<T: 'static>(deferred: Deferred<T>) -> TimedOut {
    let result = deferred.try_result().ok().unwrap();
    result.err().unwrap().downcast().unwrap()
}

/// A job that a worker of a pool of its own has begun, and that ends when the gate is opened; the reactor knows.
fn running<T: Send + 'static>(
    reactor: &Reactor,
    end: impl FnOnce() -> Result<T, io::Error> + Send + 'static,
) -> (Deferred<T>, Gate, ThreadPool) {
    let pool = ThreadPool::new(0, 1).unwrap();
    pool.start().unwrap();
    let gate = Gate::new();
    let held = gate.clone();
    let job = Job::new(move || {
        held.pass();
        end()
    });
    let deferred = defer_to_thread_pool(reactor, &pool, job.time_limit(LIMIT).queue_limit(LIMIT * 100));
    wait_until(|| reactor.turn().unwrap() == Turn::Wait(LIMIT));
    (deferred, gate, pool)
}

// Checks: P112
#[test]
fn a_limit_from_the_start_does_not_count_the_queue() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = stepped();
    let job = |number: u32| Job::new(move || (number, asked())).time_limit(LIMIT);
    let first = defer_to_thread_pool(&reactor, &pool, job(1));
    let second = defer_to_thread_pool(&reactor, &pool, job(2));
    reactor.advance(LIMIT * 10).unwrap();
    run(&stepper);
    reactor.turn().unwrap();
    assert_eq!(first.try_result().ok().and_then(Result::ok), Some((1, false)));
    assert_eq!(second.try_result().ok().and_then(Result::ok), Some((2, false)));
    // No timer is left.
    assert_eq!(reactor.turn().unwrap(), Turn::Idle);
}

// Checks: P112, P114
#[test]
fn a_limit_from_the_start_that_passes_fails_the_deferred_at_once_and_the_job_sees_it() {
    with_watchdog(|| {
        let (reactor, _clock, reports) = virtual_time();
        let log = Log::new();
        let seen = log.clone();
        let (deferred, gate, pool) = running(&reactor, move || {
            seen.note(asked());
            Err::<(), _>(io::Error::other("nobody waits for this"))
        });
        reactor.advance(LIMIT).unwrap();
        assert_eq!(timed_out(deferred), TimedOut { after: LIMIT, started: Some(true) });
        assert_eq!((pool.stats().busy, log.len()), (1, 0));
        gate.open();
        wait_until(|| pool.stats().completed == 1);
        assert_eq!(log.entries(), [true]);
        // What comes late is dropped, and as a failure reported.
        assert_eq!(reactor.turn().unwrap(), Turn::Idle);
        assert_eq!(reports.entries(), [Incident::Job]);
    });
}

// Checks: P112, P114
#[test]
fn a_result_or_a_cancel_stops_the_timer_of_a_job_that_runs() {
    with_watchdog(|| {
        let (reactor, _clock, _reports) = virtual_time();
        let (deferred, gate, pool) = running(&reactor, || Ok(asked()));
        gate.open();
        wait_until(|| pool.stats().completed == 1);
        assert_eq!(reactor.turn().unwrap(), Turn::Idle);
        assert_eq!(deferred.try_result().ok().and_then(Result::ok), Some(false));

        let (deferred, gate, pool) = running(&reactor, || Ok(asked()));
        deferred.cancel();
        assert_eq!(reactor.turn().unwrap(), Turn::Idle);
        assert!(deferred.try_result().ok().unwrap().unwrap_err().is::<Cancelled>());
        gate.open();
        wait_until(|| pool.stats().completed == 1);
    });
}

// Checks: P113, P114
#[test]
fn a_limit_in_the_queue_that_passes_takes_the_job_out_of_it() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, stepper) = stepped();
    let log = Log::new();
    let held = log.when_dropped("dropped");
    let job = Job::new(move || drop(held)).queue_limit(LIMIT).time_limit(LIMIT).named("late");
    let deferred = defer_to_thread_pool(&reactor, &pool, job);
    reactor.advance(LIMIT - Duration::from_nanos(1)).unwrap();
    assert_eq!((pool.stats().queued, log.len()), (1, 0));
    reactor.advance(Duration::from_nanos(1)).unwrap();
    assert_eq!(timed_out(deferred), TimedOut { after: LIMIT, started: Some(false) });
    assert_eq!((pool.stats().queued, pool.stats().cancelled, log.entries()), (0, 1, vec!["dropped"]));
    run(&stepper);
    assert_eq!((pool.stats().started, reports.len(), reactor.turn().unwrap()), (0, 0, Turn::Idle));
}

// Checks: P113, P114
#[test]
fn a_limit_in_the_queue_leaves_a_job_alone_that_a_worker_has_taken() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = stepped();
    let deferred = defer_to_thread_pool(&reactor, &pool, Job::new(asked).queue_limit(LIMIT));
    while stepper.step() != Some(Step::Took) {}
    reactor.advance(LIMIT).unwrap();
    run(&stepper);
    reactor.turn().unwrap();
    assert_eq!(deferred.try_result().ok().and_then(Result::ok), Some(false));
}

// Checks: P63
#[test]
fn a_failure_of_a_named_job_that_nobody_waits_for_is_reported_with_its_name() {
    let jobs: [fn() -> Result<(), io::Error>; 2] = [|| panic!("oops"), || Err(io::Error::other("oops"))];
    let ends: [fn(Reactor, Deferred<()>, &Stepper); 3] = [
        |reactor, deferred, stepper| {
            run(stepper);
            deferred.cancel();
            // The sink is not to be told of the cancellation.
            drop(deferred.try_result());
            reactor.turn().unwrap();
        },
        |reactor, _, stepper| {
            run(stepper);
            drop(reactor);
        },
        |reactor, _, stepper| {
            drop(reactor);
            run(stepper);
        },
    ];
    for (job, end) in jobs.into_iter().flat_map(|job| ends.map(|end| (job, end))) {
        let reports = Log::new();
        let sink = |log: &Log<_>| {
            let log = log.clone();
            move |report: &Report<'_>| log.note((report.incident, report.job.map(str::to_owned)))
        };
        let reactor = Reactor::builder().on_report(sink(&reports)).build().unwrap();
        let (pool, stepper) = ThreadPool::builder().size(0, 1).on_report(sink(&reports)).build_stepped().unwrap();
        pool.start().unwrap();
        let deferred = defer_to_thread_pool(&reactor, &pool, Job::new(job).named("thumb"));
        end(reactor, deferred, &stepper);
        assert_eq!(reports.entries(), [(Incident::Job, Some("thumb".to_owned()))]);
    }
}

// Checks: P114
#[test]
fn limits_of_zero_pass_at_once_and_those_of_max_never() {
    with_watchdog(|| {
        let (reactor, _clock, _reports) = virtual_time();
        let (pool, stepper) = stepped();
        let never = defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).queue_limit(Duration::ZERO));
        assert_eq!(timed_out(never), TimedOut { after: Duration::ZERO, started: Some(false) });
        assert_eq!((pool.stats().queued, pool.stats().rejected), (0, 0));

        let max = Job::new(asked).queue_limit(Duration::MAX).time_limit(Duration::MAX);
        let unlimited = defer_to_thread_pool(&reactor, &pool, max);
        run(&stepper);
        assert_eq!(reactor.turn().unwrap(), Turn::Idle);
        assert_eq!(unlimited.try_result().ok().and_then(Result::ok), Some(false));

        let threads = ThreadPool::new(0, 1).unwrap();
        threads.start().unwrap();
        let until_asked = || while !asked() {};
        let asked = defer_to_thread_pool(&reactor, &threads, Job::new(until_asked).time_limit(Duration::ZERO));
        wait_until(|| {
            reactor.turn().unwrap();
            threads.stats().completed == 1
        });
        assert_eq!(timed_out(asked), TimedOut { after: Duration::ZERO, started: Some(true) });
    });
}

// Checks: P114, B46
#[test]
fn a_cancel_stops_the_limit_in_the_queue_and_the_reactors_end_is_not_a_limit() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = stepped();
    let limited = || Job::new(|| ()).queue_limit(LIMIT).time_limit(LIMIT);
    let cancelled = defer_to_thread_pool(&reactor, &pool, limited());
    cancelled.cancel();
    assert_eq!((pool.stats().queued, reactor.turn().unwrap()), (0, Turn::Idle));
    assert!(cancelled.try_result().ok().unwrap().unwrap_err().is::<Cancelled>());
    let stopped = defer_to_thread_pool(&reactor, &pool, limited());
    drop(reactor);
    assert!(stopped.try_result().ok().unwrap().unwrap_err().is::<ReactorStopped>());
    run(&stepper);
    assert_eq!(pool.stats().completed, 1);
}

// Checks: P114
#[test]
fn a_pool_that_does_not_accept_a_job_with_limits_leaves_no_timer() {
    let (reactor, _clock, _reports) = virtual_time();
    let pool = ThreadPool::new(0, 1).unwrap();
    pool.ask_to_stop(selvedge::pool::StopPolicy::Drain);
    let refused = defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).queue_limit(LIMIT).time_limit(LIMIT));
    assert!(refused.try_result().ok().unwrap().is_err());
    assert_eq!(reactor.turn().unwrap(), Turn::Idle);
}

// Checks: P112, P113, P114
#[test]
fn the_limits_of_a_job_that_outlives_its_reactor_hold_by_the_systems_clock() {
    let soon = Duration::from_millis(1);
    with_watchdog(move || {
        let pool = ThreadPool::new(0, 0).unwrap();
        pool.start().unwrap();
        // They end only when they are asked to.
        let ends = || Job::new(|| while !asked() {}).time_limit(soon);
        let ran = Log::new();
        let never = || {
            let ran = ran.clone();
            Job::new(move || ran.note(())).queue_limit(soon)
        };
        let (queued, _clock, _reports) = virtual_time();
        for job in [ends(), ends()] {
            drop(defer_to_thread_pool(&queued, &pool, job).add_errback(drop));
        }
        for _ in 0..2 {
            drop(defer_to_thread_pool(&queued, &pool, never()).add_errback(drop));
        }
        drop(queued);
        // The time in the queue is over.
        thread::sleep(soon * 2);
        pool.adjust_pool_size(0, 4).unwrap();
        wait_until(|| pool.stats().completed == 4);
        assert_eq!((pool.stats().expired, ran.len()), (2, 0));
        // Begun, and the reactor has not taken the notice; begun, and the reactor knows.
        for knows in [false, true] {
            let (reactor, _clock, _reports) = virtual_time();
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            let gate = Gate::new();
            let held = gate.clone();
            let job = Job::new(move || {
                held.open();
                while !asked() {}
            });
            drop(defer_to_thread_pool(&reactor, &pool, job.time_limit(soon)).add_errback(drop));
            gate.pass();
            if knows {
                wait_until(|| reactor.turn().unwrap() == Turn::Wait(soon));
            }
            assert_eq!(pool.stats().busy, 1, "its reactor's clock stands still");
            drop(reactor);
            wait_until(|| pool.stats().busy == 0);
        }
        pool.stop().unwrap();
    });
}

// Checks: P112
#[test]
fn a_start_that_the_reactor_learns_of_after_a_cancel_sets_no_timer() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, stepper) = stepped();
    let cancelled = defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).time_limit(LIMIT));
    run(&stepper);
    cancelled.cancel();
    assert_eq!((reactor.turn(), reactor.delayed_calls()), (Ok(Turn::Idle), 0));
    assert!(cancelled.try_result().ok().unwrap().unwrap_err().is::<Cancelled>());
    assert_eq!((pool.stats().completed, reports.len()), (1, 0));
}
