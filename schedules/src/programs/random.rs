//! Random programs over the whole system: clients, reactors and pools, and everything that they do to each other.

use std::num::NonZeroUsize;

use shuttle::thread::{self, JoinHandle, ThreadId};

use super::operations::{Client, OPERATIONS};
use crate::explorer::mix;
use crate::pool::StopPolicy;
use crate::promises::Promises;
use crate::sync::Arc;
use crate::{Handle, Reactor, ThreadPool, decisions};

/// The numbers that make a program: the same seed has the same ones.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn below(&mut self, count: usize) -> usize {
        self.0 = mix(self.0);
        (self.0 % count as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// What a program may do. Some kinds of operation make promises that others take away.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Pools may be paused. Otherwise clients may wait for a job.
    pub pauses: bool,
    /// Pools may be stopped while clients use them.
    pub stops: bool,
    /// A stop may cancel the jobs that wait.
    pub cancels: bool,
    /// Reactors may be stopped while clients use them.
    pub reactor_stops: bool,
    /// The bound of queues and inboxes.
    pub bound: Option<NonZeroUsize>,
}

/// What all clients, jobs and calls of a program reach.
#[derive(Clone)]
pub struct World {
    pub rules: Rules,
    pub promises: Promises,
    pub pools: Vec<ThreadPool>,
    pub reactors: Vec<ReactorHandle>,
    /// An accepted job runs: no thread fails to start, and no stop cancels it.
    pub jobs_run: bool,
}

#[derive(Clone)]
pub struct ReactorHandle {
    pub handle: Handle,
    pub thread: ThreadId,
}

fn start_reactor(dice: &mut Dice, bound: Option<NonZeroUsize>) -> (ReactorHandle, JoinHandle<()>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    let (min, max) = (dice.below(2), 1 + dice.below(2));
    let run = move || {
        let builder = Reactor::builder().pool_size(min.min(max), max).on_report(|_| ());
        let builder = match bound {
            Some(bound) => builder.inbox_bound(bound),
            None => builder,
        };
        let reactor = builder.build().unwrap();
        sender.send(reactor.handle()).unwrap();
        drop(sender);
        reactor.run();
    };
    let running = thread::Builder::new().name("reactor".to_owned()).spawn(run).unwrap();
    let handle = receiver.recv().unwrap();
    (ReactorHandle { handle, thread: running.thread().id() }, running)
}

fn pool(dice: &mut Dice, bound: Option<NonZeroUsize>) -> ThreadPool {
    let max = 1 + dice.below(3);
    let builder = ThreadPool::builder().size(dice.below(max + 1), max).on_report(|_| ());
    let builder = builder.compensation(dice.below(3));
    let builder = match bound {
        Some(bound) => builder.queue_bound(bound),
        None => builder,
    };
    builder.build().unwrap()
}

/// One program: up to two reactors and two pools, up to four clients with up to eight operations each.
pub fn whole_system(seed: u64) {
    let mut dice = Dice(seed);
    let rules = Rules {
        pauses: dice.one_in(3),
        stops: dice.one_in(3),
        cancels: dice.one_in(2),
        reactor_stops: dice.one_in(3),
        bound: dice.one_in(3).then(|| NonZeroUsize::MIN.saturating_add(dice.below(2))),
    };
    if dice.one_in(2) {
        decisions::all_threads_start();
    }
    let (reactors, running): (Vec<_>, Vec<_>) =
        (0..=dice.below(2)).map(|_| start_reactor(&mut dice, rules.bound)).unzip();
    let pools: Vec<_> = (0..=dice.below(2)).map(|_| pool(&mut dice, rules.bound)).collect();
    let starts_early = dice.one_in(2);
    if starts_early {
        pools.iter().for_each(|pool| pool.start().unwrap());
    }
    // Jobs of a pool that is stopped before it was started do not run either.
    let stops_let_jobs_run = !rules.stops || (starts_early && !rules.cancels);
    let jobs_run = decisions::do_all_threads_start() && stops_let_jobs_run;
    let world = World { rules, promises: Promises::default(), pools, reactors, jobs_run };

    let shared = Arc::new(world.clone());
    let clients: Vec<_> = (0..=dice.below(4))
        .map(|_| {
            let (shared, mut dice) = (Arc::clone(&shared), Dice(mix(dice.below(usize::MAX) as u64)));
            thread::spawn(move || {
                let mut client = Client::new(shared);
                for _ in 0..1 + dice.below(8) {
                    OPERATIONS[dice.below(OPERATIONS.len())](&mut client, &mut dice);
                }
            })
        })
        .collect();
    drop(shared);
    for pool in &world.pools {
        assert!(pool.start().is_ok() || rules.stops);
    }
    for client in clients {
        client.join().unwrap();
    }
    end(world, running, &mut dice);
}

/// Ends everything, and checks what is left.
fn end(world: World, running: Vec<JoinHandle<()>>, dice: &mut Dice) {
    let World { promises, pools, reactors, .. } = world;
    for pool in &pools {
        if dice.one_in(2) {
            pool.ask_to_stop(StopPolicy::Drain);
        }
    }
    for reactor in &reactors {
        reactor.handle.stop();
    }
    for reactor in running {
        reactor.join().unwrap();
    }
    drop(reactors);
    for pool in &pools {
        pool.stop().unwrap();
        assert!(pool.has_stopped());
        let stats = pool.stats();
        assert_eq!((stats.live, stats.idle, stats.busy, stats.blocked), (0, 0, 0, 0), "{stats:?}");
        assert_eq!((stats.queued, stats.waiting), (0, 0), "{stats:?}");
    }
    drop(pools);
    promises.check();
}
