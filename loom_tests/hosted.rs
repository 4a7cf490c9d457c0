//! A hosted reactor: its hook wakes the loop that turns it, once for each sleep, and never while it is awake.

use std::cell::RefCell;
use std::rc::Rc;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};
use selvedge::error::Rejection;
use selvedge::loom::reactor::{ReactorBuilder, Turn};
use selvedge::loom::{Handle, Reactor};

use crate::explore::explore_calm;
use crate::probes::Log;

/// A loop that turns a reactor. Nothing but the hook ends a sleep of it, so a wake that is lost is a deadlock.
#[derive(Clone, Default)]
struct Host(Arc<(Mutex<Wakes>, Condvar)>);

#[derive(Default)]
struct Wakes {
    /// How often the hook was called.
    calls: usize,
    /// How often the host was to sleep.
    sleeps: usize,
}

impl Host {
    /// A reactor with at most this many pool threads, which reports nothing, and its host.
    fn reactor(threads: usize) -> (Reactor, Self) {
        let host = Self::default();
        let woken = host.clone();
        (builder(threads).on_wake(move || woken.wake()).build().unwrap(), host)
    }

    /// The hook. It may come before the host has counted the sleep that it ends.
    fn wake(&self) {
        let (wakes, changed) = &*self.0;
        wakes.lock().unwrap().calls += 1;
        changed.notify_one();
    }

    /// The reactor sleeps. Each sleep ends by a wake of its own.
    fn sleep(&self) {
        let (wakes, changed) = &*self.0;
        let mut wakes = wakes.lock().unwrap();
        wakes.sleeps += 1;
        while wakes.calls < wakes.sleeps {
            wakes = changed.wait(wakes).unwrap();
        }
        assert_eq!(wakes.calls, wakes.sleeps, "a wake of a reactor that was awake, or a second one");
    }

    /// Turns the reactor until it sleeps, and returns true, or has ended.
    fn turn(reactor: &Reactor) -> bool {
        loop {
            match reactor.turn().unwrap() {
                Turn::Again => {}
                Turn::Wait(_) | Turn::Idle => return true,
                Turn::Ended => return false,
            }
        }
    }

    /// Turns the reactor to its end.
    fn turn_to_the_end(&self, reactor: &Reactor) {
        while Self::turn(reactor) {
            self.sleep();
        }
    }

    /// For hosts that turn it for reasons of their own too.
    fn wait_for_a_call(&self) {
        let (wakes, changed) = &*self.0;
        let mut wakes = wakes.lock().unwrap();
        while wakes.calls == 0 {
            wakes = changed.wait(wakes).unwrap();
        }
    }

    fn calls(&self) -> usize {
        self.0.0.lock().unwrap().calls
    }

    /// All posters have ended: the hook is called no more.
    fn has_slept_once_for_each_wake(&self) {
        let wakes = self.0.0.lock().unwrap();
        assert_eq!(wakes.calls, wakes.sleeps, "one wake for each sleep");
    }
}

fn builder(threads: usize) -> ReactorBuilder {
    Reactor::builder().pool_size(0, threads).on_report(|report| panic!("nothing should be reported: {report}"))
}

/// A thread that posts what notes a number, and stops the reactor if it is the last of so many.
fn poster(reactor: &Reactor, log: &Log, number: u32, last_of: usize) -> JoinHandle<Handle> {
    let (handle, log) = (reactor.handle(), log.clone());
    thread::spawn(move || {
        let posted = handle.call_from_thread(move |reactor| {
            log.note(number);
            if log.seen().len() == last_of {
                reactor.stop().unwrap();
            }
        });
        posted.unwrap();
        handle
    })
}

// Checks: P100, P101, P102, R9, R16, R17
#[test]
fn a_call_that_is_posted_against_a_turn_wakes_the_host_once_if_it_sleeps() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        let log = Log::default();
        let poster = poster(&reactor, &log, 1, 1);
        host.turn_to_the_end(&reactor);
        assert_eq!(log.seen(), [1]);
        drop(poster.join().unwrap());
        host.has_slept_once_for_each_wake();
    });
}

// Checks: P100, P101, R9, R16, R17
#[test]
fn of_two_posters_against_a_turn_one_wakes_the_host() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        let log = Log::default();
        // Startup is in no race.
        assert!(Host::turn(&reactor));
        let posters = [1, 2].map(|number| poster(&reactor, &log, number, 2));
        host.sleep();
        host.turn_to_the_end(&reactor);
        assert_eq!(log.seen_in_any_order(), [1, 2]);
        for poster in posters {
            drop(poster.join().unwrap());
        }
        host.has_slept_once_for_each_wake();
    });
}

// Checks: P100, P101, P102
#[test]
fn a_stop_against_a_turn_wakes_the_host_and_turns_alone_end_the_reactor() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        let handle = reactor.handle();
        let stopper = thread::spawn(move || {
            handle.stop();
            handle
        });
        host.turn_to_the_end(&reactor);
        drop(stopper.join().unwrap());
        host.has_slept_once_for_each_wake();
    });
}

// Checks: P101, P102, B26
#[test]
fn the_end_of_a_pool_against_a_turn_wakes_the_host() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(1);
        let (pool, log) = (reactor.thread_pool().clone(), Log::default());
        pool.call_in_thread(log.job(1)).unwrap();
        reactor.handle().stop();
        host.turn_to_the_end(&reactor);
        assert!(pool.has_stopped());
        assert_eq!(log.seen(), [1]);
        host.has_slept_once_for_each_wake();
    });
}

// Checks: P100, P104, R12
#[test]
fn a_post_against_the_drop_of_a_hosted_reactor_is_handed_back_or_dropped_and_the_hook_is_dropped() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        assert!(Host::turn(&reactor));
        let poster = thread::spawn({
            let (handle, captured) = (reactor.handle(), Arc::new(()));
            move || {
                let posted = handle.call_from_thread(move |_| drop(captured));
                (posted.map_err(|rejected| rejected.reason), handle)
            }
        });
        drop(reactor);
        let (posted, _handle) = poster.join().unwrap();
        match posted {
            // Nobody is to turn it any more if the hook was retired before the poster came to call it.
            Ok(()) => assert!(host.calls() <= 1),
            Err(reason) => assert_eq!((reason, host.calls()), (Rejection::ReactorStopped, 0)),
        }
        assert_eq!(Arc::strong_count(&host.0), 1, "the hook is dropped");
    });
}

// Checks: P100, P104
#[test]
fn a_host_that_turns_by_itself_against_the_hook_is_woken_for_each_later_sleep() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        let log = Log::default();
        assert!(Host::turn(&reactor));
        let poster = poster(&reactor, &log, 1, 1);
        // For a reason of its own, while the hook is about to be called, is being called, or has been.
        let mut sleeps = 1;
        while Host::turn(&reactor) {
            sleeps += 1;
            host.wait_for_a_call();
        }
        assert_eq!(log.seen(), [1]);
        drop(poster.join().unwrap());
        assert!(host.calls() <= 1 && sleeps <= 2);
    });
}

loom::thread_local! {
    static OWN: RefCell<Option<Rc<Reactor>>> = RefCell::new(None);
}

// Checks: P100, P104, R17
#[test]
fn a_hook_that_turns_at_once_against_a_post_of_another_thread_loses_neither() {
    explore_calm(|_| {
        let host = Host::default();
        let woken = host.clone();
        let hook = move || match OWN.with(|own| own.borrow().clone()) {
            // On the reactor's own thread, unless a turn is running there.
            Some(reactor) if reactor.turn().is_ok() => {}
            _ => woken.wake(),
        };
        let reactor = Rc::new(builder(0).on_wake(hook).build().unwrap());
        OWN.with(|own| own.replace(Some(Rc::clone(&reactor))));
        let log = Log::default();
        assert!(Host::turn(&reactor));
        let poster = poster(&reactor, &log, 1, 2);
        let noting = log.clone();
        let own = move |reactor: &Reactor| {
            noting.note(2);
            if noting.seen().len() == 2 {
                reactor.stop().unwrap();
            }
        };
        reactor.call_from_thread(own).unwrap();
        while Host::turn(&reactor) {
            host.wait_for_a_call();
        }
        assert_eq!(log.seen_in_any_order(), [1, 2]);
        drop(poster.join().unwrap());
        assert!(host.calls() <= 1);
        OWN.with(|own| own.replace(None));
    });
}

// Checks: P104, R9, R17
#[test]
fn a_post_against_the_beginning_of_run_wakes_the_loop_that_waits_by_itself_from_then_on() {
    explore_calm(|_| {
        let (reactor, host) = Host::reactor(0);
        let log = Log::default();
        assert!(Host::turn(&reactor));
        let poster = poster(&reactor, &log, 1, 1);
        reactor.run();
        assert_eq!(log.seen(), [1]);
        drop(poster.join().unwrap());
        assert!(host.calls() <= 1);
        assert_eq!(Arc::strong_count(&host.0), 1, "the hook is dropped");
    });
}
