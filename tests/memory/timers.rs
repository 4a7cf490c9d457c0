//! What a delayed call costs in memory.

use std::time::Duration;

use allocation_counter::measure;
use selvedge::{DelayedCall, Reactor};

/// Adds a call that captures so many bytes, and returns how many allocations that makes.
fn add<const BYTES: usize>(reactor: &Reactor) -> (u64, DelayedCall) {
    let load = [1_u8; BYTES];
    let mut added = None;
    let call = move |_: &Reactor| assert_eq!(load, [1; BYTES]);
    let made = measure(|| added = Some(reactor.call_later(Duration::from_secs(60), call)));
    (made.count_total, added.unwrap())
}

// Checks: B20
#[test]
fn a_timer_is_one_allocation_and_one_of_more_than_128_bytes_two() {
    let reactor = Reactor::new();
    // The first two make the room in which the others lie.
    let _first = [add::<0>(&reactor), add::<0>(&reactor)];
    assert_eq!((add::<0>(&reactor).0, add::<128>(&reactor).0, add::<129>(&reactor).0), (1, 1, 2));
}

// Checks: B20
#[test]
fn a_timer_that_is_cancelled_or_has_run_keeps_no_large_closure_though_its_handle_is_kept() {
    let reactor = Reactor::new();
    for cancels in [true, false] {
        let mut call = None;
        let left = measure(|| {
            let large = [1_u8; 10_000];
            let timer = reactor.call_later(Duration::ZERO, move |_| assert_eq!(large.len(), 10_000));
            if cancels {
                timer.cancel().unwrap();
            }
            call = Some(timer);
            reactor.turn().unwrap();
        });
        assert!(left.bytes_max >= 10_000);
        assert!(left.bytes_current < 1_000, "{left:?}");
        drop(call);
    }
}
