//! A simulation of inbox and pool with a core for each thread: what posts, jobs and round trips cost while more and
//! more threads want the same locks.

pub mod costs;
pub mod inbox;
pub mod machine;
pub mod pool;
#[cfg(test)]
mod tests;
