//! Properties: the whole system under random use, against a naive reference and against crossbeam-channel.

mod ordering;
mod regressions;
mod script;
mod strategy;
