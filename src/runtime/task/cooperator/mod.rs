//! The cooperator: iterators that share the reactor's turns.
//!
//! - `builder`: [`CooperatorBuilder`];
//! - `handle`: the public handles, [`Cooperator`] and [`CooperativeTask`];
//! - `ticks`: the run queue, and the ticks that step what is in it;
//! - `steps`: one task, its steps and its end;
//! - `shared`: the data of both.
//!
//! The state machines are in `machine/cooperator/`.

mod builder;
mod handle;
mod shared;
mod steps;
mod ticks;

pub use self::builder::CooperatorBuilder;
pub use self::handle::{CooperativeTask, Cooperator};
