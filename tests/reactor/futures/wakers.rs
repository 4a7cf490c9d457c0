//! Wakers of tasks: from any thread, any number of times, at any time.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use selvedge::{Reactor, reactor::Turn};

use crate::support::{reporting, virtual_time, wait_until_asleep, with_watchdog};

/// A task that hands out its waker at its first poll, and is finished when it has been polled that often.
fn polled(reactor: &Reactor, times: usize) -> (mpsc::Receiver<Waker>, Arc<AtomicUsize>) {
    let (give, given) = mpsc::channel();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let local = reactor.local();
    let _ = reactor.spawn(poll_fn(move |context| {
        if counted.fetch_add(1, Ordering::Relaxed) == 0 {
            give.send(context.waker().clone()).unwrap();
        }
        if counted.load(Ordering::Relaxed) < times {
            return Poll::Pending;
        }
        local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
        Poll::Ready(())
    }));
    (given, polls)
}

// Checks: P23, R19
#[test]
fn a_wake_from_another_thread_wakes_a_loop_that_sleeps() {
    with_watchdog(|| {
        let (reactor, _) = reporting();
        let (given, polls) = polled(&reactor, 4);
        let handle = reactor.handle();
        let waking = thread::spawn(move || {
            let waker = given.recv().unwrap();
            for _ in 0..2 {
                wait_until_asleep(&handle);
                waker.wake_by_ref();
            }
            wait_until_asleep(&handle);
            waker.wake();
        });
        reactor.run();
        waking.join().unwrap();
        assert_eq!(polls.load(Ordering::Relaxed), 4);
    });
}

// Checks: P23, B44, R32
#[test]
fn ten_thousand_tasks_are_spawned_and_woken_while_the_inbox_is_full() {
    const TASKS: usize = 10_000;
    let reactor = Reactor::builder().inbox_bound(NonZeroUsize::new(3).unwrap()).build().unwrap();
    let handle = reactor.handle();
    let fill_inbox = || {
        while handle.call_from_thread(|_| ()).is_ok() {}
    };
    let (wakers, finished) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0)));
    fill_inbox();
    for _ in 0..TASKS {
        let (wakers, finished, mut polled) = (Rc::clone(&wakers), Rc::clone(&finished), false);
        let task = poll_fn(move |context| {
            if polled {
                return Poll::Ready(());
            }
            polled = true;
            wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        });
        drop(reactor.spawn(task).add_callback(move |()| finished.set(finished.get() + 1)));
    }
    reactor.turn().unwrap();
    assert_eq!((wakers.borrow().len(), finished.get()), (TASKS, 0), "each was polled once");
    fill_inbox();
    wakers.take().into_iter().for_each(Waker::wake);
    reactor.turn().unwrap();
    assert_eq!(finished.get(), TASKS);
}

// Checks: P21, P23
#[test]
fn a_hundred_thousand_wakes_before_the_next_turn_are_one_poll() {
    let (reactor, _, _) = virtual_time();
    let (given, polls) = polled(&reactor, 3);
    reactor.turn().unwrap();
    let waker = given.recv().unwrap();
    let wakers: Vec<_> = (0..4).map(|_| waker.clone()).collect();
    let threads: Vec<_> =
        wakers.into_iter().map(|waker| thread::spawn(move || (0..25_000).for_each(|_| waker.wake_by_ref()))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(polls.load(Ordering::Relaxed), 1);
    reactor.turn().unwrap();
    reactor.turn().unwrap();
    assert_eq!(polls.load(Ordering::Relaxed), 2);
}

// Checks: P23
#[test]
fn a_waker_is_valid_when_its_task_is_finished_cancelled_or_gone_with_its_reactor() {
    for end in ["finished", "cancelled", "reactor stopped", "reactor dropped"] {
        let (reactor, _, reports) = virtual_time();
        let (give, given) = mpsc::channel();
        let finishes = end == "finished";
        let task = reactor.spawn(poll_fn(move |context| {
            give.send(context.waker().clone()).unwrap();
            if finishes { Poll::Ready(()) } else { Poll::Pending }
        }));
        reactor.turn().unwrap();
        match end {
            "cancelled" => task.add_errback(|_| ()).cancel(),
            _ => drop(task.add_errback(|_| ())),
        }
        match end {
            "reactor stopped" => {
                reactor.handle().stop();
                reactor.run();
            }
            "reactor dropped" => drop(reactor),
            _ => {
                given.recv().unwrap().wake();
                reactor.turn().unwrap();
                continue;
            }
        }
        let waker = given.recv().unwrap();
        thread::spawn(move || {
            waker.wake_by_ref();
            let second = waker.clone();
            assert!(second.will_wake(&waker));
            second.wake();
        })
        .join()
        .unwrap();
        assert_eq!(reports.len(), 0, "{end}");
    }
}

// Checks: P23
#[test]
fn the_waker_of_a_task_that_is_over_does_not_wake_the_reactor() {
    for is_cancelled in [false, true] {
        let (wake, wakes) = mpsc::channel();
        let reactor = Reactor::builder().on_wake(move || wake.send(()).unwrap()).build().unwrap();
        let (give, given) = mpsc::channel();
        let task = reactor.spawn(poll_fn(move |context| {
            give.send(context.waker().clone()).unwrap();
            if is_cancelled { Poll::Pending } else { Poll::Ready(()) }
        }));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        task.cancel();
        drop(task.add_errback(|_| ()));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let waker = given.recv().unwrap();
        thread::spawn(move || waker.wake()).join().unwrap();
        assert_eq!((wakes.try_iter().count(), reactor.turn()), (0, Ok(Turn::Idle)));
    }
}

// Checks: P23
#[test]
fn a_waker_that_is_used_in_the_drop_of_its_own_future_changes_nothing() {
    struct Wakes(Option<Waker>);
    impl Drop for Wakes {
        fn drop(&mut self) {
            self.0.take().unwrap().wake();
        }
    }
    let (reactor, _, reports) = virtual_time();
    let mut wakes = Wakes(None);
    let task = reactor.spawn(poll_fn(move |context| {
        let wakes: &mut Wakes = &mut wakes;
        wakes.0 = Some(context.waker().clone());
        Poll::<()>::Pending
    }));
    reactor.turn().unwrap();
    task.cancel();
    drop(task.try_result());
    reactor.turn().unwrap();
    assert_eq!(reports.len(), 0);
}

// Checks: P23, R9, R17
#[test]
fn eight_tasks_that_four_threads_wake_at_random_miss_nothing() {
    const TASKS: usize = 8;
    const ROUNDS: usize = 2_000;
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let news: Arc<[AtomicUsize; TASKS]> = Arc::default();
        let (give, given) = mpsc::channel();
        let left = Rc::new(Cell::new(TASKS));
        for task in 0..TASKS {
            let (news, left, local, give) = (Arc::clone(&news), Rc::clone(&left), reactor.local(), give.clone());
            let mut handed_out = false;
            let _ = reactor.spawn(poll_fn(move |context| {
                if !handed_out {
                    handed_out = true;
                    give.send((task, context.waker().clone())).unwrap();
                }
                if news[task].load(Ordering::Acquire) < 4 * ROUNDS {
                    return Poll::Pending;
                }
                left.set(left.get() - 1);
                if left.get() == 0 {
                    local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
                }
                Poll::Ready(())
            }));
        }
        let starts = thread::spawn(move || {
            let wakers: Vec<(usize, Waker)> = given.iter().take(TASKS).collect();
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let (wakers, news) = (wakers.clone(), Arc::clone(&news));
                    thread::spawn(move || {
                        for round in 0..ROUNDS * TASKS {
                            let (task, waker) = &wakers[(round * (2 * thread + 1)) % TASKS];
                            news[*task].fetch_add(1, Ordering::Release);
                            waker.wake_by_ref();
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        reactor.run();
        starts.join().unwrap();
        assert_eq!((left.get(), reports.len()), (0, 0));
    });
}
