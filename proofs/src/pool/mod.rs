//! The proof of the pool: for any number of workers, submitters, callers and jobs, by induction.

mod claims;
mod invariant;
mod places;
mod rank;
mod rest;
mod steps;
mod wait;
mod world;

pub use self::world::World;
