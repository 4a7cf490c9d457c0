//! Deferreds: results that are not there yet, and the chains of callbacks that they go through.
//!
//! A chain in memory, with `»` for a strong pointer:
//!
//! ```text
//!   Resolver » Head » Link » Link « Deferred
//!               ▲                      │
//!               └──────────────────────┘
//! ```
//!
//! Each link is one allocation: its callback, the result it is given, the result it makes. Its predecessor, its
//! successor (or handle) and the loop that runs it each use it through a trait that hides the other types: this is how
//! types change along the chain.
//!
//! From the bottom up:
//!
//! - [`node`]: the traits of nodes and of whole chains; the data of a chain; the cell where a result is stored;
//! - [`conversion`]: the error of a chain that fails by itself;
//! - [`unclaimed`]: an item that goes back to its queue if nobody receives it;
//! - [`deferred`], [`outcome`]: the handle; what a callback may return;
//! - [`cycle`], [`run`]: whether a wait would close a cycle; the loop that runs callbacks and carries results across
//!   chains;
//! - [`link`], [`callbacks`]: one callback; the methods that add one;
//! - [`cancel`], [`effect_queue`]: which chain a cancel reaches; what waits its turn, so that nothing recurses;
//! - [`head`], [`resolver`], [`constructors`]: the first node of a chain; what fires it; how both are made;
//! - [`pause`], [`future`], [`cancel_on_drop`], [`cancel_handle`], [`gather`], [`deferred_list`], [`shared`],
//!   [`pending_resolver`], [`waiter`]: one feature each.
//!
//! The states are in `machine/deferred/` and `machine/gather.rs`.

mod callbacks;
mod cancel;
mod cancel_handle;
mod cancel_on_drop;
mod constructors;
mod conversion;
mod cycle;
#[expect(clippy::module_inception, reason = "the type and its module have the same name")]
mod deferred;
mod deferred_list;
mod effect_queue;
mod future;
mod gather;
mod head;
mod link;
mod node;
mod outcome;
mod pause;
mod pending_resolver;
mod resolver;
mod run;
mod shared;
#[cfg(test)]
mod tests;
mod unclaimed;
mod waiter;

pub use self::cancel_handle::CancelHandle;
pub use self::cancel_on_drop::CancelOnDrop;
pub use self::constructors::{execute, maybe_deferred};
pub use self::deferred::Deferred;
pub use self::deferred_list::{DeferredList, gather_results, race};
pub(crate) use self::effect_queue::{InsideEffect, run_waiting_effects};
pub use self::future::DeferredFuture;
pub use self::outcome::{Outcome, OutcomeOf, Plain, Raise, Settled};
pub use self::pause::PauseHandle;
pub use self::resolver::Resolver;
pub use self::shared::SharedDeferred;

// For timeouts, which need a reactor.
pub(crate) use self::callbacks::catch_failure;
pub(crate) use self::cancel::cancel_from;
pub(crate) use self::conversion::convert_own;
pub(crate) use self::link::{Callback, Passed};
pub(crate) use self::node::{Chain, Node};
// For the runtime's other parts that fire, await and drop Deferreds.
pub(crate) use self::future::ignore_cancellation;
pub(crate) use self::head::{Head, Producer};
pub(crate) use self::pending_resolver::{PendingResolver, deliver_to, drop_late};
// For queues, and for what carries their items to other threads.
pub(crate) use self::unclaimed::{Receipt, TakeBack, Unclaimed};
