//! Worker hooks that submit to and resize their own pool, single-stepped: no job and no worker is lost.

use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{ThreadPool, testing::Stepper};

use crate::regressions;

/// What a program, or a hook, does to the pool.
#[derive(Debug, Clone, Copy)]
enum Op {
    Submit,
    Resize(usize, usize),
    /// One step of the next worker. Ignored in a hook, which runs inside of a step.
    Step,
}

fn op() -> impl Strategy<Value = Op> {
    let sizes = (0..4_usize, 0..3_usize);
    let resize = sizes.prop_map(|(max, less)| Op::Resize(max.saturating_sub(less), max));
    prop_oneof![2 => Just(Op::Submit), 1 => resize, 4 => Just(Op::Step)]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Start(usize),
    Job,
    Stop(usize),
}

/// The pool, and what happened in it.
#[derive(Clone, Default)]
struct World(Arc<Mutex<(Option<ThreadPool>, Vec<Event>, usize)>>);

impl World {
    fn note(&self, event: Event) {
        self.0.lock().unwrap().1.push(event);
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().1.clone()
    }

    fn submitted(&self) -> usize {
        self.0.lock().unwrap().2
    }

    fn pool(&self) -> ThreadPool {
        self.0.lock().unwrap().0.clone().unwrap()
    }

    fn perform(&self, op: Op, stepper: Option<&Stepper>) {
        match op {
            Op::Submit => {
                let world = self.clone();
                // A pool that is stopping rejects jobs.
                let accepted = self.pool().call_in_thread(move || world.note(Event::Job)).is_ok();
                self.0.lock().unwrap().2 += usize::from(accepted);
            }
            Op::Resize(min, max) => self.pool().adjust_pool_size(min, max).unwrap(),
            Op::Step => drop(stepper.map(Stepper::step)),
        }
    }
}

/// The next operation of the hooks. Each hook performs one, until there are none left.
fn next(ops: &Arc<Mutex<Vec<Op>>>) -> Option<Op> {
    ops.lock().unwrap().pop()
}

proptest! {
    #![proptest_config(regressions::config("worker_hooks", 1_000))]

    // Checks: B31, B33, B39, B42, P2
    #[test]
    fn whatever_hooks_do_to_their_pool_each_worker_starts_and_stops_once_and_every_job_runs(
        ops in vec(op(), 0..40),
        in_hooks in vec(op(), 0..8),
    ) {
        let (world, in_hooks) = (World::default(), Arc::new(Mutex::new(in_hooks)));
        let hook = |event: fn(usize) -> Event| {
            let (world, in_hooks) = (world.clone(), Arc::clone(&in_hooks));
            move |worker: &selvedge::pool::Worker<'_>| {
                world.note(event(worker.number));
                next(&in_hooks).into_iter().for_each(|op| world.perform(op, None));
            }
        };
        let builder = ThreadPool::builder().size(0, 2).keep_alive(None).on_report(|report| panic!("{report}"));
        let builder = builder.on_worker_start(hook(Event::Start)).on_worker_stop(hook(Event::Stop));
        let (pool, stepper) = builder.build_stepped().unwrap();
        world.0.lock().unwrap().0 = Some(pool.clone());
        pool.start().unwrap();
        for op in ops {
            world.perform(op, Some(&stepper));
            let stats = pool.stats();
            prop_assert!(stats.busy + stats.idle <= stats.live.min(stats.peak), "{stats:?}");
        }
        // Without further operations, the pool reaches the last target, also one that a hook has set.
        while stepper.step().is_some() {}
        let stats = pool.stats();
        prop_assert!(stats.max == 0 || stats.queued == 0, "{stats:?}");
        prop_assert!(stats.min <= stats.live && stats.live <= stats.max, "{stats:?}");
        // With one worker and inactive hooks, all accepted jobs run.
        in_hooks.lock().unwrap().clear();
        pool.adjust_pool_size(0, 1).unwrap();
        while stepper.step().is_some() {}
        let stats = pool.stats();
        prop_assert_eq!(stats.queued, 0);
        prop_assert!(stats.live <= 1, "{:?}", stats);
        prop_assert_eq!((stats.started, stats.completed), (world.submitted() as u64, world.submitted() as u64));
        pool.stop().unwrap();
        while stepper.step().is_some() {}
        prop_assert!(pool.has_stopped());
        world.0.lock().unwrap().0 = None;

        let events = world.events();
        prop_assert_eq!(events.iter().filter(|event| **event == Event::Job).count(), world.submitted());
        let mut alive = Vec::new();
        for event in events {
            match event {
                Event::Start(number) => alive.push(number),
                Event::Job => prop_assert!(!alive.is_empty(), "a job is run by a worker that has begun"),
                Event::Stop(number) => {
                    let place = alive.iter().position(|alive| *alive == number);
                    prop_assert!(place.is_some(), "{number} ends without having begun");
                    alive.swap_remove(place.unwrap());
                }
            }
        }
        prop_assert_eq!(alive, Vec::<usize>::new());
    }
}
