//! Tasks of one thread: spawning them, and waking those that wait.

use std::time::{Duration, Instant};

use futures_lite::future::yield_now;

use crate::measure::{Comparison, Contender, Setting};
use crate::payload;

macro_rules! contenders {
    ($measure:ident) => {
        const {
            &[
                Contender::new("selvedge", $measure::<selvedge::Reactor>),
                Contender::new("tokio LocalSet", $measure::<Tokio>),
                Contender::new("LocalExecutor", $measure::<async_executor::LocalExecutor>),
            ]
        }
    };
}

/// Tasks that exist at a time.
const TASKS: u64 = 100;

pub fn comparisons() -> Vec<Comparison> {
    vec![
        Comparison::new(format!("Spawn a task and run it, {TASKS} at a time"), 100_000, contenders!(spawn)),
        Comparison::new(format!("Wake a task and poll it, one of {TASKS}"), 200_000, contenders!(wake)),
    ]
}

/// An executor of one thread.
pub(crate) trait Executor: Default {
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// Returns when all tasks have ended.
    fn run_all(&mut self);
}

fn spawn<E: Executor>(_: Setting, tasks: u64) -> Duration {
    let mut executor = E::default();
    let start = Instant::now();
    for first in (0..tasks).step_by(TASKS as usize) {
        for number in first..tasks.min(first + TASKS) {
            executor.spawn(async move { payload::trace(number) });
        }
        executor.run_all();
    }
    let elapsed = start.elapsed();
    payload::assert_all_traced(tasks);
    elapsed
}

/// Each task wakes itself again and again, and lets the others run before it goes on.
fn wake<E: Executor>(_: Setting, wakes: u64) -> Duration {
    let mut executor = E::default();
    for task in 0..TASKS {
        executor.spawn(async move {
            for number in (task..wakes).step_by(TASKS as usize) {
                yield_now().await;
                payload::trace(number);
            }
        });
    }
    let start = Instant::now();
    executor.run_all();
    let elapsed = start.elapsed();
    payload::assert_all_traced(wakes);
    elapsed
}

impl Executor for selvedge::Reactor {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        drop(selvedge::Reactor::spawn(self, task));
    }

    fn run_all(&mut self) {
        while let selvedge::reactor::Turn::Again = self.turn().expect("it does not run") {}
    }
}

pub(crate) struct Tokio {
    runtime: tokio::runtime::Runtime,
    tasks: tokio::task::LocalSet,
}

impl Default for Tokio {
    fn default() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        Tokio { runtime, tasks: tokio::task::LocalSet::new() }
    }
}

impl Executor for Tokio {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        drop(self.tasks.spawn_local(task));
    }

    fn run_all(&mut self) {
        self.runtime.block_on(&mut self.tasks);
    }
}

impl Executor for async_executor::LocalExecutor<'static> {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        async_executor::LocalExecutor::spawn(self, task).detach();
    }

    fn run_all(&mut self) {
        while self.try_tick() {}
    }
}
