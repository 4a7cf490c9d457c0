//! Properties: the whole system under random use, against a naive reference and against crossbeam-channel.

mod corpus;
mod inbox;
mod known;
mod ordering;
mod pool;
mod regressions;
mod results;
mod script;
mod strategy;
