//! `#[track_caller]`: whatever is made says where the program made it. Every function of `src/` that has the attribute
//! is in a case here, which fails without it.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::time::Duration;

use selvedge::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore};
use selvedge::deferred::{DeferredList, Settled, execute, gather_results, maybe_deferred, race};
use selvedge::pool::{IntoJob, JobLabel};
use selvedge::task::{Cooperator, LoopingCall, defer_later};
use selvedge::testing::{Answers, TestReactor, schedules};
use selvedge::{Deferred, Failure, Job, Reactor, report::Report, threads};

use crate::support::{Log, in_own_process};

const SECOND: Duration = Duration::from_secs(1);

/// A file and a line.
type Place = (String, u32);

/// What is made is made on this reactor, and the places that it tells come here.
struct Bench {
    reactor: TestReactor,
    reports: Log<Place>,
    jobs: Log<Place>,
}

impl Bench {
    fn new() -> Self {
        let (reports, jobs) = (Log::new(), Log::new());
        let (reported, labelled) = (reports.clone(), jobs.clone());
        let reactor = Reactor::builder()
            .on_report(move |report: &Report<'_>| reported.note(place(report.location.unwrap())))
            .configure_pool(move |pool| pool.around_jobs(move |job: &JobLabel| labelled.note(place(job.location()))))
            .build_test()
            .unwrap();
        Self { reactor, reports, jobs }
    }

    /// The place that a report of the Deferred's failure names.
    fn of<T: 'static>(&self, made: Deferred<T>) -> Place {
        let failing = made.add_both(|_| Err::<(), _>(failure()));
        failing.cancel();
        drop(failing);
        self.reported()
    }

    /// The place that was reported last.
    fn reported(&self) -> Place {
        self.reports.entries().pop().unwrap()
    }

    /// The place of the job that waits in the reactor's pool.
    fn job(&self) -> Place {
        self.reactor.settle();
        self.jobs.entries().pop().unwrap()
    }
}

fn place(location: &Location<'_>) -> Place {
    (location.file().to_owned(), location.line())
}

fn failure() -> Failure {
    Failure::msg("meant")
}

fn semaphore() -> DeferredSemaphore {
    DeferredSemaphore::new(NonZeroUsize::MIN)
}

fn failed() -> Deferred<u32> {
    Deferred::fail(failure())
}

/// One way to make something, and the functions with the attribute on that way.
struct Case {
    /// Each as a file below `src/runtime/`, and functions in it.
    passes: &'static [&'static str],
    line: u32,
    place: fn(&Bench) -> Place,
}

/// What `place` makes is made in the lines from this call to the next.
#[track_caller]
fn case(passes: &'static [&'static str], place: fn(&Bench) -> Place) -> Case {
    Case { passes, line: Location::caller().line(), place }
}

fn deferreds() -> Vec<Case> {
    vec![
        case(&["deferred/constructors new unfired"], |bench| bench.of(Deferred::<u32>::new().0)),
        case(&["deferred/constructors with_canceller"], |bench| bench.of(Deferred::<u32>::with_canceller(|| ()).0)),
        case(&["deferred/constructors with_firing_canceller typed_with_firing_canceller"], |bench| {
            bench.of(Deferred::<u32>::with_firing_canceller(drop).0)
        }),
        case(&["deferred/constructors succeed from"], |bench| bench.of(Deferred::succeed(1))),
        case(&["deferred/constructors fail"], |bench| bench.of(Deferred::<u32>::fail(failure()))),
        case(&["deferred/constructors typed"], |bench| bench.of(Deferred::<u32, Failure>::typed().0)),
        case(&["deferred/constructors typed_with_canceller"], |bench| {
            bench.of(Deferred::<u32, Failure>::typed_with_canceller(|| ()).0)
        }),
        case(&["deferred/constructors typed_with_firing_canceller"], |bench| {
            bench.of(Deferred::<u32, Failure>::typed_with_firing_canceller(drop).0)
        }),
        case(&["deferred/constructors from"], |bench| bench.of(Deferred::from(Ok::<_, Failure>(1)))),
        case(&["deferred/constructors into_deferred"], |bench| {
            bench.of(Settled::<_, Failure>::Now(Ok(1)).into_deferred())
        }),
        case(&["deferred/constructors execute"], |bench| bench.of(execute(|| 1))),
        case(&["deferred/constructors maybe_deferred"], |bench| bench.of(maybe_deferred(|| 1))),
        case(&["deferred/constructors maybe_deferred"], |bench| {
            bench.of(maybe_deferred(|| -> u32 { std::panic::panic_any(selvedge::testing::Injected) }))
        }),
        case(&["deferred/shared get", "deferred/waiter waiter"], |bench| {
            let (deferred, _resolver) = Deferred::<u32>::new();
            bench.of(deferred.shared().get())
        }),
        case(&["deferred/shared get"], |bench| bench.of(Deferred::succeed(1).shared().get())),
        case(&["deferred/deferred_list all", "deferred/gather gather"], |bench| {
            bench.of(DeferredList::new([Deferred::succeed(1)]).all())
        }),
        case(&["deferred/deferred_list fire_on_one_errback"], |bench| {
            bench.of(DeferredList::new([Deferred::succeed(1)]).fire_on_one_errback())
        }),
        case(&["deferred/deferred_list fire_on_one_callback"], |bench| {
            bench.of(DeferredList::new([failed()]).fire_on_one_callback())
        }),
        case(&["deferred/deferred_list fire_on_one"], |bench| {
            bench.of(DeferredList::new([Deferred::succeed(1)]).fire_on_one())
        }),
        case(&["deferred/deferred_list gather_results"], |bench| bench.of(gather_results([Deferred::succeed(1)]))),
        case(&["deferred/deferred_list race"], |bench| bench.of(race([Deferred::succeed(1)]))),
        case(&["deferred/gather gather"], |bench| {
            // The result of a list is kept with the list's own place.
            drop(gather_results([failed()]));
            bench.reported()
        }),
    ]
}

fn coordination() -> Vec<Case> {
    vec![
        case(&["coordination/lock acquire"], |bench| bench.of(DeferredLock::new().acquire())),
        case(&["coordination/lock run"], |bench| bench.of(DeferredLock::new().run(|| 1))),
        case(&["coordination/semaphore acquire"], |bench| bench.of(semaphore().acquire())),
        case(&["coordination/semaphore acquire_many", "deferred/waiter waiter"], |bench| {
            bench.of(semaphore().acquire_many(2))
        }),
        case(&["coordination/semaphore run"], |bench| bench.of(semaphore().run(|| 1))),
        case(&["coordination/queue get", "deferred/waiter waiter"], |bench| {
            bench.of(DeferredQueue::<u32>::new().get().unwrap())
        }),
        case(&["coordination/queue get", "deferred/constructors unclaimed"], |bench| {
            let queue = DeferredQueue::new();
            queue.put(1).unwrap();
            bench.of(queue.get().unwrap())
        }),
        case(&["coordination/queue get"], |bench| {
            let queue = DeferredQueue::<u32>::new();
            queue.close();
            bench.of(queue.get().unwrap())
        }),
    ]
}

fn reactors() -> Vec<Case> {
    vec![
        case(&["reactor/spawn spawn", "reactor/spawn spawn_boxed", "deferred/constructors produced"], |bench| {
            bench.of(bench.reactor.spawn(async { 1 }))
        }),
        case(&["reactor/spawn spawn", "reactor/spawn spawn_boxed", "deferred/constructors produced"], |bench| {
            bench.of(bench.reactor.local().spawn(async { 1 }))
        }),
        case(&["reactor/sleep sleep"], |bench| bench.of(bench.reactor.sleep(SECOND))),
        case(&["reactor/sleep sleep"], |bench| bench.of(bench.reactor.local().sleep(SECOND))),
        case(&["reactor/owned new", "reactor/reactor own"], |bench| {
            let owned = bench.reactor.own(1);
            let address = owned.address();
            drop(owned);
            place(address.with(&bench.reactor, |_| ()).unwrap_err().owned_at)
        }),
        case(&["reactor/ask ask"], |bench| {
            let ask = bench.reactor.handle().ask(|_| Err::<u32, _>(failure()));
            bench.reactor.settle();
            drop(ask);
            bench.reported()
        }),
        case(&["reactor/ask ask"], |bench| {
            let owned = bench.reactor.own(1);
            let ask = owned.address().ask(|_, _| Err::<u32, _>(failure()));
            bench.reactor.settle();
            drop(ask);
            bench.reported()
        }),
        case(&["task/looping_call start begin"], |bench| {
            bench.of(LoopingCall::new(|_| ()).start(&bench.reactor, SECOND).unwrap())
        }),
        case(&["task/looping_call start_later"], |bench| {
            bench.of(LoopingCall::new(|_| ()).start_later(&bench.reactor, SECOND).unwrap())
        }),
        case(&["task/cooperator/handle cooperate"], |bench| {
            let cooperator = Cooperator::new(&bench.reactor);
            drop(cooperator.cooperate([Err::<(), _>(failure())]));
            bench.reactor.advance(SECOND);
            bench.reported()
        }),
        case(&["task/cooperator/handle coiterate", "task/cooperator/steps when_done"], |bench| {
            bench.of(Cooperator::new(&bench.reactor).coiterate([()]))
        }),
        case(&["task/cooperator/handle when_done", "task/cooperator/steps when_done"], |bench| {
            let task = Cooperator::new(&bench.reactor).cooperate([()]);
            bench.of(task.when_done())
        }),
        case(&["task/defer_later defer_later"], |bench| bench.of(defer_later(&bench.reactor, SECOND, |_| 1))),
        case(&["threads/without_blocking defer_to_reactor"], |bench| {
            bench.of(threads::defer_to_reactor(&bench.reactor, &bench.reactor.handle(), |_| 1))
        }),
        case(&["threads/without_blocking stopped"], |bench| {
            bench.of(bench.reactor.thread_pool().stopped(&bench.reactor))
        }),
        case(&["threads/local ask"], |bench| bench.of(bench.reactor.local().ask(|_| 1))),
        case(&["threads defer_to_thread"], |bench| bench.of(threads::defer_to_thread(&bench.reactor, || 1))),
        case(&["threads defer_to_thread_pool", "threads new"], |bench| {
            bench.of(threads::defer_to_thread_pool(&bench.reactor, bench.reactor.thread_pool(), || 1))
        }),
        case(&["threads/local defer_to_thread"], |bench| bench.of(bench.reactor.local().defer_to_thread(|| 1))),
        case(&["threads/local defer_to_thread_pool"], |bench| {
            bench.of(bench.reactor.local().defer_to_thread_pool(bench.reactor.thread_pool(), || 1))
        }),
    ]
}

/// The place of a job is that of its description, or of the call that submits a plain function.
fn jobs() -> Vec<Case> {
    vec![
        case(&["pool/description new"], |_| place(Job::new(|| ()).label().location())),
        case(&["pool/description with_token"], |_| place(Job::with_token(|_| ()).label().location())),
        case(&["pool/description multiple"], |_| place(Job::multiple(vec![]).label().location())),
        case(&["pool/description with_callback"], |_| place(Job::with_callback(|_| (), || ()).label().location())),
        case(&["pool/description/work into_job"], |_| place((|| ()).into_job().label().location())),
        case(&["reactor/reactor call_in_thread"], |bench| {
            bench.reactor.call_in_thread(|| ()).unwrap();
            bench.job()
        }),
        case(&["reactor/handle call_in_thread"], |bench| {
            bench.reactor.handle().call_in_thread(|| ()).unwrap();
            bench.job()
        }),
        case(&["pool/thread_pool call_in_thread"], |bench| {
            bench.reactor.thread_pool().call_in_thread(|| ()).unwrap();
            bench.job()
        }),
        case(&["pool/thread_pool call_in_thread_with_callback"], |bench| {
            bench.reactor.thread_pool().call_in_thread_with_callback(|_| (), || ()).unwrap();
            bench.job()
        }),
        case(&["pool/thread_pool call_in_thread_ticketed"], |bench| {
            bench.reactor.thread_pool().call_in_thread_ticketed(|| ()).unwrap();
            bench.job()
        }),
        case(&["threads call_multiple_in_thread"], |bench| {
            threads::call_multiple_in_thread(&bench.reactor.handle(), vec![]).unwrap();
            bench.job()
        }),
        case(&["threads defer_to_thread"], |bench| {
            let _ = threads::defer_to_thread(&bench.reactor, || ());
            bench.job()
        }),
        case(&["threads defer_to_thread_pool", "threads new"], |bench| {
            let _ = threads::defer_to_thread_pool(&bench.reactor, bench.reactor.thread_pool(), || ());
            bench.job()
        }),
        case(&["threads/local defer_to_thread"], |bench| {
            let _ = bench.reactor.local().defer_to_thread(|| ());
            bench.job()
        }),
        case(&["threads/local defer_to_thread_pool"], |bench| {
            let _ = bench.reactor.local().defer_to_thread_pool(bench.reactor.thread_pool(), || ());
            bench.job()
        }),
    ]
}

/// Those that fail a test: `place` is where the panic says it was.
fn panics() -> Vec<Case> {
    vec![
        case(&["testing/answers next"], |_| panics_at(|| Answers::<u32>::new([]).next())),
        case(&["testing/reactor settle fail_if_reported"], |_| panics_at(|| reported().settle())),
        case(&["testing/reactor advance"], |_| panics_at(|| reported().advance(SECOND))),
        case(&["testing/reactor block_on"], |_| panics_at(|| reported().block_on(async { 1 }))),
        case(&["testing/reactor block_on"], |_| {
            panics_at(|| TestReactor::new().block_on(std::future::pending::<u32>()))
        }),
        case(&["testing/schedules schedules"], |_| {
            panics_at(|| schedules([1], |_| drop(Deferred::<u32>::fail(failure()))))
        }),
    ]
}

/// A test reactor that has been told of a failure.
fn reported() -> TestReactor {
    let reactor = TestReactor::new();
    drop(Deferred::<u32>::fail(failure()));
    reactor
}

/// The place of the first panic of `body`. Only one test of its process may use it.
fn panics_at<T>(body: impl FnOnce() -> T) -> Place {
    let places = Log::new();
    let panicked = places.clone();
    set_hook(Box::new(move |panic| panicked.note(place(panic.location().unwrap()))));
    let failed = catch_unwind(AssertUnwindSafe(body)).is_err();
    drop(take_hook());
    assert!(failed);
    places.entries().swap_remove(0)
}

fn run(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let (file, line) = (case.place)(&Bench::new());
        let next = cases.get(at + 1).map_or(u32::MAX, |next| next.line);
        if file != file!() || !(case.line..next).contains(&line) {
            wrong.push(format!("{:?}: {file}:{line}, and not line {}", case.passes, case.line));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

// Checks: P63, B60
#[test]
fn whatever_can_fail_names_the_place_where_the_program_made_it() {
    run(&deferreds());
    run(&coordination());
    run(&reactors());
    run(&jobs());
}

// Checks: P120
#[test]
fn what_fails_a_test_names_the_line_of_the_test() {
    let name = "callers::what_fails_a_test_names_the_line_of_the_test";
    in_own_process(name, |_| (), || run(&panics()));
}

// Checks: P63
#[test]
fn every_function_that_names_its_caller_is_in_a_case() {
    let cases = [deferreds(), coordination(), reactors(), jobs(), panics()];
    let tested: BTreeSet<String> = cases
        .iter()
        .flatten()
        .flat_map(|case| case.passes)
        .flat_map(|passes| {
            let (file, functions) = passes.split_once(' ').unwrap();
            functions.split(' ').map(move |function| format!("{file} {function}"))
        })
        .collect();
    assert_eq!(tested, tracked());
}

/// The functions of `src/` with the attribute.
fn tracked() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/runtime");
    let mut found = BTreeSet::new();
    for path in sources(&src) {
        let file = path.strip_prefix(&src).unwrap().with_extension("").to_string_lossy().replace('\\', "/");
        let source = fs::read_to_string(&path).unwrap();
        for after in source.split("#[track_caller]").skip(1) {
            let function = after.split_once("fn ").unwrap().1.split(['(', '<']).next().unwrap();
            found.insert(format!("{file} {function}"));
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
