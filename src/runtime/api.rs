//! The public names, by topic: the page of each module says what is in it and when to use it.

pub use super::deferred::{Deferred, Resolver};
pub use super::pool::{Job, ThreadPool};
pub use super::reactor::{Address, DelayedCall, Handle, LocalHandle, Owned, Reactor};
pub use super::{task, threads};
pub use crate::failure::Failure;

pub mod reactor {
    //! Building a [`Reactor`](crate::Reactor), its event triggers, and turning it in a loop of your own.
    //!
    //! - [`ReactorBuilder`] sets a reactor's pools, its sink for reports, its clock and the bound of its inbox, and
    //!   [starts](ReactorBuilder::spawn) it on a thread of its own: a [`ReactorThread`].
    //! - [`Event`] and [`Phase`] say when a trigger runs, and a [`TriggerId`] removes it: see
    //!   [`add_event_trigger`](crate::Reactor::add_event_trigger).
    //! - [`Shutdown`] says how a reactor has ended, and which [`LatePool`]s had not stopped in time.
    //! - [`Turn`] is what [`Reactor::turn`](crate::Reactor::turn) returns: when the reactor wants its next turn.
    //! - [`LoopActivity`] is what a hook [around turns](ReactorBuilder::around_turns) is told of.
    //! - [`Ask`] is a question to a reactor, which any executor can await: see [`Handle::ask`](crate::Handle::ask).
    //! - [`Call`] is a posted call that was not accepted and is handed back.
    //!
    //! Use it to configure a reactor, or to host one in a loop of your own, which [`on_wake`](ReactorBuilder::on_wake)
    //! wakes. This one waits in `park`:
    //!
    //! ```
    //! use selvedge::Reactor;
    //! use selvedge::reactor::{Event, Phase, Turn};
    //! use std::time::Duration;
    //!
    //! let host = std::thread::current();
    //! let builder = Reactor::builder().pool_size(0, 4).pool_name("lookups");
    //! let reactor = builder.on_wake(move || host.unpark()).build()?;
    //! reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, |_| println!("the pool has ended"));
    //! reactor.call_later(Duration::from_millis(1), |reactor| reactor.stop().unwrap_or_default());
    //! loop {
    //!     match reactor.turn()? {
    //!         Turn::Again => {}
    //!         Turn::Wait(time) => std::thread::park_timeout(time),
    //!         Turn::Idle => std::thread::park(),
    //!         Turn::Ended => break,
    //!     }
    //! }
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    pub use super::super::reactor::{
        Ask, Call, Event, LatePool, LoopActivity, Phase, ReactorBuilder, ReactorThread, Shutdown, TriggerId, Turn,
    };
}

pub mod pool {
    //! Building a [`ThreadPool`](crate::ThreadPool), its statistics, stopping it, and cancelling its jobs.
    //!
    //! - [`PoolBuilder`] sets sizes, names, stacks, the bound of the queue, and hooks, which are given the [`Worker`]
    //!   that they run on.
    //! - [`PoolStats`] and [`PoolTimes`] are what the pool is doing, and how long jobs waited and ran ([`Histogram`],
    //!   [`Bucket`]).
    //! - A [`Job`](crate::Job) describes one; [`WhenFull`] says what its submission does when the queue is full.
    //! - A [`Ticket`] cancels one job; [`Cancellation`] says how that went, and the job itself asks its
    //!   [`CancelToken`], or is told by it ([`OnCancel`]).
    //! - [`StopPolicy`] says what becomes of queued jobs when the pool stops; [`StopWithinError`] names each
    //!   [`Straggler`] that still runs after a deadline, by its [`JobLabel`].
    //!
    //! ```
    //! use selvedge::ThreadPool;
    //! use selvedge::pool::Cancellation;
    //!
    //! // It is not started, so the job stays in the queue.
    //! let pool = ThreadPool::new(0, 1)?;
    //! let ticket = pool.call_in_thread_ticketed(|| unreachable!("it is cancelled"))?;
    //! assert_eq!(pool.stats().queued, 1);
    //! assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
    //! assert_eq!(pool.stats().queued, 0);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    pub use super::super::deadline::WhenFull;
    pub use super::super::job_label::JobLabel;
    pub use super::super::pool::{
        BoxedWork, CancelToken, Cancellation, IntoJob, OnCancel, PoolBuilder, PoolStats, PoolTimes, StopPolicy,
        StopWithinError, Straggler, Ticket, Work, Worker, WorkerActivity,
    };
    pub use crate::histogram::{Bucket, Histogram};
}

pub mod deferred {
    //! Several [`Deferred`](crate::Deferred)s as one, what a callback may return, and Deferreds as futures.
    //!
    //! - [`gather_results`] waits for all of several, [`race`] for the first, and [`DeferredList`] has all the
    //!   variants.
    //! - [`maybe_deferred`] and [`execute`] call a function and make a Deferred of whatever comes of it.
    //! - [`Outcome`] is what a callback may return: a [`Plain`] value, a `Result`, or another Deferred. [`Raise`] names
    //!   an error for a callback that only fails; [`ChainError`] is for chains with a program's own error type;
    //!   [`Settled`] and [`OutcomeOf`] are for functions that are generic over outcomes.
    //! - [`DeferredFuture`] awaits a Deferred on its own thread, [`SendFuture`] on any thread.
    //! - [`CancelOnDrop`] cancels a Deferred when it is dropped, and a [`CancelHandle`] after it was given away.
    //! - A [`SharedDeferred`] has one result for several who wait.
    //! - [`PauseHandle`] pauses a chain and resumes it.
    //!
    //! ```
    //! use selvedge::Deferred;
    //! use selvedge::deferred::gather_results;
    //!
    //! let (first, resolver) = Deferred::new();
    //! let sum = gather_results([first, Deferred::succeed(2)]).add_callback(|both| both.iter().sum::<u32>());
    //! resolver.callback(1);
    //! assert!(sum.try_result().is_ok_and(|sum| sum.is_ok_and(|sum| sum == 3)));
    //! ```

    pub use super::super::deferred::{
        CancelHandle, CancelOnDrop, DeferredFuture, DeferredList, Outcome, OutcomeOf, PauseHandle, Plain, Raise,
        Settled, SharedDeferred, execute, gather_results, maybe_deferred, race,
    };
    pub use super::super::reactor::SendFuture;
    pub use crate::failure::ChainError;
}

pub mod coordination {
    //! Coordination of code on the reactor's thread: a lock, a semaphore and a queue of items. Nothing blocks the
    //! thread: a wait is a [`Deferred`](crate::Deferred).
    //!
    //! - [`DeferredLock`] has one holder at a time, [`DeferredSemaphore`] several; each holder has a [`Permit`].
    //! - [`DeferredQueue`] delivers each item to the first taker that has asked for one.
    //!
    //! Use them where two sequences of callbacks must not interleave. Other threads post to the reactor instead.
    //!
    //! ```
    //! use selvedge::coordination::DeferredQueue;
    //!
    //! let queue = DeferredQueue::new();
    //! let item = queue.get()?;
    //! queue.put("for the first who waits")?;
    //! assert!(item.try_result().is_ok_and(|item| item.is_ok()));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    pub use super::super::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit};
}

pub mod report {
    //! Failures that nothing else can handle: each is reported once, to one sink.
    //!
    //! A panic in a posted call, a job, a timer or a hook; a Deferred dropped with an error that no callback handled:
    //! the [`Report`] says which [`Incident`] it was, with the error and where the failed thing was made. The sink is
    //! set with [`ReactorBuilder::on_report`](crate::reactor::ReactorBuilder::on_report) or
    //! [`PoolBuilder::on_report`](crate::pool::PoolBuilder::on_report); the default writes one line to stderr.
    //!
    //! ```
    //! use selvedge::Reactor;
    //! use selvedge::report::Incident;
    //! use std::sync::mpsc;
    //!
    //! let (sender, reports) = mpsc::channel();
    //! let reactor = Reactor::builder()
    //!     .on_report(move |report| sender.send((report.incident, report.error.to_string())).unwrap_or_default())
    //!     .build()?;
    //! reactor.call_from_thread(|_| panic!("no such page"))?;
    //! reactor.turn()?;
    //! assert_eq!(reports.recv()?, (Incident::Call, "panicked: no such page".to_owned()));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    pub use super::super::report::{Incident, Report};
}

pub mod testing {
    //! Deterministic tests: everything happens on the test's thread, in an order that it decides, and takes no time.
    //!
    //! - [`TestReactor`] is a reactor with a virtual clock and pools without threads. It settles until nothing moves;
    //!   what panics in a callback or a job fails the test. [`Injected`] panics are those that are meant.
    //! - [`schedules`] runs a test under many orders of its steps, each from a seed.
    //! - [`Answers`] are what a service that the test replaces answers, call after call.
    //!
    //! The parts, for tests that decide every step themselves:
    //!
    //! - [`VirtualClock`] is given to a reactor; [`Reactor::advance`](crate::Reactor::advance) and
    //!   [`pump`](crate::Reactor::pump) move it and run what is due.
    //! - [`Stepper`] runs a pool without threads, one [`Step`] of one worker at a time; [`Stage`] is what a worker does
    //!   next.
    //!
    //! Programs that use threads are explored with the feature `loom`: see README.
    //!
    //! ```
    //! use selvedge::testing::TestReactor;
    //! use std::time::Duration;
    //!
    //! let reactor = TestReactor::new();
    //! let call = reactor.call_later(Duration::from_secs(3600), |_| println!("an hour later, at once"));
    //! reactor.advance(Duration::from_secs(3600));
    //! assert!(!call.is_active());
    //! ```

    pub use super::super::pool::{Stage, Step, Stepper};
    pub use super::super::reactor::VirtualClock;
    pub use super::super::testing::{Answers, TestReactor, schedules};
    pub use crate::failure::Injected;
}
