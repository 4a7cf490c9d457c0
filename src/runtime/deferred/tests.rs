//! Tests that need private fields: what is freed while chains still wait, and how large a link is.

use std::cell::{Cell, RefCell};
use std::mem::size_of;
use std::rc::{Rc, Weak};

use super::super::sync::check;
use super::callbacks::OnValue;
use super::deferred::Deferred;
use super::head::Head;
use super::link::Link;
use super::node::Chain;
use super::resolver::Resolver;
use crate::error::Abandoned;
use crate::failure::Failure;

/// A program that loops by returning its next round from the last callback of the present one.
#[derive(Clone, Default)]
struct Loop {
    fire: Rc<Cell<Option<Resolver<()>>>>,
    rounds: Rc<RefCell<Vec<Weak<dyn Chain>>>>,
}

impl Loop {
    fn round(&self) -> Deferred<()> {
        let (deferred, resolver) = Deferred::new();
        self.fire.set(Some(resolver));
        self.rounds.borrow_mut().push(Rc::downgrade(&deferred.chain));
        let next = self.clone();
        deferred.add_callback(move |()| next.round())
    }

    fn alive(&self) -> usize {
        self.rounds.borrow().iter().filter(|chain| chain.strong_count() > 0).count()
    }
}

// Checks: B52
#[test]
fn a_loop_that_returns_its_next_round_keeps_no_round_that_is_over() {
    check(|| {
        let rounds = Loop::default();
        let begin = rounds.clone();
        let outer = Deferred::succeed(()).add_callback(move |()| begin.round()).add_callback(|()| "over");
        for _ in 0..1_000 {
            rounds.fire.take().unwrap().callback(());
        }
        assert_eq!((rounds.alive(), rounds.rounds.borrow().len()), (1, 1_001));
        outer.cancel();
        assert_eq!(rounds.alive(), 1, "its resolver is still held");
        drop(rounds.fire.take());
        assert_eq!(rounds.alive(), 0);
        assert!(
            outer.try_result().is_ok_and(|result| result.is_err_and(|error| error.is::<crate::error::Cancelled>()))
        );
    });
}

// Checks: B52
#[test]
fn a_chain_that_waits_is_freed_as_soon_as_its_result_has_gone_on() {
    check(|| {
        let (inner, resolver) = Deferred::<()>::new();
        let outer = Deferred::succeed(()).add_callback(move |()| inner);
        let (chain, tail) = (Rc::downgrade(&outer.chain), Rc::downgrade(&outer.tail));
        let outermost = Deferred::succeed(()).add_callback(move |()| outer);
        assert!(chain.strong_count() > 0, "what it waits for keeps it");
        drop(resolver);
        assert_eq!((chain.strong_count(), tail.strong_count()), (0, 0));
        assert!(outermost.try_result().is_ok_and(|result| result.is_err_and(|error| error.is::<Abandoned>())));
    });
}

// Checks: B52
#[cfg(target_pointer_width = "64")]
#[test]
fn a_link_is_as_small_as_its_documentation_says() {
    // With the two counts of an `Rc`, 16 bytes more: what the allocator is asked for.
    assert_eq!(size_of::<Link<OnValue<fn(u64) -> u64>, u64, Failure>>(), 64);
    assert_eq!(size_of::<Head<u64, Failure>>(), 88);
    assert_eq!((size_of::<Deferred<u64>>(), size_of::<Resolver<u64>>(), size_of::<Failure>()), (32, 16, 8));
}
