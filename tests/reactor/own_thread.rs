//! A reactor on a thread of its own: how it begins, how it is joined, and what comes of all that can go wrong.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selvedge::{
    Reactor,
    error::{BlockingCallError, JoinError, SpawnError},
    reactor::ReactorThread,
    threads,
};

use crate::support::{Log, in_own_process, process_status, wait_until, with_watchdog};

/// Notes when it is dropped.
struct Dropped(Log<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

// Checks: P117
#[test]
fn a_reactors_own_thread_has_the_name_of_its_pool_also_if_nobody_has_named_that() {
    with_watchdog(|| {
        let named =
            |reactor: &Reactor| (reactor.thread_pool().name().to_owned(), thread::current().name().map(String::from));
        let ((pool, thread), reactor) = Reactor::builder().spawn(named).unwrap();
        assert_eq!((pool.as_str(), thread.as_deref()), ("reactor", Some("reactor")));
        reactor.handle().stop();
        assert!(!reactor.join().unwrap().timed_out);
    });
}

// Checks: P117
#[test]
fn a_reactor_on_its_own_thread_is_set_up_there_first_and_is_joined_with_its_destructors() {
    thread_local!(static AT_END: RefCell<Option<Dropped>> = const { RefCell::new(None) });
    with_watchdog(|| {
        let log = Log::new();
        let noted = log.clone();
        let (words, reactor) = Reactor::builder()
            .pool_name("words")
            .spawn(move |reactor| {
                assert!(reactor.handle().is_in_reactor_thread());
                assert_eq!(thread::current().name(), Some("words"));
                AT_END.set(Some(Dropped(noted.clone())));
                noted.note("set up");
                reactor.own(vec!["first"]).detach()
            })
            .unwrap();
        let called = log.clone();
        words.call(move |words, _| called.note(words[0])).unwrap();
        // A pool's thread may wait for another reactor.
        let job = threads::blocking_call_from_thread(reactor.handle(), |reactor| {
            threads::defer_to_thread(reactor, || {
                Reactor::builder().spawn(|_| 7).map(|(seven, other)| {
                    other.handle().stop();
                    other.join().map(|shutdown| (seven, shutdown.timed_out))
                })
            })
        });
        assert_eq!(job.unwrap(), Ok((7, false)));
        words.handle().stop();
        assert!(!reactor.join().unwrap().timed_out);
        assert_eq!(log.entries(), ["set up", "first", "dropped"]);
        assert_eq!(reactor.join(), Err(JoinError::AlreadyJoined));
    });
}

// Checks: P117
#[test]
fn what_cannot_begin_says_why_and_drops_what_it_was_given() {
    with_watchdog(|| {
        let log = Log::new();
        let given = || {
            let dropped = Dropped(log.clone());
            move |_: &Reactor| drop(dropped)
        };
        let failed = Reactor::builder().pool_size(2, 1).spawn(given());
        assert!(matches!(failed, Err(SpawnError::Build(_))));
        let held = Dropped(log.clone());
        let failed = Reactor::builder().spawn(move |_| -> () { panic!("{}", usize::from(log_is_held(&held))) });
        assert!(matches!(failed, Err(SpawnError::Panicked(panic)) if panic.message() == "1"));
        let here = Reactor::new();
        assert!(matches!(Reactor::builder().spawn(given()), Err(SpawnError::WouldDeadlock)));
        drop(here);
        assert_eq!(log.entries(), ["dropped"; 3]);
    });
}

fn log_is_held(held: &Dropped) -> bool {
    held.0.entries().len() == 1
}

// Checks: P117
#[test]
fn whoever_the_reactor_could_wait_for_must_not_join_it() {
    with_watchdog(|| {
        let ((), reactor) = Reactor::builder().spawn(|_| ()).unwrap();
        let here = Reactor::new();
        assert_eq!(reactor.join(), Err(JoinError::WouldDeadlock));
        drop(here);
        let (pool, handle) = (reactor.handle().thread_pool().clone(), reactor.handle().clone());
        let (sender, joined) = std::sync::mpsc::channel();
        let job = move || {
            sender.send((reactor.join(), reactor)).unwrap();
        };
        pool.call_in_thread(job).unwrap();
        let (refused, reactor) = joined.recv().unwrap();
        assert_eq!(refused, Err(JoinError::WouldDeadlock));
        handle.stop();
        reactor.join().unwrap();
        let late = threads::blocking_call_from_thread(reactor.handle(), |_| ());
        assert!(matches!(late, Err(BlockingCallError::ReactorStopped)));
    });
}

// Checks: P117
#[test]
fn a_thread_that_cannot_be_started_is_an_error() {
    in_own_process(
        "own_thread::a_thread_that_cannot_be_started_is_an_error",
        |_| (),
        || {
            const SLACK: u64 = 1 << 20;
            let log = Log::new();
            let dropped = Dropped(log.clone());
            let before = getrlimit(Resource::As);
            let address_space = process_status("VmSize") * 1024;
            setrlimit(Resource::As, Rlimit { current: Some(address_space + SLACK), ..before }).unwrap();
            let failed = Reactor::builder().spawn(move |_| drop(dropped));
            setrlimit(Resource::As, before).unwrap();
            assert!(matches!(failed, Err(SpawnError::Thread(_))));
            assert_eq!(log.entries(), ["dropped"]);
        },
    );
}

// Checks: P117
#[test]
fn what_its_own_thread_drops_at_its_end_is_refused_to_join_it() {
    struct Joins(Arc<OnceLock<ReactorThread>>, Log<bool>);
    impl Drop for Joins {
        fn drop(&mut self) {
            let refused = self.0.get().map(|thread| matches!(thread.join(), Err(JoinError::WouldDeadlock)));
            self.1.note(refused == Some(true));
        }
    }
    thread_local!(static AT_END: RefCell<Option<Joins>> = const { RefCell::new(None) });
    with_watchdog(|| {
        let (log, slot) = (Log::new(), Arc::new(OnceLock::new()));
        let joins = Joins(Arc::clone(&slot), log.clone());
        let ((), thread) = Reactor::builder().spawn(|_| AT_END.set(Some(joins))).unwrap();
        let handle = thread.handle().clone();
        assert!(slot.set(thread).is_ok());
        handle.stop();
        wait_until(|| log.len() == 1);
        assert_eq!(log.entries(), [true]);
        slot.get().unwrap().join().unwrap();
    });
}
