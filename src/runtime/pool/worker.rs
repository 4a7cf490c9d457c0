//! A worker: looks, runs, looks again, and sleeps only when it has found both queues empty while holding both locks.

use std::cell::Cell;

use super::super::sync::{Arc, thread_local};
use super::Job;
use super::job::Ran;
use super::shared::Shared;
use crate::machine::pool::{Call, Next, WorkerId, look};

thread_local! {
    /// The address of the pool that this thread works for; zero on every other thread.
    pub(super) static WORKS_FOR: Cell<usize> = Cell::new(0);
    /// The worker of this thread has made its last transition.
    static LEAVES: Cell<bool> = Cell::new(false);
}

/// Whether this is the thread of a worker that has made its last transition. What still runs there is destructors of thread-locals.
pub(super) fn leaves() -> bool {
    LEAVES.try_with(Cell::get).unwrap_or(false)
}

/// The life of one worker.
pub(super) fn work(pool: &Arc<Shared>, me: WorkerId) {
    // Where thread-locals cannot be had, all that is lost is the error for stopping the pool from its own worker.
    let _ = WORKS_FOR.try_with(|works_for| works_for.set(pool.address()));
    let mut searched = false;
    let mut crew = pool.crew.lock();
    crew.machine.arrived();
    loop {
        let mut next = crew.machine.next();
        if matches!(next, Next::Look) {
            let mut intake = pool.intake.lock();
            pool.filled.set(false);
            next = look(&mut crew.machine, &mut intake, me, !searched && pool.spin.pays());
        }
        match next {
            Next::Run(job, call) => {
                drop(crew);
                let ran = run(pool, job, call);
                searched = false;
                crew = pool.crew.lock();
                crew.finished(&ran);
            }
            Next::Search => {
                drop(crew);
                pool.spin.until(&pool.filled);
                searched = true;
                crew = pool.crew.lock();
                crew.machine.searched();
            }
            Next::Sleep => {
                crew = pool.bell.wait(crew);
                crew.machine.woken();
            }
            Next::Retire(call) => {
                drop(crew);
                let _ = LEAVES.try_with(|leaves| leaves.set(true));
                Shared::carry_out(pool, call);
                return;
            }
            Next::RetireLast => {
                drop(crew);
                let _ = LEAVES.try_with(|leaves| leaves.set(true));
                pool.take_leave();
                return;
            }
            // `look` decides always.
            Next::Look => {}
        }
    }
}

/// The call goes first: whoever it calls must not wait until this job ends.
fn run(pool: &Arc<Shared>, job: Job, call: Call) -> Ran {
    Shared::carry_out(pool, call);
    job.run_in(&pool.hooks, &pool.reporter)
}
