//! Tasks and their wakers: no wake is lost, none causes an extra poll, and a waker may outlive the reactor.

use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc as StdArc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use selvedge::loom::{Deferred, Reactor, coordination::DeferredQueue};
use selvedge::{
    Failure,
    error::{Cancelled, ReactorStopped},
};

use crate::bridge::reactor_with;
use crate::explore::{Chaos, explore, explore_calm};

/// A reactor without pool threads, which reports nothing.
fn reactor(chaos: Chaos) -> Reactor {
    reactor_with(0, chaos)
}

/// The number of events that a task waits for, under a lock of its own, as in a channel or a lock that it awaits.
type News = Arc<Mutex<u8>>;

fn add(news: &News) {
    *news.lock().unwrap() += 1;
}

/// Spawns a task that stops its reactor when that many news have arrived. Its first poll sends that many wakers.
fn waits_for(reactor: &Reactor, many: u8, news: &News) -> mpsc::Receiver<Waker> {
    let (give, wakers) = mpsc::channel();
    let (news, local, mut given) = (Arc::clone(news), reactor.local(), false);
    let _ = reactor.spawn(poll_fn(move |context| {
        if !given {
            given = true;
            (0..many).for_each(|_| give.send(context.waker().clone()).unwrap());
        }
        if *news.lock().unwrap() < many {
            return Poll::Pending;
        }
        local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
        Poll::Ready(())
    }));
    wakers
}

// Checks: P23, P21, R9, R17
#[test]
fn a_wake_against_a_poll_is_not_lost() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let news = News::default();
        let (give, given) = (Arc::new(Mutex::new(None)), Arc::clone(&news));
        // The first poll starts the thread, so that everything after it races.
        let held = Arc::clone(&give);
        let local = reactor.local();
        let _ = reactor.spawn(poll_fn(move |context| {
            let mut held = held.lock().unwrap();
            if held.is_none() {
                let (waker, news) = (context.waker().clone(), Arc::clone(&given));
                *held = Some(thread::spawn(move || {
                    add(&news);
                    waker.wake();
                }));
            }
            drop(held);
            if *given.lock().unwrap() == 0 {
                return Poll::Pending;
            }
            local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
            Poll::Ready(())
        }));
        reactor.run();
        give.lock().unwrap().take().unwrap().join().unwrap();
        assert_eq!(*news.lock().unwrap(), 1);
    });
}

// Checks: P23, P21, R16
#[test]
fn two_wakes_at_once_are_both_seen() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let news = News::default();
        let wakers = waits_for(&reactor, 2, &news);
        reactor.turn().unwrap();
        let (waker, their_news) = (wakers.recv().unwrap(), Arc::clone(&news));
        let other = thread::spawn(move || {
            add(&their_news);
            waker.wake_by_ref();
            waker
        });
        // The loop's own thread is the second.
        add(&news);
        wakers.recv().unwrap().wake();
        reactor.run();
        drop(other.join().unwrap());
    });
}

// Checks: P23, P22, P7
#[test]
fn a_wake_against_the_reactors_end_changes_nothing() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let waker = Arc::new(Mutex::new(None));
        let held = Arc::clone(&waker);
        let task = reactor.spawn(poll_fn(move |context| {
            *held.lock().unwrap() = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        task.add_errback(|failure: Failure| assert!(failure.is::<ReactorStopped>()));
        reactor.turn().unwrap();
        let waker = waker.lock().unwrap().take().unwrap();
        let thread = thread::spawn(move || {
            waker.wake_by_ref();
            waker
        });
        reactor.handle().stop();
        reactor.run();
        thread.join().unwrap().wake();
    });
}

// Checks: P23, P22
#[test]
fn a_wake_against_a_cancel_never_polls_the_dropped_future() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let waker = Arc::new(Mutex::new(None));
        let held = Arc::clone(&waker);
        let task = reactor.spawn(poll_fn(move |context| {
            *held.lock().unwrap() = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        reactor.turn().unwrap();
        let waker = waker.lock().unwrap().take().unwrap();
        let thread = thread::spawn(move || waker.wake());
        task.cancel();
        assert!(task.try_result().unwrap().unwrap_err().is::<Cancelled>());
        reactor.turn().unwrap();
        thread.join().unwrap();
        reactor.turn().unwrap();
    });
}

// Checks: P25, R20
#[test]
fn a_deferred_that_another_thread_awaits_reaches_it_or_is_cancelled() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let (deferred, resolver) = Deferred::<u8>::new();
        let mut future = deferred.into_send_future(&reactor);
        let handle = reactor.handle();
        let thread = thread::spawn(move || {
            // Polled once and dropped: the result may come before, between or after.
            let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
            drop(future);
            handle.stop();
            (polled.map(Result::unwrap), handle)
        });
        resolver.callback(1);
        reactor.run();
        let (polled, _handle) = thread.join().unwrap();
        assert!(matches!(polled, Poll::Pending | Poll::Ready(1)));
    });
}

// Checks: P97, P81, P25, R33
#[test]
fn an_item_that_another_thread_gives_up_was_received_or_is_in_its_queue() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let queue = DeferredQueue::new();
        let mut future = queue.get().unwrap().into_send_future(&reactor);
        let thread = thread::spawn(move || {
            // The item may come before the poll, between poll and drop, or when nobody wants it any more.
            let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
            drop(future);
            matches!(polled, Poll::Ready(Ok(7)))
        });
        queue.put(7).unwrap();
        let received = thread.join().unwrap();
        // The cancel, or the item that goes back.
        reactor.turn().unwrap();
        assert_eq!((queue.len(), queue.waiting()), (usize::from(!received), 0));
    });
}

// Checks: P25, P23, R9
#[test]
fn a_task_of_one_reactor_that_awaits_a_deferred_of_another_thread_is_woken() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let local = reactor.local();
        let (give, given) = mpsc::channel();
        // The other thread has a reactor of its own, which only turns.
        let other = thread::spawn(move || {
            let reactor = Reactor::builder().pool_size(0, 0).build().unwrap();
            let (deferred, resolver) = Deferred::<u8>::new();
            give.send(deferred.into_send_future(&reactor)).unwrap();
            resolver.callback(7);
            drop(reactor);
        });
        let awaited = loop {
            match given.try_recv() {
                Ok(future) => break future,
                Err(_) => thread::yield_now(),
            }
        };
        let _ = reactor.spawn(async move {
            assert_eq!(awaited.await.unwrap(), 7);
            local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
        });
        reactor.run();
        other.join().unwrap();
    });
}

// Checks: P110, R20
#[test]
fn a_question_against_the_reactors_stop_is_answered_or_told_of_it() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let handle = reactor.handle();
        let asker = thread::spawn(move || handle.ask(|_| 7_u8));
        reactor.handle().stop();
        reactor.run();
        let mut asked = asker.join().unwrap();
        match std::pin::Pin::new(&mut asked).poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(answer)) => assert_eq!(answer, 7),
            Poll::Ready(Err(failure)) => assert!(failure.is::<ReactorStopped>()),
            Poll::Pending => panic!("nobody answers any more"),
        }
    });
}

// Checks: P110, R20
#[test]
fn a_question_that_is_dropped_against_its_turn_is_not_asked_or_its_deferred_is_cancelled() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let (begun, cancelled) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let (asked, noted) = (Arc::clone(&begun), Arc::clone(&cancelled));
        let question = reactor.handle().ask(move |reactor| {
            *asked.lock().unwrap() += 1;
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || *noted.lock().unwrap() += 1);
            // It is fired by nothing else than the cancel.
            drop(reactor.own(resolver).detach());
            deferred
        });
        let asker = thread::spawn(move || drop(question));
        reactor.turn().unwrap();
        asker.join().unwrap();
        reactor.turn().unwrap();
        assert_eq!(*begun.lock().unwrap(), *cancelled.lock().unwrap());
    });
}

/// Wakes a thread that polls a future by hand.
#[derive(Default)]
struct PollingThread(Mutex<bool>, Condvar);

impl PollingThread {
    fn block_on<F: Future>(future: F) -> F::Output {
        let this = StdArc::new(Self::default());
        let waker = Waker::from(StdArc::clone(&this));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            let mut woken = this.0.lock().unwrap();
            while !mem::take(&mut *woken) {
                woken = this.1.wait(woken).unwrap();
            }
        }
    }
}

impl Wake for PollingThread {
    fn wake(self: StdArc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

// Checks: P110, P25, R9
#[test]
fn a_thread_that_awaits_an_answer_whose_deferred_fires_later_is_woken_for_it() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let asked = reactor.handle().ask(|reactor| {
            let (deferred, resolver) = Deferred::<u8>::new();
            let _ = reactor.call_later(Duration::ZERO, move |_| resolver.callback(7));
            deferred
        });
        // The answer is the Deferred; what that waits for comes in the next turn.
        reactor.turn().unwrap();
        let asker = thread::spawn(move || PollingThread::block_on(asked).unwrap());
        reactor.turn().unwrap();
        assert_eq!(asker.join().unwrap(), 7);
    });
}

// Checks: P110, R9
#[test]
fn a_thread_that_awaits_an_answer_against_the_turn_that_gives_it_is_woken_for_it() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let asked = reactor.handle().ask(|_| 7_u8);
        let asker = thread::spawn(move || PollingThread::block_on(asked).unwrap());
        reactor.turn().unwrap();
        assert_eq!(asker.join().unwrap(), 7);
    });
}
