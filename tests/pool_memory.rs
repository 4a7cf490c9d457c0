//! What a job costs in memory, counted: one allocation for what it captures, and more only for what a program asks for. Alone in its program, whose allocator counts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use allocation_counter::{AllocationInfo, measure};
use selvedge::{Job, PoolBuilder, ThreadPool};

/// What this thread allocates for a submission, on the mean of a hundred, while the queue itself has room.
fn cost(builder: PoolBuilder, submit: impl Fn(&ThreadPool)) -> (f64, f64) {
    let pool = builder.on_report(|_| ()).build().unwrap();
    // Not started, so nobody takes any; and not a number after which a queue has to grow.
    (0..1_100).for_each(|_| submit(&pool));
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| (0..100).for_each(|_| submit(&pool)));
    pool.stop().unwrap();
    (count_total as f64 / 100.0, bytes_total as f64 / 100.0)
}

fn plain() -> PoolBuilder {
    ThreadPool::builder()
}

// Checks: P63
#[test]
fn a_job_is_one_allocation_of_its_captures_and_none_without_any() {
    assert_eq!(cost(plain(), |pool| pool.call_in_thread(|| ()).unwrap()), (0.0, 0.0));
    let captures = [1_u64; 4];
    let submit = |pool: &ThreadPool| pool.call_in_thread(move || assert_eq!(captures, [1; 4])).unwrap();
    assert_eq!(cost(plain(), submit), (1.0, size_of_val(&captures) as f64));
}

// Checks: P63, B39
#[test]
fn hooks_around_jobs_cost_no_allocation() {
    let hooked = plain().around_jobs(|_| [1_u64; 100]).on_worker_start(|_| ()).on_worker_stop(|_| ());
    assert_eq!(cost(hooked, |pool| pool.call_in_thread(|| ()).unwrap()).0, 0.0);
}

// Checks: P63, P65, B39
#[test]
fn a_name_costs_two_allocations_more_a_time_one_and_a_context_three() {
    let named = |pool: &ThreadPool| pool.submit(Job::new(|| ()).named("a job")).unwrap();
    assert_eq!(cost(plain(), named).0, 2.0);
    let submit = |pool: &ThreadPool| pool.call_in_thread(|| ()).unwrap();
    assert_eq!(cost(plain().take_times(), submit).0, 1.0);
    let context = plain().context(|| 42, |number: i32| number);
    assert_eq!(cost(context.clone(), submit).0, 3.0);
    assert_eq!(cost(context.context(|| 42, |number: i32| number), submit).0, 4.0);
}
