//! The programs that are explored. The remainder of a seed says which: see `explorer`.

pub mod fixed;
mod operations;
pub mod random;

use crate::explorer::Program;

/// The programs, by name.
pub const PROGRAMS: &[Program] = &[
    ("whole_system", random::whole_system),
    ("jobs_and_resizes", |_| fixed::jobs_and_resizes()),
    ("posts_of_four_threads", |_| fixed::posts_of_four_threads()),
    ("blocking_calls_from_jobs", |_| fixed::blocking_calls_from_jobs()),
];
