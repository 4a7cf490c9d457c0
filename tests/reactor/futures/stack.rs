//! Tasks that await each other, on a stack of 64 KiB.

use std::cell::Cell;
use std::rc::Rc;

use selvedge::{
    Deferred, Failure, Reactor, Resolver,
    error::{Cancelled, ReactorStopped},
};

use crate::support::{MANY, on_a_small_stack};

/// Tasks of which each awaits the one before it, and the first a Deferred.
fn line(reactor: &Reactor, many: usize, drops: &Rc<Cell<usize>>) -> (Deferred<usize>, Resolver<usize>) {
    struct Token(Rc<Cell<usize>>);
    impl Drop for Token {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let (mut last, resolver) = Deferred::new();
    for _ in 0..many {
        let (before, token) = (last, Token(Rc::clone(drops)));
        last = reactor.spawn(async move {
            let _token = token;
            Ok::<_, Failure>(before.await? + 1)
        });
    }
    (last, resolver)
}

// Checks: P27
#[test]
fn many_tasks_that_await_each_other_finish() {
    on_a_small_stack(|| {
        let reactor = Reactor::new();
        let drops = Rc::default();
        let (last, resolver) = line(&reactor, MANY, &drops);
        reactor.turn().unwrap();
        resolver.callback(0);
        let local = reactor.local();
        last.add_callback(move |n| {
            assert_eq!(n, MANY);
            local.with(|reactor| reactor.stop().unwrap()).unwrap();
        });
        reactor.run();
        assert_eq!(drops.get(), MANY);
    });
}

// Checks: P27
#[test]
fn many_tasks_that_await_each_other_are_cancelled_from_the_last() {
    on_a_small_stack(|| {
        let reactor = Reactor::new();
        let drops = Rc::default();
        let (last, resolver) = line(&reactor, MANY, &drops);
        reactor.turn().unwrap();
        last.cancel();
        assert_eq!(drops.get(), MANY);
        assert!(resolver.is_cancelled());
        assert!(last.try_result().unwrap().unwrap_err().is::<Cancelled>());
    });
}

// Checks: P27
#[test]
fn many_tasks_that_await_each_other_are_dropped_with_their_reactor() {
    on_a_small_stack(|| {
        let reactor = Reactor::new();
        let drops = Rc::default();
        let (last, _resolver) = line(&reactor, MANY, &drops);
        reactor.turn().unwrap();
        drop(reactor);
        assert_eq!(drops.get(), MANY);
        assert!(last.try_result().unwrap().unwrap_err().is::<ReactorStopped>());
    });
}
