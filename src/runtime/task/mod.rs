//! Calls made later, calls made at intervals, and long computations done in slices: Twisted's `task` module.
//!
//! - [`defer_later`]: a call after a delay, and a Deferred of its result;
//! - [`LoopingCall`]: a function that is called at every interval;
//! - [`Cooperator`]: iterators that share the reactor's turns, a slice of time in each.
//!
//! They are for code that is written with callbacks. A future sleeps and loops by itself, once it is
//! [spawned](crate::Reactor::spawn). Computations whose steps are too long for a turn belong in a
//! [thread](crate::threads::defer_to_thread). With a [`VirtualClock`](crate::testing::VirtualClock) all of it is
//! deterministic:
//!
//! ```
//! use selvedge::{Reactor, task, testing::VirtualClock};
//! use std::time::Duration;
//!
//! let second = Duration::from_secs(1);
//! let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
//! let heartbeat = task::LoopingCall::new(|tick| println!("alive at {:?}", tick.reactor().now()));
//! let ended = heartbeat.start(&reactor, second)?;
//! let stopped = task::defer_later(&reactor, 3 * second, move |_| heartbeat.stop());
//! reactor.pump([second; 4])?;
//! assert!(ended.try_result().is_ok_and(|ended| ended.is_ok()));
//! assert!(stopped.try_result().is_ok_and(|stopped| stopped.is_ok()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod completion;
mod cooperator;
mod defer_later;
mod looping_call;

pub use self::cooperator::{CooperativeTask, Cooperator, CooperatorBuilder};
pub use self::defer_later::defer_later;
pub use self::looping_call::{LoopingCall, Tick};
