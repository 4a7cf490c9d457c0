//! Thread starts that the operating system refuses: jobs are kept or failed, counts roll back, later submissions try
//! again.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use selvedge::{Failure, ThreadPool, error::NeverRan, report::Incident};

use crate::support::{Gate, Log, in_own_process, process_status, wait_until};

/// Larger than anything else that this program may still want.
const STACK: usize = 1 << 32;

fn reporting(min: usize, max: usize, reports: &Log<Incident>) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max).on_report(reports.sink()).build().unwrap();
    pool.start().unwrap();
    pool
}

/// Submits a job that waits at a gate, and returns when it does.
fn occupy(pool: &ThreadPool) -> Gate {
    let (gate, running) = (Gate::new(), Gate::new());
    let (closed, runs) = (gate.clone(), running.clone());
    let job = move || {
        runs.open();
        closed.pass();
    };
    pool.call_in_thread(job).unwrap();
    running.pass();
    gate
}

fn submit(pool: &ThreadPool, log: &Log<u32>, jobs: impl IntoIterator<Item = u32>) {
    for number in jobs {
        let log = log.clone();
        pool.call_in_thread(move || log.note(number)).unwrap();
    }
}

// Checks: B41, B8, R3
#[test]
fn a_job_stays_queued_while_a_worker_lives_if_no_other_can_be_started() {
    in_own_process(
        "thread_start::a_job_stays_queued_while_a_worker_lives_if_no_other_can_be_started",
        |_| (),
        || {
            let reports = Log::new();
            let pool = ThreadPool::builder().size(0, 3).stack_size(STACK).on_report(reports.sink()).build().unwrap();
            pool.start().unwrap();
            let (gate, log) = (occupy(&pool), Log::new());
            let before = getrlimit(Resource::As);
            let address_space = process_status("VmSize") * 1024;
            setrlimit(Resource::As, Rlimit { current: Some(address_space + STACK as u64 / 2), ..before }).unwrap();
            submit(&pool, &log, 0..3);
            let stats = pool.stats();
            assert_eq!((stats.live, stats.busy, stats.queued), (1, 1, 3), "counts roll back");
            assert_eq!(
                (reports.entries(), pool.stats().start_failures),
                (vec![Incident::ThreadStart], 3),
                "each tries again"
            );
            gate.open();
            wait_until(|| log.len() == 3);
            assert_eq!(log, [0, 1, 2]);
            setrlimit(Resource::As, before).unwrap();
            pool.stop().unwrap();
        },
    );
}

/// Where copies of this program are put that another user may run.
const PLACE: &str = "selvedge-thread-start-";

/// Limits on threads do not hold for root. If root runs the tests, the child runs as a user that owns no other process,
/// from a copy of this program that this user may read.
fn as_a_user_with_limits(child: &mut Command) {
    const NOBODY_ELSE: u32 = 47_113;
    if geteuid().is_root() {
        let test = child.get_args().nth(1).unwrap().to_string_lossy().replace("::", "-");
        // Of its own, whatever an earlier run has left.
        let place = tempfile::Builder::new().prefix(&format!("{PLACE}{test}-")).tempdir().unwrap().keep();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        chown(&place, Some(NOBODY_ELSE), Some(NOBODY_ELSE)).unwrap();
        let program = place.join("program");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        let mut other = Command::new(&program);
        other.args(child.get_args()).current_dir(place).uid(NOBODY_ELSE).gid(NOBODY_ELSE);
        for (name, value) in child.get_envs() {
            other.env(name, value.unwrap_or_default());
        }
        *child = other;
    }
}

/// The copy that [`as_a_user_with_limits`] made is no longer needed once it runs.
fn remove_own_copy() {
    let program = env::current_exe().unwrap();
    let is_copy = |place: &Path| place.to_string_lossy().contains(PLACE);
    if let Some(place) = program.parent().filter(|place| is_copy(place)) {
        let _ = fs::remove_file(&program);
        let _ = fs::remove_dir(place);
    }
}

/// How many more threads this user may start.
struct Threads {
    before: Rlimit,
}

impl Threads {
    fn at_most(more: u64) -> Self {
        let before = getrlimit(Resource::Nproc);
        setrlimit(Resource::Nproc, Rlimit { current: Some(process_status("Threads") + more), ..before }).unwrap();
        Self { before }
    }

    fn restore(self) {
        setrlimit(Resource::Nproc, self.before).unwrap();
    }
}

// Checks: B41, B8, P72, R3
#[test]
fn at_the_users_limit_jobs_wait_for_the_workers_there_are_and_later_ones_try_again() {
    let name = "thread_start::at_the_users_limit_jobs_wait_for_the_workers_there_are_and_later_ones_try_again";
    in_own_process(name, as_a_user_with_limits, || {
        remove_own_copy();
        let (reports, log) = (Log::new(), Log::new());
        let pool = reporting(0, 8, &reports);
        let gate = occupy(&pool);
        let threads = Threads::at_most(0);
        submit(&pool, &log, 0..5);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.busy, stats.queued), (1, 1, 5), "kept, and not counted as started");
        assert_eq!((reports.entries(), stats.start_failures), (vec![Incident::ThreadStart], 5));
        pool.adjust_pool_size(3, 8).unwrap();
        assert_eq!((pool.stats().start_failures, pool.stats().live), (6, 1), "a resize has tried, too");
        threads.restore();
        // The first worker is still held up. One more submission, and all is served, in order.
        submit(&pool, &log, [5]);
        wait_until(|| log.len() == 6);
        assert_eq!(log.entries().iter().min(), Some(&0));
        wait_until(|| pool.stats().live >= 3 && pool.stats().busy == 1);
        gate.open();
        pool.stop().unwrap();
        assert_eq!((pool.stats().completed, pool.stats().failed, reports.len()), (7, 0, 1));
    });
}

// Checks: B41, B36, P72, R3
#[test]
fn at_the_users_limit_a_pool_without_workers_fails_its_jobs_with_the_reason() {
    in_own_process(
        "thread_start::at_the_users_limit_a_pool_without_workers_fails_its_jobs_with_the_reason",
        as_a_user_with_limits,
        || {
            remove_own_copy();
            let (reports, log, told) = (Log::new(), Log::new(), Log::new());
            let pool = reporting(0, 2, &reports);
            let threads = Threads::at_most(0);
            let tell = told.clone();
            let on_result = move |result: Result<(), Failure>| match result.unwrap_err().downcast_ref::<NeverRan>() {
                Some(NeverRan::ThreadStart(error)) => tell.note(error.raw_os_error()),
                other => panic!("{other:?}"),
            };
            pool.call_in_thread_with_callback(on_result, || panic!("there is no thread to run it")).unwrap();
            const EAGAIN: i32 = 11;
            assert_eq!(told, [Some(EAGAIN)], "told before the submission returned, with the system's own error");
            submit(&pool, &log, [0]);
            let stats = pool.stats();
            assert_eq!((stats.live, stats.queued, stats.failed), (0, 0, 2));
            assert_eq!(reports, [Incident::ThreadStart, Incident::Job], "the second job has no callback");
            threads.restore();
            submit(&pool, &log, [1]);
            wait_until(|| log.len() == 1);
            pool.stop().unwrap();
            assert_eq!(log, [1]);
        },
    );
}

// Checks: B40, B41, P72, R3, R29
#[test]
fn at_the_users_limit_a_paused_pool_that_is_stopped_fails_its_jobs_and_ends() {
    in_own_process(
        "thread_start::at_the_users_limit_a_paused_pool_that_is_stopped_fails_its_jobs_and_ends",
        as_a_user_with_limits,
        || {
            remove_own_copy();
            let (reports, log) = (Log::new(), Log::new());
            let pool = reporting(0, 0, &reports);
            submit(&pool, &log, 0..3);
            let threads = Threads::at_most(0);
            pool.stop().unwrap();
            assert_eq!((log.len(), pool.stats().failed), (0, 3));
            assert_eq!(reports, [Incident::ThreadStart, Incident::Job, Incident::Job, Incident::Job]);
            threads.restore();
        },
    );
}
