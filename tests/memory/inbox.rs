//! What a posted call costs in memory.

use allocation_counter::{AllocationInfo, measure};
use selvedge::Reactor;

/// Posts a call of a type of its own for each of the loads, in turn, so many times.
macro_rules! post {
    ($reactor:expr, $times:expr, $($load:literal)*) => {
        for time in 0..$times {
            $(
                let load = [time; $load];
                $reactor.handle().call_from_thread(move |_| assert_eq!(load, [time; $load])).unwrap();
            )*
        }
    };
}

fn turn(reactor: &Reactor) {
    reactor.turn().unwrap();
}

/// As many allocations as that makes on this thread, and what is left of them: bytes more, or fewer, than before.
fn cost(body: impl FnOnce()) -> (u64, i64) {
    let AllocationInfo { count_total, bytes_current, .. } = measure(body);
    (count_total, bytes_current)
}

// Checks: P73
#[test]
fn calls_of_a_few_types_by_turns_cost_no_allocation_once_there_is_room() {
    let reactor = Reactor::new();
    let batch = || {
        post!(reactor, 50_u64, 0 1 2 3 4 5 6 7);
        turn(&reactor);
    };
    // One buffer is posted to while the other is run.
    (0..2).for_each(|_| batch());
    assert_eq!(cost(batch), (0, 0));
}

// Checks: P73
#[test]
fn a_large_call_is_one_allocation() {
    let reactor = Reactor::new();
    let batch = || {
        post!(reactor, 10_u64, 17 100);
        turn(&reactor);
    };
    (0..2).for_each(|_| batch());
    assert_eq!(cost(batch), (20, 0));
}

// Checks: P73
#[test]
fn calls_of_very_many_types_cost_an_allocation_for_those_that_are_too_many() {
    let reactor = Reactor::new();
    let batch = || {
        post!(reactor, 1_u16, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
            20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37);
        turn(&reactor);
    };
    (0..2).for_each(|_| batch());
    assert_eq!(cost(batch), (6, 0));
}

// Checks: P73
#[test]
fn a_burst_leaves_no_more_memory_than_a_batch() {
    let reactor = Reactor::new();
    post!(reactor, 20_000_u64, 0 1 15);
    turn(&reactor);
    let (_, more) = cost(|| {
        post!(reactor, 20_000_u64, 0 1 15);
        turn(&reactor);
    });
    assert!(more <= 1024 * 128 * 2, "{more} bytes are left of a burst of {}", 20_000 * 16 * 8);
}

// Checks: P73
#[test]
fn room_that_is_not_used_is_let_go_after_a_while() {
    let reactor = Reactor::new();
    let little = || {
        post!(reactor, 1_u64, 0 1);
        turn(&reactor);
    };
    let (_, before) = cost(|| (0..2).for_each(|_| little()));
    let (_, more) = cost(|| {
        for _ in 0..2 {
            post!(reactor, 100_u64, 2 3 4 5 6 7 8 9);
            turn(&reactor);
        }
        (0..3_000).for_each(|_| little());
    });
    assert!(more <= before, "{more} bytes are left, of types that are not posted any more");
}
