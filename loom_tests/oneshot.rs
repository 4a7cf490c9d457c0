//! Shell 2, the one-shot channel: the receiver learns the outcome once, is never left waiting, and no value is lost or
//! duplicated.

use std::sync::Mutex as StdMutex;

use loom::sync::{Arc, Mutex};
use loom::thread;
use selvedge::loom::shells::{Receiver, RecvError, Sender, TimeoutTrigger, channel};

use crate::explore::{Chaos, ChaosThread, explore, explore_calm};
use crate::witness::reached;

/// A value that loom counts the references of: a channel that leaks it fails the model.
type Counted = Arc<&'static str>;

fn counted() -> Counted {
    Arc::new("the value")
}

/// A channel whose receiver also wakes spuriously.
fn with_chaos(chaos: Chaos) -> (Sender<Counted>, Receiver<Counted>, ChaosThread<TimeoutTrigger<Counted>>) {
    let (sender, receiver) = channel();
    let chaos_thread = chaos.start(|| receiver.timeout_trigger(), TimeoutTrigger::wake_spuriously);
    (sender, receiver, chaos_thread)
}

// Checks: S8, B48, R16, R23
#[test]
fn a_sent_value_is_received() {
    explore(|chaos| {
        let (sender, receiver, _chaos_thread) = with_chaos(chaos);
        let sending = thread::spawn(move || assert!(sender.send(counted()).is_ok()));
        assert_eq!(receiver.recv(None).as_deref(), Ok(&"the value"));
        sending.join().unwrap();
    });
}

// Checks: B48, R25, R27
#[test]
fn the_receiver_learns_that_the_sender_was_dropped() {
    explore(|chaos| {
        let (sender, receiver, _chaos_thread) = with_chaos(chaos);
        let sending = thread::spawn(move || drop(sender));
        assert_eq!(receiver.recv(None).unwrap_err(), RecvError::Disconnected);
        sending.join().unwrap();
    });
}

// Checks: B48, R28, P5
#[test]
fn a_send_against_a_timeout_is_delivered_or_handed_back() {
    explore_calm(|chaos| {
        let (sender, receiver, _chaos_thread) = with_chaos(chaos);
        let timeout = receiver.timeout_trigger();
        let clock = thread::spawn(move || timeout.fire());
        // What is handed back stays with the sender's thread, to be dropped there.
        let sending = thread::spawn(move || sender.send(counted()).err());
        let outcome = receiver.recv(None);
        let handed_back = sending.join().unwrap();
        reached(if outcome.is_ok() { "delivered" } else { "handed back" });
        match outcome {
            Ok(value) => assert_eq!((*value, handed_back.is_none()), ("the value", true)),
            Err(why) => assert_eq!((why, handed_back.as_deref()), (RecvError::TimedOut(None), Some(&"the value"))),
        }
        clock.join().unwrap();
    });
}

// Checks: P80, P10, R33
#[test]
fn of_a_receiver_that_gives_up_and_a_sender_that_has_started_work_one_cancels_it() {
    const WORK: u8 = 7;
    explore_calm(|_| {
        let (sender, receiver) = channel::<Counted, u8>();
        let timeout = receiver.timeout_trigger();
        let clock = thread::spawn(move || timeout.fire());
        let working = thread::spawn(move || {
            let wanted = sender.start_work(WORK);
            (wanted, if wanted { sender.send(counted()).err() } else { None })
        });
        let outcome = receiver.recv(None);
        let (wanted, handed_back) = working.join().unwrap();
        reached(match &outcome {
            Ok(_) => "delivered",
            Err(RecvError::TimedOut(Some(_))) => "the receiver cancels",
            Err(_) => "the sender cancels",
        });
        match outcome {
            Ok(value) => assert_eq!((*value, wanted, handed_back.is_none()), ("the value", true, true)),
            Err(RecvError::TimedOut(Some(WORK))) => assert!(wanted && handed_back.is_some()),
            Err(RecvError::TimedOut(None)) => assert!(!wanted),
            Err(other) => panic!("{other:?}"),
        }
        clock.join().unwrap();
    });
}

// Checks: B48, R25
#[test]
fn a_dropped_sender_against_a_timeout_leaves_nobody_waiting() {
    explore(|chaos| {
        let (sender, receiver, _chaos_thread) = with_chaos(chaos);
        let timeout = receiver.timeout_trigger();
        let clock = thread::spawn(move || timeout.fire());
        let sending = thread::spawn(move || drop(sender));
        let outcome = receiver.recv(None).unwrap_err();
        assert!(matches!(outcome, RecvError::Disconnected | RecvError::TimedOut(None)));
        clock.join().unwrap();
        sending.join().unwrap();
    });
}

/// One thread sends; another stops the reactor and lets the timeout pass, in the order that `others` chooses.
///
/// Stop and timeout share one thread: a third thread would make the search twenty times larger and add nothing that the
/// models above do not explore.
fn send_against_stop_and_timeout(others: fn(&dyn Fn() -> bool, &dyn Fn()) -> bool) {
    let (sender, receiver) = channel::<_, ()>();
    let timeout = StdMutex::new(Some(receiver.timeout_trigger()));
    // As in the reactor: the first of send and stop takes the sender, and the other finds nothing.
    let held = Arc::new(Mutex::new(Some(sender)));
    let sending = thread::spawn({
        let held = Arc::clone(&held);
        move || {
            let sender = held.lock().unwrap().take();
            sender.map(|sender| sender.send(counted()))
        }
    });
    let other = thread::spawn(move || {
        let stop = || {
            let sender = held.lock().unwrap().take();
            sender.is_some()
        };
        others(&stop, &|| timeout.lock().unwrap().take().unwrap().fire())
    });
    let outcome = receiver.recv(None);
    match (outcome, sending.join().unwrap(), other.join().unwrap()) {
        (Ok(value), Some(Ok(())), stopped) => assert_eq!((*value, stopped), ("the value", false)),
        (Err(RecvError::Disconnected | RecvError::TimedOut(None)), None, stopped) => assert!(stopped),
        (Err(RecvError::TimedOut(None)), Some(Err(handed_back)), stopped) => {
            assert_eq!((*handed_back, stopped), ("the value", false))
        }
        (outcome, given, stopped) => {
            panic!("received {outcome:?}, sent {given:?}, stopped {stopped}")
        }
    }
}

// Checks: B48, R25, R28
#[test]
fn a_send_against_a_stop_and_then_a_timeout_has_one_outcome() {
    explore_calm(|_| {
        send_against_stop_and_timeout(|stop, time_out| {
            let stopped = stop();
            time_out();
            stopped
        })
    });
}

// Checks: B48, R25, R28
#[test]
fn a_send_against_a_timeout_and_then_a_stop_has_one_outcome() {
    explore_calm(|_| {
        send_against_stop_and_timeout(|stop, time_out| {
            time_out();
            stop()
        })
    });
}

// Checks: B48
#[test]
fn after_a_timeout_the_sender_sees_that_the_value_is_not_wanted() {
    explore(|chaos| {
        let (sender, receiver, _chaos_thread) = with_chaos(chaos);
        let timeout = receiver.timeout_trigger();
        let caller = thread::spawn(move || receiver.recv(None).err());
        timeout.fire();
        // The sender looks only after the timeout.
        assert!(!sender.is_wanted());
        assert_eq!(sender.send(counted()).err().as_deref(), Some(&"the value"));
        assert_eq!(caller.join().unwrap(), Some(RecvError::TimedOut(None)));
    });
}
