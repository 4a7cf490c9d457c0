//! The end of a thread: destructors of a program's thread-locals use Deferreds and reactors, after everything that the
//! thread has used later was destroyed.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use selvedge::pool::CancelToken;
use selvedge::report::Incident;
use selvedge::{Deferred, Job, Reactor, Resolver, ThreadPool, threads};

use crate::support::deferred::Oops;
use crate::support::on_a_small_stack;

const MANY: usize = 100_000;

/// Calls what it has when its thread ends.
struct AtEnd(RefCell<Option<Box<dyn FnOnce()>>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|last| last());
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd(RefCell::new(None)) };
}

/// Runs `first` on a thread with a small stack. What `first` returns runs in the destructor of a thread-local that is
/// older than any of this crate's.
fn at_the_end_of_a_thread<L: FnOnce() + 'static>(first: impl FnOnce() -> L + Send + 'static) {
    on_a_small_stack(|| {
        AT_END.with(|at_end| drop(at_end.0.borrow_mut().take()));
        let last = first();
        AT_END.with(|at_end| *at_end.0.borrow_mut() = Some(Box::new(last)));
    });
}

/// Resolvers, each captured by a callback of the one before.
fn nested() -> Resolver<()> {
    let (deferred, mut outermost) = Deferred::new();
    drop(deferred.add_errback(drop));
    for _ in 0..MANY {
        let (deferred, resolver) = Deferred::new();
        let inner = std::mem::replace(&mut outermost, resolver);
        drop(deferred.add_callback(move |()| drop(inner)).add_errback(drop));
    }
    outermost
}

/// A program's notes of reports.
type Told = Arc<Mutex<Vec<(Incident, String)>>>;

fn reactor_with_sink(told: &Told) -> Reactor {
    let told = Arc::clone(told);
    let sink = move |report: &selvedge::report::Report<'_>| {
        told.lock().unwrap().push((report.incident, report.error.to_string()));
    };
    Reactor::builder().on_report(sink).build().unwrap()
}

// Checks: P99, P27
#[test]
fn resolvers_that_a_thread_has_nested_are_dropped_at_its_end_on_a_small_stack() {
    at_the_end_of_a_thread(|| {
        // So that the thread has used what drops use.
        drop(Deferred::<()>::new().0.add_errback(drop));
        let resolver = nested();
        move || drop(resolver)
    });
}

// Checks: P99
#[test]
fn a_reactor_that_is_dropped_at_the_end_of_its_thread_tells_its_sink() {
    let told = Told::default();
    let sink = Arc::clone(&told);
    at_the_end_of_a_thread(move || {
        let reactor = reactor_with_sink(&sink);
        reactor.turn().unwrap();
        let failed = Deferred::<()>::fail(Oops(1));
        reactor.call_later(std::time::Duration::MAX, move |_| drop(failed));
        let owned = Deferred::<()>::fail(Oops(2));
        let _ = reactor.own(owned).detach();
        move || {
            drop(Deferred::<()>::fail(Oops(3)));
            reactor.call_from_thread(|_| drop(Deferred::<()>::fail(Oops(4)))).unwrap();
            reactor.turn().unwrap();
            drop(reactor);
        }
    });
    let told = told.lock().unwrap();
    let messages: Vec<_> = told.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(messages, ["oops 3", "oops 4", "oops 2", "oops 1"]);
    assert!(told.iter().all(|told| told.0 == Incident::Unhandled));
}

// Checks: P99, P76
#[test]
fn what_a_sink_causes_at_the_end_of_a_thread_is_told_after_it() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    at_the_end_of_a_thread(move || {
        let reactor = Reactor::builder().on_report(move |report| {
            let first = report.error.to_string() == "oops 1";
            if first {
                drop(Deferred::<()>::fail(Oops(2)));
            }
            sink.lock().unwrap().push(report.error.to_string());
        });
        let reactor = reactor.build().unwrap();
        // So that the thread has used what sinks use.
        drop(Deferred::<()>::fail(Oops(1)));
        move || {
            drop(Deferred::<()>::fail(Oops(1)));
            drop(reactor);
        }
    });
    assert_eq!(*told.lock().unwrap(), ["oops 1", "oops 2", "oops 1", "oops 2"]);
}

// Checks: P99, P55
#[test]
fn jobs_that_are_stepped_at_the_end_of_a_thread_have_their_token_and_their_pool() {
    let (seen, sees) = mpsc::channel();
    at_the_end_of_a_thread(move || {
        let (pool, stepper) = ThreadPool::builder().size(0, 1).compensation(1).build_stepped().unwrap();
        pool.start().unwrap();
        let other = pool.clone();
        let job = move |token: &CancelToken| {
            let blocked = threads::blocked(|| other.stats().blocked);
            seen.send((CancelToken::current().is_some(), blocked, token.is_cancelled())).unwrap();
        };
        let ticket = pool.call_in_thread_ticketed(Job::with_token(job)).unwrap();
        move || {
            while stepper.step().is_some() {}
            assert!(CancelToken::current().is_none());
            drop(ticket);
        }
    });
    assert_eq!(sees.recv(), Ok((true, 1, false)));
}

// Checks: B60
#[test]
fn a_failure_outside_of_turns_is_told_to_the_reactor_of_the_thread_that_was_made_last() {
    let (first, second) = (Told::default(), Told::default());
    let one = reactor_with_sink(&first);
    drop(Deferred::<()>::fail(Oops(1)));
    {
        let _two = reactor_with_sink(&second);
        drop(Deferred::<()>::fail(Oops(2)));
        one.call_when_running(|_| drop(Deferred::<()>::fail(Oops(3))));
        one.turn().unwrap();
        // A chain that fails, and a drop that panics, before any turn of theirs.
        let (deferred, resolver) = Deferred::<()>::new();
        drop(deferred.add_callback(|()| Err::<(), _>(Oops(4))));
        resolver.callback(());
        // A thread without a reactor.
        thread::spawn(|| drop(Deferred::<()>::fail(Oops(9)))).join().unwrap();
    }
    drop(Deferred::<()>::fail(Oops(5)));
    one.stop().unwrap();
    one.run();
    drop(Deferred::<()>::fail(Oops(9)));
    let messages = |told: &Told| told.lock().unwrap().iter().map(|told| told.1.clone()).collect::<Vec<_>>();
    assert_eq!(messages(&first), ["oops 1", "oops 3", "oops 5"]);
    assert_eq!(messages(&second), ["oops 2", "oops 4"]);
}
