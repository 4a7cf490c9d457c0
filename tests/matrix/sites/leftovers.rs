//! The drops of what a reactor, a pool or a Deferred was given and does not need any more.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::error::Cancelled;
use selvedge::pool::StopPolicy;
use selvedge::reactor::{Event, Phase as EventPhase, Turn};
use selvedge::report::Incident;
use selvedge::{Deferred, Failure, Reactor, ThreadPool, threads};

use super::super::act::{Act, OnDrop};
use super::{ELSEWHERE, Goes, Install, ON_A_WORKER, ON_THE_LOOP, Phase, Site, Thread};

/// An error that was caused by a cancel, and whose drop runs the code.
struct CausedByACancel {
    _on_drop: OnDrop,
}

impl Error for CausedByACancel {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Cancelled)
    }
}

impl fmt::Display for CausedByACancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was cancelled")
    }
}

impl fmt::Debug for CausedByACancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

thread_local! {
    static LEFT_ON_A_WORKER: RefCell<Option<OnDrop>> = const { RefCell::new(None) };
}

/// A pool without a reactor, that reports to the act.
fn pool(act: &Act) -> selvedge::pool::PoolBuilder {
    let sink = act.clone();
    ThreadPool::builder().size(0, 1).on_report(move |report| sink.reported(report))
}

pub const SITES: &[Site] = &[
    Site {
        name: "the drop of a posted call that never runs",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/calls drop_unrun"],
        install: Install::OnLoop(|_, act| {
            let (sink, captured) = (act.clone(), OnDrop(act.clone()));
            let other = Reactor::builder().on_report(move |report| sink.reported(report)).build().unwrap();
            other.call_from_thread(move |_| drop(captured)).unwrap();
            drop(other);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future that is never polled",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let (sink, captured) = (act.clone(), OnDrop(act.clone()));
            let other = Reactor::builder().on_report(move |report| sink.reported(report)).build().unwrap();
            let done = other.spawn(async move { drop(captured) });
            drop(done.add_errback(|_| ()));
            drop(other);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future that was cancelled in its own poll",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/spawn settle"],
        install: Install::OnLoop(|reactor, act| {
            let place = std::rc::Rc::new(std::cell::Cell::new(None::<Deferred<()>>));
            let itself = std::rc::Rc::clone(&place);
            let captured = OnDrop(act.clone());
            let done = reactor.spawn(async move {
                if let Some(done) = itself.take() {
                    done.cancel();
                }
                std::future::pending::<()>().await;
                drop(captured);
            });
            place.set(Some(done.add_errback(|_| ())));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of the error of a Deferred whose future was dropped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/future ignore_cancellation"],
        install: Install::OnLoop(|_, act| {
            let error = CausedByACancel { _on_drop: OnDrop(act.clone()) };
            let (deferred, resolver) = Deferred::<()>::with_firing_canceller(move |resolver| resolver.errback(error));
            drop(deferred.into_future());
            drop(resolver);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `add_timeout_with` that is not needed",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/timeout call"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let (deferred, resolver) = Deferred::new();
            let timed = deferred.add_timeout_with(reactor, Duration::from_secs(3600), move |_, _| drop(captured));
            resolver.callback(());
            drop(timed);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an answer that comes after its caller has given up",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/pending_resolver drop_late"],
        install: Install::Elsewhere(|act| {
            // A function that had not begun when the time was over never runs.
            loop {
                let (begin, begun) = mpsc::channel();
                let (go_on, wait) = mpsc::channel::<()>();
                let late = act.clone();
                let asked = threads::blocking_call_from_thread_timeout(
                    &act.handle(),
                    Duration::from_millis(1),
                    move |_| -> Result<OnDrop, Failure> {
                        begin.send(()).unwrap();
                        let _ = wait.recv();
                        Ok(OnDrop(late))
                    },
                );
                assert!(asked.is_err(), "the loop waits for this thread");
                drop(go_on);
                if begun.recv().is_ok() {
                    return;
                }
            }
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of a blocking call that is not accepted",
        panic: Goes::Nobody,
        places: &["runtime/threads/blocking_call blocking_call"],
        install: Install::Elsewhere(|act| {
            let ended = thread::spawn(|| Reactor::new().handle()).join().unwrap();
            let captured = OnDrop(act.clone());
            assert!(threads::blocking_call_from_thread(&ended, move |_| drop(captured)).is_err());
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a job that a stop cancels",
        panic: Goes::Reported(Incident::Drop),
        install: Install::Elsewhere(|act| {
            let (pool, captured) = (pool(act).size(0, 0).build().unwrap(), OnDrop(act.clone()));
            pool.start().unwrap();
            pool.call_in_thread(move || drop(captured)).unwrap();
            pool.stop_with(StopPolicy::CancelQueued).unwrap();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a job of a pool that never started",
        panic: Goes::Reported(Incident::Drop),
        reports: &[Incident::Job],
        install: Install::Elsewhere(|act| {
            let (pool, captured) = (pool(act).build().unwrap(), OnDrop(act.clone()));
            pool.call_in_thread(move || drop(captured)).unwrap();
            pool.stop().unwrap();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a function whose result had a callback, refused",
        panic: Goes::Reported(Incident::Drop),
        install: Install::Elsewhere(|act| {
            let (pool, captured) = (pool(act).build().unwrap(), OnDrop(act.clone()));
            pool.call_in_thread_with_callback(|_| (), move || drop(captured)).unwrap();
            pool.stop().unwrap();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the callback for the result of a job that is refused",
        panic: Goes::Reported(Incident::OnResult),
        install: Install::Elsewhere(|act| {
            let (pool, called) = (pool(act).build().unwrap(), act.clone());
            pool.call_in_thread_with_callback(move |_| called.run(), || ()).unwrap();
            pool.stop().unwrap();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a context whose job is handed back",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/pool/job drop_context"],
        install: Install::Elsewhere(|act| {
            let captured = act.clone();
            let pool = pool(act).context(move || OnDrop(captured.clone()), |_| ()).build().unwrap();
            pool.ask_to_stop(StopPolicy::Drain);
            drop(pool.call_in_thread(|| ()).unwrap_err());
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of what a hook captured",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(ThreadPool::builder().on_worker_start(move |_| captured.0.run()).build().unwrap());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of what a context captured for itself",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(ThreadPool::builder().context(move || captured.0.run(), |()| ()).build().unwrap());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the destructor of a worker's thread-local",
        has_sink: false,
        phase: Phase::Stopping,
        must_not_panic: true,
        install: Install::OnLoop(|reactor, act| {
            let left = OnDrop(act.clone());
            reactor.call_in_thread(move || LEFT_ON_A_WORKER.set(Some(left))).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of a timer that an ended reactor refuses",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/reactor refuse"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let _ = ended(act).call_later(Duration::ZERO, move |_| drop(captured));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future that an ended reactor refuses",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/spawn spawn"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(ended(act).spawn(async move { drop(captured) }).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `defer_to_thread` that an ended reactor refuses",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads defer_to_thread_pool"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(threads::defer_to_thread(&ended(act), move || drop(captured)).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a trigger of a startup that a stop cuts short",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/triggers give_up_startup"],
        install: Install::OnLoop(|_, act| {
            let (sink, captured) = (act.clone(), OnDrop(act.clone()));
            let other = Reactor::builder().on_report(move |report| sink.reported(report)).build().unwrap();
            let (held, resolver) = Deferred::<()>::new();
            let _ = other.add_event_trigger(EventPhase::Before, Event::STARTUP, move |_| held);
            let _ = other.add_event_trigger(EventPhase::After, Event::STARTUP, move |_| drop(captured));
            other.turn().unwrap();
            other.handle().stop();
            while other.turn().unwrap() != Turn::Ended {}
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `defer_to_reactor` that the other reactor refuses",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|reactor, act| {
            let (captured, other) = (OnDrop(act.clone()), ended(act).handle());
            drop(threads::defer_to_reactor(reactor, &other, move |_| drop(captured)).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of a blocking call on a thread with a reactor",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            assert!(threads::blocking_call_from_thread(&act.handle(), move |_| drop(captured)).is_err());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a result of `defer_to_thread` whose reactor has ended",
        thread: Thread::OtherWorker,
        has_sink: true,
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads drop"],
        install: Install::OnLoop(|_, act| {
            let (pool, other, result) = (pool(act).build().unwrap(), Reactor::new(), OnDrop(act.clone()));
            pool.start().unwrap();
            let (go_on, wait) = mpsc::channel::<()>();
            let done = threads::defer_to_thread_pool(&other, &pool, move || {
                let _ = wait.recv();
                Ok::<_, Failure>(result)
            });
            drop(done.add_both(|_| ()));
            drop(other);
            drop(go_on);
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of a function of `defer_to_thread` that is cancelled",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|reactor, act| {
            let (pool, captured) = (pool(act).build().unwrap(), OnDrop(act.clone()));
            let done = threads::defer_to_thread_pool(reactor, &pool, move || drop(captured));
            done.cancel();
            drop(done.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `defer_to_thread` whose pool was stopped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads submit"],
        install: Install::OnLoop(|reactor, act| {
            let (pool, captured) = (pool(act).build().unwrap(), OnDrop(act.clone()));
            pool.ask_to_stop(StopPolicy::Drain);
            let done = threads::defer_to_thread_pool(reactor, &pool, move || drop(captured));
            drop(done.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a job whose pool loses its last handle before it starts",
        panic: Goes::Reported(Incident::Drop),
        reports: &[Incident::Job],
        install: Install::OnLoop(|_, act| {
            let (pool, captured) = (pool(act).build().unwrap(), OnDrop(act.clone()));
            pool.call_in_thread(move || drop(captured)).unwrap();
            drop(pool);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `Address::call` whose value is gone",
        panic: Goes::Reported(Incident::Call),
        reports: &[Incident::OwnedValue],
        install: Install::OnLoop(|reactor, act| {
            let (owned, captured) = (reactor.own(()), OnDrop(act.clone()));
            let address = owned.address();
            drop(owned);
            address.call(move |_, _| drop(captured)).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a callback of a Deferred that nobody fires",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let (deferred, resolver) = Deferred::<()>::new();
            let deferred = deferred.add_callback(move |()| drop(captured)).add_errback(|_| ());
            drop(resolver);
            drop(deferred);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a callback of a paused Deferred that nobody resumes",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let deferred = Deferred::<()>::fail(Failure::msg("oops"));
            deferred.pause();
            drop(deferred.add_callback(move |()| drop(captured)).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
];

/// A reactor that has ended and is still held.
fn ended(act: &Act) -> Reactor {
    let sink = act.clone();
    let reactor = Reactor::builder().on_report(move |report| sink.reported(report)).build().unwrap();
    reactor.handle().stop();
    while reactor.turn().unwrap() != Turn::Ended {}
    reactor
}
