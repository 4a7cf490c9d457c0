//! The proof of the inbox: for any number of posters and calls, and any bound, by induction.

mod claims;
mod steps;
mod world;

pub use self::claims::claims;
