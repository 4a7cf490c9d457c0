//! Random programs over the whole system: reactors, pools and Deferreds, and everything that threads do to them. What
//! is promised in every schedule is checked. Shared by the properties, the fuzz target and the explorer of schedules.

mod local;
mod perform;
pub mod program;
mod record;
mod stepped;
mod threaded;
mod world;

pub use stepped::{check as check_in_steps, trace};
pub use threaded::check as check_on_threads;
