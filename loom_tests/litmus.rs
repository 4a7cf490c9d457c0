//! Litmus tests of loom's memory model: small programs whose outcomes the language defines, beside what loom finds.
//!
//! Each is a test of loom and not of this crate. What loom misses or invents is pinned as a hole; `calibrate.rs` has
//! the holes that are not about memory.
//!
//! Checks: P13

use std::sync::Arc as StdArc;

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicUsize, fence};
use loom::thread;

use crate::calibrate::{outcomes, two_halves};

/// How stores and loads are ordered, from the weakest on.
const WEAKEST: (Ordering, Ordering) = (Relaxed, Relaxed);
const PAIRED: (Ordering, Ordering) = (Release, Acquire);
const STRONGEST: (Ordering, Ordering) = (SeqCst, SeqCst);

/// Each half stores to its own and loads the other's.
fn store_buffering((store, load): (Ordering, Ordering)) -> Vec<(usize, usize)> {
    two_halves(
        move |x, y| {
            x.store(1, store);
            y.load(load)
        },
        move |x, y| {
            y.store(1, store);
            x.load(load)
        },
    )
}

/// The first publishes data by a flag. The second sees ten times the flag, and the data.
fn message_passing((store, load): (Ordering, Ordering)) -> Vec<(usize, usize)> {
    two_halves(
        move |data, flag| {
            data.store(1, Relaxed);
            flag.store(1, store);
            0
        },
        move |data, flag| 10 * flag.load(load) + data.load(Relaxed),
    )
}

/// Each half loads the other's and then stores to its own.
fn load_buffering((store, load): (Ordering, Ordering)) -> Vec<(usize, usize)> {
    two_halves(
        move |x, y| {
            let seen = x.load(load);
            y.store(1, store);
            seen
        },
        move |x, y| {
            let seen = y.load(load);
            x.store(1, store);
            seen
        },
    )
}

/// Two threads write to two places, and two others read both, in opposite orders: ten times the first, and the second.
fn independent_reads((store, load): (Ordering, Ordering), fenced: bool) -> Vec<(usize, usize)> {
    outcomes(move || {
        // std's: the order in which threads drop their shares is no part of the test.
        let both = StdArc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let share = || StdArc::clone(&both);
        let read = move |first: &AtomicUsize, second: &AtomicUsize| {
            let seen = first.load(load);
            if fenced {
                fence(SeqCst);
            }
            10 * seen + second.load(load)
        };
        let (x, y, other) = (share(), share(), share());
        let writers = [thread::spawn(move || x.0.store(1, store)), thread::spawn(move || y.1.store(1, store))];
        let reader = thread::spawn(move || read(&other.1, &other.0));
        let seen = read(&both.0, &both.1);
        for writer in writers {
            writer.join().unwrap();
        }
        (seen, reader.join().unwrap())
    })
}

#[test]
fn store_buffers_show_with_all_but_the_strongest_ordering() {
    for ordering in [WEAKEST, PAIRED] {
        assert_eq!(store_buffering(ordering), [(0, 0), (0, 1), (1, 0), (1, 1)], "{ordering:?}");
    }
}

#[test]
fn hole_store_buffers_show_with_the_strongest_ordering_too() {
    assert_eq!(store_buffering(STRONGEST), [(0, 0), (0, 1), (1, 0), (1, 1)], "(0, 0) is impossible on any machine");
}

#[test]
fn a_message_is_missed_only_with_the_weakest_ordering() {
    assert_eq!(message_passing(WEAKEST), [(0, 0), (0, 1), (0, 10), (0, 11)]);
    assert_eq!(message_passing(PAIRED), [(0, 0), (0, 1), (0, 11)]);
    assert_eq!(message_passing(STRONGEST), [(0, 0), (0, 1), (0, 11)]);
    // Each half of the pair alone orders nothing.
    assert_eq!(message_passing((Release, Relaxed)), [(0, 0), (0, 1), (0, 10), (0, 11)]);
    assert_eq!(message_passing((Relaxed, Acquire)), [(0, 0), (0, 1), (0, 10), (0, 11)]);
}

#[test]
fn loads_are_not_buffered_where_stores_are_ordered() {
    for ordering in [PAIRED, STRONGEST] {
        assert_eq!(load_buffering(ordering), [(0, 0), (0, 1), (1, 0)], "{ordering:?}");
    }
}

/// One reader sees the first write and not the second, and the other reader the opposite.
const DISAGREEMENT: (usize, usize) = (10, 10);

#[test]
fn readers_disagree_on_the_order_of_two_writes() {
    assert!(independent_reads(PAIRED, false).contains(&DISAGREEMENT), "it is allowed");
}

#[test]
fn fences_let_readers_agree_on_the_order_of_two_writes() {
    let seen = independent_reads(WEAKEST, true);
    assert!(!seen.contains(&DISAGREEMENT), "{seen:?}");
    assert_eq!(seen.len(), 15, "all others are allowed: {seen:?}");
}

#[test]
fn hole_readers_disagree_with_the_strongest_ordering_too() {
    assert!(independent_reads(STRONGEST, false).contains(&DISAGREEMENT), "it is impossible on any machine");
}

/// Two stores of one thread to one place, and two loads of another.
#[test]
fn who_reads_one_place_twice_never_goes_back() {
    let seen = two_halves(
        |x, _| {
            x.store(1, Relaxed);
            x.store(2, Relaxed);
            0
        },
        |x, _| 10 * x.load(Relaxed) + x.load(Relaxed),
    );
    assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (0, 11), (0, 12), (0, 22)]);
}

#[test]
fn who_has_written_never_reads_what_was_there_before() {
    let seen = two_halves(
        |x, _| {
            x.store(1, Relaxed);
            x.load(Relaxed)
        },
        |x, _| {
            x.store(2, Relaxed);
            x.load(Relaxed)
        },
    );
    assert_eq!(seen, [(1, 1), (1, 2), (2, 2)]);
}

/// Two threads write to two places in opposite orders: what is there in the end.
fn opposite_writes(store: Ordering) -> Vec<(usize, usize)> {
    outcomes(move || {
        let both = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&both);
        let other = thread::spawn(move || {
            other.1.store(1, store);
            other.0.store(2, store);
        });
        both.0.store(1, store);
        both.1.store(2, store);
        other.join().unwrap();
        (both.0.load(Relaxed), both.1.load(Relaxed))
    })
}

#[test]
fn of_opposite_writes_both_first_ones_may_stay() {
    for store in [Relaxed, Release] {
        assert_eq!(opposite_writes(store), [(1, 1), (1, 2), (2, 1), (2, 2)], "{store:?}");
    }
}

#[test]
fn hole_of_opposite_writes_with_the_strongest_ordering_both_first_ones_may_stay_too() {
    assert!(opposite_writes(SeqCst).contains(&(1, 1)), "it is impossible on any machine");
}

/// Issues 166 and 392 of loom: what one thread loads beside the other's store.
#[test]
fn hole_an_irrelevant_load_before_a_store_hides_an_outcome() {
    let beside_a_store = |irrelevant: bool| {
        let storing = move |x: &AtomicUsize, _: &AtomicUsize| {
            if irrelevant {
                x.load(Relaxed);
            }
            x.store(1, Relaxed);
            0
        };
        two_halves(|x, _| x.load(Relaxed), storing)
    };
    assert_eq!(beside_a_store(false), [(0, 0), (1, 0)]);
    assert_eq!(beside_a_store(true), [(0, 0)], "(1, 0) is not found");
}

/// Issues 254, 282, 389 and 424 of loom.
#[test]
fn hole_a_store_beside_a_read_modify_write_is_overlooked_by_both() {
    let seen = outcomes(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&flag);
        let swapping = thread::spawn(move || other.swap(0, AcqRel));
        flag.store(1, Release);
        let before = swapping.join().unwrap();
        (before, flag.load(Acquire))
    });
    assert_eq!(seen, [(0, 0), (0, 1), (1, 0)], "(0, 0) is impossible: the store is before the swap or after it");
}

#[test]
fn hole_of_the_values_that_a_place_had_only_the_last_seven_are_read() {
    let seen = two_halves(
        |x, flag| {
            (1..=9).for_each(|value| x.store(value, Relaxed));
            flag.store(1, Relaxed);
            0
        },
        |x, flag| if flag.load(Relaxed) == 1 { x.load(Relaxed) } else { 100 },
    );
    let values: Vec<_> = seen.iter().map(|(_, value)| *value).filter(|value| *value < 100).collect();
    assert_eq!(values, [3, 4, 5, 6, 7, 8, 9], "0, 1 and 2 are allowed");
}
