//! A pool before it is made: its name and sizes, its threads' stacks, its sink for failures.

use super::super::report::{Report, Reporter};
use super::super::sync::Arc;
use super::shared::Shared;
use super::{Owner, ThreadPool, sizes};
use crate::error::SizeError;

/// Describes a pool before it is made. By default 5 to 20 threads named `pool-<n>`, with the platform's stack size.
#[derive(Debug, Clone)]
#[must_use]
pub struct PoolBuilder {
    name: String,
    min: usize,
    max: usize,
    stack_size: Option<usize>,
    reporter: Reporter,
}

impl Default for PoolBuilder {
    fn default() -> Self {
        Self { name: "pool".to_owned(), min: 5, max: 20, stack_size: None, reporter: Reporter::default() }
    }
}

impl PoolBuilder {
    /// The name that the pool's threads share. A NUL byte, which no thread's name can have, is left out.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().replace('\0', "");
        self
    }

    /// At least `min`, at most `max` threads.
    pub fn size(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min, max);
        self
    }

    /// The stack size of each thread, in bytes; the platform may round it up.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Where failures are told that nobody else can handle. Called on the worker that met it, never under a lock.
    pub fn on_report<F>(self, sink: F) -> Self
    where
        F: Fn(&Report<'_>) + Send + Sync + 'static,
    {
        self.reporter(Reporter::new(sink))
    }

    pub(crate) fn reporter(mut self, reporter: Reporter) -> Self {
        self.reporter = reporter;
        self
    }

    /// The pool, not started.
    ///
    /// # Errors
    /// The minimum is above the maximum.
    pub fn build(self) -> Result<ThreadPool, SizeError> {
        let target = sizes(self.min, self.max)?;
        let shared = Arc::new(Shared::new(self.name, self.stack_size, self.reporter, target));
        Ok(ThreadPool { owner: Arc::new(Owner { shared }) })
    }
}
