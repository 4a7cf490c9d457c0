//! Tells of turns, calls and jobs that take too long, while they are still at it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use selvedge::Reactor;
use selvedge::pool::PoolBuilder;
use selvedge::reactor::ReactorBuilder;

use super::lane::Name;
use super::{Kind, Recorder, Shared};

/// Something that takes longer than it may.
#[derive(Debug, Clone)]
pub struct Stuck {
    pub kind: Kind,
    pub name: Name,
    /// The name of its thread.
    pub thread: String,
    /// For how long already.
    pub running_for: Duration,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Turn => write!(f, "a turn of the loop")?,
            Kind::Call => write!(f, "call {}", self.name)?,
            Kind::Timer => write!(f, "timer {}", self.name)?,
            Kind::Job => write!(f, "job {}", self.name)?,
        }
        write!(f, " on thread {:?} takes {:?} already", self.thread, self.running_for)
    }
}

/// Calls `on_stuck` once for each turn, call, timer or job of the reactor that is to be built that takes longer than
/// `limit`, while it is still at it, from a thread of its own, which ends with the reactor. Nothing is kept.
///
/// ```ignore
/// let reactor = watched(Reactor::builder(), Duration::from_secs(1), |stuck| eprintln!("{stuck}"))?.build()?;
/// ```
///
/// # Errors
/// The thread could not be started.
pub fn watched(
    builder: ReactorBuilder,
    limit: Duration,
    on_stuck: impl Fn(&Stuck) + Send + 'static,
) -> io::Result<ReactorBuilder> {
    let shared = Recorder::keep(0).0;
    let watch = Watch::start(Arc::clone(&shared), limit, on_stuck)?;
    let jobs = Arc::clone(&shared);
    let enter = move |_: &Reactor, activity| {
        // The hook keeps it, and is dropped with the reactor.
        let _ = &watch;
        shared.begin_activity(activity)
    };
    let pool = |pool: PoolBuilder| pool.around_jobs(move |job| jobs.begin(Kind::Job, Name::Job(job.clone()), 0));
    Ok(builder.configure_pool(pool).around_turns(enter))
}

/// Watches until it is dropped.
pub struct Watch {
    /// Dropped, it ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(
        shared: Arc<Shared>,
        limit: Duration,
        on_stuck: impl Fn(&Stuck) + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = mpsc::channel::<()>();
        let watch = move || {
            // Whatever is stuck is told of after a quarter more than the limit, at most.
            while ended.recv_timeout((limit / 4).max(Duration::from_millis(1))) == Err(RecvTimeoutError::Timeout) {
                newly_stuck(&shared, limit).iter().for_each(&on_stuck);
            }
        };
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        // A callback that drops the watch is on that thread.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// Those of which nobody was told yet. Names are cloned, and the callback is called with no lock held.
fn newly_stuck(shared: &Shared, limit: Duration) -> Vec<Stuck> {
    let mut stuck = Vec::new();
    for lane in shared.lanes.all() {
        let now = shared.now();
        for span in &mut lane.state().open {
            let running_for = now.saturating_sub(span.begin);
            if running_for >= limit && !span.told {
                span.told = true;
                let (kind, name) = (span.kind, span.name.clone());
                stuck.push(Stuck { kind, name, thread: lane.thread.clone(), running_for });
            }
        }
    }
    stuck
}
