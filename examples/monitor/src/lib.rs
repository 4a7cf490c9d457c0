//! A live view of a reactor and its pool, for a terminal: lag of the loop, turns per second, sizes of the pool,
//! histograms, slowest jobs by name.
//!
//! ```no_run
//! use selvedge::Reactor;
//! use selvedge_monitor::Monitor;
//!
//! let monitor = Monitor::new();
//! let reactor = monitor.attach(Reactor::builder()).build()?;
//! let view = monitor.show(reactor.handle())?; // On a thread of its own, until `q` is pressed or the reactor stops.
//! reactor.run();
//! view.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is measured comes from the hooks `around_turns`, `around_jobs` and `take_times`, from `ThreadPool::times`, and
//! from a call that the view posts four times a second to see how long it takes to run: the lag.

mod draw;
mod measure;
mod snapshot;
mod view;

pub use self::draw::draw;
pub use self::measure::Monitor;
pub use self::snapshot::{SlowJob, Snapshot, Threads};
pub use self::view::View;
