//! Errors of reactors, of what they own, and of calls that wait for them.

use std::io;
use std::panic::Location;
use std::time::Duration;

use super::messages::messages;
use super::pool::SizeError;
use crate::failure::{Failure, Panic};

/// Why a reactor could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildError {
    /// The minimum size of one of its pools is above the maximum.
    Size {
        /// The pool's name.
        pool: String,
        /// The sizes.
        error: SizeError,
    },
    /// Two of its pools have the same name. Its own pool is called `reactor` unless it was given another name.
    DuplicatePool {
        /// The name.
        name: String,
    },
}

/// Why a reactor was not started on a thread of its own.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// It could not be built.
    Build(BuildError),
    /// The thread could not be started.
    Thread(io::Error),
    /// The set-up has panicked.
    Panicked(Panic),
    /// A reactor lives on this thread, which must not wait for the set-up of another.
    WouldDeadlock,
}

/// Why the end of a reactor's own thread was not waited for. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JoinError {
    /// The reactor could wait for this thread: a reactor lives on it, or it is a worker of one of its pools.
    WouldDeadlock,
    /// Somebody has joined the thread, or does.
    AlreadyJoined,
}

/// The reactor has no pool of this name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UnknownPool {
    /// The name that was asked for.
    pub name: String,
    /// The names of the reactor's pools.
    pub known: Vec<String>,
}

/// A turn was asked for inside a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reentered;

/// Why [`Reactor::stop`](crate::Reactor::stop) did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopError {
    /// The reactor has not started to run, or has stopped.
    NotRunning,
    /// It was asked to stop already.
    AlreadyStopping,
}

/// The reactor has stopped, so what was asked of it will not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReactorStopped;

/// There is no such event trigger: it has run, was removed, or belongs to another reactor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UnknownTrigger;

/// Why an event was not fired. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FireEventError {
    /// It is *startup* or *shutdown*.
    BuiltIn,
    /// The reactor has ended.
    ReactorStopped,
}

/// Why a delayed call can no longer be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelayedCallError {
    /// It was cancelled.
    AlreadyCancelled,
    /// It has run, or is running now.
    AlreadyCalled,
}

/// A reactor-owned value could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OwnedError {
    /// Why.
    pub reason: Unavailable,
    /// The value's type, as [`type_name`](std::any::type_name) writes it.
    pub type_name: &'static str,
    /// Where the reactor was given the value.
    pub owned_at: &'static Location<'static>,
}

/// Why a reactor-owned value could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unavailable {
    /// The value is gone: its owner was dropped, it was released, or the reactor has ended.
    Gone,
    /// The value is in use further up this thread's stack: the call came from inside another one with the value.
    InUse,
    /// Another reactor owns the value.
    OtherReactor,
}

/// Why the time of a reactor could not be advanced. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdvanceError {
    /// The reactor has no [`VirtualClock`](crate::testing::VirtualClock).
    RealClock,
    /// This is inside a turn.
    Reentered,
}

/// Why [`blocking_call_from_thread`](crate::threads::blocking_call_from_thread) returned no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockingCallError {
    /// The function failed, or the Deferred it returned did. The original error is inside.
    Failed(Failure),
    /// The function panicked, or a callback of its Deferred did.
    Panicked(Panic),
    /// A reactor lives on this thread, the one that was called or another. Such a thread must not block: two that wait
    /// for each other would never answer.
    WouldDeadlock,
    /// The reactor had stopped, or stopped before it answered.
    ReactorStopped,
    /// No answer came within this time. If the function had not begun, it never runs; if it had, its result is dropped.
    TimedOut(Duration),
}

impl From<Reentered> for AdvanceError {
    fn from(_: Reentered) -> Self {
        Self::Reentered
    }
}

messages! {
    BuildError {
        Self::Size { pool, error: SizeError { min, max } } =>
            "the reactor's pool {pool:?} cannot have a minimum of {min} threads and a maximum of {max}",
        Self::DuplicatePool { name } =>
            "the reactor cannot have two pools named {name:?}: give one of them another name",
    } => source {
        Self::Size { error, .. } => Some(error),
    }
    SpawnError {
        Self::Build(error) => "{error}",
        Self::Thread(_) => "no thread could be started for the reactor",
        Self::Panicked(panic) => "the set-up of the reactor {panic}",
        Self::WouldDeadlock => "a reactor lives on this thread, so it must not wait for another: spawn that in a job",
    } => source {
        // `Display` prints that one already, so the source is its own.
        Self::Build(error) => error.source(),
        Self::Thread(error) => Some(error),
    }
    JoinError {
        Self::WouldDeadlock =>
            "this thread must not wait for the reactor's end, because a reactor lives on it or it is a worker of that \
             reactor: stop it with its handle, and join it on another thread",
        Self::AlreadyJoined => "somebody has joined the reactor's thread, or does",
    }
    UnknownPool {
        Self { name, known } => "the reactor has no pool named {name:?}; it has {known:?}",
    }
    Reentered {
        Self => "the reactor is inside a turn; a callback cannot run another turn",
    }
    StopError {
        Self::NotRunning =>
            "the reactor is not running, so it cannot be stopped; `Handle::stop` can be called before it runs",
        Self::AlreadyStopping => "the reactor is stopping already",
    }
    ReactorStopped {
        Self => "the reactor has stopped and runs nothing more",
    }
    UnknownTrigger {
        Self => "no such event trigger: it has run, or was removed, or belongs to another reactor",
    }
    FireEventError {
        Self::BuiltIn => "startup and shutdown are fired by the reactor alone: to begin shutdown, stop the reactor",
        Self::ReactorStopped => "the reactor has stopped and fires no more events",
    }
    DelayedCallError {
        Self::AlreadyCancelled => "the delayed call was cancelled already",
        Self::AlreadyCalled => "the delayed call was called already",
    }
    OwnedError {
        Self { reason, type_name, owned_at } => "{reason}: a `{type_name}`, owned at {owned_at}",
    }
    Unavailable {
        Self::Gone => "the reactor-owned value is gone",
        Self::InUse => "the reactor-owned value is in use further up this thread's stack",
        Self::OtherReactor => "the value is owned by another reactor",
    }
    AdvanceError {
        Self::RealClock => "the reactor uses the real clock, which cannot be advanced; build it with a VirtualClock",
        Self::Reentered =>
            "the reactor is inside a turn; a callback advances the VirtualClock itself, and what is due then runs in \
             the next turn",
    }
    BlockingCallError {
        Self::Failed(failure) => "{failure}",
        Self::Panicked(panic) => "{panic}",
        Self::WouldDeadlock =>
            "a reactor lives on this thread, so it must not block: on the reactor's own thread call the function \
             directly, and if it returns a Deferred add a callback; on another reactor's use `defer_to_reactor`",
        Self::ReactorStopped => "the reactor stopped before it answered the blocking call",
        Self::TimedOut(after) => "the reactor did not answer the blocking call within {after:?}",
    } => source {
        // `Display` prints the failure already, so the source is the failure's own.
        Self::Failed(failure) => failure.error().source(),
    }
}
