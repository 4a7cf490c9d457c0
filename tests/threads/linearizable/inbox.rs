//! Histories of the inbox on real threads, checked against a sequential deque.

use std::sync::Arc;
use std::thread;

use selvedge::Reactor;

use super::history::{History, assert_linearizable};
use super::sequential::{Deque, InboxOperation};
use crate::support::{Rng, with_watchdog};

/// One reactor, from its first post to its end: three posters, of whom one asks it to stop.
fn record(seed: u64) {
    let reactor = Reactor::new();
    let history = Arc::new(History::new());
    let posters: Vec<_> = (0..3)
        .map(|poster: u32| {
            let (handle, history) = (reactor.handle(), Arc::clone(&history));
            thread::spawn(move || {
                let mut rng = Rng::new(seed * 3 + u64::from(poster));
                for call in (poster * 10..).take(7) {
                    (0..rng.below(200)).for_each(|_| std::hint::spin_loop());
                    let runs = Arc::clone(&history);
                    let post = || handle.call_from_thread(move |_| runs.note(0, runs.now(), InboxOperation::Run(call)));
                    history.during(post, |posted| InboxOperation::Post(call, posted.is_ok())).ok();
                    if poster == 0 && rng.below(5) == 0 {
                        handle.stop();
                    }
                }
                handle.stop();
            })
        })
        .collect();
    history.during(|| drop(reactor.run()), |()| InboxOperation::Close);
    posters.into_iter().for_each(|poster| poster.join().unwrap());
    history.during(|| (), |()| InboxOperation::End);
    let mut records = history.take();
    // The loop takes a call some time between the run of the one before and the run of this one.
    records.sort_by_key(|record| record.returned);
    let mut since = 0;
    for record in &mut records {
        if matches!(record.operation, InboxOperation::Run(_)) {
            record.invoked = std::mem::replace(&mut since, record.returned);
        }
    }
    assert_linearizable(Deque::new(usize::MAX), &records);
}

// Checks: B6, B13, P70
#[test]
fn the_inbox_behaves_as_a_deque_that_is_closed_at_one_instant() {
    with_watchdog(|| (0..600).for_each(record));
}
