//! What clocks, looping calls and cooperative tasks refuse.

use std::error::Error;
use std::fmt;

use super::Reentered;

/// Defines an enum of reasons, and the sentence that tells each.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $reason:ident => $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $reason,)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$reason => $text,)*
                })
            }
        }

        impl Error for $name {}
    )*};
}

reasons! {
    /// Why time could not be advanced. Nothing has changed.
    AdvanceError {
        /// The reactor has no [`VirtualClock`](crate::VirtualClock): nobody moves the time of the world.
        RealClock => "the reactor runs by the real clock, which nobody can advance; build it with a VirtualClock",
        /// This is inside a turn.
        Reentered => "the reactor is inside a turn; a callback moves the VirtualClock itself, and what is due runs in the next turn",
    }

    /// Why a [`LoopingCall`](crate::task::LoopingCall) could not be started, stopped or reset. Nothing has changed.
    LoopingCallError {
        /// It was started before, and has not ended: it runs, or is in its last call.
        AlreadyRunning => "the looping call runs already, or is still in its last call",
        /// It was not started, or has been stopped.
        NotRunning => "the looping call does not run",
    }

    /// Why a [`CooperativeTask`](crate::task::CooperativeTask) can be neither paused nor stopped any more, and what those learn who ask for its end, if that is not what they hope for.
    TaskFinished {
        /// Its iterator has come to its end.
        Done => "the task is done",
        /// It was stopped.
        Stopped => "the task was stopped",
        /// A step of it failed. The error went to whoever asked first.
        Failed => "the task has failed; whoever asked for its end first has the error",
        /// Its cooperator was stopped.
        SchedulerStopped => "the cooperator of the task was stopped",
    }
}

impl From<Reentered> for AdvanceError {
    fn from(_: Reentered) -> Self {
        Self::Reentered
    }
}
