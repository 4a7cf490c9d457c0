//! The proof of a queue of items: for any number of items and takers, and any limits, by induction.

mod steps;
mod world;

pub use self::world::World;
