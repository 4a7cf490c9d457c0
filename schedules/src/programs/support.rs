//! What programs share: pools and reactors, and a way to wait.

use std::ops::Deref;

use shuttle::thread::{self, JoinHandle, ThreadId};

use crate::sync::{Arc, Condvar, Mutex};
use crate::{Handle, Reactor, ThreadPool};

/// A started pool. Thread starts may fail, so nothing that is reported is a failure.
pub fn started(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max).on_report(|_| ()).build().unwrap();
    pool.start().unwrap();
    pool
}

/// Stops the pool, and checks that nothing is left of it.
pub fn stop(pool: &ThreadPool) {
    pool.stop().unwrap();
    assert!(pool.has_stopped());
    let stats = pool.stats();
    assert_eq!((stats.live, stats.idle, stats.busy, stats.blocked, stats.queued), (0, 0, 0, 0, 0), "{stats:?}");
}

/// A reactor that runs on a thread of its own until it is stopped.
pub struct Running {
    pub handle: Handle,
    thread: JoinHandle<()>,
}

impl Running {
    pub fn start(make: impl FnOnce() -> Reactor + Send + 'static) -> Self {
        let (sender, receiver) = shuttle::sync::mpsc::channel();
        let run = move || {
            let reactor = make();
            sender.send(reactor.handle()).unwrap();
            drop(sender);
            reactor.run();
        };
        let thread = thread::Builder::new().name("reactor".to_owned()).spawn(run).unwrap();
        Self { handle: receiver.recv().unwrap(), thread }
    }

    /// With a pool of its own that nothing uses.
    pub fn plain() -> Self {
        Self::start(|| Reactor::builder().pool_size(0, 1).on_report(|_| ()).build().unwrap())
    }

    pub fn thread(&self) -> ThreadId {
        self.thread.thread().id()
    }

    /// Waits for the end of a reactor that was stopped.
    pub fn join(self) {
        self.thread.join().unwrap();
    }

    pub fn stop(self) {
        self.handle.stop();
        self.join();
    }
}

/// Starts so many threads that do the same with shares of the same value; join them with [`join`].
pub fn crowd<T: Clone + Send + 'static>(
    count: usize,
    shared: &T,
    act: impl Fn(usize, &T) + Clone + Send + 'static,
) -> Vec<JoinHandle<()>> {
    let start = |number| {
        let (shared, act) = (shared.clone(), act.clone());
        thread::spawn(move || act(number, &shared))
    };
    (0..count).map(start).collect()
}

pub fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A number that threads add to, and wait for.
#[derive(Clone, Default)]
pub struct Count(Arc<(Mutex<usize>, Condvar)>);

impl Count {
    pub fn add_one(&self) {
        *self.0.0.lock() += 1;
        self.0.1.notify_all();
    }

    pub fn get(&self) -> usize {
        *self.0.0.lock()
    }

    /// Waits until it is at least so much.
    pub fn wait_for(&self, enough: usize) {
        let mut count = self.0.0.lock();
        while *count.deref() < enough {
            count = self.0.1.wait(count);
        }
    }
}

/// Waits until the number of a pool's live workers is one that `enough` accepts. Nothing else happens meanwhile, so the
/// pool has to come there by itself.
pub fn wait_for_workers(pool: &ThreadPool, enough: impl Fn(usize) -> bool) {
    while !enough(pool.stats().live) {
        thread::yield_now();
    }
}
