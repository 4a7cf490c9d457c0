//! selvedge beside its peers: what is measured, how, and how the results are shown.

pub mod bytes;
pub mod changes;
pub mod curves;
pub mod deep;
pub mod dispatch;
pub mod draw;
pub mod files;
pub mod floor;
pub mod holds;
pub mod hosted;
pub mod latency;
pub mod measure;
pub mod payload;
pub mod pools;
pub mod posting;
pub mod promises;
pub mod round_trip;
pub mod scaling;
pub mod state;
pub mod statistics;
pub mod system_calls;
pub mod table;
pub mod tasks;
pub mod timers;
pub mod two_locks;
pub mod waiting;
