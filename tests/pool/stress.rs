//! The pool on real threads under everything at once: jobs of every kind, panics, failing thread starts, resizes,
//! cancels and stops. Afterwards each job is accounted for.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use selvedge::{
    Failure, Job, ThreadPool,
    pool::{Cancellation, PoolStats, StopPolicy, Ticket, WhenFull},
    report::Incident,
    threads,
};

use crate::support::{Rng, wait_until, with_watchdog};

/// What became of jobs. Each job ends in one of the first three, and is dropped.
#[derive(Default)]
struct Account {
    ran: AtomicU64,
    refused: AtomicU64,
    handed_back: AtomicU64,
    dropped: AtomicU64,
    panicked: AtomicU64,
    callbacks_called: AtomicU64,
    /// Callbacks that have to be called by the end: those of accepted jobs.
    callbacks_due: AtomicU64,
    never_runs: AtomicU64,
    reports: AtomicU64,
}

/// What a job captures.
struct Entry {
    account: Arc<Account>,
    ran: bool,
}

impl Entry {
    fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), ran: false }
    }

    /// The job's body: it takes a while, waits for others now and then, or panics.
    fn run(mut self, mut rng: Rng) {
        self.ran = true;
        self.account.ran.fetch_add(1, Relaxed);
        match rng.below(12) {
            0 => {
                self.account.panicked.fetch_add(1, Relaxed);
                resume_unwind(Box::new("planned"));
            }
            1 => thread::yield_now(),
            2 => threads::blocked(thread::yield_now),
            3 => threads::blocked(|| thread::sleep(Duration::from_micros(100))),
            _ => (0..rng.below(200)).for_each(|_| std::hint::spin_loop()),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.account.dropped.fetch_add(1, Relaxed);
        self.account.refused.fetch_add(u64::from(!self.ran), Relaxed);
    }
}

/// One client of the pool, with what it holds of its jobs.
struct Client {
    pool: ThreadPool,
    account: Arc<Account>,
    rng: Rng,
    tickets: Vec<Ticket>,
    submitted: u64,
}

impl Client {
    fn act(&mut self) {
        match self.rng.below(100) {
            0..70 => self.submit(),
            70..80 => {
                let max = self.rng.below(6);
                self.pool.adjust_pool_size(self.rng.below(max + 1), max).unwrap();
            }
            80..90 => {
                if let Some(ticket) = self.tickets.pop() {
                    let never = ticket.cancel() == Cancellation::NeverRuns;
                    self.account.never_runs.fetch_add(u64::from(never), Relaxed);
                }
            }
            90..94 => self.pool.fail_starts(self.rng.below(3)),
            94..96 => self.pool.let_deadlines_pass(),
            96..98 => self.pool.wake_spuriously(),
            _ => assert_consistent(&self.pool.stats()),
        }
    }

    fn submit(&mut self) {
        let (entry, rng) = (Entry::new(&self.account), Rng::new(self.rng.below(1 << 30) as u64));
        self.submitted += 1;
        let result = match self.rng.below(4) {
            0 => self.pool.call_in_thread_ticketed(move || entry.run(rng)).map(|ticket| self.tickets.push(ticket)),
            1 => {
                let account = Arc::clone(&self.account);
                let on_result = move |_: Result<(), Failure>| _ = account.callbacks_called.fetch_add(1, Relaxed);
                let result = self.pool.call_in_thread_with_callback(on_result, move || entry.run(rng));
                self.account.callbacks_due.fetch_add(u64::from(result.is_ok()), Relaxed);
                result
            }
            2 => {
                let moment = WhenFull::WaitUpTo(Duration::from_micros(50));
                self.pool.call_in_thread(Job::new(move || entry.run(rng)).when_full(moment))
            }
            _ => self.pool.call_in_thread(move || entry.run(rng)),
        };
        self.account.handed_back.fetch_add(u64::from(result.is_err()), Relaxed);
    }
}

/// What one snapshot must agree with itself about, whatever goes on.
fn assert_consistent(stats: &PoolStats) {
    assert!(stats.blocked <= stats.busy && stats.busy + stats.idle <= stats.live, "{stats:?}");
    assert!(stats.busy + stats.idle <= stats.peak && stats.min <= stats.max, "{stats:?}");
    assert_eq!(stats.started, stats.completed + stats.busy as u64, "{stats:?}");
    assert!(stats.panicked <= stats.completed, "{stats:?}");
}

/// Four clients do everything to one pool; one of them may stop it in the midst of that.
fn all_at_once(seed: u64, actions: usize) {
    let account = Arc::new(Account::default());
    let reported = Arc::clone(&account);
    let mut rng = Rng::new(seed);
    let mut builder = ThreadPool::builder().size(rng.below(3), 4).compensation(rng.below(3)).on_report(move |report| {
        reported.reports.fetch_add(u64::from(report.incident == Incident::Job), Relaxed);
    });
    if let Some(bound) = NonZeroUsize::new(rng.below(3) * 20) {
        builder = builder.queue_bound(bound);
    }
    let pool = builder.build().unwrap();
    if rng.below(10) > 0 {
        pool.start().unwrap();
    }
    let stops = (rng.below(2) == 0).then(|| rng.below(actions));
    let policy = if rng.below(2) == 0 { StopPolicy::Drain } else { StopPolicy::CancelQueued };
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (pool, account) = (pool.clone(), Arc::clone(&account));
            let rng = Rng::new(seed * 4 + number);
            let mut client = Client { pool, account, rng, tickets: Vec::new(), submitted: 0 };
            thread::spawn(move || {
                for action in 0..actions {
                    client.act();
                    if number == 0 && stops == Some(action) {
                        client.pool.ask_to_stop(policy);
                    }
                }
                client.submitted
            })
        })
        .collect();
    let submitted: u64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
    pool.fail_starts(0);
    pool.stop_with(policy).unwrap();
    wait_until(|| account.dropped.load(Relaxed) == submitted);
    let is = |number: &AtomicU64| number.load(Relaxed);
    let stats = pool.stats();
    assert_consistent(&stats);
    assert_eq!((stats.live, stats.idle, stats.busy, stats.blocked, stats.queued, stats.waiting), (0, 0, 0, 0, 0, 0));
    assert_eq!((stats.completed, stats.panicked), (is(&account.ran), is(&account.panicked)), "{stats:?}");
    assert_eq!(stats.rejected, is(&account.handed_back), "{stats:?}");
    assert_eq!(stats.cancelled + stats.failed + stats.rejected, is(&account.refused), "{stats:?}");
    assert_eq!(stats.started + stats.cancelled + stats.failed + stats.rejected, submitted, "{stats:?}");
    assert!(stats.cancelled >= is(&account.never_runs), "{stats:?}");
    wait_until(|| is(&account.callbacks_called) == is(&account.callbacks_due));
    assert!(is(&account.reports) <= is(&account.panicked) + stats.failed + stats.cancelled, "{stats:?}");
}

// Checks: B31, B33, B35, B38, B40, B41, B43, P2, P72, R1, R2, R3, R12
#[test]
fn whatever_is_done_at_once_each_job_is_run_refused_or_handed_back() {
    with_watchdog(|| (0..60).for_each(|seed| all_at_once(seed, 400)));
}

// Checks: B31, B38, P72, R1, R2, R9
#[test]
fn many_short_lives_under_everything_end() {
    with_watchdog(|| (1000..1400).for_each(|seed| all_at_once(seed, 12)));
}

// Checks: B30, B31, P72, R1, R10, R11
#[test]
fn ten_thousand_resizes_while_jobs_wait_for_each_other_lose_nobody() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(2, 2).on_report(|_| ()).build().unwrap();
        pool.start().unwrap();
        let met = Arc::new(AtomicU64::new(0));
        let submitter = {
            let (pool, met) = (pool.clone(), Arc::clone(&met));
            thread::spawn(move || {
                for _ in 0..1000 {
                    // Two jobs that meet: neither ends before both have begun. On fewer than two threads they wait for
                    // a resize.
                    let meeting = Arc::new(std::sync::Barrier::new(2));
                    for _ in 0..2 {
                        let (meeting, met) = (Arc::clone(&meeting), Arc::clone(&met));
                        let job = move || {
                            meeting.wait();
                            met.fetch_add(1, Relaxed);
                        };
                        pool.call_in_thread(job).unwrap();
                    }
                }
            })
        };
        let mut rng = Rng::new(9);
        for _ in 0..10_000 {
            let max = rng.below(5);
            pool.adjust_pool_size(rng.below(max + 1), max).unwrap();
        }
        pool.adjust_pool_size(0, 2).unwrap();
        submitter.join().unwrap();
        wait_until(|| met.load(Relaxed) == 2000);
        pool.stop().unwrap();
        assert_eq!((pool.stats().live, pool.stats().completed), (0, 2000));
    });
}
