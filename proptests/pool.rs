//! The pool on real threads: under any submissions, resizes and stops, every accepted job resolves once and the size is
//! right in the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{Failure, ThreadPool, error::NeverRan, pool::PoolStats};

use crate::regressions;

/// Whatever takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
enum Step {
    Start,
    Submit(Kind),
    /// The oldest blocked job is released.
    LetGo,
    Resize(usize, usize),
    Yield,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Quick,
    Panic,
    Block,
    /// A job with a callback; both panic.
    PanicTwice,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        5 => Just(Kind::Quick),
        1 => Just(Kind::Panic),
        3 => Just(Kind::Block),
        1 => Just(Kind::PanicTwice),
    ];
    prop_oneof![
        1 => Just(Step::Start),
        8 => kind.prop_map(Step::Submit),
        2 => Just(Step::LetGo),
        3 => (0usize..4, 0usize..4).prop_map(|(min, more)| Step::Resize(min, min + more)),
        2 => Just(Step::Yield),
    ]
}

/// What the jobs record.
#[derive(Default)]
struct Ledger {
    /// How often each job was resolved: run, or refused.
    resolved: Vec<AtomicUsize>,
    order: Mutex<Vec<usize>>,
    reports: AtomicUsize,
}

/// A pool under a script, and what is expected of it.
struct Bench {
    pool: ThreadPool,
    ledger: Arc<Ledger>,
    blocked: Vec<Sender<()>>,
    kinds: Vec<Kind>,
}

impl Bench {
    fn new(min: usize, max: usize, jobs: usize) -> Self {
        let resolved = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
        let ledger = Arc::new(Ledger { resolved, ..Ledger::default() });
        let reports = Arc::clone(&ledger);
        let pool = ThreadPool::builder()
            .size(min, max)
            .on_report(move |_| {
                reports.reports.fetch_add(1, Ordering::Relaxed);
            })
            .build()
            .unwrap();
        Self { pool, ledger, blocked: Vec::new(), kinds: Vec::new() }
    }

    fn perform(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Start => prop_assert!(self.pool.start().is_ok()),
            Step::Submit(kind) => self.submit(kind),
            Step::LetGo if !self.blocked.is_empty() => drop(self.blocked.remove(0)),
            Step::LetGo => {}
            Step::Resize(min, max) => prop_assert!(self.pool.adjust_pool_size(min, max).is_ok()),
            Step::Yield => thread::yield_now(),
        }
        self.stats_agree().map(drop)
    }

    fn submit(&mut self, kind: Kind) {
        let (job, ledger) = (self.kinds.len(), Arc::clone(&self.ledger));
        self.kinds.push(kind);
        let (let_go, wait): (Sender<()>, Receiver<()>) = channel();
        if kind == Kind::Block {
            self.blocked.push(let_go);
        }
        let note = Arc::clone(&ledger);
        let submitted = self.pool.call_in_thread_with_callback(
            move |result| {
                note.resolved[job].fetch_add(1, Ordering::Relaxed);
                if result.as_ref().is_err_and(Failure::is::<NeverRan>) {
                    return;
                }
                assert_eq!(result.is_err(), matches!(kind, Kind::Panic | Kind::PanicTwice));
                if kind == Kind::PanicTwice {
                    std::panic::resume_unwind(Box::new("planned"));
                }
            },
            move || {
                ledger.order.lock().unwrap().push(job);
                match kind {
                    Kind::Quick => {}
                    Kind::Block => drop(wait.recv()),
                    Kind::Panic | Kind::PanicTwice => std::panic::resume_unwind(Box::new("planned")),
                }
            },
        );
        submitted.expect("the pool was not stopped");
    }

    /// What holds in every snapshot.
    fn stats_agree(&self) -> Result<PoolStats, TestCaseError> {
        let stats = self.pool.stats();
        prop_assert!(stats.idle + stats.busy <= stats.live, "{:?}", stats);
        prop_assert!(stats.busy + stats.idle <= stats.peak, "{:?}", stats);
        prop_assert!(stats.panicked <= stats.completed, "{:?}", stats);
        prop_assert_eq!(stats.started, stats.completed + stats.busy as u64, "{:?}", stats);
        prop_assert_eq!(self.kinds.len() as u64, stats.started + stats.queued as u64, "{:?}", stats);
        Ok(stats)
    }

    fn wait_until(&self, what: &str, mut there: impl FnMut(&PoolStats) -> bool) -> Result<(), TestCaseError> {
        let since = Instant::now();
        loop {
            let stats = self.stats_agree()?;
            if there(&stats) {
                return Ok(());
            }
            prop_assert!(since.elapsed() < LIMIT, "it never comes to {}: {:?}", what, stats);
            thread::yield_now();
        }
    }

    /// Stops the pool while its blocked jobs are released, and checks all counts.
    fn stop(mut self, started: bool) -> Result<(), TestCaseError> {
        let blocked = std::mem::take(&mut self.blocked);
        let release = thread::spawn(move || drop(blocked));
        prop_assert!(self.pool.stop().is_ok());
        prop_assert!(release.join().is_ok());
        for (job, times) in self.ledger.resolved.iter().take(self.kinds.len()).enumerate() {
            prop_assert_eq!(times.load(Ordering::Relaxed), 1, "job {} was resolved so often", job);
        }
        let stats = self.pool.stats();
        prop_assert_eq!((stats.live, stats.idle, stats.busy, stats.queued), (0, 0, 0, 0), "{:?}", stats);
        let ran =
            |kinds: &[Kind]| if started { self.kinds.iter().filter(|kind| kinds.contains(kind)).count() } else { 0 };
        prop_assert_eq!(stats.panicked as usize, ran(&[Kind::Panic, Kind::PanicTwice]));
        // The job's panic went to its callback; the callback's panic went to the sink.
        prop_assert_eq!(self.ledger.reports.load(Ordering::Relaxed), ran(&[Kind::PanicTwice]));
        prop_assert!(self.pool.call_in_thread(|| ()).is_err());
        Ok(())
    }
}

proptest! {
    #![proptest_config(regressions::config("pool", 150))]

    // Checks: B29, B30, B35, B36, B38, B40
    #[test]
    fn every_accepted_job_resolves_once_whatever_is_resized_and_stopped(
        sizes in (0usize..3, 0usize..3),
        script in vec(step(), 0..40),
    ) {
        let mut bench = Bench::new(sizes.0, sizes.0 + sizes.1, script.len());
        let started = script.iter().any(|step| matches!(step, Step::Start));
        for step in script {
            bench.perform(step)?;
        }
        bench.stop(started)?;
    }

    // Checks: B30, B31
    #[test]
    fn one_worker_runs_jobs_strictly_in_the_order_they_were_submitted(
        script in vec(step(), 0..40),
        start in any::<prop::sample::Index>(),
    ) {
        let mut bench = Bench::new(1, 1, script.len());
        let start = start.index(script.len() + 1);
        for (n, step) in script.into_iter().enumerate() {
            if n == start {
                bench.perform(Step::Start)?;
            }
            // Paused and resumed, but never more than one worker.
            bench.perform(match step {
                Step::Resize(min, max) => Step::Resize(min.min(1), max.min(1)),
                step => step,
            })?;
        }
        bench.perform(Step::Start)?;
        let (ledger, jobs) = (Arc::clone(&bench.ledger), bench.kinds.len());
        bench.stop(true)?;
        prop_assert!(ledger.order.lock().unwrap().iter().copied().eq(0..jobs));
    }

    // Checks: B31, B33
    #[test]
    fn whatever_it_was_resized_to_the_pool_comes_to_what_was_asked_last(
        script in vec(step(), 0..40),
        last in (1usize..5, 0usize..3),
    ) {
        let mut bench = Bench::new(1, 2, script.len());
        bench.perform(Step::Start)?;
        for step in script {
            bench.perform(step)?;
        }
        let (min, max) = (last.0, last.0 + last.1);
        bench.perform(Step::Resize(min, max))?;
        drop(std::mem::take(&mut bench.blocked));
        bench.wait_until("rest, within what was asked", |stats| {
            stats.queued == 0 && stats.busy == 0 && (min..=max).contains(&stats.live) && stats.idle == stats.live
        })?;
        bench.perform(Step::Resize(min, min))?;
        bench.wait_until("as many as were asked for", |stats| stats.live == min)?;
        bench.stop(true)?;
    }

    // Checks: B6, B30, B40
    #[test]
    fn against_a_stop_a_job_is_either_run_or_handed_back(
        submitters in vec(0usize..60, 1..4),
        sizes in (0usize..3, 0usize..3),
        yields in 0usize..40,
    ) {
        let pool = ThreadPool::new(sizes.0, sizes.0 + sizes.1).unwrap();
        pool.start().unwrap();
        let (ran, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ran = Arc::new(ran);
        thread::scope(|scope| {
            for jobs in submitters {
                let (pool, ran, accepted) = (pool.clone(), Arc::clone(&ran), &accepted);
                scope.spawn(move || {
                    for _ in 0..jobs {
                        let ran = Arc::clone(&ran);
                        let submitted = pool.call_in_thread(move || {
                            ran.fetch_add(1, Ordering::Relaxed);
                        });
                        accepted.fetch_add(usize::from(submitted.is_ok()), Ordering::Relaxed);
                    }
                });
            }
            (0..yields).for_each(|_| thread::yield_now());
            pool.stop().unwrap();
        });
        // The stop has waited for all accepted jobs, including those of concurrent submitters.
        prop_assert_eq!(ran.load(Ordering::Relaxed), accepted.load(Ordering::Relaxed));
        prop_assert_eq!(pool.stats().completed as usize, ran.load(Ordering::Relaxed));
    }
}
