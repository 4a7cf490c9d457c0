//! The same crate over loom's types, for models of programs that use it. Needs the feature `loom`.
//!
//! It is compiled from the same source files and has the same names: a program that writes
//! `use selvedge::loom as selvedge` in its models explores every interleaving of its own code with this crate's. The
//! error types are the same types, not copies. Programs that use the ordinary types are not affected, whichever crate
//! of a dependency graph turns the feature on.
//!
//! ```
//! use selvedge::loom::{Reactor, model};
//!
//! model(|| {
//!     let reactor = Reactor::new();
//!     let handle = reactor.handle();
//!     loom::thread::spawn(move || handle.stop());
//!     reactor.run();
//! });
//! ```
//!
//! [`model`] explores up to two preemptions, and [`Model`] sets another bound. Where a model fails, it prints what each
//! thread has posted and run, and its own [`note`]s. `examples/model` is a crate that checks itself.
//!
//! A model has no time, so three things differ. Nothing spins before it sleeps. The clock stands still, and a wait with
//! a timeout never times out by itself. A panic in a job or a callback is not contained but re-raised, so that a failed
//! assertion fails the model; only a panic whose payload is [`Injected`](testing::Injected) is contained.

#[path = "sync/loom.rs"]
pub(crate) mod sync;

#[path = "runtime/mod.rs"]
pub(crate) mod runtime;

mod model;

pub use self::model::{Model, model, note};
pub use runtime::api::*;

pub use crate::error;

/// Inbox and one-shot channel, so that models can explore each on its own. May change in any version.
#[doc(hidden)]
pub mod shells {
    pub use super::runtime::deadline::WhenFull;
    pub use super::runtime::inbox::Inbox;
    pub use super::runtime::oneshot::{Receiver, RecvError, Sender, TimeoutTrigger, channel};
}
