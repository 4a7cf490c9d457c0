//! From Twisted to selvedge: what each name has become, and what has changed with it.
//!
//! Names are Twisted's, in snake_case, wherever the thing is the same. What cannot go wrong any more has no name: there is no `AlreadyCalledError` because firing consumes the
//! [`Resolver`], and no `ReactorNotRestartable` because [`Reactor::run`] consumes the reactor. Where behaviour differs on purpose, `SPEC.md` has the list, each with its reason;
//! that all the rest is the same is checked by running several hundred programs through Twisted and through this.
//!
//! # Four changes that run through everything
//!
//! **The reactor is a value.** There is no `from twisted.internet import reactor`. Callbacks of the loop are given `&Reactor`; a Deferred's callback captures
//! [`Reactor::local`]; another thread holds a [`Handle`].
//!
//! ```
//! use selvedge::{Deferred, Reactor};
//! use std::time::Duration;
//!
//! // def main(reactor):
//! //     reactor.callLater(0.01, reactor.stop)
//! let reactor = Reactor::new();
//! let _ = reactor.call_later(Duration::from_millis(10), |reactor| {
//!     reactor.stop().ok();
//! });
//! reactor.run();
//! ```
//!
//! **A Deferred has two halves.** Whoever will have the result keeps the [`Resolver`], and whoever waits for it the [`Deferred`]. Each method that adds a callback consumes the
//! Deferred and returns the one that the chain has become, since its type may have changed.
//!
//! ```
//! use selvedge::Deferred;
//!
//! // d = Deferred()
//! // d.addCallback(lambda text: len(text))
//! // d.addErrback(log.err)
//! // d.callback("a page")
//! let (page, resolver) = Deferred::new();
//! page.add_callback(|text: String| text.len()).add_callback(|length| println!("{length}")).log_error();
//! resolver.callback("a page".to_owned());
//! ```
//!
//! **Errors are returned.** A callback that fails returns `Err`; one that panics has failed too, with a [`Panic`]. A [`Failure`] keeps the original error, and is asked for its type as in
//! Twisted.
//!
//! ```
//! use selvedge::{Deferred, Failure};
//! use std::io;
//!
//! // def tolerate(failure):
//! //     failure.trap(IOError)
//! //     return "nothing"
//! fn tolerate(failure: Failure) -> Result<&'static str, Failure> {
//!     failure.trap::<(io::Error,)>()?;
//!     Ok("nothing")
//! }
//!
//! let read = Deferred::<&str>::fail(io::Error::other("no such page")).add_errback(tolerate);
//! assert!(read.try_result().is_ok_and(|text| text.is_ok_and(|text| text == "nothing")));
//! ```
//!
//! **Coroutines are futures.** `async def` and `inlineCallbacks` are both `async` blocks, a Deferred is awaited as it is, and [`Reactor::spawn`] is `ensureDeferred`.
//!
//! ```
//! use selvedge::{Deferred, Failure, Reactor};
//!
//! // @inlineCallbacks
//! // def total(first, second):
//! //     return (yield first) + (yield second)
//! async fn total(first: Deferred<u32>, second: Deferred<u32>) -> Result<u32, Failure> {
//!     Ok(first.await? + second.await?)
//! }
//!
//! let reactor = Reactor::new();
//! let local = reactor.local();
//! reactor.spawn(total(Deferred::succeed(1), Deferred::succeed(2))).add_callback(move |sum| {
//!     assert_eq!(sum, 3);
//!     local.with(|reactor| reactor.stop()).ok();
//! });
//! reactor.run();
//! ```
//!
//! # `twisted.internet.reactor`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `reactor.run()` | [`Reactor::run`] | consumes it: running twice does not compile |
//! | `reactor.stop()` | [`Reactor::stop`], [`Handle::stop`] | from a thread: the handle's |
//! | `reactor.running` | [`Reactor::is_running`] | |
//! | `reactor.iterate()` | [`Reactor::turn`] | never waits, and says when it wants the next |
//! | `callFromThread(f, *args)` | [`Handle::call_from_thread`] | hands the call back when the reactor has stopped |
//! | `callInThread(f, *args)` | [`Reactor::call_in_thread`], [`Handle::call_in_thread`] | |
//! | `callLater(delay, f, *args)` | [`Reactor::call_later`] | equal deadlines keep their order |
//! | `IDelayedCall.cancel`, `reset`, `delay`, `active`, `getTime` | [`DelayedCall::cancel`], [`reset`](DelayedCall::reset), [`delay`](DelayedCall::delay), [`is_active`](DelayedCall::is_active), [`time`](DelayedCall::time) | |
//! | `getDelayedCalls()` | [`Reactor::delayed_calls`] | how many there are |
//! | `seconds()` | [`Reactor::now`] | monotonic, from the reactor's beginning |
//! | `callWhenRunning(f)` | [`Reactor::call_when_running`] | |
//! | `addSystemEventTrigger`, `removeSystemEventTrigger`, `fireSystemEvent` | [`Reactor::add_event_trigger`], [`remove_event_trigger`](Reactor::remove_event_trigger), [`fire_event`](Reactor::fire_event) | any phase may return a Deferred |
//! | `suggestThreadPoolSize(n)` | [`Reactor::suggest_thread_pool_size`], [`Handle::suggest_thread_pool_size`] | |
//! | `getThreadPool()` | [`Reactor::thread_pool`] | |
//! | `isInIOThread()` | [`Handle::is_in_reactor_thread`] | asked of each reactor |
//! | `task.Clock`, `advance`, `pump` | [`VirtualClock`], [`Reactor::advance`], [`Reactor::pump`] | |
//! | what a protocol or factory keeps | [`Reactor::own`], [`Owned`], [`Address`] | confined by type, and called from anywhere through its address |
//!
//! # `twisted.internet.threads`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `deferToThread(f, *args)` | [`threads::defer_to_thread`] | cancelling keeps a queued job from running |
//! | `deferToThreadPool(reactor, pool, f)` | [`threads::defer_to_thread_pool`] | |
//! | `callMultipleInThread(list)` | [`threads::call_multiple_in_thread`] | |
//! | `blockingCallFromThread(reactor, f)` | [`threads::blocking_call_from_thread`], [`…_timeout`](threads::blocking_call_from_thread_timeout) | its error tells a failure, a panic, a stopped reactor and a deadlock apart |
//!
//! # `twisted.python.threadpool`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `ThreadPool(min, max, name)` | [`ThreadPool::new`], [`ThreadPool::builder`] | sizes are checked, with an error |
//! | `start`, `stop` | [`ThreadPool::start`], [`stop`](ThreadPool::stop) | `stop` finishes what was accepted, and may be called twice |
//! | `callInThread` | [`ThreadPool::call_in_thread`] | hands the job back after `stop` |
//! | `callInThreadWithCallback(onResult, f)` | [`ThreadPool::call_in_thread_with_callback`] | |
//! | `adjustPoolsize(min, max)` | [`ThreadPool::adjust_pool_size`] | a target: serves the backlog at once |
//! | `threads`, `waiters`, `working`, `q.qsize()`, `dumpStats` | [`ThreadPool::stats`] | one consistent snapshot |
//!
//! # `twisted.internet.defer`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `Deferred(canceller)` | [`Deferred::new`], [`Deferred::with_canceller`], [`Deferred::with_firing_canceller`] | a canceller that panics is reported |
//! | `d.callback(value)`, `d.errback(error)` | [`Resolver::callback`], [`Resolver::errback`] | dropped unfired: [`Abandoned`] |
//! | `addCallback`, `addErrback`, `addBoth`, `addCallbacks` | [`add_callback`](Deferred::add_callback), [`add_errback`](Deferred::add_errback), [`add_both`](Deferred::add_both), [`add_callbacks`](Deferred::add_callbacks) | and [`map`](Deferred::map), for any type |
//! | `chainDeferred(other)` | [`Deferred::chain_deferred`], [`Resolver::settle`] | a cancel of the other is forwarded |
//! | `pause`, `unpause` | [`pause`](Deferred::pause), [`unpause`](Deferred::unpause), [`PauseHandle`] | one too many is [`NotPaused`] |
//! | `cancel`, `CancelledError` | [`cancel`](Deferred::cancel), [`Cancelled`] | |
//! | `addTimeout`, `TimeoutError`, `onTimeoutCancel` | [`add_timeout`](Deferred::add_timeout), [`TimedOut`], [`add_timeout_with`](Deferred::add_timeout_with) | |
//! | `d.called`, `d.result` | [`try_result`](Deferred::try_result) | takes it |
//! | `AlreadyCalledError` | | does not compile |
//! | `succeed`, `fail`, `maybeDeferred`, `execute` | [`Deferred::succeed`], [`Deferred::fail`], [`maybe_deferred`], [`execute`] | |
//! | `logError`, `log.err` | [`log_error`](Deferred::log_error) | |
//! | "Unhandled error in Deferred" | [`Incident::Unhandled`] | on drop, exactly once, to the reactor's [`on_report`](ReactorBuilder::on_report) |
//! | `ensureDeferred`, `Deferred.fromCoroutine`, `inlineCallbacks` | [`Reactor::spawn`] | |
//! | `await d`, `yield d` | `d.await` | |
//! | `asFuture`, `fromFuture` | [`into_send_future`](Deferred::into_send_future), [`Reactor::spawn`] | |
//! | `DeferredList(ds, fireOnOneCallback, fireOnOneErrback, consumeErrors)` | [`DeferredList`] | options, then what to fire on |
//! | `gatherResults`, `FirstError` | [`gather_results`], [`FirstError`] | |
//! | `race`, `FailureGroup` | [`race`], [`FailureGroup`] | |
//! | `DeferredLock`, `DeferredSemaphore` | [`DeferredLock`], [`DeferredSemaphore`], [`Permit`] | a permit is given back when it is dropped |
//! | `DeferredQueue`, `QueueOverflow`, `QueueUnderflow` | [`DeferredQueue`], [`QueueOverflow`], [`QueueUnderflow`] | |
//!
//! # `twisted.internet.task`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `deferLater(reactor, delay, f)` | [`task::defer_later`], [`Reactor::sleep`] | |
//! | `LoopingCall(f).start(interval)`, `withCount`, `reset`, `stop` | [`task::LoopingCall`] | |
//! | `Cooperator`, `cooperate`, `coiterate` | [`task::Cooperator`] | |
//! | `CooperativeTask.pause`, `resume`, `stop`, `whenDone` | [`task::CooperativeTask`] | |
//! | `react` | [`Reactor::run`] | `main` is a callback, or a task |
//!
//! # `twisted.python.failure`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `Failure(error)` | [`Failure::new`], [`Failure::msg`] | |
//! | `check(*types)`, `trap(*types)` | [`Failure::check`], [`Failure::trap`] | |
//! | `failure.value`, `failure.type` | [`Failure::error`], [`downcast`](Failure::downcast), [`is`](Failure::is) | |
//! | `raiseException()` | `?` | |
//! | `getTraceback()` | [`Failure::backtrace`] | |

#[allow(unused_imports, reason = "the links of this page")]
use crate::{coordination::*, deferred::*, error::*, pool::*, reactor::*, report::*, testing::*, *};
