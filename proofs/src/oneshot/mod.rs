//! The proof of the one-shot channel: for any value, any work, and any number of timeouts and wakes, by induction.

mod steps;
mod world;

pub use self::world::World;
