//! The reactor: an event loop on one thread. This file lists its parts and holds their data; [`turn`] is the loop.
//!
//! - [`handle`] posts calls from any thread, [`calls`] queues them, [`turn`] takes and runs them;
//! - [`timers`], [`triggers`] and [`owned`] are what the loop keeps: delayed calls, event triggers, values;
//!   [`slot_queue`] is where jobs wait for a slot of a pool, [`end_notice`] tells of the reactor's end;
//! - [`reactor`](self::reactor) has the methods of [`Reactor`], [`builder`] makes one, [`pools`] names its thread
//!   pools;
//! - [`around_turns`] is a program's code around what the loop does;
//! - [`hosted`] lets the loop that turns it wait for it;
//! - [`clock`], [`advance`] and [`virtual_time`] are its time, real or virtual;
//! - [`shutdown`] limits the time of its own end, and says what was late;
//! - [`spawn`], [`sleep`], [`timeout`] and [`block_on`] join it to Deferreds and futures; [`send_future`] and [`ask`]
//!   carry results to other threads, over a [`polled_oneshot`].

mod advance;
mod around_turns;
mod ask;
mod block_on;
mod builder;
mod calls;
mod clock;
mod end_notice;
mod handle;
mod hosted;
mod own_thread;
mod owned;
mod polled_oneshot;
mod pools;
mod reactor;
mod send_future;
mod shutdown;
mod sleep;
mod slot_queue;
mod spawn;
mod timeout;
mod timers;
mod triggers;
mod turn;
mod virtual_time;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use self::around_turns::TurnHooks;
use self::calls::Calls;
use self::clock::Clock;
use self::owned::Table;
use self::pools::Pools;
use self::shutdown::ShutdownState;
use self::slot_queue::SlotQueues;
use self::timers::Timers;
use self::triggers::Triggers;
use super::inbox::Inbox;
use super::reactor_thread::ReactorThreadGuard;
use super::report::{DefaultGuard, Reporter};
use super::sync::{Arc, Spin, ThreadId};
use crate::machine::lifecycle::Lifecycle;

pub use self::around_turns::LoopActivity;
pub use self::ask::Ask;
pub use self::builder::ReactorBuilder;
pub use self::calls::Call;
pub use self::clock::VirtualClock;
pub(crate) use self::end_notice::{EndListener, EndNotice};
pub use self::handle::{Handle, LocalHandle};
pub use self::own_thread::ReactorThread;
pub use self::owned::{Address, Owned};
pub(crate) use self::owned::{DropOrder, ValueId};
pub use self::send_future::SendFuture;
pub use self::shutdown::{LatePool, Shutdown};
pub(crate) use self::slot_queue::SlotPlace;
pub use self::timers::DelayedCall;
pub use self::triggers::{Event, Phase, TriggerId};
pub use self::turn::Turn;
pub(crate) use self::virtual_time::OwedAnswer;

/// An event loop: it owns what is not thread-safe, runs what other threads post to it, and keeps the timers.
///
/// It stays on the thread that made it; other threads hold a [`Handle`]. What runs on it is given a `&Reactor`, except
/// for the callbacks of Deferreds: they capture a [`LocalHandle`]. A panic does not end the loop: one in a posted call,
/// a timer or a trigger is reported ([`ReactorBuilder::on_report`]); one in a Deferred's callback becomes a failure.
///
/// ```
/// use selvedge::Reactor;
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// reactor.call_in_thread(move || {
///     // On a thread of the pool: may block.
///     std::thread::sleep(Duration::from_millis(2));
///     handle.call_from_thread(|reactor| {
///         // On the reactor's thread again: must not block.
///         reactor.stop().ok();
///     })
///     .ok();
/// })?;
/// reactor.run();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reactor {
    core: Rc<Core>,
}

/// All data of a reactor. Delayed calls, owners and local handles hold weak references to it.
struct Core {
    shared: Arc<Shared>,
    reporter: Reporter,
    clock: Clock,
    lifecycle: Cell<Lifecycle>,
    /// Whether a turn is running.
    turning: Cell<bool>,
    /// When the host turns this reactor again by itself, if that waits for a wake meanwhile: see [`hosted`].
    parked: Cell<Option<Duration>>,
    /// An empty queue that the next turn exchanges for the inbox's, so that its memory is used again.
    batch: RefCell<Calls>,
    hooks: TurnHooks,
    timers: Timers,
    triggers: Triggers,
    owned: Table,
    shutdown: ShutdownState,
    slot_queues: SlotQueues,
    /// Until the reactor has ended.
    thread: Cell<Option<ReactorThreadGuard>>,
    _default_reporter: DefaultGuard,
}

/// The part of a reactor that other threads share.
struct Shared {
    inbox: Inbox<Calls>,
    pools: Pools,
    /// The thread that the reactor lives on.
    thread: ThreadId,
    /// How long threads spin that wait for an answer of this reactor.
    spin: Spin,
}
