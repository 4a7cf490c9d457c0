//! Offers, workers and a real Redis on three hosts, and what may happen to them: the result is hash_tree's, byte for
//! byte. No verdict depends on time: a test waits for a state, and fails after minutes if it does not come.

mod bad_input;
mod failures;
mod hosts;
mod poison;
mod program;
mod proxy;
mod redis;
mod stopping;
mod tree;
