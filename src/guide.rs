//! From Twisted to selvedge: what the names of its core have become, and what has changed with them.
//!
//! Names are Twisted's, in snake_case, wherever the thing is the same. Errors that cannot occur any more have no name:
//! there is no `AlreadyCalledError`, because firing consumes the [`Resolver`], and no `ReactorNotRestartable`, because
//! [`Reactor::run`] consumes the reactor. Where behaviour differs on purpose, `docs/differences.md` lists each
//! difference with its reason. Deferreds are checked by 700 programs that were recorded from Twisted.
//!
//! # Four changes that run through everything
//!
//! **The reactor is a value.** There is no `from twisted.internet import reactor`. Callbacks of the loop are given
//! `&Reactor`; a Deferred's callback captures [`Reactor::local`]; other threads hold a [`Handle`].
//!
//! ```
//! use selvedge::{Deferred, Reactor};
//! use std::time::Duration;
//!
//! // def main(reactor):
//! //     reactor.callLater(0.01, reactor.stop)
//! let reactor = Reactor::new();
//! reactor.call_later(Duration::from_millis(10), |reactor| {
//!     reactor.stop().ok();
//! });
//! reactor.run();
//! ```
//!
//! **A Deferred has two halves.** The producer of the result keeps the [`Resolver`], the consumer the [`Deferred`].
//! Each method that adds a callback consumes the Deferred and returns another, because the type of the result may have
//! changed.
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
//! **Errors are returned.** A callback fails by returning `Err`; a panic is a failure too, a [`Panic`]. A [`Failure`]
//! keeps the original error, and `check` and `trap` look at its type as in Twisted.
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
//! **Coroutines are futures.** `async def` and `inlineCallbacks` become `async` functions or blocks, a Deferred can be
//! awaited, and [`Reactor::spawn`] is `ensureDeferred`.
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
//!     local.stop();
//! });
//! reactor.run();
//! ```
//!
//! # `twisted.internet.reactor`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `reactor.run()` | [`Reactor::run`] | consumes it: running twice does not compile |
//! | `reactor.stop()` | [`Reactor::stop`], [`Handle::stop`] | other threads have the handle's |
//! | `reactor.running` | [`Reactor::is_running`] | |
//! | `reactor.iterate()` | [`Reactor::turn`] | never waits; returns when the next turn is due |
//! | `gtk3reactor.install()` and the like | [`ReactorBuilder::on_wake`] | any loop can host a reactor, and turns it |
//! | `callFromThread(f, *args)` | [`Handle::call_from_thread`] | once the reactor has stopped, an error |
//! | `callInThread(f, *args)` | [`Reactor::call_in_thread`], [`Handle::call_in_thread`] | |
//! | `callLater(delay, f, *args)` | [`Reactor::call_later`] | equal deadlines keep their order |
//! | `IDelayedCall.cancel`, `reset` | [`DelayedCall::cancel`], [`reset`](DelayedCall::reset) | |
//! | `IDelayedCall.delay` | [`DelayedCall::delay`] | |
//! | `IDelayedCall.active`, `getTime` | [`DelayedCall::is_active`], [`time`](DelayedCall::time) | |
//! | `getDelayedCalls()` | [`Reactor::delayed_calls`] | returns their number |
//! | `seconds()` | [`Reactor::now`] | monotonic, counted from the making of the reactor |
//! | `callWhenRunning(f)` | [`Reactor::call_when_running`] | |
//! | `addSystemEventTrigger` | [`Reactor::add_event_trigger`] | in each phase it may return a Deferred |
//! | `removeSystemEventTrigger` | [`Reactor::remove_event_trigger`] | |
//! | `fireSystemEvent` | [`Reactor::fire_event`] | for a program's own events |
//! | `suggestThreadPoolSize(n)` | [`Reactor::suggest_thread_pool_size`] | and the [`Handle`]'s |
//! | `getThreadPool()` | [`Reactor::thread_pool`] | |
//! | `isInIOThread()` | [`Handle::is_in_reactor_thread`] | about one reactor, as there may be several |
//! | `task.Clock`, `advance`, `pump` | [`VirtualClock`], [`Reactor::advance`], [`Reactor::pump`] | |
//! | state of a protocol or factory | [`Reactor::own`], [`Owned`], [`Address`] | other threads call it by its address |
//!
//! # `twisted.internet.threads`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `deferToThread(f, *args)` | [`threads::defer_to_thread`] | cancelling keeps a queued job from running |
//! | `deferToThreadPool(reactor, pool, f)` | [`threads::defer_to_thread_pool`] | |
//! | `callMultipleInThread(list)` | [`threads::call_multiple_in_thread`] | with a name or limits: [`Job::multiple`] |
//! | `blockingCallFromThread(reactor, f)` | [`threads::blocking_call_from_thread`] | an error for each cause |
//! | the same with a timeout | [`threads::blocking_call_from_thread_timeout`] | |
//!
//! # `twisted.python.threadpool`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `ThreadPool(min, max, name)` | [`ThreadPool::new`], [`ThreadPool::builder`] | impossible sizes are an error |
//! | `start` | [`ThreadPool::start`] | |
//! | `stop` | [`ThreadPool::stop`] | finishes the accepted jobs; may be called twice |
//! | `callInThread` | [`ThreadPool::call_in_thread`] | after `stop`, an error |
//! | `callInThreadWithCallback(onResult, f)` | [`ThreadPool::call_in_thread_with_callback`] | |
//! | `adjustPoolsize(min, max)` | [`ThreadPool::adjust_pool_size`] | starts threads for queued jobs at once |
//! | `threads`, `waiters`, `working`, `dumpStats` | [`ThreadPool::stats`] | one consistent snapshot |
//!
//! # `twisted.internet.defer`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `Deferred()` | [`Deferred::new`] | |
//! | `Deferred(canceller)` | [`Deferred::with_canceller`] | a canceller that panics is reported |
//! | a canceller that fires | [`Deferred::with_firing_canceller`] | |
//! | `d.callback(value)`, `d.errback(error)` | [`Resolver::callback`], [`Resolver::errback`] | |
//! | dropped and never fired | the Deferred fails with [`Abandoned`] | |
//! | `addCallback`, `addErrback` | [`Deferred::add_callback`], [`add_errback`](Deferred::add_errback) | |
//! | `addBoth` | [`Deferred::add_both`] | |
//! | `addCallbacks` | [`Deferred::add_callbacks`] | |
//! | | [`Deferred::map`] | `add_callback` for a result of any type |
//! | `chainDeferred(other)` | [`Deferred::chain_deferred`], [`Resolver::settle`] | cancelling the other is forwarded |
//! | `pause`, `unpause` | [`Deferred::pause`], [`unpause`](Deferred::unpause), [`PauseHandle`] | |
//! | `unpause` without `pause` | [`NotPaused`] | |
//! | `cancel`, `CancelledError` | [`Deferred::cancel`], [`Cancelled`] | |
//! | `addTimeout`, `TimeoutError` | [`Deferred::add_timeout`], [`TimedOut`] | |
//! | `onTimeoutCancel` | [`Deferred::add_timeout_with`] | |
//! | `d.called` | [`Deferred::has_result`] | `false` while it is paused or waits for another |
//! | `d.result` | [`Deferred::try_result`] | takes the result |
//! | `AlreadyCalledError` | | does not compile |
//! | `succeed`, `fail` | [`Deferred::succeed`], [`Deferred::fail`] | |
//! | `maybeDeferred`, `execute` | [`maybe_deferred`], [`execute`] | |
//! | `logError`, `log.err` | [`Deferred::log_error`] | |
//! | "Unhandled error in Deferred" | [`Incident::Unhandled`] | on drop, once: see [`ReactorBuilder::on_report`] |
//! | `ensureDeferred`, `fromCoroutine` | [`Reactor::spawn`] | |
//! | `inlineCallbacks` | [`Reactor::spawn`] | |
//! | `await d`, `yield d` | `d.await` | |
//! | `asFuture`, `fromFuture` | [`Deferred::into_send_future`], [`Reactor::spawn`] | |
//! | `DeferredList` | [`DeferredList`] | its options are methods |
//! | `gatherResults`, `FirstError` | [`gather_results`], [`FirstError`] | |
//! | `race`, `FailureGroup` | [`race`], [`FailureGroup`] | |
//! | `DeferredLock` | [`DeferredLock`] | dropping its [`Permit`] releases it |
//! | `DeferredSemaphore` | [`DeferredSemaphore`] | dropping a [`Permit`] releases it |
//! | `DeferredQueue` | [`DeferredQueue`] | |
//! | `QueueOverflow`, `QueueUnderflow` | [`PutError`], [`QueueUnderflow`] | |
//!
//! # `twisted.internet.task`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `deferLater(reactor, delay, f)` | [`task::defer_later`], [`Reactor::sleep`] | |
//! | `LoopingCall(f)`, `start(interval)` | [`task::LoopingCall`] | |
//! | `LoopingCall.withCount` | [`task::LoopingCall::with_count`] | |
//! | `Cooperator`, `cooperate`, `coiterate` | [`task::Cooperator`] | |
//! | `CooperativeTask` | [`task::CooperativeTask`] | |
//! | `react` | [`Reactor::block_on`] | `main` is a future |
//!
//! # `twisted.trial`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | a `TestCase` that returns a Deferred | [`TestReactor`] | [`settle`](TestReactor::settle) until nothing moves |
//! | `Clock`, `MemoryReactorClock` | [`TestReactor::advance`] | its pools have no threads |
//! | `flushLoggedErrors` | [`Injected`], [`ReactorBuilder::on_report`] | other panics and reports fail the test |
//! | | [`schedules`] | a test in many orders, each from a seed |
//!
//! A test in three lines:
//!
//! ```
//! use selvedge::{testing::TestReactor, threads};
//!
//! let reactor = TestReactor::new();
//! threads::defer_to_thread(&reactor, || 42).add_callback(|answer| assert_eq!(answer, 42));
//! reactor.settle();
//! ```
//!
//! # `twisted.python.failure`
//!
//! | Twisted | Here | |
//! |---|---|---|
//! | `Failure(error)` | [`Failure::new`], [`Failure::msg`] | |
//! | `check(*types)`, `trap(*types)` | [`Failure::check`], [`Failure::trap`] | |
//! | `failure.value` | [`Failure::error`] | |
//! | `failure.type` | [`Failure::downcast`], [`Failure::is`] | |
//! | `raiseException()` | `?` | |
//! | `getTraceback()` | [`Failure::backtrace`] | |

#[allow(unused_imports, reason = "the links of this page")]
use crate::{coordination::*, deferred::*, error::*, pool::*, reactor::*, report::*, testing::*, *};
