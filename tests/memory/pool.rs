//! What a job costs in memory: no allocation once the queue has room, unless a feature asks for one.

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use selvedge::{
    Job, ThreadPool,
    pool::{PoolBuilder, WhenFull},
    testing::Stepper,
};

/// What this thread allocates for a submission, on the mean of a hundred, while the queue itself has room.
fn cost(builder: PoolBuilder, submit: impl Fn(&ThreadPool)) -> (f64, f64) {
    let pool = builder.on_report(|_| ()).build().unwrap();
    // Not started, so nobody takes any; and not a number after which a queue has to grow.
    (0..1_424).for_each(|_| submit(&pool));
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| (0..100).for_each(|_| submit(&pool)));
    pool.stop().unwrap();
    (count_total as f64 / 100.0, bytes_total as f64 / 100.0)
}

fn plain() -> PoolBuilder {
    ThreadPool::builder()
}

/// Submits a job that captures so many bytes, and is of a type of its own.
fn laden<const LOAD: usize>(pool: &ThreadPool) {
    let load = [1_u8; LOAD];
    pool.call_in_thread(move || assert_eq!(load, [1; LOAD])).unwrap();
}

/// Submits one such job for each of the loads.
macro_rules! submit {
    ($pool:expr; $($load:literal)*) => {
        for submit in [$(laden::<$load> as fn(&ThreadPool)),*] {
            submit($pool);
        }
    };
}

/// Has a pool without threads run what it has.
fn run(stepper: &Stepper) {
    while stepper.step().is_some() {}
}

// Checks: P73
#[test]
fn a_job_costs_no_allocation_once_there_is_room() {
    assert_eq!(cost(plain(), laden::<40>), (0.0, 0.0));
    assert_eq!(cost(plain(), |pool| pool.call_in_thread_with_callback(drop, || 42).unwrap()), (0.0, 0.0));
    assert_eq!(
        cost(plain(), |pool| pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap()),
        (0.0, 0.0)
    );
}

// Checks: P73
#[test]
fn a_large_job_is_one_allocation_and_so_is_one_that_was_boxed_before() {
    assert_eq!(cost(plain(), laden::<120>), (0.0, 0.0));
    assert_eq!(cost(plain(), laden::<121>), (1.0, 121.0));
    let captures = [1_u64; 4];
    let submit =
        |pool: &ThreadPool| pool.call_in_thread(Job::new(move || assert_eq!(captures, [1; 4])).boxed()).unwrap();
    assert_eq!(cost(plain(), submit), (1.0, 32.0));
}

// Checks: P73
#[test]
fn jobs_of_very_many_types_cost_an_allocation_for_those_that_are_too_many() {
    let (pool, stepper) = plain().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let batch = || {
        submit!(&pool; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
        20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37)
    };
    // One stretch is filled while another is emptied, and a third is on its way between the two.
    for _ in 0..3 {
        batch();
        run(&stepper);
    }
    assert_eq!(measure(batch).count_total, 6);
    run(&stepper);
}

// Checks: P73
#[test]
fn room_for_jobs_that_is_not_used_is_let_go_after_a_while() {
    let (pool, stepper) = plain().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let little = || {
        submit!(&pool; 0 1);
        run(&stepper);
    };
    let before = measure(|| (0..3).for_each(|_| little())).bytes_current;
    let after = measure(|| {
        for _ in 0..3 {
            (0..100).for_each(|_| submit!(&pool; 2 3 4 5 6 7 8 9));
            run(&stepper);
        }
        (0..10_000).for_each(|_| little());
    });
    assert!(after.bytes_current <= before, "{} bytes are left, of types that come no more", after.bytes_current);
}

// Checks: P72, P73
#[test]
fn a_burst_of_jobs_leaves_little_memory_whether_they_are_run_or_cancelled() {
    let (pool, stepper) = plain().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let after = measure(|| {
        (0..300_000).for_each(|_| laden::<8>(&pool));
        run(&stepper);
    });
    assert!(after.bytes_current <= 100_000, "{} bytes are left of jobs that were run", after.bytes_current);
    let after = measure(|| {
        let tickets: Vec<_> = (0..100_000).map(|_| pool.call_in_thread_ticketed(|| ()).unwrap()).collect();
        tickets.iter().for_each(|ticket| _ = ticket.cancel());
    });
    assert!(after.bytes_current <= 100_000, "{} bytes are left of jobs that were cancelled", after.bytes_current);
}

// Checks: P73, B39
#[test]
fn hooks_around_jobs_cost_no_allocation_but_the_jobs_box() {
    let hooked = plain().around_jobs(|_| [1_u64; 100]).on_worker_start(|_| ()).on_worker_stop(|_| ());
    assert_eq!(cost(hooked, laden::<40>), (1.0, 40.0));
    let workers_only = plain().on_worker_start(|_| ()).on_worker_stop(|_| ());
    assert_eq!(cost(workers_only, laden::<40>), (0.0, 0.0));
}

// Checks: P63, P65, B39
#[test]
fn a_name_costs_two_allocations_more_a_time_one_and_a_context_three() {
    let named = |pool: &ThreadPool| pool.call_in_thread(Job::new(|| ()).named("a job")).unwrap();
    assert_eq!(cost(plain(), named).0, 2.0);
    let submit = |pool: &ThreadPool| pool.call_in_thread(|| ()).unwrap();
    assert_eq!(cost(plain().take_times(), submit).0, 1.0);
    let context = plain().context(|| 42, |number: i32| number);
    assert_eq!(cost(context.clone(), submit).0, 3.0);
    assert_eq!(cost(context.context(|| 42, |number: i32| number), submit).0, 4.0);
}

// Checks: P73, P115
#[test]
fn a_limit_costs_two_allocations_and_one_from_the_start_two_more_for_its_token() {
    let limit = Duration::from_secs(60);
    let queued = |pool: &ThreadPool| pool.call_in_thread(Job::new(|| ()).queue_limit(limit)).unwrap();
    let timed = |pool: &ThreadPool| pool.call_in_thread(Job::new(|| ()).time_limit(limit)).unwrap();
    let both = |pool: &ThreadPool| pool.call_in_thread(Job::new(|| ()).time_limit(limit).queue_limit(limit)).unwrap();
    assert_eq!((cost(plain(), queued).0, cost(plain(), timed).0, cost(plain(), both).0), (2.0, 4.0, 4.0));
}

// Checks: P73
#[test]
fn a_job_that_is_offered_again_costs_no_allocation() {
    let pool = plain().build().unwrap();
    pool.stop().unwrap();
    let offer = |job: Job| pool.call_in_thread_ticketed(job).unwrap_err().job;
    let limited = Job::new(|| ()).time_limit(Duration::from_secs(60));
    for job in [Job::new(|| ()).boxed(), limited.boxed()] {
        let mut job = Some(offer(job));
        // It has its token since it was offered first.
        assert_eq!(measure(|| job = job.take().map(offer)).count_total, 0);
    }
}
