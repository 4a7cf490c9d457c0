//! The checker can fail: it refuses histories that are not linearizable, and accepts their nearest linearizable
//! neighbours.

use super::checker::{Record, Specification, linearize};
use super::sequential::{Came, Deque, InboxOperation as I, Pool, PoolOperation as P};

/// Operations with their times; each line of a history.
fn history<O>(lines: impl IntoIterator<Item = (u64, u64, O)>) -> Vec<Record<O>> {
    lines.into_iter().map(|(invoked, returned, operation)| Record { invoked, returned, operation }).collect()
}

fn possible<S: Specification>(initial: S, lines: impl IntoIterator<Item = (u64, u64, S::Operation)>) -> bool {
    linearize(initial, &history(lines)).is_ok()
}

// Checks: P13, P70
#[test]
fn what_did_not_overlap_keeps_its_order_and_what_did_may_have_either() {
    let run = |first, second| [(5, 6, I::Run(first)), (7, 8, I::Run(second))];
    let apart = [(1, 2, I::Post(1, true)), (3, 4, I::Post(2, true))];
    let overlapping = [(1, 3, I::Post(1, true)), (2, 4, I::Post(2, true))];
    assert!(possible(Deque::new(usize::MAX), apart.clone().into_iter().chain(run(1, 2))));
    assert!(!possible(Deque::new(usize::MAX), apart.into_iter().chain(run(2, 1))));
    assert!(possible(Deque::new(usize::MAX), overlapping.clone().into_iter().chain(run(1, 2))));
    assert!(possible(Deque::new(usize::MAX), overlapping.into_iter().chain(run(2, 1))));
}

// Checks: P13, P70
#[test]
fn a_place_that_was_not_there_and_one_that_was_refused_are_seen() {
    let post = |time, call| (time, time + 1, I::Post(call, true));
    let (take, full) = ((3, 4, I::Take), |time| (time, time + 1, I::Full));
    assert!(!possible(Deque::new(1), [post(1, 1), post(5, 2)]), "one too many");
    assert!(possible(Deque::new(1), [post(1, 1), take.clone(), post(5, 2)]));
    assert!(possible(Deque::new(1), [post(1, 1), full(5)]));
    assert!(!possible(Deque::new(1), [post(1, 1), take, full(5)]), "refused, and there is a place");
    assert!(!possible(Deque::new(1), [(1, 2, I::Close), full(3)]), "full, and closed");
}

// Checks: P13, P70
#[test]
fn a_call_that_is_lost_doubled_or_run_before_it_was_posted_is_seen() {
    let end = |time| [(time, time + 1, I::Close), (time + 2, time + 3, I::End)];
    let post = (1, 2, I::Post(1, true));
    assert!(possible(Deque::new(usize::MAX), [post.clone(), (3, 4, I::Run(1))].into_iter().chain(end(5))));
    assert!(!possible(Deque::new(usize::MAX), [post.clone()].into_iter().chain(end(5))), "lost");
    assert!(!possible(Deque::new(usize::MAX), [post.clone(), (3, 4, I::Run(1)), (5, 6, I::Run(1))]), "doubled");
    assert!(
        !possible(Deque::new(usize::MAX), [(1, 2, I::Run(1)), (3, 4, I::Post(1, true))]),
        "run before it was there"
    );
    assert!(!possible(Deque::new(usize::MAX), [(1, 2, I::Close), (3, 4, I::Post(1, true))]), "taken by a closed inbox");
    assert!(!possible(Deque::new(usize::MAX), [(1, 2, I::Post(1, false)), (3, 4, I::Close)]), "refused by an open one");
    assert!(possible(Deque::new(usize::MAX), [(1, 3, I::Post(1, false)), (2, 4, I::Close)]), "they overlapped");
}

fn started(max: usize) -> impl Iterator<Item = (u64, u64, P)> {
    let submits = (1..=3).map(|job| (2 * u64::from(job), 2 * u64::from(job) + 1, P::Submit(job, true)));
    [(0, 1, P::Start(true)), (0, 1, P::Resize(max))].into_iter().chain(submits)
}

// Checks: P13, P70
#[test]
fn a_job_that_overtakes_another_is_seen() {
    let take = |first, second| [(10, 11, P::Take(first)), (12, 13, P::Take(second))];
    assert!(possible(Pool::new(0), started(2).chain(take(1, 2))));
    assert!(!possible(Pool::new(0), started(2).chain(take(1, 3))));
    assert!(!possible(Pool::new(0), started(2).chain(take(2, 1))));
    assert!(!possible(Pool::new(0), started(2).chain(take(1, 1))), "twice");
}

// Checks: P13, P70
#[test]
fn more_jobs_at_a_time_than_the_target_allows_are_seen() {
    let two = || [(10, 11, P::Take(1)), (12, 13, P::Take(2))];
    assert!(!possible(Pool::new(0), started(1).chain(two())));
    let between = [(10, 11, P::Take(1)), (11, 20, P::End(1)), (11, 20, P::Finish(1)), (12, 13, P::Take(2))];
    assert!(possible(Pool::new(0), started(1).chain(between)), "the first may have been through by then");
    assert!(!possible(Pool::new(0), started(2).chain([(8, 9, P::Resize(1))]).chain(two())), "it was resized before");
    assert!(possible(Pool::new(0), started(2).chain([(8, 12, P::Resize(1))]).chain(two())), "or meanwhile");
}

// Checks: P13, P70
#[test]
fn a_stop_that_returns_too_early_and_a_submission_after_it_are_seen() {
    let work = |job, time| {
        [(time, time + 1, P::Take(job)), (time + 2, time + 3, P::End(job)), (time + 2, time + 3, P::Finish(job))]
    };
    let all = || started(3).chain(work(1, 10)).chain(work(2, 20)).chain(work(3, 30));
    assert!(possible(Pool::new(0), all().chain([(8, 40, P::Close { cancels: false }), (8, 40, P::Stopped)])));
    assert!(
        !possible(Pool::new(0), all().chain([(8, 31, P::Close { cancels: false }), (8, 31, P::Stopped)])),
        "one was still at work"
    );
    let late = |accepted| [(40, 41, P::Close { cancels: false }), (42, 43, P::Submit(4, accepted))];
    assert!(possible(Pool::new(0), all().chain(late(false))));
    assert!(!possible(Pool::new(0), all().chain(late(true))));
    assert!(
        !possible(Pool::new(0), started(1).chain([(8, 9, P::Close { cancels: false }), (8, 9, P::Stopped)])),
        "three were dropped"
    );
    let unstarted = [(0, 1, P::Submit(1, true)), (2, 9, P::Close { cancels: false }), (2, 9, P::Stopped)];
    assert!(!possible(Pool::new(1), unstarted.clone()), "it was not told");
    assert!(possible(Pool::new(1), unstarted.into_iter().chain([(3, 4, P::Refuse(1))])));
}

// Checks: P13, P70
#[test]
fn statistics_that_no_instant_had_are_seen() {
    let look = |queued, busy, started| {
        let completed = started - busy as u64;
        [(9, 11, P::Look { max: 2, queued, busy, started, completed }), (10, 12, P::Take(1))]
    };
    assert!(possible(Pool::new(0), started(2).chain(look(3, 0, 0))), "before the worker came");
    assert!(possible(Pool::new(0), started(2).chain(look(2, 1, 1))), "after it");
    assert!(!possible(Pool::new(0), started(2).chain(look(3, 1, 1))), "half of each");
}

// Checks: P13, P70
#[test]
fn a_cancelled_job_that_runs_all_the_same_and_an_answer_that_came_too_late_are_seen() {
    let cancel = |came| [(8, 9, P::Cancel(1, came)), (10, 11, P::Take(1)), (12, 13, P::End(1)), (12, 15, P::Finish(1))];
    assert!(!possible(Pool::new(0), started(2).chain(cancel(Came::NeverRuns))), "it ran");
    assert!(!possible(Pool::new(0), started(2).chain(cancel(Came::Asked))), "nobody had taken it");
    let told = [(8, 12, P::Cancel(1, Came::NeverRuns)), (9, 10, P::Refuse(1)), (13, 14, P::Take(2))];
    assert!(possible(Pool::new(0), started(2).chain(told.clone())));
    assert!(!possible(Pool::new(0), started(2).chain(told).chain([(15, 16, P::Take(1))])), "it was taken later");
    let late = |came| [(10, 11, P::Take(1)), (12, 13, P::End(1)), (14, 15, P::Cancel(1, came)), (16, 17, P::Finish(1))];
    assert!(possible(Pool::new(0), started(2).chain(late(Came::Over))));
    assert!(!possible(Pool::new(0), started(2).chain(late(Came::Asked))), "there was nobody to ask");
}
