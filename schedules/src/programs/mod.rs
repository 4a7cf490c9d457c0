//! The programs that are explored. The remainder of a seed says which: see `explorer`.

pub mod loops;
mod operations;
pub mod pools;
pub mod random;
pub mod reactors;
mod support;
mod system;

use crate::explorer::Program;

/// The programs, by name: a third of the seeds are random ones.
pub const PROGRAMS: &[Program] = &[
    ("any_program", system::any_program),
    ("whole_system", random::whole_system),
    ("jobs_and_resizes", |_| pools::jobs_and_resizes()),
    ("jobs_that_wait_for_each_other", |_| pools::jobs_that_wait_for_each_other()),
    ("submissions_to_a_full_queue", |_| pools::submissions_to_a_full_queue()),
    ("whole_system", random::whole_system),
    ("submissions_to_a_full_queue_that_is_stopped", |_| pools::submissions_to_a_full_queue_that_is_stopped()),
    ("cancels_against_workers", |_| pools::cancels_against_workers()),
    ("stops_of_many_threads", |_| pools::stops_of_many_threads()),
    ("whole_system", random::whole_system),
    ("jobs_whose_threads_may_fail_to_start", |_| pools::jobs_whose_threads_may_fail_to_start()),
    ("jobs_against_the_keep_alive", |_| pools::jobs_against_the_keep_alive()),
    ("pauses_and_jobs", |_| pools::pauses_and_jobs()),
    ("whole_system", random::whole_system),
    ("any_program", system::any_program),
    ("last_handles_that_are_dropped", |_| pools::last_handles_that_are_dropped()),
    ("one_worker_keeps_the_order_of_four_submitters", |_| pools::one_worker_keeps_the_order_of_four_submitters()),
    ("posts_of_four_threads", |_| reactors::posts_of_four_threads()),
    ("whole_system", random::whole_system),
    ("posts_that_are_waited_for", |_| reactors::posts_that_are_waited_for()),
    ("posts_to_a_full_inbox", |_| reactors::posts_to_a_full_inbox()),
    ("any_program", system::any_program),
    ("calls_against_a_stop", |_| reactors::calls_against_a_stop()),
    ("whole_system", random::whole_system),
    ("blocking_calls_from_jobs", |_| reactors::blocking_calls_from_jobs()),
    ("deferred_jobs_against_a_stop", |_| reactors::deferred_jobs_against_a_stop()),
    ("questions_against_a_stop", |_| reactors::questions_against_a_stop()),
    ("whole_system", random::whole_system),
    ("two_reactors_that_ask_each_other", |_| reactors::two_reactors_that_ask_each_other()),
    ("timers_and_posts", |_| reactors::timers_and_posts()),
    ("posts_to_a_hosted_reactor", |_| loops::posts_to_a_hosted_reactor()),
    ("whole_system", random::whole_system),
    ("a_task_that_four_threads_wake", |_| loops::a_task_that_four_threads_wake()),
    ("any_program", system::any_program),
    ("tasks_that_await_jobs", |_| loops::tasks_that_await_jobs()),
    ("blocking_calls_that_give_up", |_| loops::blocking_calls_that_give_up()),
    ("blocked_jobs_that_wait_for_others", |_| pools::blocked_jobs_that_wait_for_others()),
];
