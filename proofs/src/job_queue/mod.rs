//! The proof of the queue of jobs: tickets and order, for any number of jobs, by induction.

mod steps;
mod world;

pub use self::world::World;
