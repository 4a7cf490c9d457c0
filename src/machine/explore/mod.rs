//! Exhaustive search of the machines that ship: every reachable state of a small world around each, and every step.
//!
//! Only searches are in this folder; what ships is in the machines' own files, one folder up. `search` is the search
//! itself, `table` and `table_file` write the table beside each machine, `events` lists what can happen where `proofs/`
//! has the same steps, and each other file is one machine's world.
//!
//! The numbers of states and steps are pinned, because a search that shrinks unnoticed proves less than it says. Each
//! world can also have bugs put into it, to check that the search finds them.

/// The events of one machine. One that never happens does not compile. Their numbers are read in the trace of a
/// counterexample.
macro_rules! events {
    ($($event:ident $(($of:ident: $number:ty))?,)*) => {
        #[derive(Clone, Copy)]
        #[deny(dead_code)]
        pub(in crate::machine::explore) enum Event {
            $($event $(($number))?,)*
        }

        impl std::fmt::Debug for Event {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$event $(($of))? => f.debug_tuple(stringify!($event))$(.field($of))?.finish(),)*
                }
            }
        }
    };
}

mod cooperator;
mod deferred;
mod events;
mod firing;
mod gather;
mod inbox;
mod item_queue;
mod join_state;
mod lifecycle;
mod looping_call;
mod oneshot;
mod pool;
mod search;
mod semaphore;
mod slot_queue;
mod table;
mod table_file;
mod task;

use self::search::{Steps, World, must_find, must_hold};
use self::table::{Row, Rows};
