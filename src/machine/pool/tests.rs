//! Tests of the structures inside the pool's machine.

use std::collections::VecDeque;

use super::sleepers::Sleepers;
use super::transitions::{WorkerHint, next_action, start};
use super::{Compensation, Sizes, SubmitQueue, Wakeups, WorkerAction, Workers};
use crate::machine::count::Count;

// Checks: P66
#[test]
fn sleepers_leave_from_either_end_and_from_the_middle_in_the_order_in_which_they_fell_asleep() {
    let mut sleepers = Sleepers::default();
    for slot in 0..40 {
        sleepers.add_slot(slot);
        sleepers.push(slot, slot % 2 == 0);
    }
    assert_eq!((sleepers.len(), sleepers.untimed()), (40, 20));
    assert_eq!((sleepers.pop_last(), sleepers.pop_first()), (Some(39), Some(0)));
    sleepers.remove(17);
    sleepers.remove(17);
    let expected: Vec<_> = (1..39).filter(|slot| *slot != 17).collect();
    assert_eq!(sleepers.iter().collect::<Vec<_>>(), expected);
    assert_eq!((sleepers.len(), sleepers.untimed()), (37, 18));
    sleepers.add_slot(0);
    sleepers.push(0, true);
    let mut last_first = Vec::new();
    while let Some(slot) = sleepers.pop_last() {
        last_first.push(slot);
    }
    assert_eq!(last_first, [0].into_iter().chain(expected.into_iter().rev()).collect::<Vec<_>>());
    assert_eq!((sleepers.len(), sleepers.untimed(), sleepers.pop_first()), (0, 0, None));
}

// Checks: P4
#[test]
fn a_worker_that_wakes_others_for_the_jobs_it_leaves_behind_wakes_one_for_each() {
    let target = Sizes { min: 5, max: 5 };
    let mut workers = Workers::<VecDeque<u8>>::new(target, Compensation { most: 0, for_one: false });
    let mut submit_queue = SubmitQueue::new(Count::MAX);
    assert_eq!(start(&mut workers, &mut submit_queue, false).map(|wakeups| wakeups.spawn.count), Ok(5));
    let act = |workers: &mut Workers<_>, submit_queue: &mut SubmitQueue<_>, slot| {
        next_action(workers, submit_queue, WorkerHint { slot, ..WorkerHint::default() })
    };
    for slot in 0..5 {
        workers.thread_started(slot);
        assert!(matches!(act(&mut workers, &mut submit_queue, slot), WorkerAction::Sleep { timed: false }));
    }
    assert!((1..=4).all(|job| submit_queue.submit(job).is_ok()));
    assert_eq!(workers.wake_or_spawn(), Wakeups::wake(0));
    assert_eq!(workers.woken(0), Wakeups::NONE);
    assert_eq!(workers.wake_for_jobs_left_behind(), Wakeups::NONE, "what submitters have queued is not known yet");
    assert!(matches!(act(&mut workers, &mut submit_queue, 0), WorkerAction::Run(_, Wakeups { wake: Some(1), .. })));
    assert_eq!(workers.woken(1), Wakeups::NONE);
    // Three wait: one for this worker, and one for each that it wakes.
    assert_eq!(workers.wake_for_jobs_left_behind(), Wakeups::wake(2));
    assert_eq!(workers.wake_for_jobs_left_behind(), Wakeups::wake(3));
    assert_eq!(workers.wake_for_jobs_left_behind(), Wakeups::NONE);
}
