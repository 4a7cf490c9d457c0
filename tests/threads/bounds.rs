//! Bounds of inboxes and queues around and above one segment of their storage, which has room for 256 values, and with
//! posts that no bound holds back.

use std::num::NonZeroUsize;

use selvedge::{
    Deferred, Job, Reactor, Resolver, ThreadPool,
    error::Rejection,
    pool::Cancellation,
    testing::{Step, Stepper},
};

use crate::support::{Log, virtual_time};

const BOUNDS: [usize; 8] = [1, 255, 256, 257, 511, 512, 513, 1_000];

fn reactor(bound: usize) -> Reactor {
    Reactor::builder().inbox_bound(NonZeroUsize::new(bound).unwrap()).build().unwrap()
}

/// Posts until the inbox is full, calls of two types in turn, and says how many were accepted.
fn post_until_full(reactor: &Reactor, log: &Log<usize>) -> usize {
    let handle = reactor.handle();
    for count in 0.. {
        let (log, other) = (log.clone(), [count; 2]);
        let posted = if count % 2 == 0 {
            handle.call_from_thread(move |_| log.note(count))
        } else {
            handle.call_from_thread(move |_| log.note(other[1]))
        };
        if let Err(rejected) = posted {
            assert_eq!(rejected.reason, Rejection::InboxFull);
            return count;
        }
    }
    unreachable!("it has a bound")
}

// Checks: P53, B44
#[test]
fn an_inbox_takes_as_many_calls_as_its_bound_says_and_runs_them_in_order() {
    for bound in BOUNDS {
        let (reactor, log) = (reactor(bound), Log::new());
        for _ in 0..3 {
            assert_eq!(post_until_full(&reactor, &log), bound);
            reactor.turn().unwrap();
        }
        let expected: Vec<_> = (0..3).flat_map(|_| 0..bound).collect();
        assert!(log.entries() == expected, "{bound}");
    }
}

// Checks: P53, B44, R32
#[test]
fn what_no_bound_holds_back_is_counted_against_it() {
    for bound in BOUNDS {
        for polls in [1, bound / 2, bound, bound + 1, bound + 600] {
            let (reactor, log) = (reactor(bound), Log::new());
            for _ in 0..polls {
                drop(reactor.spawn(async {}));
            }
            assert_eq!(post_until_full(&reactor, &log), bound.saturating_sub(polls), "{bound}, after {polls} polls");
            // Beside them, and of a full inbox.
            let answers: Vec<_> = (0..300).map(|_| reactor.handle().ask(|_| ())).collect();
            assert_eq!(post_until_full(&reactor, &log), 0);
            reactor.turn().unwrap();
            assert_eq!(log.len(), bound.saturating_sub(polls));
            assert_eq!(post_until_full(&reactor, &log), bound, "all slots are free again");
            drop(answers);
        }
    }
}

// Checks: P25, P53, B44
#[test]
fn cancels_of_futures_elsewhere_go_beyond_the_bound_and_are_counted() {
    let (reactor, log) = (reactor(300), Log::new());
    let (deferreds, resolvers): (Vec<_>, Vec<_>) = (0..400).map(|_| Deferred::<()>::new()).unzip();
    let futures: Vec<_> = deferreds.into_iter().map(|deferred| deferred.into_send_future(&reactor)).collect();
    drop(futures);
    assert_eq!(post_until_full(&reactor, &log), 0);
    reactor.turn().unwrap();
    assert_eq!(post_until_full(&reactor, &log), 300);
    assert!(resolvers.iter().all(Resolver::is_cancelled));
}

fn pool(bound: usize) -> (ThreadPool, Stepper) {
    ThreadPool::builder()
        .size(0, 1)
        .queue_bound(NonZeroUsize::new(bound).unwrap())
        .on_report(|_| ())
        .build_stepped()
        .unwrap()
}

/// Submits until the queue is full, jobs of two types in turn, and says how many were accepted.
fn submit_until_full(pool: &ThreadPool, log: &Log<usize>, from: usize) -> usize {
    for count in from.. {
        let (log, other) = (log.clone(), [count; 2]);
        let submitted = if count % 2 == 0 {
            pool.call_in_thread(move || log.note(count))
        } else {
            pool.call_in_thread(Job::new(move || log.note(other[1])))
        };
        if let Err(rejected) = submitted {
            assert_eq!(rejected.reason, Rejection::QueueFull);
            return count - from;
        }
    }
    unreachable!("it has a bound")
}

// Checks: P53, B44
#[test]
fn a_queue_takes_as_many_jobs_as_its_bound_says_whichever_of_its_halves_they_are_in() {
    for bound in BOUNDS {
        let ((pool, stepper), log) = (pool(bound), Log::new());
        let mut accepted = submit_until_full(&pool, &log, 0);
        assert_eq!((accepted, pool.stats().queued), (bound, bound));
        pool.start().unwrap();
        // The first look moves all to the worker's half. Then each job that is taken makes room for one.
        for _ in 0..300 {
            while stepper.step() != Some(Step::Took) {}
            let more = submit_until_full(&pool, &log, accepted);
            assert_eq!((more, pool.stats().queued), (1, bound));
            accepted += more;
        }
        while stepper.step().is_some() {}
        assert!(log.entries() == (0..accepted).collect::<Vec<_>>(), "{bound}");
        assert_eq!(submit_until_full(&pool, &log, 0), bound);
    }
}

// Checks: P51, P53, B43
#[test]
fn each_job_that_is_cancelled_makes_room_for_one_wherever_it_is() {
    for bound in BOUNDS {
        let ((pool, stepper), log) = (pool(bound), Log::new());
        let tickets: Vec<_> = (0..bound).map(|_| pool.call_in_thread_ticketed(|| ()).unwrap()).collect();
        assert_eq!(submit_until_full(&pool, &log, 0), 0);
        for (nth, ticket) in tickets.iter().step_by(7).enumerate() {
            assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
            assert_eq!(submit_until_full(&pool, &log, nth), 1);
        }
        pool.start().unwrap();
        while stepper.step().is_some() {}
        assert_eq!(log.entries(), (0..bound.div_ceil(7)).collect::<Vec<_>>(), "{bound}");
    }
}

// Checks: P2, P7
#[test]
fn what_is_left_of_several_segments_is_dropped_in_order() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    for count in 0..1_000 {
        let (note, other) = (log.when_dropped(count), count % 3 == 0);
        let handle = reactor.handle();
        if other {
            handle.call_from_thread(move |_| drop(note)).unwrap();
        } else {
            handle.call_from_thread(move |_| drop((note, other))).unwrap();
        }
    }
    drop(reactor);
    assert!(log.entries() == (0..1_000).collect::<Vec<_>>());
    assert_eq!(reports, []);
}

// Checks: P2
#[test]
fn a_large_call_that_a_full_inbox_refuses_is_handed_back_and_runs_when_it_is_posted_again() {
    let (reactor, log) = (reactor(1), Log::new());
    let (large, noted) = ([1_u8; 4096], log.clone());
    reactor.call_from_thread(|_| ()).unwrap();
    let refused = reactor.call_from_thread(move |_| noted.note(large.iter().filter(|byte| **byte == 1).count()));
    let refused = refused.unwrap_err();
    assert_eq!((refused.reason, log.len()), (Rejection::InboxFull, 0));
    reactor.turn().unwrap();
    reactor.call_from_thread(move |reactor| refused.job.call(reactor)).unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, [4096]);
}
