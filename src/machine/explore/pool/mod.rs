//! Exhaustive search of the pool: clients that submit, start, resize, cancel and stop, and workers whose jobs may block
//! for ever.
//!
//! Whatever happens between two holds of a lock is a step of its own: a submitter that has released the submit queue
//! and not taken the workers' lock yet; each notify, join and spawn, carried out one by one while other threads go on.
//! A notify releases any one waiter, or any two; a waiter may wake spuriously, or when its time has passed; a spawn may
//! fail, and a thread may start late; a hook may take long; no job has to end, and a blocked one may wait for the next.
//! Each [`Plan`](plan::Plan) says which of these a world allows.
//!
//! In the order in which to read them: `plan` (what may happen), `parts` (the threads and what they do), `plain_store`
//! (a job store of numbers), `world` (the whole state), `labels` (names for the tables), the steps of `clients`, of
//! `workers`, and of whoever carries out what a transition returned (`carry_out`), `properties` (what must hold),
//! `searches` (the worlds, with their pinned sizes). `queue` and `ticket` are searches of the two queues and
//! of the ticket, worlds of their own.

mod carry_out;
mod clients;
mod labels;
mod parts;
mod plain_store;
mod plan;
mod properties;
mod queue;
mod searches;
mod ticket;
mod workers;
mod world;
