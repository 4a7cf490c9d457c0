//! Jobs, the callbacks for their results, and the drops of jobs that never run.

use selvedge::Job;
use selvedge::pool::{StopPolicy, Ticket, WhenFull};
use selvedge::report::Incident;
use selvedge::threads;

use std::sync::{Arc, OnceLock};

use super::super::act::{Did, OnDrop};
use super::{ELSEWHERE, Goes, Install, ON_A_WORKER, ON_THE_LOOP, Site, Thread};

pub const SITES: &[Site] = &[
    Site {
        name: "a job",
        panic: Goes::Reported(Incident::Job),
        places: &["runtime/pool/job run_in"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.call_in_thread(move || act.run()).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a job with a name",
        panic: Goes::Reported(Incident::Job),
        places: &["runtime/pool/job run_within"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.thread_pool().call_in_thread(Job::new(move || act.run()).named("it")).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a function of a job's `on_start`",
        panic: Goes::Reported(Incident::Hook),
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.call_in_thread(Job::new(|| ()).on_start(move || act.run())).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a job with a ticket",
        panic: Goes::Reported(Incident::Job),
        cancels: true,
        places: &["runtime/pool/description with_token", "runtime/pool/job with_token"],
        install: Install::OnLoop(|reactor, act| {
            let place = Arc::new(OnceLock::<Ticket>::new());
            let itself = Arc::clone(&place);
            act.cancels_anywhere(move || match itself.wait().cancel() {
                selvedge::pool::Cancellation::Asked => Did::Done,
                other => Did::Wrong(format!("{other:?}")),
            });
            let itself = Arc::clone(&place);
            act.reenters_anywhere(move || {
                let token = itself.wait().token();
                if token.check().is_ok() && !token.is_cancelled() {
                    Did::Done
                } else {
                    Did::Wrong("cancelled".to_owned())
                }
            });
            let act = act.clone();
            let ticket = reactor.thread_pool().call_in_thread_ticketed(move || act.run()).unwrap();
            drop(place.set(ticket));
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a function of `on_cancel`",
        panic: Goes::Reported(Incident::OnCancel),
        places: &["runtime/pool/cancel_token/on_cancel call"],
        install: Install::OnLoop(|_, act| {
            let pool = selvedge::ThreadPool::new(0, 1).unwrap();
            let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
            let act = act.clone();
            ticket.token().on_cancel(move || act.run()).detach();
            ticket.cancel();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a function of `on_cancel` that is not needed",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/pool/cancel_token/on_cancel discard"],
        install: Install::OnLoop(|_, act| {
            let pool = selvedge::ThreadPool::new(0, 1).unwrap();
            let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
            let captured = OnDrop(act.clone());
            drop(ticket.token().on_cancel(move || drop(captured)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `defer_to_thread`",
        error: Some(Goes::Told),
        places: &[
            "runtime/threads deferred_job",
            "runtime/threads post",
            "runtime/threads deliver",
            "runtime/threads drop",
        ],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let done = threads::defer_to_thread(reactor, move || called.result());
            drop(done.add_both(move |result| told.tell(result)));
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a job with a callback for its result",
        places: &["runtime/pool/job with_callback"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let on_result = move |result| told.tell::<()>(result);
            reactor.thread_pool().call_in_thread_with_callback(on_result, move || called.run()).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "the callback for a job's result",
        panic: Goes::Reported(Incident::OnResult),
        install: Install::OnLoop(|reactor, act| {
            let called = act.clone();
            reactor.thread_pool().call_in_thread_with_callback(move |_| called.run(), || ()).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of a result that comes after a cancel of `defer_to_thread`",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|reactor, act| {
            let result = OnDrop(act.clone());
            let (go_on, wait) = std::sync::mpsc::channel::<()>();
            let (begin, begun) = std::sync::mpsc::channel::<()>();
            let done = threads::defer_to_thread(reactor, move || {
                drop(begin);
                let _ = wait.recv();
                Ok::<_, selvedge::Failure>(result)
            });
            let _ = begun.recv();
            done.cancel();
            drop(done.add_both(|_| ()));
            drop(go_on);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a job that was handed back and is run by its caller",
        panic: Goes::Told,
        install: Install::Elsewhere(|act| {
            let pool = selvedge::ThreadPool::new(0, 1).unwrap();
            pool.ask_to_stop(selvedge::pool::StopPolicy::Drain);
            let (back, told) = (act.clone(), act.clone());
            let job = Job::with_callback(move |result| told.tell::<()>(result), move || back.run());
            pool.call_in_thread(job).unwrap_err().job.run();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a job that is cancelled",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/pool/job refuse", "runtime/pool/job plain"],
        install: Install::Elsewhere(|act| {
            let sink = act.clone();
            let pool = selvedge::ThreadPool::builder().size(0, 1).on_report(move |report| sink.reported(report));
            let pool = pool.build().unwrap();
            let captured = OnDrop(act.clone());
            let ticket = pool.call_in_thread_ticketed(move || drop(captured)).unwrap();
            ticket.cancel();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a job that waits for a slot of a pool that is stopped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/pool/slot_watch discard"],
        install: Install::OnLoop(|reactor, act| {
            let pool = selvedge::ThreadPool::builder().queue_bound(std::num::NonZeroUsize::MIN);
            let pool = pool.on_report(|_| ()).build().unwrap();
            pool.call_in_thread(|| ()).unwrap();
            let captured = OnDrop(act.clone());
            let job = Job::new(move || drop(captured)).when_full(WhenFull::Wait);
            drop(threads::defer_to_thread_pool(reactor, &pool, job).add_errback(drop));
            pool.ask_to_stop(StopPolicy::Drain);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `blocked`",
        places: &["runtime/pool/blocked blocked"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.call_in_thread(move || act.tell_caller(|| threads::blocked(|| act.run()))).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a future of `threads::block_on`",
        places: &["runtime/threads/block_on block_on", "runtime/threads/block_on run"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            let awaits = move || act.tell_caller(|| threads::block_on(async { act.run() }).unwrap());
            reactor.call_in_thread(awaits).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of a future that `threads::block_on` refuses",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            assert!(threads::block_on(async move { drop(captured) }).is_err());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a command of `call_multiple_in_thread`",
        panic: Goes::Reported(Incident::Job),
        places: &["runtime/pool/description multiple"],
        install: Install::OnLoop(|_, act| {
            let command = act.clone();
            threads::call_multiple_in_thread(&act.handle(), vec![Box::new(move || command.run())]).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a job of a pool without a reactor",
        thread: Thread::OtherWorker,
        panic: Goes::Reported(Incident::Job),
        has_handles: true,
        install: Install::OnLoop(|_, act| {
            let (sink, job) = (act.clone(), act.clone());
            let pool = selvedge::ThreadPool::builder().size(0, 2).on_report(move |report| sink.reported(report));
            let pool = pool.build().unwrap();
            pool.start().unwrap();
            let submitter = pool.clone();
            act.holds_anywhere(pool);
            submitter.call_in_thread(move || job.run()).unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a function of `configure_pool`",
        places: &["runtime/reactor/builder configure_pool"],
        install: Install::OnLoop(|_, act| {
            act.tell_caller(|| {
                drop(selvedge::Reactor::builder().configure_pool(|pool| {
                    act.run();
                    pool
                }));
            });
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a job that a stepper runs",
        has_sink: true,
        panic: Goes::Reported(Incident::Job),
        has_handles: true,
        install: Install::Elsewhere(|act| {
            let (sink, job) = (act.clone(), act.clone());
            let pool = selvedge::ThreadPool::builder().size(0, 1).on_report(move |report| sink.reported(report));
            let (pool, stepper) = pool.build_stepped().unwrap();
            pool.start().unwrap();
            pool.call_in_thread(move || job.run()).unwrap();
            let stepper = Arc::new(stepper);
            let itself = Arc::clone(&stepper);
            act.reenters_anywhere(move || {
                let _ = (itself.step(), itself.workers().len());
                Did::all(&[("a job runs only once", itself.step_worker(0).is_none())])
            });
            act.holds_anywhere(pool);
            while stepper.step().is_some() {}
        }),
        ..ELSEWHERE
    },
    Site {
        name: "a function of `defer_to_reactor`",
        error: Some(Goes::Told),
        places: &["runtime/threads/without_blocking defer_to_reactor"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let done = threads::defer_to_reactor(reactor, &act.handle(), move |_| called.result());
            drop(done.add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback that waits for the stop of a pool",
        error: Some(Goes::Told),
        install: Install::OnLoop(|reactor, act| {
            let pool = selvedge::ThreadPool::new(0, 1).unwrap();
            let (called, told) = (act.clone(), act.clone());
            let stopped = pool.stopped(reactor).add_callback(move |()| called.result());
            drop(stopped.add_both(move |result| told.tell(result)));
            pool.ask_to_stop(selvedge::pool::StopPolicy::Drain);
        }),
        ..ON_THE_LOOP
    },
];
