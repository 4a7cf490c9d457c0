//! Reference cycles that programs make: each is broken when the Deferred fires, is abandoned or is cancelled, and
//! everything is dropped once.

use std::rc::Rc;
use std::time::Duration;

use selvedge::{Deferred, Reactor, Resolver, deferred::PauseHandle};

use crate::support::deferred::{Drops, Place};

/// How a program may end a Deferred.
#[derive(Clone, Copy, Debug)]
enum End {
    Fired,
    Abandoned,
    Cancelled,
}

const ENDS: [End; 3] = [End::Fired, End::Abandoned, End::Cancelled];

fn end(how: End, tail: &Place<Deferred<()>>, resolver: Resolver<()>) {
    match how {
        End::Fired => resolver.callback(()),
        End::Abandoned => drop(resolver),
        End::Cancelled => {
            let taken = tail.take();
            taken.iter().for_each(Deferred::cancel);
            tail.replace(taken);
        }
    }
}

// Checks: B52
#[test]
fn a_callback_that_captures_the_tail_of_its_own_chain() {
    for how in ENDS {
        let drops = Drops::new();
        let tail: Place<Deferred<()>> = Rc::default();
        let (deferred, resolver) = Deferred::new();
        let (own, token) = (Rc::clone(&tail), drops.token());
        tail.replace(Some(deferred.add_both(move |_| {
            let _ = (&own, &token);
        })));
        end(how, &tail, resolver);
        assert_eq!((drops.count(), Rc::strong_count(&tail)), (1, 1), "{how:?}");
    }
}

// Checks: B52, B58
#[test]
fn a_canceller_that_captures_the_tail_of_its_own_chain() {
    for how in ENDS {
        let drops = Drops::new();
        let tail: Place<Deferred<()>> = Rc::default();
        let (own, token) = (Rc::clone(&tail), drops.token());
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let _ = (&own, &token);
        });
        tail.replace(Some(deferred.add_errback(|_| ())));
        end(how, &tail, resolver);
        assert_eq!((drops.count(), Rc::strong_count(&tail)), (1, 1), "{how:?}");
    }
}

// Checks: B52, B56
#[test]
fn a_canceller_that_fires_keeps_nothing_alive_when_everybody_else_has_gone() {
    let drops = Drops::new();
    let token = drops.token();
    let (deferred, resolver) = Deferred::<()>::with_firing_canceller(move |resolver| {
        let _ = &token;
        resolver.callback(());
    });
    drop(deferred.add_errback(|_| ()));
    drop(resolver);
    assert_eq!(drops.count(), 1);
}

// Checks: B52, B53
#[test]
fn a_callback_that_captures_the_pause_handle_of_its_own_chain() {
    for how in ENDS {
        for unpaused in [true, false] {
            let drops = Drops::new();
            let tail: Place<Deferred<()>> = Rc::default();
            let (deferred, resolver) = Deferred::new();
            let handle: PauseHandle = deferred.pause_handle();
            let (own, first, second) = (handle.clone(), drops.token(), drops.token());
            let chain = deferred.add_both(move |_| {
                own.pause();
                drop(first);
            });
            tail.replace(Some(chain.add_callback(move |()| drop(second))));
            end(how, &tail, resolver);
            assert_eq!(drops.count(), 1, "{how:?}");
            if unpaused {
                handle.unpause().unwrap();
            }
            drop((handle, tail));
            assert_eq!(drops.count(), 2, "{how:?}");
        }
    }
}

// Checks: B52
#[test]
fn two_chains_of_which_each_captures_the_others_tail() {
    for how in ENDS {
        let drops = Drops::new();
        let (one, other): (Place<Deferred<()>>, Place<Deferred<()>>) = Default::default();
        let mut resolvers = Vec::new();
        for (own, others) in [(&one, &other), (&other, &one)] {
            let (deferred, resolver) = Deferred::new();
            let (others, token) = (Rc::clone(others), drops.token());
            own.replace(Some(deferred.add_both(move |_| {
                let _ = (&others, &token);
            })));
            resolvers.push(resolver);
        }
        for (tail, resolver) in [&one, &other].into_iter().zip(resolvers) {
            end(how, tail, resolver);
        }
        assert_eq!((drops.count(), Rc::strong_count(&one), Rc::strong_count(&other)), (2, 1, 1), "{how:?}");
    }
}

// Checks: B52, B59
#[test]
fn a_reactor_whose_timers_and_values_hold_deferreds_that_hold_handles_to_it() {
    let drops = Drops::new();
    let reactor = Reactor::new();
    let local = reactor.local();
    let (deferred, resolver) = Deferred::<()>::new();
    let token = drops.token();
    let tail = deferred.add_timeout(&reactor, Duration::from_secs(1)).add_both(move |_| drop((local, token)));
    let _ = reactor.own((tail, resolver)).detach();
    let (local, token) = (reactor.local(), drops.token());
    let (waits, keep) = Deferred::<()>::new();
    let task = reactor.spawn(async move {
        let _held = (local, token, keep);
        let _ = waits.await;
    });
    task.add_errback(|_| ());
    drop(reactor);
    assert_eq!(drops.count(), 2);
}
