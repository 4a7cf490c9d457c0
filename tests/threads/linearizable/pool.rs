//! Histories of the pool on real threads, checked against a sequential queue of jobs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use selvedge::{
    ThreadPool,
    pool::{Cancellation, StopPolicy, Ticket},
};

use super::checker::Record;
use super::history::{History, assert_linearizable};
use super::sequential::{Came, Name, Pool, PoolOperation};
use crate::support::{Rng, with_watchdog};

/// A pool, and all that is known of what was done to it.
#[derive(Clone)]
struct Recorded {
    pool: ThreadPool,
    history: Arc<History<PoolOperation>>,
    /// When each job began and ended, by the thread that ran it.
    work: Arc<Mutex<HashMap<ThreadId, Vec<(Name, u64, u64)>>>>,
    /// Jobs that may be cancelled, by whoever likes.
    tickets: Arc<Mutex<Vec<(Name, Ticket)>>>,
}

/// A job that was given to the pool and has not run. Dropped like that, it was refused.
struct Unrun {
    job: Name,
    history: Arc<History<PoolOperation>>,
    over: bool,
}

impl Unrun {
    fn runs(mut self) {
        self.over = true;
    }
}

impl Drop for Unrun {
    fn drop(&mut self) {
        if !self.over {
            self.history.during(|| (), |()| PoolOperation::Refuse(self.job));
        }
    }
}

impl Recorded {
    fn new(max: usize) -> Self {
        let pool = ThreadPool::builder().size(0, max).on_report(|_| ()).build().unwrap();
        Self { pool, history: Arc::new(History::new()), work: Arc::default(), tickets: Arc::default() }
    }

    fn submit(&self, job: Name, pauses: usize) {
        let (history, work) = (Arc::clone(&self.history), Arc::clone(&self.work));
        let unrun = Unrun { job, history: Arc::clone(&history), over: false };
        let body = move || {
            let begun = history.now();
            unrun.runs();
            (0..pauses).for_each(|_| std::hint::spin_loop());
            work.lock().unwrap().entry(thread::current().id()).or_default().push((job, begun, history.now()));
        };
        let submit = || {
            if job.is_multiple_of(2) {
                return self.pool.call_in_thread(body);
            }
            let ticket = self.pool.call_in_thread_ticketed(body)?;
            self.tickets.lock().unwrap().push((job, ticket));
            Ok(())
        };
        let submitted = self.history.during(submit, |submitted| PoolOperation::Submit(job, submitted.is_ok()));
        // One that is handed back is no longer the pool's to refuse.
        if let Err(rejected) = submitted {
            rejected.job.run();
            self.work.lock().unwrap().remove(&thread::current().id());
        }
    }

    fn cancel(&self, rng: &mut Rng) {
        let tickets = self.tickets.lock().unwrap().clone();
        if tickets.is_empty() {
            return;
        }
        let (job, ticket) = &tickets[rng.below(tickets.len())];
        let came = |came: &Cancellation| match came {
            Cancellation::NeverRuns => Came::NeverRuns,
            Cancellation::Asked => Came::Asked,
            _ => Came::Over,
        };
        self.history.during(|| ticket.cancel(), |cancelled| PoolOperation::Cancel(*job, came(cancelled)));
    }

    fn stop(&self, policy: StopPolicy) {
        let invoked = self.history.now();
        self.pool.stop_with(policy).unwrap();
        let returned = self.history.now();
        let cancels = policy == StopPolicy::CancelQueued;
        self.history.note(invoked, returned, PoolOperation::Close { cancels });
        self.history.note(invoked, returned, PoolOperation::Stopped);
    }

    fn look(&self) {
        let look = || self.pool.stats();
        self.history.during(look, |stats| PoolOperation::Look {
            max: stats.max,
            queued: stats.queued,
            busy: stats.busy,
            started: stats.started,
            completed: stats.completed,
        });
    }

    fn act(&self, rng: &mut Rng, job: Name) {
        match rng.below(20) {
            0..8 => self.submit(job, rng.below(400)),
            8..11 => self.cancel(rng),
            11..13 => {
                let max = rng.below(4);
                self.history.during(|| self.pool.adjust_pool_size(0, max).unwrap(), |()| PoolOperation::Resize(max));
            }
            13..16 => self.look(),
            16..19 => {
                let start = || self.pool.start();
                self.history.during(start, |started| PoolOperation::Start(started.is_ok())).ok();
            }
            _ => self.stop(if rng.below(2) == 0 { StopPolicy::Drain } else { StopPolicy::CancelQueued }),
        }
        (0..rng.below(100)).for_each(|_| std::hint::spin_loop());
    }

    /// A worker takes a job some time between the end of its previous job and the beginning of this one, and is done
    /// with it before the next one begins.
    fn into_history(self) -> Vec<Record<PoolOperation>> {
        for jobs in self.work.lock().unwrap().values() {
            let mut free = 0;
            for (n, &(job, begun, ended)) in jobs.iter().enumerate() {
                self.history.note(free, begun, PoolOperation::Take(job));
                let next = jobs.get(n + 1).map_or(u64::MAX, |&(_, begun, _)| begun);
                self.history.note(ended, next, PoolOperation::End(job));
                self.history.note(ended, next, PoolOperation::Finish(job));
                free = ended;
            }
        }
        self.history.take()
    }
}

/// One pool, from its first job to its end: three clients, each of whom may do anything.
fn record(seed: u64) {
    let mut rng = Rng::new(seed);
    let max = rng.below(4);
    let recorded = Recorded::new(max);
    if rng.below(3) > 0 {
        recorded.history.during(|| recorded.pool.start().unwrap(), |()| PoolOperation::Start(true));
    }
    thread::scope(|scope| {
        for client in 0..3 {
            let mut rng = Rng::new(seed * 3 + u64::from(client));
            let recorded = recorded.clone();
            scope.spawn(move || (client * 100..).take(8).for_each(|job| recorded.act(&mut rng, job)));
        }
    });
    recorded.stop(StopPolicy::Drain);
    recorded.look();
    assert_linearizable(Pool::new(max), &recorded.into_history());
}

// Checks: B30, B31, B35, B40, B43, P2, P70
#[test]
fn the_pool_is_a_line_of_jobs_whatever_is_submitted_cancelled_resized_and_stopped_at_the_same_time() {
    with_watchdog(|| (0..400).for_each(record));
}
