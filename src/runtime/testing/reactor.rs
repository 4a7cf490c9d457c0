//! `TestReactor`: a reactor whose turns, workers and time a test decides, and whose failures fail the test.

use std::fmt;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::time::Duration;

use super::super::deferred::{Outcome, run_waiting_effects};
use super::super::pool::Stepper;
use super::super::reactor::{Reactor, ReactorBuilder, Turn, VirtualClock};
use super::super::report::Report;
use super::super::sync::{Mutex, StdArc, panicking};
use super::order::Order;
use crate::error::BuildError;
use crate::failure::{Failure, Watch};
use crate::machine::timer_queue::END_OF_TIME;

/// A program that leaves something to run for so many steps, while no time passes, will not come to rest.
const MAX_STEPS: u32 = 100_000;

/// A reactor for tests: everything happens on the thread of the test, when the test says so.
///
/// It is a [`Reactor`] (it dereferences to one), with these differences:
///
/// - The reactor's own pools have no threads: [`settle`](Self::settle) runs their jobs, in steps, on this thread.
/// - Its clock is virtual: [`advance`](Self::advance) moves it.
/// - A panic in a callback, a job, a timer or a task of this thread, such as a failed assertion, is contained as
///   always, and then continued: out of the `settle` or `advance` that ran it, or else out of the next one, or of
///   the drop of this, which drops the reactor first. Only a panic with [`Injected`](crate::testing::Injected) is
///   not. Of two test reactors on one thread, the first to settle or to be dropped continues it. While the thread
///   unwinds, none does.
/// - A report, for example of an error that nobody has handled, fails the test in the same way, unless the builder was
///   given a sink.
///
/// Which step comes next is always the same: turns of the loop first, then steps of the oldest worker. With a
/// [seed](Self::with_seed), it is drawn from what may come next: see [`schedules`](crate::testing::schedules).
///
/// What blocks cannot be tested like this, because there is one thread: a blocking call of a job is an error
/// ([`WouldDeadlock`](crate::error::BlockingCallError::WouldDeadlock)), and a job that waits for another hangs. Shared
/// pools keep their threads; nothing waits for these.
///
/// ```
/// use selvedge::{reactor::Turn, testing::TestReactor, threads};
/// use std::time::Duration;
///
/// let reactor = TestReactor::new();
/// let answer = threads::defer_to_thread(&reactor, || 42);
/// let late = reactor.call_later(Duration::from_secs(60), |_| println!("a minute later"));
/// assert_eq!(reactor.settle(), Turn::Wait(Duration::from_secs(60)));
/// assert!(answer.try_result().is_ok_and(|answer| answer.is_ok_and(|answer| answer == 42)));
/// reactor.advance(Duration::from_secs(60));
/// assert!(!late.is_active());
/// ```
///
/// **Limits of a job.** One [in the queue](crate::Job::queue_limit) passes where the pool has no worker. One [from the
/// start](crate::Job::time_limit) never does in the reactor's own pools, because a job of theirs is over before time
/// passes. The job has to run on a thread of another pool, and to wait there until the test has advanced the time:
///
/// ```
/// use selvedge::{Job, ThreadPool, error::TimedOut, reactor::Turn, testing::TestReactor, threads};
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// const LIMIT: Duration = Duration::from_secs(5);
/// let reactor = TestReactor::new();
///
/// reactor.suggest_thread_pool_size(0);
/// let queued = threads::defer_to_thread(&reactor, Job::new(|| ()).queue_limit(LIMIT));
/// reactor.advance(LIMIT);
/// let late: TimedOut = queued.try_result().ok().unwrap().unwrap_err().downcast()?;
/// assert_eq!(late.started, Some(false));
///
/// let pool = ThreadPool::new(0, 1)?;
/// pool.start()?;
/// let (end, ended) = mpsc::channel::<()>();
/// let job = Job::new(move || drop(ended.recv())).time_limit(LIMIT);
/// let slow = threads::defer_to_thread_pool(&reactor, &pool, job);
/// // Until the reactor has learned that the job has begun.
/// while reactor.settle() != Turn::Wait(LIMIT) {
///     std::thread::yield_now();
/// }
/// reactor.advance(LIMIT);
/// let late: TimedOut = slow.try_result().ok().unwrap().unwrap_err().downcast()?;
/// assert_eq!(late.started, Some(true));
/// drop(end);
/// # Ok::<(), selvedge::Failure>(())
/// ```
pub struct TestReactor {
    /// `None` only while this is dropped: the reactor goes first, so that what fails in its drop fails the test too.
    reactor: Option<Reactor>,
    /// Of the reactor's own pools.
    steppers: Vec<Stepper>,
    order: Order,
    watch: Watch,
    /// The reports that have not failed the test yet.
    reports: StdArc<Mutex<Vec<String>>>,
}

impl Default for TestReactor {
    fn default() -> Self {
        Self::new()
    }
}

impl ReactorBuilder {
    /// A reactor for a test: see [`TestReactor`]. The clock is a new one, unless one was set.
    ///
    /// ```
    /// use selvedge::Reactor;
    ///
    /// let reactor = Reactor::builder().pool_size(0, 1).build_test()?.with_seed(17);
    /// reactor.call_in_thread(|| println!("in the only worker, on this very thread"))?;
    /// reactor.settle();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_test(self) -> Result<TestReactor, BuildError> {
        let reports = StdArc::new(Mutex::new(Vec::new()));
        let noted = StdArc::clone(&reports);
        let sink = move |report: &Report<'_>| {
            let text = report.to_string();
            noted.lock().push(text);
        };
        let (reactor, steppers) = self.or_report_to(sink).or_clock(VirtualClock::new()).build_stepped()?;
        Ok(TestReactor { reactor: Some(reactor), steppers, order: Order::default(), watch: Watch::new(), reports })
    }
}

impl TestReactor {
    /// A reactor for a test, as [`Reactor::new`] makes one.
    #[must_use]
    pub fn new() -> Self {
        let Ok(reactor) = Reactor::builder().build_test() else { unreachable!("the builder's own sizes are in order") };
        reactor
    }

    /// From now on, the seed decides which step comes next: a turn of the loop, or a step of which worker. If the test
    /// fails, the seed is printed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.order = Order::of(seed);
        self
    }

    /// Runs turns of the loop and steps of the workers until nothing moves, and no time has to pass; returns what the
    /// reactor waits for then. The first starts the reactor. If a stop was requested, it shuts down.
    ///
    /// # Panics
    /// - Something has panicked, or was reported: see [`TestReactor`].
    /// - Something is left to run after a hundred thousand steps: a task that wakes itself in each poll, or a looping
    ///   call without an interval.
    /// - This is inside a turn.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    #[allow(clippy::panic, reason = "it fails a test")]
    pub fn settle(&self) -> Turn {
        self.fail_if_reported();
        // Whatever the test has done since, the loop looks for it.
        let mut turn = Turn::Again;
        for _ in 0..MAX_STEPS {
            let workers: Vec<(&Stepper, usize)> = self
                .steppers
                .iter()
                .flat_map(|stepper| stepper.ready().into_iter().map(move |id| (stepper, id)))
                .collect();
            let turns = usize::from(turn == Turn::Again);
            if turns + workers.len() == 0 {
                return turn;
            }
            match self.order.pick(turns + workers.len()).checked_sub(turns).and_then(|at| workers.get(at)) {
                None => match self.turn() {
                    Ok(next) => turn = next,
                    Err(_) => panic!("a test reactor cannot settle or advance inside a turn"),
                },
                Some((stepper, worker)) => {
                    stepper.step_worker(*worker);
                    if turn != Turn::Ended {
                        turn = self.next_turn();
                    }
                }
            }
            self.fail_if_reported();
        }
        panic!(
            "the reactor does not come to rest: {MAX_STEPS} steps at {:?} of its clock, and something is left to run \
             (a task that wakes itself, or a looping call without an interval?)",
            self.now()
        );
    }

    /// Lets the time pass: [settles](Self::settle), moves the clock to the next timer, settles, and so on until `by`
    /// has passed and nothing moves. So timers run in the order of their deadlines, each at its own time, and what they
    /// start has come to rest before the next. Returns what the reactor waits for then.
    ///
    /// No time passes while a job is on its way: a job wins against any timeout. The clock stops at the last moment
    /// before [`Duration::MAX`].
    ///
    /// # Panics
    /// As `settle`. A task that wakes itself for ever ends this, too, before any time has passed. A function that never
    /// returns is not ended.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn advance(&self, by: Duration) -> Turn {
        let until = self.now().saturating_add(by).min(END_OF_TIME);
        loop {
            let turn = self.settle();
            let left = until.saturating_sub(self.now());
            match turn {
                Turn::Wait(time) if time <= left => self.pass_time(time),
                _ if left.is_zero() => return turn,
                _ => self.pass_time(left),
            }
        }
    }

    /// Runs until a future has ended or a Deferred has fired, and lets as much time pass as that needs: settles, moves
    /// the clock to the next timer, and so on. Unlike [`Reactor::block_on`], it leaves the reactor as it is, so that
    /// the test goes on with it.
    ///
    /// ```
    /// use selvedge::{Failure, testing::TestReactor};
    /// use std::time::Duration;
    ///
    /// let reactor = TestReactor::new();
    /// let local = reactor.local();
    /// let answer = reactor.block_on(async move {
    ///     local.sleep(Duration::from_secs(3600)).await?;
    ///     local.defer_to_thread(|| 42).await
    /// })?;
    /// assert_eq!((answer, reactor.now()), (42, Duration::from_secs(3600)));
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// # Errors
    /// The error of the future or the Deferred.
    ///
    /// # Panics
    /// As [`settle`](Self::settle). Nothing moves any more, no timer is left, and there is no result: nobody will give
    /// it.
    #[track_caller]
    #[allow(clippy::panic, reason = "it fails a test")]
    pub fn block_on<F>(&self, future: F) -> Result<<F::Output as Outcome<Failure>>::Value, Failure>
    where
        F: IntoFuture<Output: Outcome<Failure>, IntoFuture: 'static>,
    {
        run_waiting_effects();
        let mut waiting = self.spawn(future.into_future());
        loop {
            let turn = self.settle();
            match waiting.try_result() {
                Ok(result) => return result,
                Err(pending) => waiting = pending,
            }
            match turn {
                Turn::Wait(time) => self.pass_time(time),
                turn => panic!("the result never comes: nothing is left to run, and no timer ({turn:?})"),
            }
        }
    }

    /// Continues a panic that was contained, or panics with what was reported.
    #[track_caller]
    #[allow(clippy::panic, reason = "it fails a test")]
    fn fail_if_reported(&self) {
        if panicking() {
            // It has failed. A second panic would end the process, and with it all other tests.
            return;
        }
        let reports = std::mem::take(&mut *self.reports.lock());
        // It is among the reports too, unless the program has handled it. The panic hook has printed where it was.
        if let Some(message) = self.watch.take_first() {
            resume_unwind(Box::new(message));
        }
        if !reports.is_empty() {
            panic!("reported: {}", reports.join("\nreported: "));
        }
    }
}

impl Deref for TestReactor {
    type Target = Reactor;

    fn deref(&self) -> &Reactor {
        match &self.reactor {
            Some(reactor) => reactor,
            None => unreachable!("it is taken in the drop"),
        }
    }
}

impl Drop for TestReactor {
    fn drop(&mut self) {
        drop(self.reactor.take());
        // The last handles of the pools, with jobs that have not run.
        self.steppers.clear();
        let fails = panicking() || self.watch.has_first() || !self.reports.lock().is_empty();
        if let Some(seed) = self.order.seed().filter(|_| fails) {
            eprintln!("this was seed {seed}: `testing::schedules([{seed}], ...)` runs it alone");
        }
        // A test may end without having settled.
        self.fail_if_reported();
    }
}

impl fmt::Debug for TestReactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestReactor")
            .field("reactor", &self.reactor)
            .field("steppers", &self.steppers)
            .field("seed", &self.order.seed())
            .finish()
    }
}
