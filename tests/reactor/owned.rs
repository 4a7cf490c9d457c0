//! Reactor-owned values: where they live, who may touch them and when, and where they are dropped.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::{self, ThreadId};

use selvedge::{
    Owned, Reactor,
    error::{BlockingCallError, OwnedError, Unavailable},
    report::Incident,
};

use crate::support::{DropSignal, Log, PanicOnDrop, hold, reporting, wait_until, with_watchdog};

/// Not `Send`, and knows where it is touched.
struct Local {
    touched_on: Vec<ThreadId>,
    _not_send: Rc<()>,
}

impl Local {
    fn new() -> Self {
        Self { touched_on: Vec::new(), _not_send: Rc::new(()) }
    }

    fn touch(&mut self) {
        self.touched_on.push(thread::current().id());
    }
}

// Checks: S1
#[test]
fn calls_through_an_address_run_on_the_reactors_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let owner = reactor.own(Local::new());
        let (address, handle) = (owner.address(), reactor.handle());
        let other = thread::spawn(move || {
            address.call(|value, _| value.touch()).unwrap();
            let touched_on = address.blocking_call(|value, _| value.touched_on.clone()).unwrap();
            handle.stop();
            touched_on
        });
        owner.with(Local::touch).unwrap();
        reactor.run();
        let here = thread::current().id();
        assert_eq!(other.join().unwrap(), [here, here]);
    });
}

// Checks: S1, B6
#[test]
fn calls_through_an_address_keep_their_place_among_all_posted_calls() {
    let (reactor, _) = reporting();
    let log = Log::new();
    let address = reactor.own(log.clone()).detach();
    address.call(|log, _| log.note(0)).unwrap();
    let posted = log.clone();
    reactor.call_from_thread(move |_| posted.note(1)).unwrap();
    address.clone().call(|log, _| log.note(2)).unwrap();
    assert_eq!(log.len(), 0);
    reactor.turn().unwrap();
    assert_eq!(log, [0, 1, 2]);
}

// Checks: S1
#[test]
fn each_call_has_the_value_to_itself() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let address = reactor.own(0_u32).detach();
        let writers = [(); 4].map(|()| {
            let address = address.clone();
            thread::spawn(move || (0..250).for_each(|_| address.call(|value, _| *value += 1).unwrap()))
        });
        let handle = reactor.handle();
        let reader = thread::spawn(move || {
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            let sum = address.blocking_call(|value, _| *value);
            handle.stop();
            sum
        });
        reactor.run();
        assert_eq!(reader.join().unwrap().unwrap(), 1000);
    });
}

// Checks: S1
#[test]
fn dropping_the_owner_drops_the_value_at_once() {
    let reactor = Reactor::new();
    let log = Log::new();
    let owner = reactor.own(log.when_dropped("dropped"));
    assert_eq!(log.len(), 0);
    drop(owner);
    assert_eq!(log, ["dropped"]);
}

// Checks: S1
#[test]
fn a_call_to_a_value_that_is_gone_is_dropped_unrun_and_reported() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let owner = reactor.own(());
    let (ran, captured) = (log.clone(), log.when_dropped("dropped"));
    owner
        .address()
        .call(move |(), _| {
            hold(&captured);
            ran.note("ran");
        })
        .unwrap();
    drop(owner);
    reactor.turn().unwrap();
    assert_eq!(log, ["dropped"]);
    assert_eq!(reports, [Incident::OwnedValue]);
}

// Checks: S1, B48
#[test]
fn a_blocking_call_to_a_value_that_is_gone_fails_with_that() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let place = line!() + 1;
        let (address, handle) = (reactor.own(()).address(), reactor.handle());
        let asker = thread::spawn(move || {
            let answer = address.blocking_call(|(), _| ());
            handle.stop();
            answer
        });
        reactor.run();
        let Err(BlockingCallError::Failed(failure)) = asker.join().unwrap() else { panic!("it was gone") };
        let gone = failure.downcast::<OwnedError>().unwrap();
        assert_eq!((gone.reason, gone.type_name, gone.owned_at.line()), (Unavailable::Gone, "()", place));
        assert_eq!(gone.to_string(), format!("the reactor-owned value is gone: a `()`, owned at {}", gone.owned_at));
    });
}

// Checks: P126
#[test]
fn an_address_reaches_its_value_on_its_own_thread_and_says_why_it_cannot() {
    let (reactor, other) = (Reactor::new(), Reactor::new());
    let address = reactor.own(7).detach();
    assert_eq!(address.with(&reactor, |value| *value += 1), Ok(()));
    let inside = address.with(&reactor, |value| (*value, address.with(&reactor, |_| ()).unwrap_err().reason));
    assert_eq!(inside, Ok((8, Unavailable::InUse)));
    // The other reactor owns a value with the same number.
    let same = other.own(1);
    assert_eq!(address.with(&other, |_| ()).unwrap_err().reason, Unavailable::OtherReactor);
    drop(same);
    address.release().unwrap();
    reactor.turn().unwrap();
    let gone = address.with(&reactor, |_| ()).unwrap_err();
    assert_eq!((gone.reason, gone.type_name, gone.owned_at.file()), (Unavailable::Gone, "i32", file!()));
}

// Checks: S1
#[test]
fn a_value_in_use_cannot_be_reached_again() {
    let reactor = Reactor::new();
    let owner = reactor.own(7);
    let again = owner.with(|_| owner.with(|_| ())).unwrap();
    assert_eq!(again.unwrap_err().reason, Unavailable::InUse);
    assert_eq!(owner.with(|value| *value), Ok(7));
}

// Checks: S1, B11
#[test]
fn a_call_that_comes_while_its_value_is_in_use_is_reported_and_the_user_is_not_disturbed() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let owner = reactor.own(7);
    let ran = log.clone();
    owner.address().call(move |_, _| ran.note("ran")).unwrap();
    let value = owner.with(|value| {
        reactor.turn().unwrap();
        *value
    });
    assert_eq!(value, Ok(7));
    assert_eq!(log.len(), 0);
    assert_eq!(reports, [Incident::OwnedValue]);
}

/// A value that holds its own owner.
struct Selfish {
    owner: Rc<RefCell<Option<Owned<Selfish>>>>,
    log: Log<&'static str>,
}

impl Drop for Selfish {
    fn drop(&mut self) {
        self.log.note("dropped");
    }
}

// Checks: S1, B38
#[test]
fn a_value_whose_owner_is_dropped_inside_a_call_to_it_lives_until_the_call_returns() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let owner = Rc::new(RefCell::new(None));
    owner.replace(Some(reactor.own(Selfish { owner: Rc::clone(&owner), log: log.clone() })));
    let address = owner.borrow().as_ref().unwrap().address();
    address
        .call(|value, _| {
            drop(value.owner.take());
            value.log.note("still there");
        })
        .unwrap();
    address.call(|value, _| value.log.note("back again")).unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, ["still there", "dropped"]);
    assert_eq!(reports, [Incident::OwnedValue]);
}

// Checks: S1
#[test]
fn a_value_that_is_left_stays_until_it_is_released() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (drop_signal, told) = DropSignal::new();
        let address = reactor.own(drop_signal).detach();
        let handle = reactor.handle();
        let other = thread::spawn(move || {
            address.blocking_call(|_, _| ()).unwrap();
            address.release().unwrap();
            // To release it twice does no harm.
            address.release().unwrap();
            address.blocking_call(|_, _| ()).unwrap_err();
            handle.stop();
        });
        reactor.run();
        other.join().unwrap();
        assert_eq!(told.recv(), Ok(thread::current().id()));
    });
}

// Checks: S1
#[test]
fn a_value_can_be_taken_back() {
    let reactor = Reactor::new();
    let log = Log::new();
    let owner = reactor.own(log.when_dropped("dropped"));
    let address = owner.address();
    let taken = owner.into_inner().unwrap();
    address.release().unwrap();
    reactor.turn().unwrap();
    assert_eq!(log.len(), 0);
    drop(taken);
    assert_eq!(log, ["dropped"]);
}

// Checks: S1, R28, P5
#[test]
fn values_that_are_left_are_dropped_at_the_reactors_end_on_its_thread_the_oldest_first() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for number in 0..3 {
            let _ = reactor.own(log.when_dropped(number)).detach();
        }
        let (drop_signal, told) = DropSignal::new();
        let owner = reactor.own(drop_signal);
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, [0, 1, 2]);
        assert_eq!(told.recv(), Ok(thread::current().id()));
        assert!(owner.with(|_| ()).is_err_and(|error| error.reason == Unavailable::Gone));
        assert!(owner.into_inner().is_err());
    });
}

// Checks: S1, B3
#[test]
fn an_address_outlives_its_reactor_and_hands_calls_back() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let address = reactor.own(()).detach();
        drop(reactor);
        let (drop_signal, told) = DropSignal::new();
        let call = thread::spawn(move || {
            let rejected = address.call(move |(), _| drop(drop_signal)).unwrap_err();
            assert!(address.release().is_err());
            assert!(matches!(address.blocking_call(|(), _| ()), Err(BlockingCallError::ReactorStopped)));
            rejected.job
        });
        drop(call.join().unwrap());
        assert_eq!(told.recv(), Ok(thread::current().id()));
    });
}

// Checks: S1, B8
#[test]
fn a_call_that_panics_is_reported_and_the_value_stays_usable() {
    let (reactor, reports) = reporting();
    let owner = reactor.own(7);
    owner.address().call(|_, _| panic!("a call")).unwrap();
    reactor.turn().unwrap();
    assert_eq!(reports, [Incident::Call]);
    assert_eq!(owner.with(|value| *value), Ok(7));
}

// Checks: S1, B38
#[test]
fn a_value_that_panics_when_it_is_dropped_is_reported_however_it_goes() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let released = reactor.own(PanicOnDrop).detach();
        released.release().unwrap();
        reactor.call_when_running(|reactor| {
            drop(reactor.own(PanicOnDrop));
            let _ = reactor.own(PanicOnDrop).detach();
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(reports, [Incident::Drop, Incident::Call, Incident::Drop]);
    });
}

// Checks: S1, B48, R27
#[test]
fn a_caller_that_waits_for_a_value_is_told_when_the_reactor_ends() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let address = reactor.own(()).detach();
        let handle = reactor.handle();
        let asker = thread::spawn(move || address.blocking_call(|(), _| ()));
        wait_until(|| format!("{handle:?}").contains("calls: 1"));
        // Dropped, not run: nobody will ever answer.
        drop(reactor);
        assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::ReactorStopped)));
    });
}
