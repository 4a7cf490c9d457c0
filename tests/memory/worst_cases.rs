//! The single worst operation while n things wait, and while 16 n wait: it may cost a few steps more, as O(log n) does.
//!
//! Steps are counted by what an operation cannot do without: the memory that it asks for, in blocks and bytes, and the
//! blocks that it gives back. So growth that copies shows, and so does a burst whose memory is released at once. A loop
//! over what waits that neither allocates nor frees does not show. Such loops are kept out by what the structures are:
//! maps and lists of the standard library, whose costs are documented; segments of a bounded length; and a tree and a
//! heap, whose own tests bound their levels (`machine::radix_map`, `machine::heap`). Nothing is measured in time.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::iter;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use selvedge::coordination::{DeferredLock, DeferredQueue};
use selvedge::report::Report;
use selvedge::task::{Cooperator, LoopingCall};
use selvedge::testing::{Stepper, VirtualClock};
use selvedge::{Deferred, Failure, Reactor, ThreadPool, deferred::DeferredList, pool::Ticket, reactor::Phase};

/// How many things wait, at first.
const FEW: usize = 2_048;
const MANY: usize = 16 * FEW;

/// What sixteen times as many may add: a few levels of a tree, each a node of a few values.
const MORE: Cost = Cost { allocations: 6, frees: 6, bytes: 8_192 };

/// What one operation costs, or the most that any of several cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    allocations: i64,
    frees: i64,
    bytes: i64,
}

impl Cost {
    fn of(operation: impl FnOnce()) -> Self {
        let AllocationInfo { count_total, count_current, bytes_total, .. } = measure(operation);
        let allocations = count_total.cast_signed();
        Self { allocations, frees: allocations - count_current, bytes: bytes_total.cast_signed() }
    }

    fn max(self, other: Self) -> Self {
        Self {
            allocations: self.allocations.max(other.allocations),
            frees: self.frees.max(other.frees),
            bytes: self.bytes.max(other.bytes),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            allocations: self.allocations + other.allocations,
            frees: self.frees + other.frees,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// The worst of these operations, for each of the items in turn.
fn worst<I>(items: impl IntoIterator<Item = I>, mut operation: impl FnMut(I)) -> Cost {
    items.into_iter().map(|item| Cost::of(|| operation(item))).fold(Cost::default(), Cost::max)
}

/// Runs the case with few things waiting, and with many.
#[track_caller]
fn check(case: impl Fn(usize) -> Cost) {
    let (few, many) = (case(FEW), case(MANY));
    assert_eq!(many.max(few.plus(MORE)), few.plus(MORE), "{few:?} while {FEW} wait, {many:?} while {MANY} wait");
}

/// The numbers below n, each once, in no order.
fn shuffled(n: usize) -> impl Iterator<Item = usize> {
    // Odd, so that it shares no factor with n, a power of two.
    (0..n).map(move |index| index.wrapping_mul(0x9E37_79B9) % n)
}

// --- Pool and inbox --------------------------------------------------------------------------------------------------

fn pool() -> (ThreadPool, Stepper) {
    let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

fn submit(pool: &ThreadPool) {
    let load = [1_u64; 12];
    pool.call_in_thread(move || assert_eq!(load, [1; 12])).unwrap();
}

fn submit_ticketed(pool: &ThreadPool) -> Ticket {
    pool.call_in_thread_ticketed(|| ()).unwrap()
}

// Checks: P74
#[test]
fn a_post() {
    check(|n| {
        let reactor = Reactor::new();
        let load = [1_u64; 16];
        worst(0..n, |_| reactor.call_from_thread(move |_| assert_eq!(load, [1; 16])).unwrap())
    });
}

// Checks: P74
#[test]
fn a_submission_with_a_ticket_or_without() {
    check(|n| {
        let (pool, _stepper) = pool();
        worst(0..n, |_| submit(&pool))
    });
    check(|n| {
        let (pool, _stepper) = pool();
        worst(0..n, |_| drop(submit_ticketed(&pool)))
    });
    check(|n| {
        let (pool, _stepper) = pool();
        worst(0..n, |index| if index % 2 == 0 { submit(&pool) } else { drop(submit_ticketed(&pool)) })
    });
}

// Checks: P51, P74
#[test]
fn a_cancel_from_the_front_the_back_the_middle_and_anywhere() {
    /// Cancels all, in the order of these indices.
    fn cancel<I: IntoIterator<Item = usize>>(order: impl Fn(usize) -> I) {
        check(|n| {
            let (pool, _stepper) = pool();
            let tickets: Vec<_> = iter::repeat_with(|| submit_ticketed(&pool)).take(n).collect();
            worst(order(n), |index| _ = tickets[index].cancel())
        });
    }
    cancel(|n| 0..n);
    cancel(|n| (0..n).rev());
    cancel(|n| (0..n / 2).flat_map(move |index| [n / 2 + index, n / 2 - 1 - index]));
    cancel(shuffled);
    // In a queue that a worker has begun to take from, and of which half have no ticket.
    check(|n| {
        let (pool, stepper) = pool();
        let tickets: Vec<_> = (0..n).map(|_| (submit(&pool), submit_ticketed(&pool)).1).collect();
        assert!(stepper.step().is_some());
        worst(shuffled(n), |index| _ = tickets[index].cancel())
    });
}

// Checks: P74
#[test]
fn a_step_of_a_worker() {
    fn step_all((pool, stepper): &(ThreadPool, Stepper), n: usize) -> Cost {
        // Each job is taken in one step and run in another.
        let cost = worst(0..3 * n, |_| _ = stepper.step());
        assert_eq!((stepper.step(), pool.stats().completed), (None, n as u64));
        cost
    }
    check(|n| {
        let both = pool();
        (0..n).for_each(|_| submit(&both.0));
        step_all(&both, n)
    });
    check(|n| {
        let both = pool();
        (0..n).for_each(|index| if index % 3 == 0 { submit(&both.0) } else { drop(submit_ticketed(&both.0)) });
        step_all(&both, n)
    });
}

// Checks: P74
#[test]
fn a_take_behind_very_many_that_were_cancelled() {
    check(|n| {
        let (pool, stepper) = pool();
        submit(&pool);
        let tickets: Vec<_> = iter::repeat_with(|| submit_ticketed(&pool)).take(n).collect();
        submit(&pool);
        tickets.iter().for_each(|ticket| _ = ticket.cancel());
        worst(0..6, |_| _ = stepper.step())
    });
}

// --- On the reactor's thread -----------------------------------------------------------------------------------------

fn reactor() -> (Reactor, VirtualClock) {
    let clock = VirtualClock::new();
    (Reactor::builder().clock(clock.clone()).build().unwrap(), clock)
}

/// A millisecond for each.
fn millis(index: usize) -> Duration {
    Duration::from_millis(index as u64 + 1)
}

// Checks: P74
#[test]
fn a_timer_that_is_added_put_off_moved_cancelled_or_due() {
    check(|n| {
        let (reactor, _) = reactor();
        worst(shuffled(n), |index| drop(reactor.call_later(millis(index), |_| ())))
    });
    check(|n| {
        let (reactor, _) = reactor();
        let calls: Vec<_> = shuffled(n).map(|index| reactor.call_later(millis(index), |_| ())).collect();
        let moved = worst(shuffled(n), |index| calls[index].reset(millis(n - index)).unwrap());
        let put_off = worst(shuffled(n), |index| calls[index].delay(millis(index)).unwrap());
        moved.max(put_off).max(worst(shuffled(n), |index| calls[index].cancel().unwrap()))
    });
    check(|n| {
        let (reactor, clock) = reactor();
        shuffled(n).for_each(|index| drop(reactor.call_later(millis(index), |_| ())));
        let cost = worst(0..n, |_| {
            clock.advance(millis(0));
            reactor.turn().unwrap();
        });
        assert_eq!(reactor.delayed_calls(), 0);
        cost
    });
}

// Checks: P74
#[test]
fn a_value_that_is_owned_called_and_released() {
    check(|n| {
        let (reactor, _) = reactor();
        let owned = RefCell::new(Vec::with_capacity(n));
        let own = worst(0..n, |index| owned.borrow_mut().push(reactor.own(index)));
        let call = worst(shuffled(n), |index| owned.borrow()[index].with(|value| *value += 1).unwrap());
        let release = worst(owned.take().into_iter().rev(), |owned| _ = owned.into_inner());
        own.max(call).max(release)
    });
}

// Checks: P74
#[test]
fn a_trigger_that_is_added_and_removed() {
    check(|n| {
        let (reactor, _) = reactor();
        let ids = RefCell::new(Vec::with_capacity(n));
        let add = worst(0..n, |_| {
            ids.borrow_mut().push(reactor.add_event_trigger(Phase::During, "an event", |_: &Reactor| ()));
        });
        let mut ids: Vec<_> = ids.take().into_iter().map(Some).collect();
        add.max(worst(shuffled(n), |index| reactor.remove_event_trigger(ids[index].take().unwrap()).unwrap()))
    });
}

// Checks: P74
#[test]
fn a_member_of_a_list_that_fires() {
    check(|n| {
        let (members, resolvers): (Vec<_>, Vec<_>) = iter::repeat_with(Deferred::<u64>::new).take(n).unzip();
        let mut resolvers: Vec<_> = resolvers.into_iter().map(Some).collect();
        let list = DeferredList::new(members).all();
        let cost = worst(shuffled(n), |index| resolvers[index].take().unwrap().callback(1));
        assert_eq!(list.try_result().unwrap().unwrap().len(), n);
        cost
    });
}

// Checks: P74, B54
#[test]
fn a_wait_inside_of_lists_in_lists() {
    check(|n| {
        let (mut deferred, mut innermost) = Deferred::<usize>::new();
        for _ in 0..n {
            deferred = DeferredList::new([deferred]).all().add_callback(|all| all.len());
        }
        let cost = worst(0..6, |_| {
            let (next, resolver) = Deferred::new();
            mem::replace(&mut innermost, resolver).settle(next);
        });
        innermost.callback(1);
        assert_eq!(deferred.try_result().unwrap().unwrap(), 1);
        cost
    });
}

// Checks: P74
#[test]
fn a_callback_that_is_added_to_a_chain() {
    check(|n| {
        let (deferred, _resolver) = Deferred::<u64>::new();
        let mut chain = Some(deferred);
        worst(0..n, |_| chain = chain.take().map(|chain| chain.add_callback(|count| count + 1)))
    });
}

// Checks: P74
#[test]
fn a_lock_that_is_asked_for_served_and_not_waited_for_any_more() {
    let ask = |n: usize| {
        let lock = DeferredLock::new();
        let mut waiters = Vec::with_capacity(n);
        let asked = worst(0..n, |_| waiters.push(lock.acquire()));
        (lock, waiters, asked)
    };
    check(|n| {
        let (lock, mut waiters, asked) = ask(n);
        let mut holder = waiters.remove(0).try_result().unwrap().ok();
        waiters.reverse();
        let served = worst(1..n, |_| {
            drop(holder.take());
            holder = waiters.pop().unwrap().try_result().unwrap().ok();
        });
        drop(holder);
        assert!(!lock.is_locked());
        asked.max(served)
    });
    check(|n| {
        let (_lock, waiters, asked) = ask(n);
        let cancelled = worst(shuffled(n), |index| waiters[index].cancel());
        // The failures are taken: none is reported.
        let results = waiters.into_iter().filter_map(|waiter| waiter.try_result().ok());
        assert_eq!(results.filter(Result::is_err).count(), n - 1);
        asked.max(cancelled)
    });
}

// Checks: P74
#[test]
fn an_item_that_is_put_and_taken_and_a_taker_that_waits_and_is_served() {
    check(|n| {
        let queue = DeferredQueue::new();
        let put = worst(0..n, |item| queue.put(item).unwrap());
        let taken = worst(0..n, |item| assert_eq!(queue.get().unwrap().try_result().unwrap().unwrap(), item));
        put.max(taken)
    });
    check(|n| {
        let queue = DeferredQueue::new();
        let mut takers = Vec::with_capacity(n);
        let waits = worst(0..n, |_| takers.push(queue.get().unwrap()));
        waits.max(worst(0..n, |item| queue.put(item).unwrap()))
    });
}

// Checks: P74
#[test]
fn a_cooperative_task_that_is_added_stepped_paused_resumed_and_stopped() {
    let tasks = |n: usize| {
        let (reactor, _) = reactor();
        // One step a turn.
        let cooperator = Cooperator::builder().termination(|| || true).build(&reactor);
        let mut tasks = Vec::with_capacity(n);
        let added = worst(0..n, |_| tasks.push(cooperator.cooperate(iter::repeat(()))));
        (reactor, cooperator, tasks, added)
    };
    check(|n| {
        let (reactor, cooperator, tasks, added) = tasks(n);
        let stepped = worst(0..n, |_| _ = reactor.turn().unwrap());
        let paused = worst(shuffled(n), |index| tasks[index].pause().unwrap());
        let resumed = worst(shuffled(n), |index| tasks[index].resume().unwrap());
        let stopped = worst(shuffled(n), |index| tasks[index].stop().unwrap());
        drop(cooperator);
        added.max(stepped).max(paused).max(resumed).max(stopped)
    });
}

// Checks: P74
#[test]
fn a_task_that_is_spawned_polled_and_cancelled() {
    check(|n| {
        let (reactor, _) = reactor();
        let mut tasks = Vec::with_capacity(n);
        let spawned = worst(0..n, |_| tasks.push(reactor.spawn(pending::<()>()).add_errback(|_| ())));
        reactor.turn().unwrap();
        spawned.max(worst(shuffled(n), |index| tasks[index].cancel()))
    });
}

// Checks: P74
#[test]
fn a_looping_call_that_is_started_reset_and_stopped() {
    check(|n| {
        let (reactor, _) = reactor();
        let loops: Vec<_> = iter::repeat_with(|| LoopingCall::new(|_| ())).take(n).collect();
        let mut ends = Vec::with_capacity(n);
        let started = worst(0..n, |index| ends.push(loops[index].start(&reactor, Duration::from_secs(1)).unwrap()));
        let reset = worst(shuffled(n), |index| loops[index].reset().unwrap());
        started.max(reset).max(worst(shuffled(n), |index| loops[index].stop().unwrap()))
    });
}

// Checks: P74
#[test]
fn a_resolver_that_is_dropped_while_the_effects_of_other_drops_wait() {
    check(|n| {
        let resolver = || {
            let (deferred, resolver) = Deferred::<()>::new();
            drop(deferred.add_errback(|_| ()));
            resolver
        };
        let mut resolvers: Vec<_> = iter::repeat_with(resolver).take(n).collect();
        let (outer, dropped) = Deferred::<()>::new();
        let cost = Rc::new(Cell::new(Cost::default()));
        let seen = Rc::clone(&cost);
        drop(outer.add_errback(move |_| seen.set(worst(resolvers.drain(..), drop))));
        drop(dropped);
        cost.get()
    });
}

// Checks: P74
#[test]
fn a_report_that_a_sink_causes_while_others_wait() {
    thread_local! {
        static COST: Cell<Option<Cost>> = const { Cell::new(None) };
    }
    let fail = || drop(Deferred::<()>::fail(Failure::msg("unhandled")));
    check(|n| {
        let sink = move |_: &Report<'_>| {
            if COST.get().is_none() {
                COST.set(Some(worst(0..n, |_| fail())));
            }
        };
        let reactor = Reactor::builder().on_report(sink).build().unwrap();
        reactor.call_from_thread(move |_| fail()).unwrap();
        reactor.turn().unwrap();
        COST.take().unwrap()
    });
}
