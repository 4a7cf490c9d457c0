//! The proof of the inbox: for any number of posters and calls, and any bound, by induction.

mod steps;
mod world;

pub use self::world::World;
