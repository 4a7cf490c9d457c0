//! Cases whose outcome is known: a thread alone, a full lock, and each operation done once.

use super::costs::Costs;
use super::machine::{Machine, Outcome, Process, Step, World, ps};
use super::{inbox, pool};

/// Without jitter.
const COSTS: Costs = Costs {
    lock: 10.0,
    pause: 20.0,
    transfer: 40.0,
    syscall: 200.0,
    wake_call: 500.0,
    wake_latency: 5000.0,
    wake_latency_soon: 5000.0,
    post: 20.0,
    post_moved: 30.0,
    take: 50.0,
    run: 5.0,
    submit: 20.0,
    submit_moved: 30.0,
    job: 25.0,
    job_here: 15.0,
    job_moved: 35.0,
    jitter: 0.0,
};

fn posters(posters: usize) -> inbox::Plan {
    inbox::Plan { posters, has_loop: true, answers: false, between: 0.0, operations: 5000, seed: 1 }
}

fn pool(submitters: usize, workers: usize) -> pool::Plan {
    pool::Plan { submitters, workers, first_is_here: false, job: 0.0, between: 0.0, operations: 5000, seed: 1 }
}

/// Locks, holds the lock for a while, unlocks, and does something else for a while.
struct Locker {
    next: usize,
    threads: usize,
    held: f64,
    outside: f64,
    stage: u8,
}

impl Process<()> for Locker {
    fn next(&mut self, world: &mut World<()>) -> Step {
        self.stage = (self.stage + 1) % 4;
        match self.stage {
            1 if self.next >= world.done.len() => Step::End,
            1 => Step::Lock(0),
            2 => Step::Work(ps(self.held)),
            3 => {
                world.finish(self.next);
                self.next += self.threads;
                Step::Unlock(0)
            }
            _ => Step::Work(ps(self.outside)),
        }
    }
}

fn lockers(threads: usize, held: f64, outside: f64) -> Outcome {
    let mut machine = Machine::new(COSTS, 1, 5000, (), 1);
    (0..threads).for_each(|next| {
        machine.add(Locker { next, threads, held, outside, stage: 0 });
    });
    machine.run()
}

#[test]
fn a_thread_alone_takes_the_sum_of_its_times() {
    // The last operation ends as its lock is released. A thread starts after a transfer.
    assert_eq!(lockers(1, 30.0, 70.0).nanoseconds, 5000.0 * 100.0 - 70.0 + COSTS.transfer);
    let posts = inbox::run(COSTS, inbox::Plan { has_loop: false, ..posters(1) });
    assert_eq!(posts.nanoseconds, 5000.0 * COSTS.post + COSTS.transfer);
    let jobs = pool::run(COSTS, pool(0, 1));
    // The last job is taken with both locks, which costs one lock more.
    assert_eq!(jobs.nanoseconds, 5000.0 * COSTS.job + COSTS.transfer + COSTS.lock);
}

#[test]
fn a_full_counter_takes_a_transfer_for_each_operation() {
    let claimed = pool::run_claimers(COSTS, 16, 100.0, 5000, 1);
    assert!((claimed.each() - COSTS.transfer).abs() < 1.0, "{}", claimed.each());
}

#[test]
fn a_full_lock_takes_the_hold_and_a_transfer_for_each_operation() {
    // Each thread is away for so long that another has the lock meanwhile, and so shortly that one always waits. The
    // lock's line goes to who unlocks, to who sees that, and to who then writes; each thread more that waits may fetch
    // it twice in between.
    for threads in [2, 4, 6] {
        let each = lockers(threads, 200.0, 250.0).each();
        let transfers = 3.0 + 2.0 * (threads - 2) as f64;
        let (least, most) = (200.0 + COSTS.transfer, 200.0 + transfers * COSTS.transfer + COSTS.pause);
        assert!((least..=most).contains(&each), "{threads} threads: {each}");
    }
}

#[test]
fn a_lock_that_is_seldom_wanted_costs_nothing_but_its_transfers() {
    let each = lockers(2, 10.0, 10_000.0).each();
    let alone = (10.0 + 10_000.0) / 2.0;
    assert!((alone..alone + 2.0 * COSTS.transfer).contains(&each), "{each}");
}

#[test]
fn each_operation_is_done_once() {
    let jitter = Costs { jitter: 0.3, ..COSTS };
    for threads in [1, 2, 3, 16, 64] {
        for answers in [false, true] {
            for between in [0.0, 3000.0] {
                let ran = inbox::run(jitter, inbox::Plan { answers, between, ..posters(threads) });
                assert!(ran.done.iter().all(|&times| times == 1), "{threads} posters");
            }
        }
        for (submitters, job, between) in [(0, 0.0, 0.0), (1, 0.0, 0.0), (1, 5000.0, 9000.0), (16, 700.0, 0.0)] {
            let ran = pool::run(jitter, pool::Plan { job, between, ..pool(submitters, threads) });
            assert!(ran.done.iter().all(|&times| times == 1), "{submitters} submitters, {threads} workers");
        }
        let claimed = pool::run_claimers(jitter, threads, 50.0, 5000, 1);
        assert!(claimed.done.iter().all(|&times| times == 1), "{threads} claimers");
    }
}

#[test]
fn a_seed_decides_everything() {
    let run = |seed| inbox::run(Costs { jitter: 0.3, ..COSTS }, inbox::Plan { seed, ..posters(8) });
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).nanoseconds, run(2).nanoseconds);
}
