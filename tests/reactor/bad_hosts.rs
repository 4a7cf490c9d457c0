//! Hosts that do not do what a hosted reactor expects of them, and hooks that do more: nothing is lost, nothing hangs.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use selvedge::error::{BlockingCallError, ReactorStopped, Rejection};
use selvedge::pool::StopPolicy;
use selvedge::reactor::{Event, Phase, ReactorBuilder, Turn};
use selvedge::testing::VirtualClock;
use selvedge::{Deferred, Failure, Handle, Reactor, ThreadPool, threads};

use crate::hosted::{Hosted, elsewhere, plainly};
use crate::support::{DropSignal, Gate, Log, OnDrop, on_a_small_stack, wait_until, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

// Checks: P100, B44
#[test]
fn a_host_that_does_not_turn_is_called_once_and_what_was_posted_waits_for_its_turn() {
    with_watchdog(|| {
        let hosted = Hosted::new(|builder| builder.inbox_bound(NonZeroUsize::new(2).unwrap()));
        let (handle, ran) = (hosted.reactor.handle(), Log::new());
        assert_eq!(hosted.turn(), Turn::Idle);
        let running = ran.clone();
        let (asked, refused) = elsewhere(move || {
            let posts = [1, 2, 3].map(|n| {
                let running = running.clone();
                handle.call_from_thread(move |_| running.note(n)).map_err(|rejected| rejected.reason)
            });
            assert_eq!(posts, [Ok(()), Ok(()), Err(Rejection::InboxFull)]);
            let answer = threads::blocking_call_from_thread_timeout(&handle, Duration::from_millis(1), |_| ());
            (handle.ask(|_| 4), answer)
        });
        assert!(matches!(refused, Err(BlockingCallError::TimedOut(_))));
        hosted.is_woken_once();
        assert_eq!(ran, []);
        assert_eq!(hosted.turn(), Turn::Idle);
        assert_eq!(ran, [1, 2]);
        assert_eq!(futures::executor::block_on(asked).unwrap(), 4);
        hosted.is_not_woken();
    });
}

// Checks: P104, P110, P90
#[test]
fn a_host_that_turns_no_more_drops_its_reactor_and_all_who_wait_are_told() {
    with_watchdog(|| {
        let hosted = Hosted::new(plainly);
        let (handle, ran) = (hosted.reactor.handle(), Log::new());
        let (job, told) = (Gate::new(), Log::new());
        let (passing, telling, noting) = (job.clone(), told.clone(), ran.clone());
        let deferred = threads::defer_to_thread(&hosted.reactor, move || {
            passing.pass();
            noting.note("the job");
        });
        drop(deferred.add_both(move |result: Result<(), Failure>| {
            telling.note(result.is_err_and(|failure| failure.is::<ReactorStopped>()));
        }));
        assert_eq!(hosted.turn(), Turn::Idle);
        let (signal, dropped) = DropSignal::new();
        let posting = handle.clone();
        let asked = elsewhere(move || {
            posting.call_from_thread(move |_| drop(signal)).unwrap();
            posting.ask(|reactor| reactor.sleep(SECOND))
        });
        let blocking = handle.clone();
        let caller = thread::spawn(move || threads::blocking_call_from_thread(&blocking, |_| ()));
        wait_until(|| format!("{handle:?}").contains("calls: 3"));
        hosted.is_woken_once();
        // The host is gone: nobody answers any more.
        drop(hosted);
        assert_eq!(dropped.recv().unwrap(), thread::current().id());
        assert_eq!(told, [true]);
        assert!(matches!(caller.join().unwrap(), Err(BlockingCallError::ReactorStopped)));
        assert!(futures::executor::block_on(asked).unwrap_err().is::<ReactorStopped>());
        assert!(futures::executor::block_on(handle.ask(|_| ())).unwrap_err().is::<ReactorStopped>());
        job.open();
        wait_until(|| handle.thread_pool().has_stopped());
        assert_eq!(ran, ["the job"]);
    });
}

// Checks: P100, P103
#[test]
fn a_turn_that_nobody_has_asked_for_finds_the_reactor_awake() {
    let hosted = Hosted::new(|builder| builder.clock(VirtualClock::new()));
    let ran = Log::new();
    let (handle, running) = (hosted.reactor.handle(), ran.clone());
    let _ = hosted.reactor.call_later(SECOND, move |_| handle.call_from_thread(move |_| running.note(())).unwrap());
    assert_eq!(hosted.turn(), Turn::Wait(SECOND));
    assert_eq!(hosted.reactor.advance(SECOND), Ok(Turn::Idle));
    assert_eq!(ran, [()]);
    hosted.is_not_woken();
}

// Checks: P100, P104
#[test]
fn a_hook_on_another_thread_may_wait_until_the_loop_has_turned() {
    with_watchdog(|| {
        let (wake, wakes) = mpsc::channel();
        let (turned, waits) = mpsc::channel::<()>();
        let waits = Mutex::new(waits);
        let reactor = Reactor::builder().on_wake(move || {
            wake.send(()).unwrap();
            waits.lock().unwrap().recv().unwrap();
        });
        let (reactor, ran) = (reactor.build().unwrap(), Log::new());
        for n in 0..10 {
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            let (handle, running) = (reactor.handle(), ran.clone());
            let poster = thread::spawn(move || handle.call_from_thread(move |_| running.note(n)).unwrap());
            wakes.recv().unwrap();
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            assert_eq!(ran.len(), n + 1);
            turned.send(()).unwrap();
            poster.join().unwrap();
        }
    });
}

thread_local! {
    static HOSTED_HERE: RefCell<Option<Rc<Reactor>>> = const { RefCell::new(None) };
}

/// A reactor whose hook turns it at once on its own thread, as long as the body runs. The log has those turns.
fn turned_by_its_hook(
    configure: impl FnOnce(ReactorBuilder) -> ReactorBuilder,
    body: impl FnOnce(&Reactor, &Log<Turn>),
) {
    let turns = Log::new();
    let noting = turns.clone();
    let hook = move || {
        if let Some(reactor) = HOSTED_HERE.with(|here| here.borrow().clone()) {
            noting.note(reactor.turn().unwrap());
        }
    };
    let reactor = Rc::new(configure(Reactor::builder()).on_wake(hook).build().unwrap());
    HOSTED_HERE.with(|here| here.replace(Some(Rc::clone(&reactor))));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    body(&reactor, &turns);
    HOSTED_HERE.with(|here| here.replace(None));
}

// Checks: P104
#[test]
fn a_hook_that_wakes_what_it_has_turned_is_called_again_and_never_inside_itself() {
    const MANY: usize = 10_000;
    with_watchdog(|| {
        on_a_small_stack(|| {
            let calls = Arc::new(AtomicUsize::new(0));
            let (counted, inside) = (Arc::clone(&calls), AtomicBool::new(false));
            let hook = move || {
                assert!(!inside.swap(true, Ordering::Relaxed), "inside itself");
                let reactor = HOSTED_HERE.with(|here| here.borrow().clone()).unwrap();
                assert_eq!(reactor.turn(), Ok(Turn::Idle));
                if counted.fetch_add(1, Ordering::Relaxed) < MANY {
                    reactor.call_from_thread(|_| ()).unwrap();
                }
                inside.store(false, Ordering::Relaxed);
                panic!("contained each time");
            };
            let reports = Arc::new(AtomicUsize::new(0));
            let counting = Arc::clone(&reports);
            let reactor = Reactor::builder().on_wake(hook).on_report(move |_| {
                counting.fetch_add(1, Ordering::Relaxed);
            });
            let reactor = Rc::new(reactor.build().unwrap());
            HOSTED_HERE.with(|here| here.replace(Some(Rc::clone(&reactor))));
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            for round in 1..3 {
                reactor.call_from_thread(|_| ()).unwrap();
                assert_eq!(calls.load(Ordering::Relaxed), MANY + round);
            }
            assert_eq!(reports.load(Ordering::Relaxed), MANY + 2);
            HOSTED_HERE.with(|here| here.replace(None));
        });
    });
}

// Checks: P104
#[test]
fn a_hook_that_has_turned_its_reactor_may_be_called_on_another_thread_before_it_returns() {
    with_watchdog(|| {
        let (calls, ran) = (Log::new(), Log::new());
        let (noting, running) = (calls.clone(), ran.clone());
        let hook = move || {
            let own = HOSTED_HERE.with(|here| here.borrow().clone());
            noting.note(if own.is_some() { "its own thread" } else { "another" });
            if let Some(reactor) = own {
                assert_eq!(reactor.turn(), Ok(Turn::Idle));
                let (handle, running) = (reactor.handle(), running.clone());
                elsewhere(move || handle.call_from_thread(move |_| running.note("the second")).unwrap());
                noting.note("its own thread goes on");
            }
        };
        let reactor = Rc::new(Reactor::builder().on_wake(hook).build().unwrap());
        HOSTED_HERE.with(|here| here.replace(Some(Rc::clone(&reactor))));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let running = ran.clone();
        reactor.call_from_thread(move |_| running.note("the first")).unwrap();
        assert_eq!(calls, ["its own thread", "another", "its own thread goes on"]);
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        assert_eq!(ran, ["the first", "the second"]);
        HOSTED_HERE.with(|here| here.replace(None));
    });
}

// Checks: P103, P104
#[test]
fn a_hook_that_turns_at_once_may_do_so_wherever_its_host_makes_a_turn_due() {
    let with_a_clock = |builder: ReactorBuilder| builder.clock(VirtualClock::new()).pool_size(0, 0);
    turned_by_its_hook(with_a_clock, |reactor, turns| {
        let ran = Log::new();
        let noting = |what| {
            let ran = ran.clone();
            move |_: &Reactor| ran.note(what)
        };
        let at_once = reactor.call_later(Duration::ZERO, noting("at once"));
        assert!(!at_once.is_active());
        let later = reactor.call_later(SECOND, noting("later"));
        assert_eq!(turns.entries(), [Turn::Idle, Turn::Wait(SECOND)]);
        later.reset(Duration::ZERO).unwrap();
        assert!(!later.is_active());
        assert_eq!(ran, ["at once", "later"]);
        // What it is turned for inside a turn, it finds by itself.
        let inner = noting("inner");
        let _ = reactor.call_later(Duration::ZERO, move |reactor| drop(reactor.call_later(Duration::ZERO, inner)));
        while reactor.turn() == Ok(Turn::Again) {}
        assert_eq!(ran.len(), 3);
        let (saved, resolver) = Deferred::new();
        let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| saved);
        let (unsaved, last) = Deferred::new();
        let _ = reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, move |_| unsaved);
        reactor.stop().unwrap();
        resolver.callback(());
        last.callback(());
        while reactor.turn() != Ok(Turn::Ended) {}
        assert!(reactor.ended().is_some());
    });
}

// Checks: P103, P104
#[test]
fn a_hook_that_turns_inside_the_turn_of_another_reactor_may_do_so() {
    turned_by_its_hook(plainly, |reactor, turns| {
        let ran = Log::new();
        let (handle, running) = (reactor.handle(), ran.clone());
        let other = Reactor::new();
        let post = move |other: &Reactor| {
            handle.call_from_thread(move |_| running.note(())).unwrap();
            other.stop().unwrap();
        };
        other.call_when_running(post);
        other.run();
        assert_eq!(turns.entries(), [Turn::Idle]);
        assert_eq!(ran, [()]);
    });
}

// Checks: P104
#[test]
fn what_a_hook_held_may_post_as_it_is_dropped() {
    struct PostsWhenDropped(Mutex<Option<Handle>>, Log<bool>);
    impl Drop for PostsWhenDropped {
        fn drop(&mut self) {
            let handle = self.0.get_mut().unwrap().take().unwrap();
            self.1.note(handle.call_from_thread(|reactor| reactor.stop().unwrap()).is_ok());
            handle.stop();
        }
    }
    with_watchdog(|| {
        for runs in [true, false] {
            let posted = Log::new();
            let held = PostsWhenDropped(Mutex::default(), posted.clone());
            let held = Arc::new(held);
            let weak = Arc::downgrade(&held);
            let reactor = Reactor::builder().on_wake(move || crate::support::hold(&held)).build().unwrap();
            *weak.upgrade().unwrap().0.lock().unwrap() = Some(reactor.handle());
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            if runs {
                reactor.run();
            } else {
                drop(reactor);
            }
            assert_eq!(posted, [runs]);
        }
    });
}

// Checks: P100, P101, P102
#[test]
fn two_reactors_in_one_host_wake_it_for_each_and_work_for_each_other() {
    with_watchdog(|| {
        let (wake, wakes) = mpsc::channel();
        let hosted = ["first", "second"].map(|name| {
            let wake = wake.clone();
            Reactor::builder().pool_size(0, 1).on_wake(move || wake.send(name).unwrap_or_default()).build().unwrap()
        });
        drop(wake);
        let [first, second] = &hosted;
        let turn = |reactor: &Reactor| loop {
            match reactor.turn().unwrap() {
                Turn::Again => {}
                turn => return turn,
            }
        };
        let (answers, to_second, to_first) = (Log::new(), second.handle(), first.handle());
        let answered = answers.clone();
        first.call_when_running(move |first| {
            let (stop_first, stop_second) = (first.handle(), to_second.clone());
            let twelve = threads::defer_to_reactor(first, &to_second, move |second| {
                to_first.call_from_thread(|_| ()).unwrap();
                threads::defer_to_thread(second, || 6_u32).add_callback(|six| 2 * six)
            });
            drop(twelve.add_callback(move |twelve| {
                answered.note(twelve);
                stop_first.stop();
                stop_second.stop();
            }));
        });
        let mut sleeps = vec![];
        let mut turn_to_rest = |name, reactor| match turn(reactor) {
            Turn::Ended => {}
            _ => sleeps.push(name),
        };
        turn_to_rest("first", first);
        turn_to_rest("second", second);
        let mut woken = vec![];
        while hosted.iter().any(|reactor| reactor.ended().is_none()) {
            woken.push(wakes.recv().unwrap());
            turn_to_rest(woken[woken.len() - 1], if woken.last() == Some(&"first") { first } else { second });
        }
        assert_eq!(answers, [12]);
        drop(hosted);
        woken.extend(wakes);
        sleeps.sort_unstable();
        woken.sort_unstable();
        assert_eq!(woken, sleeps, "each sleep of each has one wake");
    });
}

thread_local! {
    /// What this thread does when its thread-locals are dropped.
    static AT_THREAD_END: RefCell<Option<OnDrop<Box<dyn FnOnce()>>>> = const { RefCell::new(None) };
}

/// Whether this is the thread that tells of a pool's end.
fn is_closing_thread() -> bool {
    thread::current().name().is_some_and(|name| name.ends_with("-end"))
}

// Checks: P56, P100, R36
#[test]
fn a_hosted_reactor_does_not_wait_for_the_thread_whose_hook_tells_it_of_a_pools_end() {
    with_watchdog(|| {
        for is_own in [false, true] {
            let (about, log, (wake, wakes)) = (Arc::new(Mutex::new(None::<Handle>)), Log::new(), mpsc::channel());
            let (asks, asked) = (Arc::clone(&about), log.clone());
            let hook = move || {
                if is_closing_thread()
                    && let Some(handle) = asks.lock().unwrap().take()
                {
                    let (asked, wake) = (asked.clone(), wake.clone());
                    let ask = move || {
                        asked.note(threads::blocking_call_from_thread(&handle, |_| ()).is_ok());
                        wake.send(()).unwrap_or_default();
                    };
                    AT_THREAD_END.set(Some(OnDrop::new(Box::new(ask))));
                }
                wake.send(()).unwrap_or_default();
            };
            let reactor = Reactor::builder().on_wake(hook).build().unwrap();
            *about.lock().unwrap() = Some(reactor.handle());
            if is_own {
                reactor.call_in_thread(|| ()).unwrap();
                reactor.handle().stop();
            } else {
                let pool = ThreadPool::new(1, 1).unwrap();
                pool.start().unwrap();
                drop(pool.stopped(&reactor));
                assert_eq!(reactor.turn(), Ok(Turn::Idle));
                pool.ask_to_stop(StopPolicy::Drain);
            }
            while log.len() == 0 && reactor.ended().is_none() {
                if reactor.turn().unwrap() == Turn::Idle {
                    wakes.recv().unwrap();
                }
            }
            // Its own pool may end before it is asleep, so that it is not woken, or it may have ended when it is asked.
            assert!(is_own || log == [true]);
        }
    });
}

// Checks: P56, P100, B40
#[test]
fn a_stop_with_a_limit_does_not_wait_for_the_hook_that_tells_a_host_of_the_end() {
    with_watchdog(|| {
        let (gate, stopped) = (Gate::new(), Gate::new());
        let (passing, ending) = (gate.clone(), stopped.clone());
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (told, (ready, is_ready)) = (pool.clone(), mpsc::channel());
        let host = thread::spawn(move || {
            let hook = move || {
                if is_closing_thread() {
                    passing.pass();
                }
            };
            let reactor = Reactor::builder().on_wake(hook).build().unwrap();
            drop(told.stopped(&reactor));
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            ready.send(()).unwrap();
            ending.pass();
        });
        is_ready.recv().unwrap();
        assert!(pool.stop_within(StopPolicy::Drain, Duration::from_secs(3600)).is_ok());
        assert!(!gate.is_open());
        gate.open();
        stopped.open();
        host.join().unwrap();
    });
}
