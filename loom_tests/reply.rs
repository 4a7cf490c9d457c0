//! Shell 2, the reply: answered, broken off or expired, the caller is told once and never left waiting, and the answer is in one place.

use std::sync::Mutex as StdMutex;

use loom::sync::{Arc, Mutex};
use loom::thread;
use selvedge::loom::shells::{Answerer, Asker, Deadline, NoAnswer, channel};

use crate::explore::{Chaos, Shaking, explore, explore_calm};

/// What must not be lost: loom counts its references, and a reply that leaks it fails the model.
type Precious = Arc<&'static str>;

fn precious() -> Precious {
    Arc::new("the answer")
}

fn shaken(chaos: Chaos) -> (Answerer<Precious>, Asker<Precious>, Shaking<Deadline<Precious>>) {
    let (answerer, asker) = channel();
    let shaking = chaos.shake(|| asker.deadline(), Deadline::wake_spuriously);
    (answerer, asker, shaking)
}

// Checks: S8, B48, R16, R23
#[test]
fn an_answer_reaches_the_caller() {
    explore(|chaos| {
        let (answerer, asker, _shaking) = shaken(chaos);
        let reactor = thread::spawn(move || assert!(answerer.answer(precious()).is_ok()));
        assert_eq!(asker.wait(None).as_deref(), Ok(&"the answer"));
        reactor.join().unwrap();
    });
}

// Checks: B48, R25, R27
#[test]
fn a_caller_is_told_that_its_answerer_is_gone() {
    explore(|chaos| {
        let (answerer, asker, _shaking) = shaken(chaos);
        let reactor = thread::spawn(move || drop(answerer));
        assert_eq!(asker.wait(None).unwrap_err(), NoAnswer::Broken);
        reactor.join().unwrap();
    });
}

// Checks: B48, R28, P5
#[test]
fn an_answer_against_a_deadline_is_delivered_or_handed_back() {
    explore_calm(|chaos| {
        let (answerer, asker, _shaking) = shaken(chaos);
        let deadline = asker.deadline();
        let clock = thread::spawn(move || deadline.pass());
        // What is handed back stays with the answerer's thread, to be dropped there.
        let reactor = thread::spawn(move || answerer.answer(precious()).err());
        let told = asker.wait(None);
        let handed_back = reactor.join().unwrap();
        match told {
            Ok(answer) => assert_eq!((*answer, handed_back.is_none()), ("the answer", true)),
            Err(why) => assert_eq!((why, handed_back.as_deref()), (NoAnswer::Expired, Some(&"the answer"))),
        }
        clock.join().unwrap();
    });
}

// Checks: B48, R25
#[test]
fn an_answerer_that_goes_against_a_deadline_leaves_nobody_waiting() {
    explore(|chaos| {
        let (answerer, asker, _shaking) = shaken(chaos);
        let deadline = asker.deadline();
        let clock = thread::spawn(move || deadline.pass());
        let reactor = thread::spawn(move || drop(answerer));
        let told = asker.wait(None).unwrap_err();
        assert!(matches!(told, NoAnswer::Broken | NoAnswer::Expired));
        clock.join().unwrap();
        reactor.join().unwrap();
    });
}

/// The reactor answers while somebody else stops it and lets the deadline pass, in the order that `others` says.
///
/// One thread for the two: both at once, with the answerer held by whoever takes it, are the models above, and a third thread makes this search twenty
/// times larger and no wiser.
fn answer_stop_and_deadline(others: fn(&dyn Fn() -> bool, &dyn Fn()) -> bool) {
    let (answerer, asker) = channel();
    let deadline = StdMutex::new(Some(asker.deadline()));
    // As in the reactor: whoever comes first takes the answerer, and the other finds nothing.
    let held = Arc::new(Mutex::new(Some(answerer)));
    let reactor = thread::spawn({
        let held = Arc::clone(&held);
        move || {
            let answerer = held.lock().unwrap().take();
            answerer.map(|answerer| answerer.answer(precious()))
        }
    });
    let other = thread::spawn(move || {
        let stop = || {
            let answerer = held.lock().unwrap().take();
            answerer.is_some()
        };
        others(&stop, &|| deadline.lock().unwrap().take().unwrap().pass())
    });
    let told = asker.wait(None);
    match (told, reactor.join().unwrap(), other.join().unwrap()) {
        (Ok(answer), Some(Ok(())), stopped) => assert_eq!((*answer, stopped), ("the answer", false)),
        (Err(NoAnswer::Broken | NoAnswer::Expired), None, stopped) => assert!(stopped),
        (Err(NoAnswer::Expired), Some(Err(handed_back)), stopped) => {
            assert_eq!((*handed_back, stopped), ("the answer", false))
        }
        (told, given, stopped) => {
            panic!("the caller was told {told:?}, the answerer {given:?}, and {stopped} the stop")
        }
    }
}

// Checks: B48, R25, R28
#[test]
fn an_answer_against_a_stop_and_then_a_deadline_tells_the_caller_one_thing() {
    explore_calm(|_| {
        answer_stop_and_deadline(|stop, pass| {
            let stopped = stop();
            pass();
            stopped
        })
    });
}

// Checks: B48, R25, R28
#[test]
fn an_answer_against_a_deadline_and_then_a_stop_tells_the_caller_one_thing() {
    explore_calm(|_| {
        answer_stop_and_deadline(|stop, pass| {
            pass();
            stop()
        })
    });
}

// Checks: B48
#[test]
fn an_answer_that_nobody_wants_is_not_worked_out() {
    explore(|chaos| {
        let (answerer, asker, _shaking) = shaken(chaos);
        let deadline = asker.deadline();
        let caller = thread::spawn(move || asker.wait(None).err());
        deadline.pass();
        // The reactor comes to the question when the caller's time is over.
        assert!(!answerer.is_wanted());
        assert_eq!(answerer.answer(precious()).err().as_deref(), Some(&"the answer"));
        assert_eq!(caller.join().unwrap(), Some(NoAnswer::Expired));
    });
}
