//! Hooks of a pool, contexts, and the guards that they return.

use selvedge::ThreadPool;
use selvedge::report::Incident;

use super::super::act::OnDrop;
use super::{Goes, Install, ON_A_WORKER, ON_THE_LOOP, Phase, Site, Thread};

/// A job, so that a worker is started and the hooks run. It is refused if the capture of its context stops the pool.
const A_JOB: Install = Install::OnLoop(|reactor, _| drop(reactor.call_in_thread(|| ())));

pub const SITES: &[Site] = &[
    Site {
        name: "a hook at the start of a worker",
        panic: Goes::Reported(Incident::Hook),
        places: &["runtime/pool/hooks run_start_hooks"],
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.on_worker_start(move |_| act.run()))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "a hook at the end of a worker",
        panic: Goes::Reported(Incident::Hook),
        phase: Phase::Stopping,
        places: &["runtime/pool/hooks run_stop_hooks"],
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.on_worker_stop(move |_| act.run()))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "a hook around jobs",
        panic: Goes::Reported(Incident::Hook),
        places: &["runtime/pool/hooks scope", "runtime/pool/hooks enter"],
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.around_jobs(move |_| act.run()))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of the guard of a hook around jobs",
        panic: Goes::Reported(Incident::Hook),
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.around_jobs(move |_| OnDrop(act.clone())))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "the capture of a context",
        panic: Goes::Reported(Incident::Hook),
        places: &["runtime/pool/hooks capture"],
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.context(move || act.run(), |()| ()))
        },
        install: A_JOB,
        ..ON_THE_LOOP
    },
    Site {
        name: "a context as it is restored",
        panic: Goes::Reported(Incident::Hook),
        places: &["runtime/pool/hooks restore"],
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.context(|| (), move |()| act.run()))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "the drop of the guard of a context",
        panic: Goes::Reported(Incident::Hook),
        configure: |builder, act| {
            let act = act.clone();
            builder.configure_pool(|pool| pool.context(|| (), move |()| OnDrop(act.clone())))
        },
        install: A_JOB,
        ..ON_A_WORKER
    },
    Site {
        name: "a hook at the start of a worker of a pool without a reactor",
        thread: Thread::OtherWorker,
        panic: Goes::Reported(Incident::Hook),
        has_handles: true,
        install: Install::OnLoop(|_, act| {
            let (sink, hook) = (act.clone(), act.clone());
            let pool = ThreadPool::builder().size(1, 1).on_report(move |report| sink.reported(report));
            let pool = pool.on_worker_start(move |_| hook.run()).build().unwrap();
            let starter = pool.clone();
            act.holds_anywhere(pool);
            starter.start().unwrap();
        }),
        ..ON_A_WORKER
    },
    Site {
        name: "a hook at the end of a worker of a pool that nobody holds",
        thread: Thread::OtherWorker,
        panic: Goes::Reported(Incident::Hook),
        install: Install::OnLoop(|_, act| {
            let (sink, hook) = (act.clone(), act.clone());
            let pool = ThreadPool::builder().size(1, 1).on_report(move |report| sink.reported(report));
            pool.on_worker_stop(move |_| hook.run()).build().unwrap().start().unwrap();
        }),
        ..ON_A_WORKER
    },
];
