//! Shell 1, the inbox: no wake is lost, no call is lost or duplicated, each poster's calls stay in order, and closing
//! leaves nothing behind.

use loom::sync::Arc;
use loom::thread::{self, JoinHandle};
use selvedge::error::Rejection;
use selvedge::loom::shells::{Inbox, WhenFull};

use crate::explore::{Chaos, ChaosThread, explore};
use crate::witness::reached;

/// A call: its poster, and its number among that poster's calls.
type NumberedCall = (char, u32);

type CallInbox = Inbox<Vec<NumberedCall>>;

/// The loop as the reactor runs it: take, and wait only if nothing was there. A lost wake is a deadlock.
fn take_until(inbox: &CallInbox, count: usize) -> Vec<NumberedCall> {
    let mut taken = Vec::new();
    let mut batch = Vec::new();
    while taken.len() < count {
        inbox.take(&mut batch);
        if batch.is_empty() {
            inbox.wait(None);
        }
        taken.append(&mut batch);
    }
    taken
}

fn posted_by(poster: char, calls: &[NumberedCall]) -> Vec<u32> {
    calls.iter().filter(|(from, _)| *from == poster).map(|(_, number)| *number).collect()
}

/// Posts, and returns the accepted calls: those before the first that was refused.
fn post_until_closed(inbox: &CallInbox, poster: char, count: u32) -> Vec<u32> {
    let outcomes: Vec<_> = (0..count).map(|number| inbox.post((poster, number))).collect();
    let accepted = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    for (number, outcome) in (0..count).zip(&outcomes).skip(accepted) {
        assert_eq!(*outcome, Err((poster, number)), "after the first refusal each call is returned in its error");
    }
    (0..count).take(accepted).collect()
}

fn with_chaos(chaos: Chaos) -> (Arc<CallInbox>, ChaosThread<Arc<CallInbox>>) {
    let inbox = Arc::new(Inbox::new());
    let chaos_thread = chaos.start(|| Arc::clone(&inbox), |inbox| inbox.wake_spuriously());
    (inbox, chaos_thread)
}

/// A thread that posts, and returns its accepted calls with its share of the inbox.
fn poster(inbox: &Arc<CallInbox>, name: char, count: u32) -> JoinHandle<(Vec<u32>, Arc<CallInbox>)> {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || (post_until_closed(&inbox, name, count), inbox))
}

// Checks: B6, R9, R16, R17, R23
#[test]
fn a_loop_that_sleeps_is_woken_for_each_of_its_calls() {
    explore(|chaos| {
        let (inbox, _chaos_thread) = with_chaos(chaos);
        let poster = poster(&inbox, 'a', 3);
        assert_eq!(take_until(&inbox, 3), [('a', 0), ('a', 1), ('a', 2)]);
        assert_eq!(poster.join().unwrap().0, [0, 1, 2]);
    });
}

// Checks: B6, B9, R8, R17, R23
#[test]
fn two_posters_lose_nothing_and_each_keeps_its_order() {
    explore(|chaos| {
        let (inbox, _chaos_thread) = with_chaos(chaos);
        let more = chaos.fewer(2, 1);
        let posters = [poster(&inbox, 'a', more), poster(&inbox, 'b', 1)];
        let taken = take_until(&inbox, more as usize + 1);
        assert!(posted_by('a', &taken).into_iter().eq(0..more));
        assert_eq!(posted_by('b', &taken), [0]);
        for poster in posters {
            drop(poster.join().unwrap());
        }
    });
}

// Checks: B6, R19
#[test]
fn what_the_loop_posts_to_itself_keeps_it_from_sleeping() {
    explore(|chaos| {
        let (inbox, _chaos_thread) = with_chaos(chaos);
        let poster = poster(&inbox, 'a', 1);
        assert_eq!(inbox.post(('l', 0)), Ok(()));
        let mut taken = take_until(&inbox, 2);
        // As if from inside a call: the loop is awake, and nobody else posts.
        assert_eq!(inbox.post(('l', 1)), Ok(()));
        taken.extend(take_until(&inbox, 1));
        assert_eq!(posted_by('l', &taken), [0, 1]);
        assert_eq!(posted_by('a', &taken), [0]);
        drop(poster.join().unwrap());
    });
}

// Checks: B6, B13, R12, R27
#[test]
fn closing_against_two_posters_takes_each_call_or_returns_it() {
    explore(|chaos| {
        let (inbox, _chaos_thread) = with_chaos(chaos);
        let posters = ['a', 'b'].map(|name| (name, poster(&inbox, name, 2)));
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        taken.extend(inbox.close());
        for (name, poster) in posters {
            let (accepted, _inbox) = poster.join().unwrap();
            assert_eq!(accepted, posted_by(name, &taken), "exactly the accepted calls are taken, in order");
            reached(&format!("{} of a poster's calls are accepted", accepted.len()));
        }
        assert_eq!(inbox.close(), [], "a closed inbox accepts nothing");
    });
}

// Checks: B6, R18
#[test]
fn a_closed_inbox_never_lets_its_loop_sleep() {
    explore(|chaos| {
        let (inbox, _chaos_thread) = with_chaos(chaos);
        let poster = poster(&inbox, 'a', 1);
        inbox.wait(None);
        let taken = inbox.close();
        // Must return at once, because no call would ever wake it.
        inbox.wait(None);
        assert_eq!(poster.join().unwrap().0, posted_by('a', &taken));
    });
}

// Checks: B44, P53, R6, R9
#[test]
fn a_poster_of_a_full_inbox_posts_when_the_loop_takes_or_gets_its_call_back_when_it_closes() {
    explore(|chaos| {
        let inbox = Arc::new(Inbox::bounded(1));
        inbox.post(1).unwrap();
        let posting = Arc::clone(&inbox);
        let poster = thread::spawn(move || posting.post_bounded(2, WhenFull::Wait));
        let _chaos_thread = chaos.start(|| Arc::clone(&inbox), |inbox| inbox.wake_waiters_spuriously());
        let mut batch: Vec<u32> = Vec::new();
        inbox.take(&mut batch);
        let rest = inbox.close();
        assert_eq!(batch[0], 1);
        match poster.join().unwrap() {
            Ok(()) => assert_eq!(rest, [2]),
            Err(back) => assert_eq!((back, rest), ((2, Rejection::ReactorStopped), vec![])),
        }
    });
}
