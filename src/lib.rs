//! A reactor (an event loop), a resizable thread pool and Deferreds (results with callbacks), for programs whose state
//! belongs to one thread and whose blocking work belongs to others.
//!
//! The [`Reactor`] owns what is not thread-safe, on one thread; the [`ThreadPool`] runs what blocks. There are three
//! ways between them:
//!
//! - [`Handle::call_from_thread`] posts a call to the loop, from any thread;
//! - [`threads::defer_to_thread`] runs a function on the pool, and its result reaches the loop as a [`Deferred`];
//! - [`threads::blocking_call_from_thread`] blocks a thread until the loop has answered.
//!
//! ```
//! use selvedge::{Reactor, threads};
//!
//! let reactor = Reactor::new();
//! let handle = reactor.handle();
//! threads::defer_to_thread(&reactor, || 6 * 7)
//!     .add_callback(|answer| println!("{answer}, on the reactor's thread"))
//!     .add_both(move |result| {
//!         handle.stop();
//!         result
//!     });
//! reactor.run();
//! ```
//!
//! # A tour
//!
//! A [`Reactor`] stays on the thread that made it. Other threads hold a [`Handle`]; callbacks on its own thread hold a
//! [`LocalHandle`]. [`Reactor::call_later`] sets a timer and returns the [`DelayedCall`]. An [`Owned`] value belongs to
//! the reactor and never leaves its thread; other threads call it through its [`Address`].
//!
//! A [`ThreadPool`] is usable without a reactor. Its jobs are closures, or [`Job`]s where they need a name or a time
//! limit, or are to wait for a free slot. A [`Ticket`](pool::Ticket) cancels one.
//!
//! A [`Deferred`] is a result that is not there yet, and the [`Resolver`] is the half that fires it. Callbacks are
//! added to it, and it can be awaited in a task of [`Reactor::spawn`], whose futures need not be `Send`. An error
//! travels along the callbacks as a [`Failure`], with its type kept. [`Deferred::shared`] lets several wait for it.
//!
//! In `async` code, [`Reactor::block_on`] runs a reactor for one future, and [`Handle::ask`] asks it from any thread
//! and executor. A loop of another kind hosts a reactor with [`on_wake`](reactor::ReactorBuilder::on_wake).
//!
//! The rest is in modules by topic:
//!
//! | Module | What is in it |
//! |---|---|
//! | [`reactor`] | building a reactor, event triggers, turning it by hand in a loop of your own |
//! | [`pool`] | building a pool, statistics, tickets that cancel jobs, stopping with a deadline |
//! | [`threads`] | the bridges between threads and the reactor |
//! | [`deferred`] | several Deferreds as one, what a callback may return, futures |
//! | [`coordination`] | lock, semaphore and queue for code on the reactor's thread |
//! | [`task`] | calling a function later or repeatedly, and dividing long work among turns |
//! | [`error`] | the error types |
//! | [`report`] | where failures go that nothing else can handle |
//! | [`testing`] | a reactor for tests: virtual time, no threads, many orders |
//!
//! The [`guide`] is a book: from the first program to recipes, and from Twisted, asyncio, tokio or rayon to this crate.
//! It also says [what the crate is not for](guide::not_for), and what to take instead.
//!
//! # Guarantees
//!
//! - No `unsafe`, and no dependency.
//! - An accepted call or job runs once, unless it is cancelled, its reactor is dropped, its time in the queue is over,
//!   or its pool never has a thread: then whatever waits for its result gets an error. One that is not accepted is
//!   handed back inside the error; only the functions of [`threads::defer_to_thread`] and
//!   [`threads::blocking_call_from_thread`] are dropped instead.
//! - A panic in a callback or job is contained: it becomes the failure of its Deferred, or is reported.
//! - No user code runs, no value of a program is dropped and no thread is woken while a lock is held.
//! - A thread that waits never runs other jobs meanwhile.
//!
//! # Limits
//!
//! - When `main` returns the process ends, with the accepted jobs that have not run. [Stop](ThreadPool::stop) a pool
//!   before that.
//! - **`fork`.** Where a process has several threads, a child that it forks has only the one that called `fork`. There
//!   no pool has a worker, accepted jobs never run, nobody posts a result, and a lock that another thread held at that
//!   moment, of this crate or of the allocator, is never released. Such a child may only call `exec`, and before it
//!   what is safe in a signal handler. [`std::process::Command`] does that. A program that goes on in its children
//!   forks before it makes a pool or a reactor.
//! - A chain that waits for itself through a [shared](deferred::SharedDeferred) Deferred is not detected.
//!
//! `SPEC.md` is the contract: numbered clauses, each of which has a check.
//!
//! # Features
//!
//! No feature is on by default, and everything but the module `loom` is there without any. `loom` adds that module: the
//! same API over the types of the model checker [loom](https://docs.rs/loom), for models of programs that use this
//! crate. It changes nothing else.

#![forbid(unsafe_code)]
// docs.rs marks what needs a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod error;
mod exclusive;
mod failure;
// Its programs take as long to compile as all others together: they run with the models.
#[cfg(any(all(doc, not(doctest)), all(doctest, feature = "loom")))]
pub mod guide;
mod histogram;
#[cfg(feature = "loom")]
#[cfg_attr(docsrs, doc(cfg(feature = "loom")))]
pub mod loom;
mod machine;
mod std_build;
mod thread_value;

// The same list as that of the module `loom`.
pub use std_build::runtime::api::*;

/// The programs of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
