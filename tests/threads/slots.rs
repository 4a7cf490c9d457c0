//! Jobs that wait for a free slot of a bounded pool without blocking their reactor.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{iter, thread};

use selvedge::{
    Deferred, Failure, Job, Reactor, ThreadPool,
    deferred::gather_results,
    error::{Cancelled, ReactorStopped, Rejected, Rejection, TimedOut},
    pool::{PoolBuilder, StopPolicy, WhenFull},
    reactor::Turn,
    report::Incident,
    testing::{Step, Stepper, TestReactor},
    threads::{self, defer_to_thread_pool},
};

use crate::support::{Gate, Log, PanicOnDrop, hold, virtual_time, wait_until, with_watchdog};

const LIMIT: Duration = Duration::from_secs(5);
const ALMOST: Duration = Duration::from_secs(4);

/// A pool of one worker, which is stepped, and a queue of one job, which is full.
fn full() -> (ThreadPool, Stepper) {
    filled(ThreadPool::builder())
}

/// The same, of a builder that says what else the pool has.
fn filled(builder: PoolBuilder) -> (ThreadPool, Stepper) {
    let (pool, stepper) = builder.size(0, 1).queue_bound(NonZeroUsize::MIN).build_stepped().unwrap();
    pool.start().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    (pool, stepper)
}

/// The worker runs what is in the queue.
fn run(stepper: &Stepper) {
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
}

/// Runs everything.
fn settle(reactor: &Reactor, pool: &ThreadPool, stepper: &Stepper) {
    loop {
        run(stepper);
        if reactor.turn().unwrap() != Turn::Again && pool.stats().queued == 0 {
            return;
        }
    }
}

/// A job that notes its number when it runs, and its negative when it is dropped unrun.
fn waiting(log: &Log<i32>, number: i32) -> Job<impl FnOnce() + Send + 'static> {
    let (log, dropped) = (log.clone(), log.when_dropped(-number));
    let job = move || {
        log.note(number);
        dropped.disarm();
    };
    Job::new(job).when_full(WhenFull::Wait)
}

fn failure<T: 'static>(deferred: Deferred<T>) -> Failure {
    deferred.try_result().ok().unwrap().err().unwrap()
}

// Checks: P130
#[test]
fn jobs_wait_for_a_slot_in_the_order_of_asking_and_the_loop_turns_meanwhile() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, stepper) = full();
    let log = Log::new();
    let jobs: Vec<_> = (1..=5).map(|number| defer_to_thread_pool(&reactor, &pool, waiting(&log, number))).collect();
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    assert_eq!((pool.stats().queued, pool.stats().waiting, log.len()), (1, 1, 0));
    settle(&reactor, &pool, &stepper);
    assert_eq!(log.entries(), [1, 2, 3, 4, 5]);
    assert!(jobs.into_iter().all(|job| job.try_result().is_ok_and(|result| result.is_ok())));
    let stats = pool.stats();
    assert_eq!((stats.completed, stats.waiting, stats.rejected, reports.len()), (6, 0, 0, 0));
    // With a free slot, a job does not wait for a turn.
    drop(defer_to_thread_pool(&reactor, &pool, waiting(&log, 6)));
    run(&stepper);
    assert_eq!(log.entries(), [1, 2, 3, 4, 5, 6]);
}

// Checks: P130
#[test]
fn a_job_that_asks_when_a_slot_has_become_free_does_not_overtake_those_that_wait() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = full();
    let log = Log::new();
    let first = defer_to_thread_pool(&reactor, &pool, waiting(&log, 1));
    run(&stepper);
    // The reactor has not learned of the slot.
    let second = defer_to_thread_pool(&reactor, &pool, waiting(&log, 2));
    settle(&reactor, &pool, &stepper);
    assert_eq!(log.entries(), [1, 2]);
    drop((first, second));
}

// Checks: P130, P5
#[test]
fn a_cancel_takes_a_job_out_of_those_that_wait_and_drops_it_at_once() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = full();
    let log = Log::new();
    let jobs: Vec<_> = (1..=3).map(|number| defer_to_thread_pool(&reactor, &pool, waiting(&log, number))).collect();
    for (at, left) in [(1, vec![-2]), (0, vec![-2, -1])] {
        jobs[at].cancel();
        assert_eq!(log.entries(), left);
    }
    assert_eq!(pool.stats().waiting, 1);
    settle(&reactor, &pool, &stepper);
    assert_eq!(log.entries(), [-2, -1, 3]);
    let results: Vec<_> = jobs.into_iter().map(|job| job.try_result().ok().unwrap()).collect();
    assert!(results[0].as_ref().is_err_and(Failure::is::<Cancelled>) && results[2].is_ok());
    // When nobody is left, nobody waits for the pool.
    pool.call_in_thread(|| ()).unwrap();
    let last = defer_to_thread_pool(&reactor, &pool, waiting(&log, 4));
    assert_eq!(pool.stats().waiting, 1);
    last.cancel();
    assert_eq!((pool.stats().waiting, pool.stats().rejected), (0, 0));
    assert!(failure(last).is::<Cancelled>());
}

// Checks: P131
#[test]
fn a_wait_that_is_too_long_fails_by_the_reactors_clock_and_leaves_nothing() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, stepper) = full();
    let log = Log::new();
    let job = waiting(&log, 1).when_full(WhenFull::WaitUpTo(LIMIT));
    let late = defer_to_thread_pool(&reactor, &pool, job);
    let never = defer_to_thread_pool(&reactor, &pool, waiting(&log, 2).when_full(WhenFull::WaitUpTo(Duration::MAX)));
    reactor.advance(ALMOST).unwrap();
    assert_eq!(log.len(), 0);
    reactor.advance(LIMIT - ALMOST).unwrap();
    assert_eq!(Rejection::of(&failure(late)), Some(Rejection::TimedOut));
    assert_eq!((log.entries(), pool.stats().rejected), (vec![-1], 1));
    settle(&reactor, &pool, &stepper);
    assert_eq!((log.entries(), reports.len(), reactor.turn()), (vec![-1, 2], 0, Ok(Turn::Idle)));
    drop(never);
}

// Checks: P131, P113
#[test]
fn a_limit_in_the_queue_counts_the_wait_for_a_slot() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = full();
    let log = Log::new();
    let limited = |number| defer_to_thread_pool(&reactor, &pool, waiting(&log, number).queue_limit(LIMIT));
    let (first, second) = (limited(1), limited(2));
    reactor.advance(ALMOST).unwrap();
    // One worker takes the job before, and the first gets the slot.
    while stepper.step() != Some(Step::Took) {}
    assert_eq!((reactor.turn(), pool.stats().queued), (Ok(Turn::Wait(LIMIT - ALMOST)), 1));
    reactor.advance(LIMIT - ALMOST).unwrap();
    for late in [first, second] {
        let late: TimedOut = failure(late).downcast().unwrap();
        assert_eq!(late, TimedOut { after: LIMIT, started: Some(false) });
    }
    assert_eq!((log.entries(), pool.stats().cancelled, pool.stats().rejected), (vec![-1, -2], 1, 1));
    assert_eq!(pool.stats().waiting, 0);
}

// Checks: P132, P2, B35
#[test]
fn the_end_of_the_pool_fails_those_that_wait_in_their_order() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, stepper) = full();
    let (log, told) = (Log::new(), Log::new());
    for number in 1..=3 {
        let (told, job) = (told.clone(), defer_to_thread_pool(&reactor, &pool, waiting(&log, number)));
        drop(job.add_errback(move |failure| told.note((number, Rejection::of(&failure)))));
    }
    pool.ask_to_stop(StopPolicy::Drain);
    reactor.turn().unwrap();
    let stopped = Some(Rejection::PoolStopped);
    assert_eq!(told.entries(), [(1, stopped), (2, stopped), (3, stopped)]);
    run(&stepper);
    assert_eq!((log.entries(), pool.stats().completed, pool.stats().waiting), (vec![-1, -2, -3], 1, 0));
    assert_eq!(pool.stats().rejected, 3);
}

// Checks: P132
#[test]
fn what_a_failure_at_the_pools_end_does_to_others_that_wait_is_done() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, _stepper) = full();
    let log = Log::new();
    let [first, second, third] = [1, 2, 3].map(|number| defer_to_thread_pool(&reactor, &pool, waiting(&log, number)));
    let (local, again, asked) = (reactor.local(), pool.clone(), log.clone());
    let refused = Rc::new(Cell::new(None));
    let told = Rc::clone(&refused);
    drop(first.add_errback(move |_| {
        second.cancel();
        assert!(failure(second).is::<Cancelled>());
        let ask = |reactor: &Reactor| defer_to_thread_pool(reactor, &again, waiting(&asked, 4));
        drop(local.with(ask).unwrap().add_errback(move |failure| told.set(Rejection::of(&failure))));
    }));
    pool.ask_to_stop(StopPolicy::Drain);
    reactor.turn().unwrap();
    assert_eq!(Rejection::of(&failure(third)), Some(Rejection::PoolStopped));
    assert_eq!((refused.get(), log.entries()), (Some(Rejection::PoolStopped), vec![-1, -2, -3, -4]));
    assert_eq!(reports.len(), 0);
}

// Checks: P132, P90
#[test]
fn the_end_of_the_reactor_fails_those_that_wait_and_drops_their_jobs() {
    let (reactor, _clock, _reports) = virtual_time();
    let (pool, _stepper) = full();
    let log = Log::new();
    let jobs = [1, 2].map(|number| defer_to_thread_pool(&reactor, &pool, waiting(&log, number)));
    drop(reactor);
    assert!(jobs.into_iter().all(|job| failure(job).is::<ReactorStopped>()));
    assert_eq!((log.entries(), pool.stats().waiting, pool.stats().queued), (vec![-1, -2], 0, 1));
}

// Checks: P130, P132, P9
#[test]
fn what_a_job_that_waits_captured_may_panic_in_its_drop_whoever_takes_the_job_out() {
    for is_cancelled in [true, false] {
        let (reactor, _clock, of_reactor) = virtual_time();
        let of_pool = Log::new();
        let (pool, _stepper) = filled(ThreadPool::builder().on_report(of_pool.sink()));
        let captured = PanicOnDrop;
        let job = Job::new(move || hold(&captured)).when_full(WhenFull::Wait);
        let deferred = defer_to_thread_pool(&reactor, &pool, job);
        if is_cancelled {
            deferred.cancel();
        }
        drop(reactor);
        assert_eq!(failure(deferred).is::<Cancelled>(), is_cancelled);
        // To the sink of whoever takes it out, once.
        let reports = (of_reactor.entries(), of_pool.entries());
        let expected = if is_cancelled { (vec![], vec![Incident::Drop]) } else { (vec![Incident::Drop], vec![]) };
        assert_eq!((reports, pool.stats().waiting), (expected, 0));
    }
}

// Checks: P132, P9
#[test]
fn the_end_of_the_pool_is_told_to_all_who_wait_though_the_drop_of_the_first_panics() {
    let (reactor, _clock, reports) = virtual_time();
    let (pool, _stepper) = full();
    let captured = PanicOnDrop;
    let first = Job::new(move || hold(&captured)).when_full(WhenFull::Wait);
    let first = defer_to_thread_pool(&reactor, &pool, first);
    let second = defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).when_full(WhenFull::Wait));
    pool.ask_to_stop(StopPolicy::CancelQueued);
    reactor.turn().unwrap();
    assert!([first, second].into_iter().all(|job| failure(job).is::<Rejected<()>>()));
    assert_eq!(reports, [Incident::Drop]);
}

// Checks: P133
#[test]
fn a_slot_that_nobody_uses_goes_to_the_next_who_waits() {
    for ends in [false, true] {
        let (first, _clock, _reports) = virtual_time();
        let (second, _clock, _reports) = virtual_time();
        let (pool, stepper) = full();
        let log = Log::new();
        let given_up = defer_to_thread_pool(&first, &pool, waiting(&log, 1));
        let served = defer_to_thread_pool(&second, &pool, waiting(&log, 2));
        // The first reactor is told.
        run(&stepper);
        assert_eq!(second.turn(), Ok(Turn::Idle));
        if ends {
            drop(first);
        } else {
            given_up.cancel();
            first.turn().unwrap();
        }
        settle(&second, &pool, &stepper);
        assert_eq!(log.entries(), [-1, 2]);
        drop((given_up.add_errback(drop), served));
    }
}

// Checks: P133, P53
#[test]
fn reactors_and_threads_that_wait_for_slots_of_one_pool_are_all_served() {
    const JOBS: usize = 200;
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 2).queue_bound(NonZeroUsize::MIN).build().unwrap();
        pool.start().unwrap();
        let waiting = |_| Job::new(|| ()).when_full(WhenFull::Wait);
        let reactors = iter::repeat_n(pool.clone(), 2).map(|pool| {
            thread::spawn(move || {
                let (reactor, local) = (Reactor::new(), Rc::new(pool));
                let jobs: Vec<_> =
                    (0..JOBS).map(waiting).map(|job| defer_to_thread_pool(&reactor, &local, job)).collect();
                reactor.block_on(gather_results(jobs)).unwrap().len()
            })
        });
        let threads = iter::repeat_n(pool.clone(), 2).map(|pool| {
            thread::spawn(move || {
                (0..JOBS).map(waiting).for_each(|job| pool.call_in_thread(job).unwrap());
                JOBS
            })
        });
        let all: Vec<_> = reactors.chain(threads).collect();
        assert_eq!(all.into_iter().map(|one| one.join().unwrap()).sum::<usize>(), 4 * JOBS);
        wait_until(|| pool.stats().completed == 4 * JOBS as u64);
        assert_eq!((pool.stats().waiting, pool.stats().rejected), (0, 0));
        pool.stop().unwrap();
    });
}

// Checks: P130, B39
#[test]
fn what_travels_with_a_job_is_captured_where_it_is_asked_for() {
    let (reactor, _clock, _reports) = virtual_time();
    let log = Log::new();
    let (asked, seen) = (Arc::new(AtomicU32::new(0)), log.clone());
    let now = Arc::clone(&asked);
    let (pool, stepper) = ThreadPool::builder()
        .size(0, 1)
        .queue_bound(NonZeroUsize::MIN)
        .context(move || now.load(Ordering::Relaxed), move |context: u32| seen.note(context))
        .build_stepped()
        .unwrap();
    pool.start().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    asked.store(1, Ordering::Relaxed);
    let job = defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).when_full(WhenFull::Wait));
    asked.store(2, Ordering::Relaxed);
    settle(&reactor, &pool, &stepper);
    assert_eq!(log.entries(), [0, 1]);
    drop(job);
}

// Checks: P130
#[test]
fn a_test_reactor_serves_those_that_wait() {
    let bound = NonZeroUsize::MIN;
    let reactor = Reactor::builder().configure_pool(|pool| pool.size(0, 1).queue_bound(bound)).build_test().unwrap();
    let squares = |reactor: &TestReactor| -> Vec<_> {
        let job = |number: u32| Job::new(move || number * number).when_full(WhenFull::Wait);
        (0..10).map(|number| threads::defer_to_thread(reactor, job(number))).collect()
    };
    let squares = gather_results(squares(&reactor));
    assert_eq!(reactor.block_on(squares).unwrap(), (0..10).map(|number| number * number).collect::<Vec<_>>());
    // A job on a reactor's thread that blocks is refused as ever.
    let refused = reactor.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap_err();
    assert_eq!(refused.reason, Rejection::WouldDeadlock);
}

// Checks: P130
#[test]
fn a_job_that_waits_in_the_pool_of_a_running_reactor_does_not_block_the_loop() {
    with_watchdog(|| {
        let bound = NonZeroUsize::MIN;
        let reactor = Reactor::builder().configure_pool(|pool| pool.size(0, 1).queue_bound(bound)).build().unwrap();
        let (gate, local) = (Gate::new(), reactor.local());
        let held = gate.clone();
        let answer = reactor.block_on(async move {
            let first = local.defer_to_thread(move || held.pass());
            let rest: Vec<_> = (0..3)
                .map(|number| local.defer_to_thread(Job::new(move || number).when_full(WhenFull::Wait)))
                .collect();
            // The loop turns, so this comes.
            local.sleep(Duration::from_millis(1)).await?;
            gate.open();
            first.await?;
            gather_results(rest).await
        });
        assert_eq!(answer.unwrap(), [0, 1, 2]);
    });
}

// Checks: P130
#[test]
fn jobs_of_one_reactor_wait_for_slots_of_several_pools_each_in_the_order_of_its_own() {
    let (reactor, _clock, _reports) = virtual_time();
    let pools = [full(), full()];
    let log = Log::new();
    let asked = [(0, 1), (1, -1), (0, 2), (1, -2)];
    let jobs = asked.map(|(pool, number)| {
        let noted = log.clone();
        let job = Job::new(move || noted.note(number)).when_full(WhenFull::Wait);
        defer_to_thread_pool(&reactor, &pools[pool].0, job)
    });
    for (pool, stepper) in pools.iter().rev() {
        settle(&reactor, pool, stepper);
    }
    assert_eq!(log.entries(), [-1, -2, 1, 2]);
    assert!(jobs.into_iter().all(|job| job.try_result().is_ok_and(|result| result.is_ok())));
    assert_eq!(pools.map(|(pool, _)| (pool.stats().waiting, pool.stats().completed)), [(0, 3); 2]);
}

thread_local! {
    /// The Deferred that code of a program cancels: a report's sink, or the drop of a job.
    static CANCELLED_INSIDE: Cell<Option<Deferred<()>>> = const { Cell::new(None) };
}

fn cancel_inside() {
    if let Some(deferred) = CANCELLED_INSIDE.take() {
        deferred.cancel();
        CANCELLED_INSIDE.set(Some(deferred));
    }
}

// Checks: P130, P5
#[test]
fn a_job_that_is_cancelled_while_it_is_being_accepted_does_not_run() {
    let (reactor, _clock, _reports) = virtual_time();
    // The pool's queue is full until its worker takes the first job; another worker cannot be started, and the sink
    // that is told so cancels.
    let builder = ThreadPool::builder().size(0, 2).queue_bound(NonZeroUsize::MIN).on_report(|report| {
        assert_eq!(report.incident, Incident::ThreadStart);
        cancel_inside();
    });
    let (pool, stepper) = builder.build_stepped().unwrap();
    pool.start().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    let log = Log::new();
    CANCELLED_INSIDE.set(Some(defer_to_thread_pool(&reactor, &pool, waiting(&log, 1))));
    let second = defer_to_thread_pool(&reactor, &pool, waiting(&log, 2));
    while stepper.step() != Some(Step::Took) {}
    pool.fail_starts(1);
    reactor.turn().unwrap();
    assert_eq!((pool.stats().start_failures, pool.stats().cancelled, log.entries()), (1, 1, vec![-1]));
    settle(&reactor, &pool, &stepper);
    assert_eq!(log.entries(), [-1, 2]);
    assert!(failure(CANCELLED_INSIDE.take().unwrap()).is::<Cancelled>());
    assert!(second.try_result().ok().unwrap().is_ok());
    assert_eq!((pool.stats().waiting, pool.stats().rejected), (0, 0));
}

// Checks: P131, P5
#[test]
fn a_job_whose_drop_cancels_it_when_its_limit_has_passed_is_dropped_once() {
    struct Cancels(Log<i32>);
    impl Drop for Cancels {
        fn drop(&mut self) {
            self.0.note(-1);
            cancel_inside();
        }
    }
    let limits: [fn(Job<_>) -> Job<_>; 2] =
        [|job| job.when_full(WhenFull::WaitUpTo(LIMIT)), |job| job.when_full(WhenFull::Wait).queue_limit(LIMIT)];
    for limit in limits {
        let (reactor, _clock, reports) = virtual_time();
        let (pool, stepper) = full();
        let log = Log::new();
        let held = Cancels(log.clone());
        CANCELLED_INSIDE.set(Some(defer_to_thread_pool(&reactor, &pool, limit(Job::new(move || drop(held))))));
        reactor.advance(LIMIT).unwrap();
        assert!(failure(CANCELLED_INSIDE.take().unwrap()).is::<Cancelled>());
        settle(&reactor, &pool, &stepper);
        assert_eq!((log.entries(), reports.entries()), (vec![-1], vec![Incident::Unhandled]));
        assert_eq!((pool.stats().waiting, pool.stats().rejected, pool.stats().completed), (0, 1, 1));
    }
}
