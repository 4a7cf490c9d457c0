//! A minimal reactor, a resizable thread pool and Deferreds: the bridge between one thread that owns and many that block.
//!
//! Most code belongs to one thread. Some work blocks. This crate is what lies between: an event loop that owns what is not
//! thread-safe, a pool of threads for what blocks, and three ways across:
//!
//! - post a call to the loop from any thread: [`Handle::call_from_thread`];
//! - run a function in a thread and get its result back on the loop: [`threads::defer_to_thread`];
//! - block a thread until the loop answers: [`threads::blocking_call_from_thread`].
//!
//! ```
//! use selvedge::{Reactor, threads};
//!
//! let reactor = Reactor::new();
//! let local = reactor.local();
//! let _ = threads::defer_to_thread(&reactor, || 6 * 7).add_callback(move |answer| {
//!     println!("{answer}, on the reactor's thread");
//!     local.with(|reactor| reactor.stop()).ok();
//! });
//! reactor.run();
//! ```
//!
//! # The promises
//!
//! No `unsafe`, no dependency. Every lock guards one explicit state machine; every transition returns an action; every action happens after the lock is
//! released: no user code, no wake and no drop of a user's value under a lock. Waiting never runs other jobs. What is accepted is run or
//! failed, once; what is not accepted is handed back inside the error. No panic escapes a callback or a job. `SPEC.md` numbers all this, and
//! names the checks that hold each clause.
//!
//! # The house
//!
//! [`Reactor`] is the loop; it stays on the thread that made it. [`Handle`] is what other threads hold of it, [`LocalHandle`] what its own callbacks
//! hold. [`Owned`] and [`Address`] are a value that the loop owns and the way to it. [`ThreadPool`] is usable alone. [`Deferred`] is a result that is
//! not there yet, and [`Resolver`] the half that fires it; [`DeferredList`], [`gather_results`] and [`race`] make one of several, [`DeferredLock`],
//! [`DeferredSemaphore`] and [`DeferredQueue`] let them take turns. [`task`] is what happens later, again and again, or a little at a time.
//! [`threads`] joins them. [`Reactor::spawn`] runs futures, which need not be `Send`, and a Deferred can be awaited in them.
//!
//! Who comes from Twisted finds each of its names in the [`guide`].
//!
//! # Features
//!
//! `loom` adds the module `loom`: the same API over the types of the model checker of that name. It changes nothing else, whoever turns it on.

#![forbid(unsafe_code)]
// docs.rs marks what needs a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod error;
mod failure;
/// Read it first if you come from Twisted.
#[cfg(any(doc, doctest))]
pub mod guide;
mod histogram;
#[cfg(feature = "loom")]
#[cfg_attr(docsrs, doc(cfg(feature = "loom")))]
pub mod loom;
mod machine;
mod std_build;

pub use failure::Failure;
pub use std_build::runtime::api::{
    Address, Deferred, DelayedCall, Handle, Job, LocalHandle, Owned, Reactor, Resolver, ThreadPool, coordination,
    deferred, pool, reactor, report, task, testing, threads,
};

/// The programs of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
