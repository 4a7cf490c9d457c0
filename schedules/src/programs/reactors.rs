//! Programs with many threads at one or two reactors.

use std::num::NonZeroUsize;
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::thread;

use super::support::{Count, Running, crowd, join, started, stop};
use crate::error::ReactorStopped;
use crate::promises::Promises;
use crate::{Failure, Reactor, decisions, threads};

/// Four threads post to one reactor and wait for no answer.
// Checks: B6, P1, R9
pub fn posts_of_four_threads() {
    let (reactor, promises) = (Running::plain(), Promises::default());
    let loop_thread = reactor.thread();
    let posters = crowd(4, &(reactor.handle.clone(), promises.clone()), move |_, (handle, promises)| {
        for _ in 0..4 {
            let (promise, call) = promises.function("call");
            let promise = promise.on(loop_thread).of_queue(0);
            promise.answered(&handle.call_from_thread(move |_| call.run()), true);
        }
    });
    join(posters);
    reactor.stop();
    promises.check();
}

/// Three threads wait until their calls have run before they post the next: no later post makes up for a lost wake.
// Checks: B6, B9, R9
pub fn posts_that_are_waited_for() {
    let (reactor, promises) = (Running::plain(), Promises::default());
    let posters = crowd(3, &(reactor.handle.clone(), promises.clone()), |_, (handle, promises)| {
        for _ in 0..3 {
            let ((promise, call), done) = (promises.function("call"), Count::default());
            let signal = done.clone();
            let answer = handle.call_from_thread(move |_| {
                call.run();
                signal.add_one();
            });
            promise.answered(&answer, true);
            done.wait_for(1);
        }
    });
    join(posters);
    reactor.stop();
    promises.check();
}

/// Four posters wait for the one slot of an inbox.
// Checks: B44, R9
pub fn posts_to_a_full_inbox() {
    let reactor = Running::start(|| Reactor::builder().inbox_bound(NonZeroUsize::MIN).pool_size(0, 1).build().unwrap());
    let (promises, loop_thread) = (Promises::default(), reactor.thread());
    let posters = crowd(4, &(reactor.handle.clone(), promises.clone()), move |_, (handle, promises)| {
        for _ in 0..2 {
            let (promise, call) = promises.function("call");
            let promise = promise.on(loop_thread).of_queue(0);
            promise.answered(&handle.call_from_thread_waiting(None, move |_| call.run()), true);
        }
    });
    join(posters);
    reactor.stop();
    promises.check();
}

/// Posters and blocking calls against the reactor's stop: each is answered or told.
// Checks: B13, P10
pub fn calls_against_a_stop() {
    let (reactor, promises) = (Running::plain(), Promises::default());
    let callers = crowd(4, &(reactor.handle.clone(), promises.clone()), |number, (handle, promises)| {
        let (promise, call) = promises.function("call");
        if number < 2 {
            promise.answered(&handle.call_from_thread(move |_| call.run()), true);
        } else {
            let answer = threads::blocking_call_from_thread(handle, move |_| {
                call.run();
                number
            });
            promise.accepted(false);
            assert!(answer.is_err() || promise.has_run());
        }
    });
    reactor.handle.stop();
    join(callers);
    reactor.join();
    promises.check();
}

/// Jobs that block until the loop has answered, in a pool that may have one thread more for each of them.
// Checks: B45, R9
pub fn blocking_calls_from_jobs() {
    decisions::all_threads_start();
    let (reactor, pool, promises) = (Running::plain(), started(0, 2), Promises::default());
    let loop_thread = reactor.thread();
    let shared = (reactor.handle.clone(), pool.clone(), promises.clone());
    let clients = crowd(3, &shared, move |_, (handle, pool, promises)| {
        for number in 0..2 {
            let (promise, job) = promises.function("job");
            let (call_promise, call) = promises.function("blocking call");
            let (handle, call_promise) = (handle.clone(), call_promise.on(loop_thread));
            let answer = pool.call_in_thread(move || {
                job.run();
                let answer = threads::blocking_call_from_thread(&handle, move |_| {
                    call.run();
                    number
                });
                call_promise.accepted(true);
                assert_eq!(answer.unwrap(), number);
            });
            promise.answered(&answer, true);
        }
    });
    drop(shared);
    join(clients);
    stop(&pool);
    reactor.stop();
    drop(pool);
    promises.check();
}

/// A loop defers jobs, and is stopped by one of four threads that wait for nothing: each Deferred fires, on the loop.
// Checks: B13, B26
pub fn deferred_jobs_against_a_stop() {
    let reactor = Running::start(|| Reactor::builder().pool_size(0, 2).on_report(|_| ()).build().unwrap());
    let promises = Promises::default();
    let clients = crowd(4, &(reactor.handle.clone(), promises.clone()), |number, (handle, promises)| {
        if number == 0 {
            return handle.stop();
        }
        let promises = promises.clone();
        let (call_promise, call) = promises.function("call");
        let answer = handle.call_from_thread(move |reactor| {
            call.run();
            let (job_promise, job) = promises.function("job");
            let (result_promise, on_result) = promises.function("callback");
            job_promise.accepted(false);
            result_promise.on(thread::current().id()).accepted(true);
            threads::defer_to_thread(reactor, move || job.run())
                .add_both(move |_: Result<(), Failure>| on_result.run());
        });
        call_promise.answered(&answer, true);
    });
    join(clients);
    reactor.join();
    promises.check();
}

/// Three executors ask a reactor that is stopped meanwhile: each is answered or told.
// Checks: P10
pub fn questions_against_a_stop() {
    let (reactor, promises) = (Running::plain(), Promises::default());
    let askers = crowd(3, &(reactor.handle.clone(), promises.clone()), |number, (handle, promises)| {
        let (promise, question) = promises.function("question");
        let answer = block_on(handle.ask(move |_| {
            question.run();
            number
        }));
        promise.accepted(answer.is_ok());
        match answer {
            Ok(answer) => assert_eq!(answer, number),
            Err(failure) => assert!(failure.is::<ReactorStopped>(), "{failure}"),
        }
    });
    reactor.handle.stop();
    join(askers);
    reactor.join();
    promises.check();
}

/// Two reactors ask each other, and each is stopped when it has its answers.
// Checks: P10
pub fn two_reactors_that_ask_each_other() {
    let (one, other) = (Running::plain(), Running::plain());
    let promises = Promises::default();
    let answers = Count::default();
    for (from, to) in [(&one, &other), (&other, &one)] {
        for number in 0..2 {
            let (to, promises, answers) = (to.handle.clone(), promises.clone(), answers.clone());
            let here = from.thread();
            let ask = move |reactor: &Reactor| {
                let (promise, question) = promises.function("question");
                let (answer_promise, on_answer) = promises.function("answer");
                promise.accepted(true);
                answer_promise.on(here).accepted(true);
                let asked = threads::defer_to_reactor(reactor, &to, move |_| {
                    question.run();
                    number
                });
                asked.add_both(move |answer: Result<i32, Failure>| {
                    on_answer.run();
                    assert_eq!(answer.unwrap(), number);
                    answers.add_one();
                });
            };
            from.handle.call_from_thread(ask).unwrap();
        }
    }
    answers.wait_for(4);
    one.stop();
    other.stop();
    promises.check();
}

/// Timers and posts of three threads: timers run in the order of their deadlines, whenever the time passes.
// Checks: B15, B21
pub fn timers_and_posts() {
    let (reactor, promises, ran) = (Running::plain(), Promises::default(), Count::default());
    let loop_thread = reactor.thread();
    let shared = (reactor.handle.clone(), promises.clone(), ran.clone());
    let posters = crowd(3, &shared, move |number, (handle, promises, ran)| {
        let (promises, ran) = (promises.clone(), ran.clone());
        let (call_promise, call) = promises.function("call");
        let answer = handle.call_from_thread(move |reactor| {
            call.run();
            for seconds in [1, 2] {
                let ((promise, timer), ran) = (promises.function("timer"), ran.clone());
                promise.on(loop_thread).of_queue(number).accepted(true);
                let _timer = reactor.call_later(Duration::from_secs(seconds), move |_| {
                    timer.run();
                    ran.add_one();
                });
            }
        });
        call_promise.answered(&answer, true);
    });
    join(posters);
    ran.wait_for(6);
    drop(shared);
    reactor.stop();
    promises.check();
}
