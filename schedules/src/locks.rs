//! Counts the locks that an operation takes, at the only door to them: on the thread that asks for it, and on others.
//!
//! Each operation runs under many schedules. What is counted begins with threads that sleep or are busy, as its name
//! says, and ends when all others sleep again.

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::Mutex;
use std::task::{Poll, Waker};
use std::time::Duration;

use shuttle::scheduler::RandomScheduler;
use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread::{self, JoinHandle, ThreadId};
use shuttle::{Config, Runner};

use crate::coordination::DeferredLock;
use crate::decisions::{self, Odds};
use crate::sync::Arc;
use crate::{Deferred, Handle, Reactor, ThreadPool, threads};

/// Schedules of each operation.
const SCHEDULES: usize = 300;

const STACK_BYTES: usize = 1 << 18;

/// Jobs, calls or timers of an operation that does several.
const BATCH: u32 = 10;

/// The locks that threads took while one of them did an operation: the types of what they guard.
struct Taken {
    caller: ThreadId,
    locks: Vec<(ThreadId, &'static str)>,
}

type Operation = (&'static str, fn() -> Taken);

// All threads of an execution are one thread of the system.
thread_local! {
    static TAKEN: RefCell<Option<Taken>> = const { RefCell::new(None) };
    /// How many threads wait at a condition variable and were not notified.
    static WAITING: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn taken<T>() {
    TAKEN.with_borrow_mut(|taken| {
        if let Some(taken) = taken {
            taken.locks.push((thread::current().id(), type_name::<T>()));
        }
    });
}

pub(crate) fn one_waits_more() {
    WAITING.set(WAITING.get() + 1);
}

pub(crate) fn one_waits_less() {
    WAITING.set(WAITING.get() - 1);
}

/// Waits until so many threads sleep.
fn until_asleep(threads: usize) {
    while WAITING.get() != threads {
        thread::yield_now();
    }
}

fn begin() {
    TAKEN.set(Some(Taken { caller: thread::current().id(), locks: Vec::new() }));
}

fn end() -> Taken {
    TAKEN.take().expect("it has begun")
}

fn counted(operation: impl FnOnce()) -> Taken {
    begin();
    operation();
    end()
}

const OPERATIONS: &[Operation] = &[
    ("post, loop busy", || with_loop(Loop::Busy, post)),
    ("post, loop asleep", || with_loop(Loop::Asleep, post)),
    ("run 10 posted calls", || run_posted(BATCH)),
    ("run 20 posted calls", || run_posted(2 * BATCH)),
    ("blocking call, loop asleep", || with_loop(Loop::Asleep, blocking_call)),
    ("wake a task, loop asleep", wake_task),
    ("submit a first of its type, busy", || with_pool(true, submit)),
    ("submit a first of its type, asleep", || with_pool(false, submit)),
    ("submit one whose type has run, busy", submit_known),
    ("run 10 queued jobs", || run_queued(BATCH)),
    ("run 20 queued jobs", || run_queued(2 * BATCH)),
    ("submit with ticket, busy", || with_pool(true, |pool| drop(pool.call_in_thread_ticketed(|| ())))),
    ("cancel a queued job", cancel),
    ("statistics of a pool", || with_pool(true, |pool| _ = black_box(pool.stats()))),
    ("a job that says it is blocked", blocked),
    ("defer to a thread, and back", defer),
    ("a turn that finds nothing", || turned(|_| ())),
    ("a turn that runs 10 timers", || turned(|reactor| (0..BATCH).for_each(|_| timer(reactor)))),
    ("set a timer", || on_loop(timer)),
    ("set a timer and cancel it", || on_loop(|reactor| _ = reactor.call_later(Duration::MAX, |_| ()).cancel())),
    ("add a callback, and fire", || on_loop(callback)),
    ("hand a lock on", || on_loop(lock_handed_on)),
];

/// What the thread does that runs the loop.
#[derive(PartialEq)]
enum Loop {
    Busy,
    Asleep,
}

/// The operation, of a thread without a reactor.
fn with_loop(state: Loop, operation: fn(&Handle)) -> Taken {
    let (handle, thread) = start_loop();
    let release = (state == Loop::Busy).then(|| occupy(&handle));
    until_asleep(usize::from(state == Loop::Asleep));
    let taken = counted(|| {
        operation(&handle);
        until_asleep(usize::from(state == Loop::Asleep));
    });
    drop(release);
    handle.stop();
    thread.join().unwrap();
    taken
}

fn start_loop() -> (Handle, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        let reactor = Reactor::new();
        sender.send(reactor.handle()).unwrap();
        reactor.run();
    });
    (receiver.recv().unwrap(), thread)
}

/// Returns when the loop is in a call, which ends when what is returned is dropped.
fn occupy(handle: &Handle) -> Sender<()> {
    let (entered, is_in) = channel();
    let (release, released) = channel::<()>();
    handle
        .call_from_thread(move |_| {
            entered.send(()).unwrap();
            _ = released.recv();
        })
        .unwrap();
    is_in.recv().unwrap();
    release
}

fn post(handle: &Handle) {
    handle.call_from_thread(|_| ()).unwrap();
}

fn blocking_call(handle: &Handle) {
    threads::blocking_call_from_thread(handle, |_| 1).unwrap();
}

/// From the end of the call that kept the loop busy until it sleeps.
fn run_posted(calls: u32) -> Taken {
    let (handle, thread) = start_loop();
    let release = occupy(&handle);
    (0..calls).for_each(|_| post(&handle));
    let taken = counted(|| {
        drop(release);
        until_asleep(1);
    });
    handle.stop();
    thread.join().unwrap();
    taken
}

fn wake_task() -> Taken {
    let (handle, thread) = start_loop();
    let (sender, receiver) = channel::<Waker>();
    let task = move |reactor: &Reactor| {
        let mut sender = Some(sender);
        let future = poll_fn(move |context| match sender.take() {
            Some(sender) => {
                sender.send(context.waker().clone()).unwrap();
                Poll::Pending
            }
            None => Poll::Ready(()),
        });
        drop(reactor.spawn(future));
    };
    handle.call_from_thread(task).unwrap();
    let waker = receiver.recv().unwrap();
    until_asleep(1);
    let taken = counted(|| {
        waker.wake();
        until_asleep(1);
    });
    handle.stop();
    thread.join().unwrap();
    taken
}

/// The operation, with a pool of one worker.
fn with_pool(busy: bool, operation: fn(&ThreadPool)) -> Taken {
    let pool = start_pool();
    let release = busy.then(|| keep_busy(&pool));
    until_asleep(usize::from(!busy));
    let taken = counted(|| {
        operation(&pool);
        until_asleep(usize::from(!busy));
    });
    drop(release);
    pool.stop().unwrap();
    taken
}

fn start_pool() -> ThreadPool {
    let pool = ThreadPool::new(1, 1).unwrap();
    pool.start().unwrap();
    pool
}

fn keep_busy(pool: &ThreadPool) -> Sender<()> {
    let (entered, is_in) = channel();
    let (release, released) = channel::<()>();
    pool.call_in_thread(move || {
        entered.send(()).unwrap();
        _ = released.recv();
    })
    .unwrap();
    is_in.recv().unwrap();
    release
}

fn submit(pool: &ThreadPool) {
    pool.call_in_thread(|| ()).unwrap();
}

fn submit_known() -> Taken {
    let pool = start_pool();
    submit(&pool);
    until_asleep(1);
    let release = keep_busy(&pool);
    let taken = counted(|| submit(&pool));
    drop(release);
    pool.stop().unwrap();
    taken
}

/// From the end of the job that kept the worker busy until it sleeps.
fn run_queued(jobs: u32) -> Taken {
    let pool = start_pool();
    let release = keep_busy(&pool);
    (0..jobs).for_each(|_| submit(&pool));
    let taken = counted(|| {
        drop(release);
        until_asleep(1);
    });
    pool.stop().unwrap();
    taken
}

fn cancel() -> Taken {
    let pool = start_pool();
    let release = keep_busy(&pool);
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    let taken = counted(|| _ = ticket.cancel());
    drop(release);
    pool.stop().unwrap();
    taken
}

/// The caller is the job.
fn blocked() -> Taken {
    let pool = start_pool();
    let (sender, receiver) = channel();
    pool.call_in_thread(move || sender.send(counted(|| threads::blocked(|| ()))).unwrap()).unwrap();
    let taken = receiver.recv().unwrap();
    pool.stop().unwrap();
    taken
}

/// The caller is the loop, which goes on to sleep until the result is there. It ends when the worker sleeps again.
fn defer() -> Taken {
    let (sender, receiver) = channel();
    let (send_handle, handle) = channel();
    let loop_thread = thread::spawn(move || {
        let reactor = Reactor::builder().pool_size(1, 1).build().unwrap();
        send_handle.send(reactor.handle()).unwrap();
        reactor.run();
    });
    let handle: Handle = handle.recv().unwrap();
    // The pool starts its worker now.
    handle.call_in_thread(|| ()).unwrap();
    until_asleep(2);
    let call = move |reactor: &Reactor| {
        begin();
        let answer = threads::defer_to_thread(reactor, || 1);
        drop(answer.add_callback(move |_| {
            until_asleep(1);
            sender.send(end()).unwrap();
        }));
    };
    handle.call_from_thread(call).unwrap();
    let taken = receiver.recv().unwrap();
    handle.stop();
    loop_thread.join().unwrap();
    taken
}

/// One turn of a reactor that is not run, after this.
fn turned(before: fn(&Reactor)) -> Taken {
    let reactor = Reactor::new();
    reactor.turn().unwrap();
    before(&reactor);
    counted(|| _ = reactor.turn().unwrap())
}

/// On the thread of a reactor.
fn on_loop(operation: fn(&Reactor)) -> Taken {
    let reactor = Reactor::new();
    reactor.turn().unwrap();
    counted(|| operation(&reactor))
}

fn timer(reactor: &Reactor) {
    reactor.call_later(Duration::ZERO, |_| ());
}

fn callback(_: &Reactor) {
    let (deferred, resolver) = Deferred::<u32>::new();
    let deferred = deferred.add_callback(|n| n + 1);
    resolver.callback(1);
    drop(deferred);
}

fn lock_handed_on(_: &Reactor) {
    let lock = DeferredLock::new();
    let held = lock.try_acquire();
    drop(lock.acquire().map(drop));
    drop(held);
}

/// How often each lock was taken in one schedule, by the caller and by others.
type Counts = [BTreeMap<&'static str, usize>; 2];

/// A table: for each operation, how many locks were taken, and how often each.
pub fn table() -> String {
    let mut table = format!("# {:<36}{:<8}{:<8}{}\n", "operation", "caller", "others", "which");
    for (name, operation) in OPERATIONS {
        let schedules = explored(*operation);
        let side = |side: usize| schedules.iter().map(move |counts| &counts[side]);
        let total = |at: usize| range(side(at).map(|counts| counts.values().sum()));
        let mut line = format!("{name:<38}{:<8}{:<8}", total(0), total(1));
        for at in 0..2 {
            let locks: BTreeSet<_> = side(at).flat_map(|counts| counts.keys().copied()).collect();
            let each =
                |lock| format!("{lock} {}", range(side(at).map(|counts| counts.get(lock).copied().unwrap_or(0))));
            let all: Vec<_> = locks.into_iter().map(each).collect();
            write!(line, "{}{}", if at == 1 && !all.is_empty() { " | " } else { "" }, all.join(", ")).unwrap();
        }
        table += line.trim_end();
        table.push('\n');
    }
    table
}

/// The least and the most.
fn range(of: impl Iterator<Item = usize> + Clone) -> String {
    let (least, most) = (of.clone().min().unwrap_or(0), of.max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least}-{most}") }
}

/// What differs between schedules.
fn explored(operation: fn() -> Taken) -> BTreeSet<Counts> {
    let found = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let all = Arc::clone(&found);
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.silence_warnings = true;
    Runner::new(RandomScheduler::new_from_seed(0, SCHEDULES), config).run(move || {
        decisions::begin(Odds::NEVER);
        WAITING.set(0);
        let taken = operation();
        let mut counts = Counts::default();
        for (thread, lock) in taken.locks {
            *counts[usize::from(thread != taken.caller)].entry(short(lock)).or_default() += 1;
        }
        all.lock().unwrap().insert(counts);
    });
    let found = found.lock().unwrap();
    found.clone()
}

/// The name of a type without its path and its parameters.
fn short(name: &'static str) -> &'static str {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
