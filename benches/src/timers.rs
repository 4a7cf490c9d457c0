//! Timers: what it costs to add, cancel, reset and run one while others wait.
//!
//! Those that wait are due in hours, in no order. A peer's timer is what its documentation shows: tokio's is a future
//! that is polled once, so that it is in the queue; calloop's is a source with a callback.

use std::time::{Duration, Instant};
use std::{cell::Cell, pin::Pin, rc::Rc, task::Context, task::Poll, task::Waker, thread};

use calloop::timer::{TimeoutAction, Timer};
use calloop::{Dispatcher, RegistrationToken};
use selvedge::DelayedCall;

use crate::measure::{Comparison, Contender, Setting};

macro_rules! contenders {
    ($measure:ident) => {
        const {
            &[
                Contender::new("selvedge", $measure::<Selvedge>),
                Contender::new("tokio", $measure::<Tokio>),
                Contender::new("calloop", $measure::<Calloop>),
            ]
        }
    };
}

pub fn comparisons() -> Vec<Comparison> {
    [100, 10_000, 1_000_000].into_iter().flat_map(at).collect()
}

/// Each operation while so many others wait.
pub fn at(waiting: u64) -> [Comparison; 4] {
    let operations = [
        ("add", contenders!(add)),
        ("cancel", contenders!(cancel)),
        ("reset", contenders!(reset)),
        ("run when due", contenders!(run)),
    ];
    operations.map(|(operation, contenders)| Comparison {
        setting: Setting { waiting, ..Setting::default() },
        // calloop looks at all of its timers for each that is cancelled or reset.
        ..Comparison::new(format!("Timer: {operation}, {waiting} wait"), 1000, contenders)
    })
}

/// A loop with timers.
pub(crate) trait Timers {
    type Timer;

    /// Runs `work` where timers can be made.
    fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T;

    fn add(&mut self, delay: Duration) -> Self::Timer;
    fn cancel(&mut self, timer: Self::Timer);
    fn reset(&mut self, timer: &mut Self::Timer, delay: Duration);

    /// Adds timers that are due soon, waits until they are, and returns how long they take to run.
    fn run(&mut self, timers: u64) -> Duration;
}

fn add<T: Timers>(setting: Setting, operations: u64) -> Duration {
    T::with(|timers| {
        let _waiting = waiting(timers, setting.waiting);
        let delays: Vec<_> = delays().take(operations as usize).collect();
        let mut added = Vec::with_capacity(delays.len());
        let start = Instant::now();
        added.extend(delays.into_iter().map(|delay| timers.add(delay)));
        start.elapsed()
    })
}

fn cancel<T: Timers>(setting: Setting, operations: u64) -> Duration {
    T::with(|timers| {
        let _waiting = waiting(timers, setting.waiting);
        let added = waiting(timers, operations);
        let start = Instant::now();
        added.into_iter().for_each(|timer| timers.cancel(timer));
        start.elapsed()
    })
}

fn reset<T: Timers>(setting: Setting, operations: u64) -> Duration {
    T::with(|timers| {
        let _waiting = waiting(timers, setting.waiting);
        let mut added = waiting(timers, operations);
        let delays: Vec<_> = delays().take(added.len()).collect();
        let start = Instant::now();
        added.iter_mut().zip(delays).for_each(|(timer, delay)| timers.reset(timer, delay));
        start.elapsed()
    })
}

fn run<T: Timers>(setting: Setting, operations: u64) -> Duration {
    T::with(|timers| {
        let _waiting = waiting(timers, setting.waiting);
        timers.run(operations)
    })
}

pub(crate) fn waiting<T: Timers>(timers: &mut T, count: u64) -> Vec<T::Timer> {
    delays().take(count as usize).map(|delay| timers.add(delay)).collect()
}

/// The same ones for each contender.
pub(crate) fn delays() -> impl Iterator<Item = Duration> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(move || Duration::from_millis(random.u64(3_600_000..36_000_000)))
}

/// Longer than it takes to add all that are to run.
const SOON: Duration = Duration::from_millis(20);

/// Counts what has run.
type Count = Rc<Cell<u64>>;

pub(crate) struct Selvedge(selvedge::Reactor);

impl Timers for Selvedge {
    type Timer = DelayedCall;

    fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        work(&mut Selvedge(selvedge::Reactor::new()))
    }

    fn add(&mut self, delay: Duration) -> DelayedCall {
        self.0.call_later(delay, |_| ())
    }

    fn cancel(&mut self, timer: DelayedCall) {
        timer.cancel().expect("it waits");
    }

    fn reset(&mut self, timer: &mut DelayedCall, delay: Duration) {
        timer.reset(delay).expect("it waits");
    }

    fn run(&mut self, timers: u64) -> Duration {
        let count = Count::default();
        for _ in 0..timers {
            let count = Rc::clone(&count);
            self.0.call_later(SOON, move |_| count.update(|count| count + 1));
        }
        thread::sleep(SOON);
        let start = Instant::now();
        while count.get() < timers {
            self.0.turn().expect("it does not run");
        }
        start.elapsed()
    }
}

pub(crate) struct Tokio(Rc<tokio::runtime::Runtime>);

impl Timers for Tokio {
    type Timer = Pin<Box<tokio::time::Sleep>>;

    fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = Rc::new(runtime.expect("a runtime starts"));
        let _entered = runtime.enter();
        work(&mut Tokio(Rc::clone(&runtime)))
    }

    fn add(&mut self, delay: Duration) -> Self::Timer {
        let mut timer = Box::pin(tokio::time::sleep(delay));
        let polled = timer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
        timer
    }

    fn cancel(&mut self, timer: Self::Timer) {
        drop(timer);
    }

    fn reset(&mut self, timer: &mut Self::Timer, delay: Duration) {
        timer.as_mut().reset(tokio::time::Instant::now() + delay);
    }

    /// Each is awaited by a task of its own, as each of the others has a callback of its own.
    fn run(&mut self, timers: u64) -> Duration {
        let (tasks, count) = (tokio::task::LocalSet::new(), Count::default());
        for _ in 0..timers {
            let count = Rc::clone(&count);
            tasks.spawn_local(async move {
                tokio::time::sleep(SOON).await;
                count.update(|count| count + 1);
            });
        }
        // Polled again after all others have begun to wait.
        let last = tasks.spawn_local(tokio::task::yield_now());
        tasks.block_on(&self.0, last).expect("it does not panic");
        thread::sleep(SOON);
        let start = Instant::now();
        self.0.block_on(tasks);
        let elapsed = start.elapsed();
        assert_eq!(count.get(), timers);
        elapsed
    }
}

pub(crate) struct Calloop(calloop::EventLoop<'static, ()>);

impl Timers for Calloop {
    /// The source, by which its time is changed, and its place in the loop.
    type Timer = (Dispatcher<'static, Timer, ()>, RegistrationToken);

    fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        work(&mut Calloop(calloop::EventLoop::try_new().expect("a loop starts")))
    }

    fn add(&mut self, delay: Duration) -> Self::Timer {
        let timer = Dispatcher::new(Timer::from_duration(delay), |_, (), ()| TimeoutAction::Drop);
        let token = self.0.handle().register_dispatcher(timer.clone()).expect("a timer is a source");
        (timer, token)
    }

    fn cancel(&mut self, (_, token): Self::Timer) {
        self.0.handle().remove(token);
    }

    fn reset(&mut self, (timer, token): &mut Self::Timer, delay: Duration) {
        timer.as_source_mut().set_duration(delay);
        self.0.handle().update(token).expect("it is in the loop");
    }

    fn run(&mut self, timers: u64) -> Duration {
        let count = Count::default();
        for _ in 0..timers {
            let count = Rc::clone(&count);
            let run = move |_, _: &mut (), _: &mut ()| {
                count.update(|count| count + 1);
                TimeoutAction::Drop
            };
            self.0.handle().insert_source(Timer::from_duration(SOON), run).expect("a timer is a source");
        }
        thread::sleep(SOON);
        let start = Instant::now();
        while count.get() < timers {
            self.0.dispatch(Duration::ZERO, &mut ()).expect("the loop runs");
        }
        start.elapsed()
    }
}
