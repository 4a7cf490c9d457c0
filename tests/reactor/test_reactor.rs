//! `TestReactor`: a test fails by what fails in its callbacks, and decides what comes when.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;

use selvedge::reactor::{Event, Phase, Turn};
use selvedge::testing::{Answers, Injected, TestReactor, schedules};
use selvedge::{Deferred, Failure, Reactor, deferred::execute, threads};

use crate::lifecycle::said_by;
use crate::support::{Log, OnDrop, in_own_process};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// The message that a test fails with.
fn failure_of<R>(test: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(test)) else { panic!("it must fail") };
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}

// Checks: P120
#[test]
fn a_failed_assertion_fails_the_test_wherever_it_is() {
    let places: [fn(&TestReactor); 5] = [
        |reactor| reactor.call_from_thread(|_| panic!("here")).unwrap(),
        |reactor| drop(reactor.call_later(Duration::ZERO, |_| panic!("here"))),
        |reactor| reactor.call_in_thread(|| panic!("here")).unwrap(),
        |reactor| drop(reactor.spawn(async { assert!(std::hint::black_box(false), "here") }).add_callback(|()| ())),
        // Even if the program handles the failure, as any other.
        |reactor| {
            let job = threads::defer_to_thread(reactor, || ()).add_callback(|()| -> () { panic!("here") });
            let _ = job.add_errback(|_| ());
        },
    ];
    for place in places {
        let reactor = TestReactor::new();
        place(&reactor);
        assert_eq!(failure_of(|| reactor.settle()), "here");
    }
}

// Checks: P120
#[test]
fn what_fails_outside_of_settle_fails_the_next_or_the_drop() {
    let fail = || drop(Deferred::<()>::succeed(()).add_callback(|()| -> () { panic!("here") }).add_errback(|_| ()));
    let reactor = TestReactor::new();
    fail();
    assert_eq!(failure_of(|| reactor.settle()), "here");
    fail();
    assert_eq!(failure_of(|| drop(reactor)), "here");
    // Without a test reactor, it is a failure like any other.
    fail();
    TestReactor::new().settle();
}

// Checks: P120
#[test]
fn what_fails_in_the_drop_of_the_reactor_fails_the_test() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("here");
        }
    }
    let reactor = TestReactor::new();
    let _ = reactor.own(Bomb).detach();
    assert_eq!(failure_of(|| drop(reactor)), "here");
    let reactor = TestReactor::new();
    let job = Bomb;
    reactor.call_in_thread(move || drop(job)).unwrap();
    assert_eq!(failure_of(|| drop(reactor)), "here");
    let reactor = TestReactor::new();
    drop(reactor.sleep(SECOND).add_errback(|_stopped| Err::<(), _>(Failure::msg("nobody cares"))));
    let message = failure_of(|| drop(reactor));
    assert!(message.contains("nobody cares"), "{message}");
}

// Checks: P120
#[test]
fn a_panic_on_purpose_is_contained_and_a_report_fails_the_test_unless_there_is_a_sink() {
    let reactor = TestReactor::new();
    let job = threads::defer_to_thread(&reactor, || -> () { panic_any(Injected) });
    let _ = job.add_errback(|_| ());
    assert_eq!(reactor.settle(), Turn::Idle);
    let lost = || drop(threads::defer_to_thread(&reactor, || Err::<(), _>(Failure::msg("nobody cares"))));
    lost();
    let message = failure_of(|| reactor.settle());
    assert!(message.contains("unhandled failure in a Deferred: nobody cares"), "{message}");
    drop(reactor);
    let reactor = Reactor::builder().on_report(|_| ()).build_test().unwrap();
    drop(threads::defer_to_thread(&reactor, || Err::<(), _>(Failure::msg("nobody cares"))));
    reactor.settle();
}

// Checks: P121
#[test]
fn time_passes_from_timer_to_timer_and_jobs_settle_in_between() {
    let reactor = TestReactor::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    for seconds in [3, 1, 2] {
        let log = Rc::clone(&log);
        let _ = reactor.call_later(seconds * SECOND, move |reactor| {
            assert_eq!(reactor.now(), seconds * SECOND);
            let job = threads::defer_to_thread(reactor, move || seconds).add_timeout(reactor, Duration::from_millis(1));
            let _ = job.add_callback(move |seconds| log.borrow_mut().push(seconds));
        });
    }
    assert_eq!(reactor.settle(), Turn::Wait(SECOND));
    assert_eq!(reactor.advance(2 * SECOND), Turn::Wait(SECOND));
    assert_eq!(*log.borrow(), [1, 2]);
    assert_eq!(reactor.advance(Duration::MAX), Turn::Idle);
    assert_eq!(*log.borrow(), [1, 2, 3]);
}

// Checks: P121
#[test]
fn an_advance_takes_its_time_though_nothing_or_nothing_more_is_due_in_it() {
    let reactor = TestReactor::new();
    assert_eq!((reactor.advance(HOUR), reactor.now()), (Turn::Idle, HOUR));
    let _ = reactor.call_later(3 * SECOND, |_| ());
    assert_eq!((reactor.advance(2 * SECOND), reactor.now()), (Turn::Wait(SECOND), HOUR + 2 * SECOND));
    assert_eq!((reactor.advance(2 * SECOND), reactor.now()), (Turn::Idle, HOUR + 4 * SECOND));
}

// Checks: P121
#[test]
fn a_task_that_spins_ends_advance_with_an_error_before_time_has_passed() {
    let reactor = TestReactor::new();
    let spins = reactor.spawn(std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    }));
    let message = failure_of(|| reactor.advance(SECOND));
    assert!(message.contains("does not come to rest"), "{message}");
    assert_eq!(reactor.now(), Duration::ZERO);
    spins.add_errback(|_cancelled| ()).cancel();
}

// Checks: P121
#[test]
fn block_on_lets_as_much_time_pass_as_a_result_needs_and_leaves_the_reactor_as_it_is() {
    let reactor = TestReactor::new();
    let local = reactor.local();
    for hours in 1..3 {
        let local = local.clone();
        let slept = reactor.block_on(async move {
            local.sleep(HOUR).await?;
            local.defer_to_thread(|| 6).await
        });
        assert_eq!((slept.unwrap(), reactor.now()), (6_u8, hours * HOUR));
    }
    let (deferred, resolver) = Deferred::<u32>::new();
    reactor.call_later(HOUR, move |_| resolver.callback(7));
    let later = reactor.call_later(2 * HOUR, |_| ());
    assert_eq!(reactor.block_on(deferred).unwrap(), 7);
    assert!(later.is_active() && reactor.now() == 3 * HOUR);
    assert!(reactor.block_on(async { Err::<(), _>(Failure::msg("no")) }).unwrap_err().to_string() == "no");
    later.cancel().unwrap();
    let waits_for_nobody = || {
        let reactor = TestReactor::new();
        let (never, _resolver) = Deferred::<u32>::new();
        reactor.block_on(never).unwrap()
    };
    assert!(failure_of(waits_for_nobody).contains("the result never comes"));
}

// Checks: P120
#[test]
fn a_service_of_answers_gives_them_in_order_and_fails_the_test_when_it_is_asked_once_more() {
    let service = Answers::new([1, 2]);
    let ask = || {
        let (reactor, service) = (TestReactor::new(), service.clone());
        reactor.block_on(threads::defer_to_thread(&reactor, move || service.next())).unwrap()
    };
    assert_eq!((ask(), ask()), (1, 2));
    assert!(failure_of(ask).contains("call 3 of 2 answers"));
    assert_eq!(service.calls(), 3);
}

// Checks: P121
#[test]
fn a_stop_shuts_down_within_settle() {
    let reactor = Reactor::builder().pool_size(0, 2).build_test().unwrap();
    let ran = Rc::new(Cell::new(false));
    let noted = Rc::clone(&ran);
    let _ = threads::defer_to_thread(&reactor, || ()).add_callback(move |()| noted.set(true));
    reactor.handle().stop();
    assert_eq!(reactor.settle(), Turn::Ended);
    assert!(ran.get());
    assert_eq!(reactor.advance(SECOND), Turn::Ended);
}

// Checks: P121, P94
#[test]
fn jobs_that_a_shutdown_did_not_wait_for_are_run_by_settle_after_the_end() {
    let reactor = Reactor::builder().pool_size(0, 1).stop_within(Duration::ZERO).build_test().unwrap();
    let seen = Log::new();
    let (job, jobs) = (seen.clone(), 2);
    reactor.call_when_running(move |reactor| {
        for _ in 0..jobs {
            let (job, handle) = (job.clone(), reactor.handle());
            reactor.call_in_thread(move || job.note(handle.call_from_thread(|_| ()).is_err())).unwrap();
        }
        reactor.stop().unwrap();
    });
    assert_eq!(reactor.settle(), Turn::Ended);
    assert_eq!(seen, [true; 2], "in a pool that stops without its reactor");
    let shutdown = reactor.ended().unwrap();
    assert!(shutdown.timed_out);
    assert_eq!(shutdown.late[0].queued, jobs);
    assert!(reactor.thread_pool().has_stopped());
}

// Checks: P121, P122
#[test]
fn a_job_that_runs_before_the_first_turn_does_not_keep_the_reactor_from_starting() {
    for seed in 0..8 {
        let reactor = Reactor::builder().pool_size(0, 1).build_test().unwrap().with_seed(seed);
        let started = Rc::new(Cell::new(false));
        let noted = Rc::clone(&started);
        reactor.thread_pool().start().unwrap();
        reactor.call_in_thread(|| ()).unwrap();
        reactor.add_event_trigger(Phase::During, Event::STARTUP, move |_| noted.set(true));
        assert_eq!(reactor.settle(), Turn::Idle);
        assert!(started.get(), "with seed {seed}");
    }
}

/// The order in which three jobs and a call ran.
fn order(reactor: &TestReactor) -> Vec<u32> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    for job in 1..=3_u32 {
        let seen = Rc::clone(&seen);
        let _ = threads::defer_to_thread(reactor, move || job).add_callback(move |job| seen.borrow_mut().push(job));
    }
    reactor.settle();
    seen.take()
}

// Checks: P122
#[test]
fn seeds_find_every_order_and_a_seed_always_finds_the_same() {
    let mut orders = BTreeSet::new();
    schedules(0..200, |reactor| {
        orders.insert(order(reactor));
    });
    assert_eq!(orders.len(), 6, "{orders:?}");
    for seed in 0..20 {
        let run = || order(&TestReactor::new().with_seed(seed));
        assert_eq!(run(), run());
    }
    assert_eq!(order(&TestReactor::new()), [1, 2, 3]);
}

// Checks: P122
#[test]
fn a_seed_that_fails_fails_alone_too() {
    let test = |reactor: &TestReactor| assert_ne!(order(reactor), [3, 2, 1], "the order that nobody thought of");
    let failing = (0..200).find(|seed| catch_unwind(|| schedules([*seed], test)).is_err()).unwrap();
    assert!(catch_unwind(|| schedules(0..=failing, test)).is_err());
    assert!(catch_unwind(|| schedules([failing], test)).is_err());
}

/// A panic that is contained, and handled by the program.
fn contain_a_panic() {
    drop(execute(|| -> () { panic!("contained") }).add_errback(|_| ()));
}

// Checks: P120
#[test]
fn a_panic_belongs_to_the_test_reactors_that_were_there_and_to_no_later_one() {
    let unwinds = || {
        let unwound = catch_unwind(|| {
            let _reactor = TestReactor::new();
            contain_a_panic();
            panic!("the test fails");
        });
        assert!(unwound.is_err());
    };
    unwinds();
    // The last was dropped.
    TestReactor::new().settle();
    let outer = TestReactor::new();
    unwinds();
    assert_eq!(failure_of(|| outer.settle()), "contained");
}

// Checks: P120
#[test]
fn a_test_that_settles_while_it_unwinds_fails_with_its_own_panic() {
    in_own_process(
        "test_reactor::a_test_that_settles_while_it_unwinds_fails_with_its_own_panic",
        |_| (),
        || {
            let failed = failure_of(|| {
                let reactor = TestReactor::new();
                reactor.call_from_thread(|_| panic!("contained")).unwrap();
                let _settles = OnDrop::new(|| _ = reactor.settle());
                panic!("its own");
            });
            assert_eq!(failed, "its own");
        },
    );
}

// Checks: P122
#[test]
fn the_seed_is_printed_when_a_test_fails_and_only_then() {
    let said = said_by("test_reactor::the_seed_is_printed_when_a_test_fails_and_only_then", || {
        let passes = TestReactor::new().with_seed(51);
        passes.settle();
        drop(passes);
        let fails = TestReactor::new().with_seed(52);
        contain_a_panic();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(fails))).is_err());
        let fails = TestReactor::new().with_seed(53);
        drop(Deferred::<()>::fail(Failure::msg("reported")));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(fails))).is_err());
    });
    let seeds: Vec<bool> = (51..=53).map(|seed| said.contains(&format!("this was seed {seed}"))).collect();
    assert_eq!(seeds, [false, true, true], "{said}");
}
