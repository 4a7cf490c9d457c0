//! Runs named jobs on threads: each has a time limit and is tried again when it fails, and any can be cancelled.
//!
//! `cargo run --example job_runner -- [NAME]...` runs the jobs of these names, or all. To cancel one, type its name;
//! the end of the input (Ctrl-D) cancels all that are left. `tests/examples/job_runner.rs` tests it.

use std::num::NonZeroUsize;
use std::time::Duration;
use std::{env, io, thread};

use selvedge::deferred::{CancelHandle, DeferredList};
use selvedge::error::{Rejected, Rejection};
use selvedge::pool::CancelToken;
use selvedge::reactor::ReactorBuilder;
use selvedge::{Deferred, Failure, Job, LocalHandle, Reactor};

const MINUTE: Duration = Duration::from_secs(60);
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(100);
const QUEUE: NonZeroUsize = NonZeroUsize::MIN;

/// A job as it is planned.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// In the report, and to cancel it.
    pub name: &'static str,
    /// How often it is tried.
    pub attempts: u32,
    /// How long an attempt may run.
    pub limit: Duration,
    /// Is given the number of the attempt.
    pub work: fn(u32) -> Result<String, Failure>,
}

/// The number of attempts and what the last one returned; an error if it was cancelled or the reactor has stopped.
pub type Ending = Result<(u32, Result<String, Failure>), Failure>;

/// What this program runs.
pub const PLANS: [Plan; 5] = [
    Plan { name: "index", attempts: 1, limit: MINUTE, work: |_| Ok("12 files".to_owned()) },
    Plan { name: "fetch", attempts: 5, limit: MINUTE, work: fetch },
    Plan { name: "convert", attempts: 2, limit: MINUTE, work: |_| Err(io::Error::from(io::ErrorKind::StorageFull))? },
    Plan { name: "verify", attempts: 3, limit: Duration::from_millis(5), work: until_cancelled },
    Plan { name: "mirror", attempts: 1, limit: Duration::MAX, work: until_cancelled },
];

fn fetch(attempt: u32) -> Result<String, Failure> {
    let pages = (attempt > 2).then(|| "3 pages".to_owned());
    Ok(pages.ok_or(io::Error::from(io::ErrorKind::ConnectionRefused))?)
}

/// Does nothing until its time limit has passed, or somebody cancels it.
fn until_cancelled(_: u32) -> Result<String, Failure> {
    while let Some(token) = CancelToken::current() {
        token.check()?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok("had no token".to_owned())
}

/// Two threads, and a queue that is bounded.
pub fn builder() -> ReactorBuilder {
    Reactor::builder().pool_size(0, 2).configure_pool(|pool| pool.queue_bound(QUEUE))
}

/// Runs a job until it succeeds or has no attempt left, with longer and longer waits between.
async fn run(local: LocalHandle, plan: Plan) -> Ending {
    let (mut attempt, mut wait) = (1, FIRST_WAIT);
    loop {
        let job = Job::new(move || (plan.work)(attempt)).named(plan.name).time_limit(plan.limit);
        match local.defer_to_thread(job).await {
            Err(failure) if is_full(&failure) => {}
            Err(_) if attempt < plan.attempts => attempt += 1,
            result => return Ok((attempt, result)),
        }
        local.sleep(wait).await?;
        wait = LONGEST_WAIT.min(wait * 2);
    }
}

/// Whether there was no room in the queue: then nothing was tried.
fn is_full(failure: &Failure) -> bool {
    failure.downcast_ref::<Rejected<()>>().is_some_and(|rejected| rejected.reason == Rejection::QueueFull)
}

/// Starts all jobs. Their endings come in the order of the plans; a handle cancels the job of that name.
pub fn start(reactor: &Reactor, plans: &[Plan]) -> (Deferred<Vec<Ending>>, Vec<(&'static str, CancelHandle)>) {
    let start = |plan: &Plan| {
        let (ending, cancel) = reactor.spawn(run(reactor.local(), *plan)).with_cancel_handle();
        (ending, (plan.name, cancel))
    };
    let (endings, cancels): (Vec<_>, _) = plans.iter().map(start).unzip();
    (DeferredList::new(endings).consume_errors().all(), cancels)
}

fn cancel(jobs: &[(&str, CancelHandle)], is_meant: impl Fn(&str) -> bool) {
    jobs.iter().filter(|(name, _)| is_meant(name)).for_each(|(_, cancel)| cancel.cancel());
}

/// A line for each job.
pub fn report(plans: &[Plan], endings: &[Ending]) -> String {
    let line = |(plan, ending): (&Plan, &Ending)| match ending {
        Ok((attempts, Ok(done))) => format!("{}: {done}, at attempt {attempts}\n", plan.name),
        Ok((attempts, Err(failure))) => format!("{}: {failure}, at attempt {attempts}\n", plan.name),
        Err(cancelled) => format!("{}: {cancelled}\n", plan.name),
    };
    plans.iter().zip(endings).map(line).collect()
}

fn main() -> Result<(), Failure> {
    let names: Vec<String> = env::args().skip(1).collect();
    let is_wanted = |plan: &Plan| names.is_empty() || names.iter().any(|name| name == plan.name);
    let plans: Vec<Plan> = PLANS.into_iter().filter(is_wanted).collect();

    let reactor = builder().build()?;
    let (endings, cancels) = start(&reactor, &plans);
    let jobs = reactor.own(cancels).detach();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            jobs.call(move |jobs, _| cancel(jobs, |name| name == line)).unwrap_or_default();
        }
        jobs.call(|jobs, _| cancel(jobs, |_| true)).unwrap_or_default();
    });
    print!("{}", report(&plans, &reactor.block_on(endings)?));
    Ok(())
}
