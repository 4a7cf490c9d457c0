//! A reactor that is hosted by a loop of another kind: its hook is called once for each sleep, whatever is posted, and
//! turns alone bring it to its end.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::iter;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use selvedge::reactor::{Event, Phase, ReactorBuilder, Turn};
use selvedge::task::{Cooperator, LoopingCall};
use selvedge::testing::VirtualClock;
use selvedge::{Deferred, Handle, Reactor, error::BlockingCallError, report::Incident, threads};

use crate::support::{DropSignal, Gate, Log, hold, wait_until, wait_until_asleep, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

/// A reactor and the calls of its hook.
pub struct Hosted {
    pub reactor: Reactor,
    pub wakes: Receiver<()>,
}

impl Hosted {
    pub fn new(configure: impl FnOnce(ReactorBuilder) -> ReactorBuilder) -> Self {
        let (wake, wakes) = mpsc::channel();
        let builder = Reactor::builder().pool_size(0, 2).on_wake(move || wake.send(()).unwrap_or_default());
        Self { reactor: configure(builder).build().unwrap(), wakes }
    }

    /// Turns the reactor until it sleeps or has ended.
    pub fn turn(&self) -> Turn {
        loop {
            match self.reactor.turn().unwrap() {
                Turn::Again => {}
                turn => return turn,
            }
        }
    }

    /// Waits for the one wake of a sleep. There is no other until the next turn.
    pub fn is_woken_once(&self) {
        self.wakes.recv().unwrap();
        self.is_not_woken();
    }

    pub fn is_not_woken(&self) {
        assert!(self.wakes.try_recv().is_err(), "the hook is called once for a sleep, and never while it is awake");
    }

    /// Hosts it to its end by wakes alone. Returns how many sleeps there were, each of which was ended by one wake.
    pub fn host(&self) -> usize {
        for sleeps in 0.. {
            if self.turn() == Turn::Ended {
                return sleeps;
            }
            self.wakes.recv().unwrap();
        }
        unreachable!("it sleeps for ever")
    }
}

pub fn plainly(builder: ReactorBuilder) -> ReactorBuilder {
    builder
}

pub fn elsewhere<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(body).join().unwrap()
}

// Checks: P100, P101
#[test]
fn the_hook_is_called_once_for_a_sleep_and_not_while_the_reactor_is_awake() {
    with_watchdog(|| {
        let hosted = Hosted::new(plainly);
        let (handle, ran) = (hosted.reactor.handle(), Log::new());
        let post = |handle: &Handle, n: u32| {
            let ran = ran.clone();
            handle.call_from_thread(move |_| ran.note(n)).unwrap();
        };
        // Before the first turn it is awake.
        post(&handle, 0);
        hosted.is_not_woken();
        assert_eq!(hosted.turn(), Turn::Idle);
        for sleep in 1..=3 {
            let first = sleep * 100;
            let (handle, running) = (handle.clone(), ran.clone());
            elsewhere(move || {
                for n in first..first + 100 {
                    let running = running.clone();
                    handle.call_from_thread(move |_| running.note(n)).unwrap();
                }
            });
            hosted.is_woken_once();
            assert_eq!(hosted.turn(), Turn::Idle);
            assert_eq!(ran.entries().len(), sleep as usize * 100 + 1);
        }
        // In a turn it is awake, and will see what is posted.
        let again = handle.clone();
        handle.call_from_thread(move |_| again.call_from_thread(|_| ()).unwrap()).unwrap();
        hosted.is_woken_once();
        assert_eq!(hosted.reactor.turn().unwrap(), Turn::Again);
        hosted.is_not_woken();
        post(&handle, 1);
        hosted.is_not_woken();
        assert_eq!(hosted.turn(), Turn::Idle);
        hosted.is_not_woken();
    });
}

/// Prepares on the reactor's thread what is posted from another while the reactor sleeps.
type Prepare = fn(&Reactor) -> Box<dyn FnOnce() + Send>;

const KINDS: &[(&str, Prepare)] = &[
    ("a call", |reactor| {
        let handle = reactor.handle();
        Box::new(move || handle.call_from_thread(|_| ()).unwrap())
    }),
    ("a call that may wait for a slot", |reactor| {
        let handle = reactor.handle();
        Box::new(move || handle.call_from_thread_waiting(None, |_| ()).unwrap())
    }),
    ("the result of a job", |reactor| {
        let job = Gate::new();
        let begun = job.clone();
        drop(threads::defer_to_thread(reactor, move || begun.pass()));
        Box::new(move || job.open())
    }),
    ("the wake of a task", |reactor| {
        let ready: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
        let waiting = Arc::clone(&ready);
        drop(reactor.spawn(poll_fn(move |context| {
            let mut waiting = waiting.lock().unwrap();
            waiting.1 = Some(context.waker().clone());
            if waiting.0 { Poll::Ready(()) } else { Poll::Pending }
        })));
        Box::new(move || {
            let waker = {
                let mut ready = ready.lock().unwrap();
                ready.0 = true;
                ready.1.take()
            };
            waker.unwrap().wake();
        })
    }),
    ("a blocking call", |reactor| {
        let handle = reactor.handle();
        Box::new(move || drop(thread::spawn(move || threads::blocking_call_from_thread(&handle, |_| 1_u32))))
    }),
    ("the answer of another reactor", |reactor| {
        let (tell, other) = mpsc::channel();
        thread::spawn(move || {
            let reactor = Reactor::new();
            tell.send(reactor.handle()).unwrap();
            reactor.run();
        });
        let (other, answer) = (other.recv().unwrap(), Gate::new());
        let answering = answer.clone();
        drop(threads::defer_to_reactor(reactor, &other, move |_| answering.pass()));
        Box::new(move || {
            answer.open();
            other.stop();
        })
    }),
    ("a call of an address", |reactor| {
        let address = reactor.own(0_u32).detach();
        Box::new(move || address.call(|_, _| ()).unwrap())
    }),
    ("the release of a value", |reactor| {
        let address = reactor.own(0_u32).detach();
        Box::new(move || address.release().unwrap())
    }),
];

// Checks: P100, P101
#[test]
fn each_kind_of_post_wakes_the_host_once() {
    with_watchdog(|| {
        for (kind, prepare) in KINDS {
            println!("{kind}");
            let hosted = Hosted::new(plainly);
            let post = prepare(&hosted.reactor);
            assert_eq!(hosted.turn(), Turn::Idle);
            elsewhere(post);
            hosted.is_woken_once();
            assert_eq!(hosted.turn(), Turn::Idle);
            hosted.is_not_woken();
        }
    });
}

// Checks: P101, P80
#[test]
fn a_blocking_call_whose_time_is_over_wakes_the_host_to_cancel() {
    with_watchdog(|| {
        let (hosted, log) = (Hosted::new(plainly), Log::new());
        let mut time = Duration::from_millis(1);
        // A call whose time is over before its turn does not run: then another is tried, with twice the time.
        while log.len() == 0 {
            assert_eq!(hosted.turn(), Turn::Idle);
            let (handle, running, cancelled) = (hosted.reactor.handle(), log.clone(), log.clone());
            let caller = thread::spawn(move || {
                threads::blocking_call_from_thread_timeout(&handle, time, move |reactor| {
                    running.note("runs");
                    let (deferred, resolver) = Deferred::<()>::with_canceller(move || cancelled.note("cancelled"));
                    let _ = reactor.own(resolver).detach();
                    deferred
                })
            });
            hosted.wakes.recv().unwrap();
            assert_eq!(hosted.turn(), Turn::Idle);
            assert!(matches!(caller.join().unwrap(), Err(BlockingCallError::TimedOut(_))));
            time *= 2;
        }
        hosted.wakes.recv().unwrap();
        assert_eq!(hosted.turn(), Turn::Idle);
        assert_eq!(log, ["runs", "cancelled"]);
        hosted.is_not_woken();
    });
}

// Checks: P102
#[test]
fn a_hosted_reactor_shuts_down_by_turns_alone() {
    with_watchdog(|| {
        for round in 0..100 {
            let hosted = Hosted::new(|builder| builder.add_pool("other", selvedge::ThreadPool::builder().size(0, 1)));
            let ran = Log::new();
            let slow = Gate::new();
            let (passing, noting) = (slow.clone(), ran.clone());
            hosted.reactor.call_in_thread(move || passing.pass()).unwrap();
            hosted.reactor.pool("other").unwrap().call_in_thread(move || noting.note("a job")).unwrap();
            let (handle, noting) = (hosted.reactor.handle(), ran.clone());
            let _ = hosted.reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |reactor| {
                threads::defer_to_thread(reactor, move || noting.note("a trigger"))
            });
            let stopper = thread::spawn(move || {
                if round % 2 == 0 {
                    slow.open();
                    handle.stop();
                } else {
                    handle.stop();
                    slow.open();
                }
                handle
            });
            let sleeps = hosted.host();
            let handle = stopper.join().unwrap();
            assert!(handle.thread_pool().has_stopped() && hosted.reactor.ended().is_some());
            assert_eq!(ran.len(), 2);
            // Each sleep had one wake, and `host` has taken it.
            assert!(hosted.wakes.try_recv().is_err(), "{sleeps} sleeps, and one wake more");
            assert_eq!(hosted.reactor.turn(), Ok(Turn::Ended));
        }
    });
}

// Checks: P100, P103
#[test]
fn what_the_host_does_between_turns_wakes_it_if_a_turn_is_due_earlier_than_it_knows() {
    with_watchdog(|| {
        let hosted = Hosted::new(|builder| builder.clock(VirtualClock::new()));
        assert_eq!(hosted.turn(), Turn::Idle);
        assert_eq!((Turn::Idle.timeout(), hosted.reactor.next_deadline()), (None, None));
        let later = hosted.reactor.call_later(9 * SECOND, |_| ());
        hosted.is_woken_once();
        // It has been told, and the turn will see what else there is.
        let _ = hosted.reactor.call_later(8 * SECOND, |_| ());
        hosted.is_not_woken();
        assert_eq!(hosted.turn(), Turn::Wait(8 * SECOND));
        assert_eq!(Turn::Wait(8 * SECOND).timeout(), Some(8 * SECOND));
        assert_eq!([Turn::Again, Turn::Ended].map(Turn::timeout), [Some(Duration::ZERO); 2]);
        assert_eq!(hosted.reactor.next_deadline(), Some(8 * SECOND));
        let never = hosted.reactor.call_later(Duration::MAX, |_| ());
        let _ = hosted.reactor.call_later(8 * SECOND, |_| ());
        later.delay(SECOND).unwrap();
        hosted.is_not_woken();
        later.reset(SECOND).unwrap();
        hosted.is_woken_once();
        assert_eq!(hosted.turn(), Turn::Wait(SECOND));
        later.cancel().unwrap();
        never.cancel().unwrap();
        hosted.is_not_woken();
        // Only the clock matters: whoever moves it turns the reactor.
        assert_eq!(hosted.reactor.advance(8 * SECOND).unwrap(), Turn::Idle);
        hosted.is_not_woken();

        // Its own stop, and a Deferred that shutdown waits for.
        let ((saved, resolver), triggered) = (Deferred::new(), Log::new());
        let noting = triggered.clone();
        let _ = hosted.reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, move |_| {
            noting.note(());
            saved
        });
        hosted.reactor.stop().unwrap();
        hosted.is_woken_once();
        assert_eq!(hosted.turn(), Turn::Idle);
        while triggered.len() == 0 {
            hosted.wakes.recv().unwrap();
            assert_eq!(hosted.turn(), Turn::Idle);
        }
        resolver.callback(());
        hosted.is_woken_once();
        assert_eq!(hosted.turn(), Turn::Ended);
    });
}

// Checks: P104
#[test]
fn a_hook_that_panics_is_reported_and_what_was_posted_runs() {
    with_watchdog(|| {
        let reports = Log::new();
        let reactor = Reactor::builder().on_wake(|| panic!("the host is gone")).on_report(reports.sink());
        let reactor = reactor.build().unwrap();
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let (handle, ran) = (reactor.handle(), Log::new());
        let running = ran.clone();
        elsewhere(move || handle.call_from_thread(move |_| running.note("ran")).unwrap());
        assert_eq!(reports, [Incident::OnWake]);
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        assert_eq!(ran, ["ran"]);
    });
}

// Checks: P100, P104
#[test]
fn a_slow_hook_holds_up_neither_posts_nor_turns_and_each_sleep_has_its_own_call() {
    with_watchdog(|| {
        let (slow, calls) = (Gate::new(), Log::new());
        let (passing, called) = (slow.clone(), calls.clone());
        let hook = move || {
            called.note(());
            if called.len() == 1 {
                passing.pass();
            }
        };
        let reactor = Reactor::builder().on_wake(hook).build().unwrap();
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let handle = reactor.handle();
        let first = thread::spawn(move || handle.call_from_thread(|_| ()).unwrap());
        wait_until(|| calls.len() == 1);
        // Its own turn, for another reason: it sleeps again, while the first call is not over.
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let handle = reactor.handle();
        elsewhere(move || (0..10).for_each(|_| handle.call_from_thread(|_| ()).unwrap()));
        assert_eq!(calls.len(), 2);
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        slow.open();
        first.join().unwrap();
        assert_eq!(calls.len(), 2);
    });
}

// Checks: P104
#[test]
fn a_hook_may_post_stop_and_drop_the_last_handle() {
    with_watchdog(|| {
        let held: Arc<Mutex<Option<Handle>>> = Arc::default();
        let (taken, ran) = (Arc::clone(&held), Log::new());
        let running = ran.clone();
        let hosted = Hosted::new(|builder| {
            builder.on_wake(move || {
                let handle = taken.lock().unwrap().take();
                if let Some(handle) = handle {
                    let running = running.clone();
                    handle.call_from_thread(move |_| running.note("posted by the hook")).unwrap();
                    handle.stop();
                }
            })
        });
        *held.lock().unwrap() = Some(hosted.reactor.handle());
        assert_eq!(hosted.turn(), Turn::Idle);
        let handle = hosted.reactor.handle();
        elsewhere(move || handle.call_from_thread(|_| ()).unwrap());
        wait_until(|| hosted.turn() == Turn::Ended);
        assert_eq!(ran, ["posted by the hook"]);
    });
}

thread_local! {
    static ON_THIS_THREAD: RefCell<Option<Rc<Reactor>>> = const { RefCell::new(None) };
}

// Checks: P104
#[test]
fn a_hook_on_the_reactors_own_thread_may_turn_it() {
    with_watchdog(|| {
        let turns = Log::new();
        let noting = turns.clone();
        let hook = move || {
            let reactor = ON_THIS_THREAD.with(|reactor| reactor.borrow().clone()).unwrap();
            noting.note(reactor.turn());
        };
        let reactor = Rc::new(Reactor::builder().on_wake(hook).build().unwrap());
        ON_THIS_THREAD.with(|own| *own.borrow_mut() = Some(Rc::clone(&reactor)));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let (ran, running) = (Log::new(), Log::clone(&turns));
        let seen = ran.clone();
        reactor.call_from_thread(move |_| seen.note(running.len())).unwrap();
        assert_eq!(turns, [Ok(Turn::Idle)]);
        assert_eq!(ran, [0], "the call ran inside its own post");
        drop(reactor);
        ON_THIS_THREAD.with(|own| own.borrow_mut().take());
    });
}

/// Does something with a reactor whose hook turns it at once, and which sleeps.
fn turned_at_once(body: impl FnOnce(&Reactor) + Send + 'static) {
    with_watchdog(|| {
        let hook = || {
            let reactor = ON_THIS_THREAD.with(|reactor| reactor.borrow().clone());
            let _ = reactor.map(|reactor| reactor.turn());
        };
        let reactor = Rc::new(Reactor::builder().on_wake(hook).build().unwrap());
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        ON_THIS_THREAD.with(|own| *own.borrow_mut() = Some(Rc::clone(&reactor)));
        body(&reactor);
        ON_THIS_THREAD.with(|own| own.borrow_mut().take());
    });
}

// Checks: P104, B67
#[test]
fn a_loop_has_one_timer_though_its_first_call_is_made_before_that_is_added() {
    turned_at_once(|reactor| {
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        let ticking = LoopingCall::new(move |_| counted.set(counted.get() + 1));
        drop(ticking.start(reactor, Duration::ZERO).unwrap());
        assert_eq!((calls.get(), reactor.delayed_calls()), (2, 1), "it was turned once, inside `start`");
        ticking.reset().unwrap();
        assert_eq!(reactor.delayed_calls(), 1);
        ticking.stop().unwrap();
        assert_eq!(reactor.delayed_calls(), 0);
        calls.set(0);
        drop(ticking.start_later(reactor, 3600 * SECOND).unwrap());
        reactor.turn().unwrap();
        assert_eq!((calls.get(), reactor.delayed_calls()), (0, 1));
        ticking.stop().unwrap();
    });
}

// Checks: P104, P33
#[test]
fn a_cooperator_has_one_tick_though_that_runs_before_it_is_added() {
    turned_at_once(|reactor| {
        let cooperator = Cooperator::builder().termination(|| || true).build(reactor);
        let steps = Rc::new(Cell::new(0));
        let counted = Rc::clone(&steps);
        let task = cooperator.cooperate(iter::repeat_with(move || counted.set(counted.get() + 1)));
        task.pause().unwrap();
        assert_eq!(reactor.delayed_calls(), 0);
        task.resume().unwrap();
        for _ in 0..3 {
            let before = steps.get();
            reactor.turn().unwrap();
            assert_eq!((steps.get() - before, reactor.delayed_calls()), (1, 1));
        }
        task.stop().unwrap();
        assert_eq!(reactor.delayed_calls(), 0);
    });
}

// Checks: P104, B6
#[test]
fn a_reactor_that_is_run_waits_by_itself_and_drops_its_hook_first() {
    with_watchdog(|| {
        let (signal, dropped) = DropSignal::new();
        let hook = move || {
            hold(&signal);
            panic!("nobody is to be told")
        };
        let reports = Log::new();
        let reactor = Reactor::builder().on_wake(hook).on_report(reports.sink()).build().unwrap();
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let handle = reactor.handle();
        let stopper = thread::spawn(move || {
            dropped.recv().unwrap();
            wait_until_asleep(&handle);
            handle.stop();
        });
        reactor.run();
        stopper.join().unwrap();
        assert_eq!(reports, []);
    });
}

// Checks: P104, P90
#[test]
fn a_hook_is_dropped_at_the_end_and_one_that_holds_a_handle_keeps_nothing_alive() {
    with_watchdog(|| {
        for ends in [true, false] {
            let (signal, dropped) = DropSignal::new();
            let own: Arc<Mutex<Option<Handle>>> = Arc::default();
            let holds = Arc::clone(&own);
            let (first, first_dropped) = DropSignal::new();
            let reactor = Reactor::builder().on_wake(move || hold(&first));
            let reactor = reactor.on_wake(move || hold(&(&signal, &holds)));
            first_dropped.recv().unwrap();
            let reactor = reactor.build().unwrap();
            let handle = reactor.handle();
            *own.lock().unwrap() = Some(reactor.handle());
            drop(own);
            assert_eq!(reactor.turn(), Ok(Turn::Idle));
            if ends {
                handle.stop();
                while reactor.turn() != Ok(Turn::Ended) {}
                dropped.recv().unwrap();
                drop(reactor);
            } else {
                // A host that no longer turns it loses nothing that was not accepted, and whoever waits is told.
                let asking = handle.clone();
                let caller = thread::spawn(move || threads::blocking_call_from_thread(&asking, |_| ()));
                wait_until(|| format!("{handle:?}").contains("calls: 1"));
                drop(reactor);
                dropped.recv().unwrap();
                assert!(matches!(caller.join().unwrap(), Err(BlockingCallError::ReactorStopped)));
            }
            assert!(handle.call_from_thread(|_| ()).is_err());
        }
    });
}
