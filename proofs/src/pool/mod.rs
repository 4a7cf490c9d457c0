//! The proof of the pool: for any number of workers, submitters, callers and jobs, by induction.

mod invariant;
mod places;
mod rank;
mod rest;
mod steps;
mod world;

pub use self::invariant::conjuncts;
pub use self::rest::prove_rest;
pub use self::steps::{Kind, STEPS, Step};
pub use self::world::World;
