//! Programs with hosted reactors, and with tasks that other threads wake.

use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use shuttle::thread;

use super::support::{Count, Running, crowd, join};
use crate::error::BlockingCallError;
use crate::promises::Promises;
use crate::reactor::Turn;
use crate::sync::{Arc, Mutex};
use crate::{Handle, Reactor, decisions, threads};

/// A reactor in a loop that only its hook wakes: the hook is called once for each sleep.
fn start_host() -> (Handle, thread::JoinHandle<()>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    let host = move || {
        let wakes = Count::default();
        let woken = wakes.clone();
        let builder = Reactor::builder().pool_size(0, 1).on_report(|_| ()).on_wake(move || woken.add_one());
        let reactor = builder.build().unwrap();
        sender.send(reactor.handle()).unwrap();
        drop(sender);
        let mut sleeps = 0;
        loop {
            match reactor.turn().unwrap() {
                Turn::Again => {}
                Turn::Wait(_) | Turn::Idle => {
                    sleeps += 1;
                    wakes.wait_for(sleeps);
                    assert_eq!(wakes.get(), sleeps, "a wake of a reactor that was awake, or a second one");
                }
                Turn::Ended => break,
            }
        }
    };
    let running = thread::spawn(host);
    (receiver.recv().unwrap(), running)
}

/// Four threads post to a hosted reactor, and each waits until its call has run.
// Checks: P1, R9
pub fn posts_to_a_hosted_reactor() {
    let (handle, host) = start_host();
    let (promises, loop_thread) = (Promises::default(), host.thread().id());
    let posters = crowd(4, &(handle.clone(), promises.clone()), move |_, (handle, promises)| {
        for _ in 0..3 {
            let ((promise, call), done) = (promises.function("call"), Count::default());
            let (promise, signal) = (promise.on(loop_thread).of_queue(0), done.clone());
            let answer = handle.call_from_thread(move |_| {
                call.run();
                signal.add_one();
            });
            promise.answered(&answer, true);
            done.wait_for(1);
        }
    });
    join(posters);
    handle.stop();
    host.join().unwrap();
    promises.check();
}

/// A task that waits for news of four threads, each of which wakes it with a waker of its first poll.
// Checks: P23, R9
pub fn a_task_that_four_threads_wake() {
    let reactor = Running::plain();
    let (news, polled, done) = (Count::default(), Count::default(), Count::default());
    let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
    let shared = (news.clone(), polled.clone(), done.clone(), Arc::clone(&wakers));
    let spawn = move |reactor: &Reactor| {
        let (news, polled, done, wakers) = shared;
        let _task = reactor.spawn(poll_fn(move |context| {
            if polled.get() == 0 {
                *wakers.lock() = vec![context.waker().clone(); 4];
                polled.add_one();
            }
            if news.get() < 4 {
                return Poll::Pending;
            }
            done.add_one();
            Poll::Ready(())
        }));
    };
    reactor.handle.call_from_thread(spawn).unwrap();
    polled.wait_for(1);
    let threads = crowd(4, &(news, wakers), |number, (news, wakers)| {
        let waker = wakers.lock().pop().unwrap();
        news.add_one();
        if number % 2 == 0 {
            waker.wake_by_ref();
        } else {
            waker.wake();
        }
    });
    done.wait_for(1);
    join(threads);
    reactor.stop();
}

/// Four tasks, each of which awaits three jobs and a sleep.
// Checks: P22
pub fn tasks_that_await_jobs() {
    decisions::all_threads_start();
    let reactor = Running::start(|| Reactor::builder().pool_size(0, 2).on_report(|_| ()).build().unwrap());
    let (promises, done) = (Promises::default(), Count::default());
    for _ in 0..4 {
        let (promises, done) = (promises.clone(), done.clone());
        let spawn = move |reactor: &Reactor| {
            let local = reactor.local();
            let _task = reactor.spawn(async move {
                for number in 0..3 {
                    let (promise, job) = promises.function("job");
                    promise.accepted(true);
                    let work = move || {
                        job.run();
                        number
                    };
                    assert_eq!(local.defer_to_thread(work).await.unwrap(), number);
                }
                local.sleep(Duration::from_secs(1)).await.unwrap();
                done.add_one();
            });
        };
        reactor.handle.call_from_thread(spawn).unwrap();
    }
    done.wait_for(4);
    reactor.stop();
    promises.check();
}

/// Four threads ask for a Deferred that fires when the time has come, and give up at the same time.
// Checks: B48, P10
pub fn blocking_calls_that_give_up() {
    const LIMIT: Duration = Duration::from_secs(1);
    let (reactor, promises) = (Running::plain(), Promises::default());
    let callers = crowd(4, &(reactor.handle.clone(), promises.clone()), |_, (handle, promises)| {
        let (promise, call) = promises.function("blocking call");
        let f = move |reactor: &Reactor| {
            call.run();
            reactor.local().sleep(LIMIT)
        };
        match threads::blocking_call_from_thread_timeout(handle, LIMIT, f) {
            Ok(()) => promise.accepted(true),
            Err(error) => {
                assert!(matches!(error, BlockingCallError::TimedOut { .. }), "{error}");
                promise.accepted(false);
            }
        }
    });
    join(callers);
    reactor.stop();
    promises.check();
}
