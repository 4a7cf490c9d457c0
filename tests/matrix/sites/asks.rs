//! Questions to a reactor, of other threads and of its own.

use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use selvedge::error::ReactorStopped;
use selvedge::error::SpawnError;
use selvedge::report::Incident;
use selvedge::{Failure, LocalHandle, Reactor, ThreadPool};

use super::super::act::{Act, OnDrop};
use super::{ELSEWHERE, Goes, Install, ON_THE_LOOP, Site, Thread};

/// The end of the reactor is no error of the code.
fn tell(act: &Act, answer: Result<(), Failure>) {
    act.tell(answer.or_else(|failure| if failure.is::<ReactorStopped>() { Ok(()) } else { Err(failure) }));
}

pub const SITES: &[Site] = &[
    Site {
        name: "the function of a question",
        error: Some(Goes::Told),
        places: &["runtime/reactor/ask answer"],
        install: Install::Elsewhere(|act| {
            let asked = act.clone();
            tell(act, block_on(act.handle().ask(move |_| asked.result())));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of a question to an owned value",
        error: Some(Goes::Told),
        install: Install::Elsewhere(|act| {
            let asked = act.clone();
            let owned = block_on(act.handle().ask(|reactor| Ok::<_, Failure>(reactor.own(()).detach()))).unwrap();
            tell(act, block_on(owned.ask(move |(), _| asked.result())));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of a question of a `LocalHandle`",
        error: Some(Goes::Told),
        places: &["runtime/threads/local ask"],
        install: Install::OnLoop(|reactor, act| {
            let (asked, told) = (act.clone(), act.clone());
            drop(reactor.local().ask(|_| asked.result()).add_both(move |answer| tell(&told, answer)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the set-up of a reactor on a thread of its own",
        thread: Thread::OtherLoop,
        has_sink: false,
        places: &["runtime/reactor/own_thread run_here"],
        install: Install::Elsewhere(|act| {
            let set_up = act.clone();
            match Reactor::builder().spawn(move |_| set_up.run()) {
                Ok(((), other)) => {
                    other.handle().stop();
                    other.join().unwrap();
                }
                Err(SpawnError::Panicked(panic)) => act.tell::<()>(Err(Failure::new(panic))),
                Err(error) => panic!("{error}"),
            }
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a question that is not accepted",
        panic: Goes::Nobody,
        places: &["runtime/reactor/ask ask"],
        install: Install::Elsewhere(|act| {
            let ended = thread::spawn(|| Reactor::new().handle()).join().unwrap();
            let captured = OnDrop(act.clone());
            assert!(block_on(ended.ask(move |_| drop(captured))).is_err());
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of a question that was given up before its turn",
        panic: Goes::Reported(Incident::Call),
        install: Install::Elsewhere(|act| {
            let captured = OnDrop(act.clone());
            // It has no turn while the loop is in this call.
            let given_up = |reactor: &Reactor| drop(reactor.handle().ask(move |_| drop(captured)));
            act.handle().call_from_thread(given_up).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a job of a `LocalHandle` whose reactor has ended",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads/local defer_to_thread"],
        install: Install::OnLoop(|_, act| {
            let (local, captured) = (ended(), OnDrop(act.clone()));
            drop(local.defer_to_thread(move || drop(captured)).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a job of a pool and a `LocalHandle` whose reactor has ended",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads/local defer_to_thread_pool"],
        install: Install::OnLoop(|_, act| {
            let (local, captured) = (ended(), OnDrop(act.clone()));
            let pool = ThreadPool::new(0, 1).unwrap();
            drop(local.defer_to_thread_pool(&pool, move || drop(captured)).add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a timer of a `LocalHandle` whose reactor has ended",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/threads/local call_later"],
        install: Install::OnLoop(|_, act| {
            let (local, captured) = (ended(), OnDrop(act.clone()));
            assert!(local.call_later(Duration::ZERO, move |_| drop(captured)).is_err());
        }),
        ..ON_THE_LOOP
    },
];

/// A local handle of a reactor that has ended.
fn ended() -> LocalHandle {
    Reactor::new().local()
}
