//! `Debug` of every public type that writes its own: its name, and what helps whoever looks for a bug.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use selvedge::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore};
use selvedge::deferred::DeferredList;
use selvedge::pool::{CancelToken, Histogram, StopPolicy};
use selvedge::reactor::{Ask, Shutdown};
use selvedge::report::Incident;
use selvedge::task::{Cooperator, LoopingCall};
use selvedge::testing::{Answers, TestReactor, VirtualClock};
use selvedge::{Deferred, Job, Reactor, ThreadPool, error::Rejected, threads};

use crate::support::{Gate, wait_until};

const SECOND: Duration = Duration::from_secs(1);

/// The types that were shown.
#[derive(Default)]
struct Shown {
    types: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Shown {
    fn show(&mut self, value: impl Debug, name: &'static str, parts: &[&str]) {
        let text = format!("{value:?}");
        if !text.starts_with(name) || !parts.iter().all(|part| text.contains(part)) {
            self.wrong.push(format!("{name} with {parts:?} is shown as {text}"));
        }
        self.types.insert(name);
    }
}

fn deferreds(shown: &mut Shown) {
    let (deferred, resolver) = Deferred::<u32>::new();
    shown.show(&deferred, "Deferred", &["Unfired"]);
    shown.show(&resolver, "Resolver", &["cancelled: false"]);
    shown.show(DeferredList::new([Deferred::succeed(1)]), "DeferredList", &["members", "options"]);
    let pause = deferred.pause_handle();
    pause.pause();
    shown.show(&pause, "PauseHandle", &["pauses: 1"]);
    shown.show(&deferred, "Deferred", &["paused: 1"]);
    let (deferred, handle) = deferred.with_cancel_handle();
    shown.show(&handle, "CancelHandle", &["pending: true"]);
    let guard = deferred.cancel_on_drop();
    shown.show(&guard, "CancelOnDrop", &["Deferred"]);
    shown.show(guard.into_inner().into_future(), "DeferredFuture", &["Deferred"]);
    shown.show(&resolver, "Resolver", &["cancelled: true"]);
    shown.show(Deferred::succeed(1).shared(), "SharedDeferred", &["has_result: true"]);
}

fn coordination(shown: &mut Shown) {
    let lock = DeferredLock::new();
    let _held = lock.try_acquire().unwrap();
    let _waits = lock.acquire();
    shown.show(&lock, "DeferredLock", &["locked: true", "waiting: 1"]);
    let semaphore = DeferredSemaphore::new(NonZeroUsize::new(3).unwrap());
    let permit = semaphore.try_acquire_many(2).unwrap();
    shown.show(&semaphore, "DeferredSemaphore", &["tokens: 1", "limit: 3", "waiting: 0"]);
    shown.show(&permit, "Permit", &["count: 2"]);
    let queue = DeferredQueue::new();
    queue.put(1).unwrap();
    shown.show(&queue, "DeferredQueue", &["len: 1", "waiting: 0", "closed: false"]);
    let full = DeferredQueue::with_limits(0, None);
    shown.show(full.put(1).unwrap_err(), "PutError", &["reason: Full"]);
}

fn reactors(shown: &mut Shown) {
    let clock = VirtualClock::new();
    clock.advance(SECOND);
    shown.show(&clock, "VirtualClock", &["1s"]);
    shown.show(Reactor::builder().clock(clock), "ReactorBuilder", &["pool", "VirtualClock", "on_wake: false"]);
    shown.show(Reactor::builder(), "ReactorBuilder", &["clock: None", "Reporter(stderr)"]);
    shown.show(Reactor::builder().on_report(|_| ()), "ReactorBuilder", &["Reporter(custom)", "around_turns: 0"]);
    let hooked = Reactor::builder().around_turns(|_, _| ()).around_turns(|_, _| ());
    shown.show(hooked, "ReactorBuilder", &["around_turns: 2"]);
    let reactor = TestReactor::default().with_seed(7);
    shown.show(&reactor, "TestReactor", &["seed: Some(7)"]);
    let timer = reactor.call_later(SECOND, |_| ());
    shown.show(&timer, "DelayedCall", &["Pending"]);
    shown.show(&*reactor, "Reactor", &["delayed_calls: 1", "lifecycle"]);
    shown.show(reactor.handle(), "Handle", &["Inbox", "ThreadPool"]);
    shown.show(reactor.local(), "LocalHandle", &["Handle"]);
    let numbers = [reactor.own(1), reactor.own(2), reactor.own(3)].map(|owned| {
        let digits = |of: String| -> u64 { of.replace(|other: char| !other.is_ascii_digit(), "").parse().unwrap() };
        shown.show(owned.address(), "Address", &["id: "]);
        shown.show(&owned, "Owned", &["id: "]);
        let numbers = [format!("{owned:?}"), format!("{:?}", owned.address())].map(digits);
        assert_eq!(numbers[0], numbers[1]);
        numbers[0]
    });
    assert_eq!(numbers, [0, 1, 2].map(|later| numbers[0] + later), "values are numbered as they come");
    assert!(numbers[2] < 100);
    shown.show(reactor.handle().ask(|_| 1), "Ask", &["asked"]);
    let mut ask = reactor.handle().ask(|reactor| reactor.sleep(SECOND));
    reactor.turn().unwrap();
    let is_pending = |ask: &mut Ask<()>| Pin::new(ask).poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(is_pending(&mut ask));
    shown.show(&ask, "Ask", &["waiting for a Deferred"]);
    reactor.advance(SECOND);
    assert!(!is_pending(&mut ask));
    shown.show(&ask, "Ask", &["finished"]);
    shown.show(Deferred::succeed(1).into_send_future(&reactor), "SendFuture", &["finished: false"]);
    let looping = LoopingCall::new(|_| ());
    shown.show(&looping, "LoopingCall", &["("]);
    shown.show(Cooperator::builder(), "CooperatorBuilder", &["slice", "running: true"]);
    let cooperator = Cooperator::new(&reactor);
    let task = cooperator.cooperate([()]);
    shown.show(&cooperator, "Cooperator", &["ready: 1", "tasks: 1"]);
    shown.show(&task, "CooperativeTask", &["Ready"]);
    shown.show(Answers::new([1, 2]), "Answers", &["left: 2", "calls: 0"]);
    let closed = Reactor::default().handle();
    let rejected: Rejected<_> = closed.call_from_thread(|_| ()).unwrap_err();
    shown.show(&rejected.job, "Call", &[]);
    shown.show(&rejected, "Rejected", &["ReactorStopped"]);
}

fn pools(shown: &mut Shown) {
    let ((), thread) = Reactor::builder().spawn(|_| ()).unwrap();
    shown.show(&thread, "ReactorThread", &["Handle"]);
    thread.handle().stop();
    let (pool, stepper) = ThreadPool::builder().name("looms").size(0, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    shown.show(&pool, "ThreadPool", &["\"looms\"", "queued: 1"]);
    shown.show(&stepper, "Stepper", &["Starting"]);
    shown.show(&ticket, "Ticket", &["CancelToken"]);
    let token: CancelToken = ticket.token();
    shown.show(token.on_cancel(|| ()), "OnCancel", &["CancelToken"]);
    shown.show(&token, "CancelToken", &["cancelled: false"]);
    ticket.cancel();
    shown.show(&token, "CancelToken", &["cancelled: true"]);
    shown.show(Job::new(|| ()).named("cloth"), "Job", &["cloth", "Return"]);
    shown.show(threads::Blocked::enter(), "Blocked", &[]);
    shown.show(Histogram::new(), "Histogram", &["count: 0", "p99"]);
}

/// Types of the crate itself, which no program has.
const OWN: [&str; 9] = [
    "Panic",
    "Failure",
    "FailureError",
    "SharedFailure", // `deferred::said` shows these
    "Hooks",
    "Inbox",
    "LoopCore",
    "Reporter",
    "TaskCore",
];

// Checks: P105
#[test]
fn every_public_type_shows_its_name_and_its_state() {
    let mut shown = Shown::default();
    deferreds(&mut shown);
    coordination(&mut shown);
    reactors(&mut shown);
    pools(&mut shown);
    assert!(shown.wrong.is_empty(), "\n{}", shown.wrong.join("\n"));
    let written: BTreeSet<String> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"))
        .iter()
        .filter(|path| {
            !path.components().any(|part| ["machine", "sync", "loom"].contains(&part.as_os_str().to_str().unwrap()))
        })
        .flat_map(|path| {
            let source = fs::read_to_string(path).unwrap();
            let types = source.split("fmt::Debug for ").skip(1);
            types.map(|after| after.split(['<', ' ']).next().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let oneshot = ["Sender", "Receiver", "TimeoutTrigger"];
    let known: BTreeSet<String> = shown.types.into_iter().chain(OWN).chain(oneshot).map(str::to_owned).collect();
    assert_eq!(written.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

// Checks: P94, B40
#[test]
fn what_was_late_is_said_in_words() {
    let mut late = Shutdown::default();
    assert_eq!(late.to_string(), "the reactor has shut down");
    late.timed_out = true;
    assert_eq!(late.to_string(), "the reactor has not shut down in time");
    let (pool, stepper) = ThreadPool::builder().name("looms").size(0, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let label = Job::new(|| ()).label();
    assert!(label.to_string().starts_with("made at "), "{label}");
    pool.call_in_thread(Job::new(|| ()).named("cloth")).unwrap();
    pool.call_in_thread(|| ()).unwrap();
    assert!(stepper.step().is_some());
    let unfinished = pool.stop_within(StopPolicy::Drain, Duration::ZERO).unwrap_err().to_string();
    let start = "the pool has not stopped in time: 1 workers are late, and 1 jobs wait: job \"cloth\", made at ";
    assert!(unfinished.starts_with(start), "{unfinished}");
    let (gate, pool) = (Gate::new(), ThreadPool::new(0, 2).unwrap());
    pool.start().unwrap();
    for name in ["warp", "weft"] {
        let held = gate.clone();
        pool.call_in_thread(Job::new(move || held.pass()).named(name)).unwrap();
    }
    wait_until(|| pool.stats().busy == 2);
    let unfinished = pool.stop_within(StopPolicy::Drain, Duration::ZERO).unwrap_err().to_string();
    gate.open();
    pool.stop().unwrap();
    let start = "the pool has not stopped in time: 2 workers are late: job \"w";
    assert!(unfinished.starts_with(start), "{unfinished}");
    assert!(["\"warp\"", "\"weft\"", "; job "].iter().all(|part| unfinished.contains(part)), "{unfinished}");
}

// Checks: B8
#[test]
fn every_incident_has_words_of_its_own() {
    use Incident::{
        Call, Canceller, Drop, Hook, Job, Logged, OnCancel, OnResult, OnWake, OwnedValue, Saturated, ThreadStart,
        Timer, Trigger, TurnHook, Unhandled, Waker,
    };
    let failed = [
        Call, Timer, Trigger, Job, OnResult, Unhandled, Canceller, Waker, Drop, OwnedValue, Hook, OnCancel, OnWake,
        TurnHook,
    ];
    let others = [Logged, ThreadStart, Saturated];
    let words: BTreeSet<String> = failed.iter().chain(&others).map(ToString::to_string).collect();
    assert_eq!(words.len(), failed.len() + others.len());
    assert!(failed.iter().all(|incident| incident.to_string().contains("fail")));
}
