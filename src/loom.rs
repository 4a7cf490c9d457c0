//! The runtime once more, over loom's types: for models, ours and those of programs that link us.
//!
//! The same source files as the ordinary build, name for name: [`Reactor`], [`ThreadPool`], [`threads`] and the rest. Use them
//! inside `loom::model` to explore every interleaving of *your* code with this crate's. Nothing here is seen by a
//! program that uses the ordinary types, whoever in its dependency graph turns the feature on.
//!
//! What differs, because a model has no time and no noise: nothing spins before it sleeps; the clock stands still and a wait with a
//! timeout never times out by itself; and a panic in a job or a callback is not contained but re-raised, so that a
//! failed assertion fails the model — unless its payload is [`Injected`].

#[path = "sync/over_loom.rs"]
pub(crate) mod sync;

#[path = "runtime/mod.rs"]
pub(crate) mod runtime;

pub use runtime::prelude::*;
pub use runtime::{task, threads};
pub use sync::Injected;

/// The three shells themselves, so that models can explore each on its own. No promise of stability.
#[doc(hidden)]
pub mod shells {
    pub use super::runtime::deadline::WhenFull;
    pub use super::runtime::inbox::Inbox;
    pub use super::runtime::oneshot::{Receiver, RecvError, Sender, TimeoutTrigger, channel};
}
