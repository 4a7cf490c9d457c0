//! The founding document, sentence by sentence: what "Using Threads in Twisted" promises, this crate does.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::{Deferred, Handle, Reactor, ThreadPool, error::BlockingCallError, threads};

use crate::support::{Gate, Log, ask, wait_until, with_watchdog};

/// A function that must not be called from two threads: it is not even `Send`.
struct NotThreadSafe(Rc<Cell<u32>>);

impl NotThreadSafe {
    fn add(&mut self, x: u32) -> u32 {
        self.0.set(self.0.get() + x);
        self.0.get()
    }
}

// Checks: S1
#[test]
fn what_is_not_thread_safe_stays_with_the_reactor_and_others_call_it_there() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let address = reactor.own(NotThreadSafe(Rc::new(Cell::new(0)))).detach();
        let handle = reactor.handle();
        let writers = [1, 2, 4].map(|x| {
            let address = address.clone();
            thread::spawn(move || {
                address.blocking_call(move |value, _| (value.add(x), thread::current().id())).unwrap()
            })
        });
        let here = thread::current().id();
        let last = thread::spawn(move || {
            let answers = writers.map(|writer| writer.join().unwrap());
            handle.stop();
            answers
        });
        reactor.run();
        let answers = last.join().unwrap();
        assert_eq!(answers.map(|(sum, _)| sum).into_iter().max(), Some(7));
        assert!(answers.iter().all(|(_, ran_on)| *ran_on == here));
    });
}

// Checks: S2, B6
#[test]
fn call_from_thread_schedules_a_call_in_the_event_loop_with_its_arguments() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let not_thread_safe = Log::new();
        let noted = not_thread_safe.clone();
        let scheduler = thread::spawn(move || {
            let x = vec![3];
            handle.call_from_thread(move |_| noted.note((x, thread::current().id()))).unwrap();
            handle.stop();
        });
        reactor.run();
        scheduler.join().unwrap();
        assert_eq!(not_thread_safe, [(vec![3], thread::current().id())]);
    });
}

// Checks: S3, B29
#[test]
fn work_submitted_before_run_is_done_once_it_runs() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let log = Log::new();
        let said = log.clone();
        reactor
            .call_in_thread(move || {
                said.note(("2 seconds have passed", thread::current().id()));
                handle.stop();
            })
            .unwrap();
        assert_eq!(log.len(), 0);
        reactor.run();
        let [("2 seconds have passed", ran_on)] = log.entries()[..] else { panic!("{log:?}") };
        assert_ne!(ran_on, thread::current().id());
    });
}

// Checks: S3
#[test]
fn a_silly_blocking_method_does_not_block_the_loop() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let gate = Gate::new();
        let closed = gate.clone();
        reactor.call_in_thread(move || closed.pass()).unwrap();
        // Only the loop can open the gate, so the blocking method ends only if the loop goes on meanwhile.
        let _ = reactor.call_later(Duration::from_millis(1), move |reactor| {
            gate.open();
            reactor.stop().unwrap();
        });
        reactor.run();
    });
}

// Checks: S4
#[test]
fn the_utilities_are_free_functions_apart_from_the_reactor() {
    type Commands = Vec<Box<dyn FnOnce() + Send>>;
    type Job = fn() -> u32;
    type Question = fn(&Reactor) -> u32;
    let _: fn(&Handle, Commands) -> _ = threads::call_multiple_in_thread;
    let _: fn(&Reactor, Job) -> Deferred<u32> = threads::defer_to_thread;
    let _: fn(&Reactor, &ThreadPool, Job) -> Deferred<u32> = threads::defer_to_thread_pool;
    let _: fn(&Handle, Question) -> Result<u32, BlockingCallError> = threads::blocking_call_from_thread;
}

// Checks: S5, S12
#[test]
fn methods_are_queued_for_a_pool_and_get_no_thread_of_their_own() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for _ in 0..100 {
            let log = log.clone();
            reactor.call_in_thread(move || log.note(thread::current().id())).unwrap();
        }
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log.len(), 100);
        assert!(log.entries().into_iter().collect::<HashSet<_>>().len() <= 10);
    });
}

// Checks: S6, B47
#[test]
fn multiple_methods_run_in_the_order_of_their_list_one_after_the_other_in_one_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let log = Log::new();
        let mut commands: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for number in 0..50 {
            let log = log.clone();
            commands.push(Box::new(move || log.note((number, thread::current().id()))));
        }
        commands.push(Box::new(move || handle.stop()));
        threads::call_multiple_in_thread(&reactor.handle(), commands).unwrap();
        reactor.run();
        let (numbers, ran_on): (Vec<_>, HashSet<_>) = log.entries().into_iter().unzip();
        assert_eq!(numbers, (0..50).collect::<Vec<_>>());
        assert_eq!(ran_on.len(), 1);
        assert!(!ran_on.contains(&thread::current().id()));
    });
}

// Checks: S7, B46
#[test]
fn the_result_of_a_long_calculation_comes_back_to_the_reactors_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let local = reactor.local();
        let log = Log::new();
        let printed = log.clone();
        let calculated = threads::defer_to_thread(&reactor, || (3, thread::current().id()));
        drop(calculated.add_callback(move |(result, calculated_on)| {
            printed.note((result, calculated_on, thread::current().id()));
            local.with(|reactor| reactor.stop().unwrap()).unwrap();
        }));
        reactor.run();
        let [(3, calculated_on, printed_on)] = log.entries()[..] else { panic!("{log:?}") };
        assert_ne!(calculated_on, printed_on);
        assert_eq!(printed_on, thread::current().id());
    });
}

// Checks: S7
#[test]
fn a_callback_added_when_the_work_has_long_been_done_still_gets_the_result() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let printed = log.clone();
        reactor.call_when_running(move |reactor| {
            let calculated = threads::defer_to_thread(reactor, || 3);
            // The worker is through with it; but the loop is in here, so the Deferred cannot have fired.
            wait_until(|| reactor.thread_pool().stats().completed == 1);
            let local = reactor.local();
            drop(calculated.add_callback(move |result| {
                printed.note(result);
                local.with(|reactor| reactor.stop().unwrap()).unwrap();
            }));
        });
        reactor.run();
        assert_eq!(log, [3]);
    });
}

// Checks: S8, B48
#[test]
fn a_blocking_call_returns_what_the_function_returns() {
    assert_eq!(ask(|handle| threads::blocking_call_from_thread(handle, |_| "a page").unwrap()), "a page");
}

// Checks: S8, B48
#[test]
fn a_blocking_call_fails_with_the_original_error_of_the_function() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let error = ask(move |handle| threads::blocking_call_from_thread(handle, move |_| Err::<(), _>(refused())));
    let Err(BlockingCallError::Failed(failure)) = error else { panic!("{error:?}") };
    assert_eq!(failure.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionRefused);
}

// Checks: S8, B48
#[test]
fn a_blocking_call_of_a_function_with_a_deferred_returns_what_that_is_fired_with() {
    let answer = ask(|handle| {
        threads::blocking_call_from_thread(handle, |reactor| {
            let (page, resolver) = Deferred::<String>::new();
            let _ = reactor.call_later(Duration::from_millis(1), |_| resolver.callback("a page".to_owned()));
            page
        })
    });
    assert_eq!(answer.unwrap(), "a page");
}

// Checks: S8, B48
#[test]
fn a_blocking_call_of_a_function_with_a_deferred_fails_with_what_that_is_errbacked_with() {
    let answer = ask(|handle| {
        threads::blocking_call_from_thread(handle, |reactor| {
            let (page, resolver) = Deferred::<String>::new();
            let _ = reactor.call_later(Duration::from_millis(1), |_| {
                resolver.errback(io::Error::from(io::ErrorKind::NotFound));
            });
            page
        })
    });
    let Err(BlockingCallError::Failed(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
}

thread_local! {
    /// Makes its entry when its thread is as good as gone, and only some time after its last job.
    static GONE: Cell<Option<Gone>> = const { Cell::new(None) };
}

struct Gone(mpsc::Sender<()>);

impl Drop for Gone {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(20));
        let _ = self.0.send(());
    }
}

// Checks: S9, B42
#[test]
fn a_worker_stops_the_reactor_and_has_been_joined_when_run_returns() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (tell, told) = mpsc::channel();
        reactor
            .call_in_thread(move || {
                GONE.set(Some(Gone(tell)));
                handle.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
            })
            .unwrap();
        reactor.run();
        assert_eq!(told.try_recv(), Ok(()));
    });
}

// Checks: S10
#[test]
fn the_pool_is_a_type_of_its_own_that_needs_no_reactor() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 2).unwrap();
        let (tell, told) = mpsc::channel();
        pool.call_in_thread(move || tell.send(42).unwrap()).unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(told.try_recv(), Ok(42));
    });
}

// Checks: S11
#[test]
fn the_size_that_is_suggested_before_run_is_the_size_it_has() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        reactor.suggest_thread_pool_size(30);
        let together = Gate::new();
        let begun = Log::new();
        // Each waits for all the others: with fewer than 30 threads nobody would ever get through.
        for _ in 0..30 {
            let (together, begun) = (together.clone(), begun.clone());
            reactor
                .call_in_thread(move || {
                    begun.note(());
                    if begun.len() == 30 {
                        together.open();
                    }
                    together.pass();
                })
                .unwrap();
        }
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(begun.len(), 30);
    });
}

// Checks: S11, B31
#[test]
fn sizes_go_up_and_down_while_the_reactor_runs() {
    with_watchdog(|| {
        let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
        let handle = reactor.handle();
        let pool = reactor.thread_pool().clone();
        let resizer = thread::spawn(move || {
            let (gate, begun) = (Gate::new(), Log::new());
            for _ in 0..4 {
                let (gate, begun) = (gate.clone(), begun.clone());
                handle
                    .call_in_thread(move || {
                        begun.note(());
                        gate.pass();
                    })
                    .unwrap();
            }
            wait_until(|| begun.len() == 1);
            handle.suggest_thread_pool_size(4);
            wait_until(|| begun.len() == 4);
            handle.suggest_thread_pool_size(1);
            gate.open();
            wait_until(|| pool.stats().live == 1);
            handle.stop();
        });
        reactor.run();
        resizer.join().unwrap();
    });
}

// Checks: S12, B27
#[test]
fn a_reactor_has_five_to_ten_threads_unless_told_otherwise() {
    let sizes = |reactor: &Reactor| (reactor.thread_pool().stats().min, reactor.thread_pool().stats().max);
    assert_eq!(sizes(&Reactor::new()), (5, 10));
    assert_eq!(sizes(&Reactor::builder().pool_size(1, 30).build().unwrap()), (1, 30));
}

// Checks: S12
#[test]
fn suggesting_less_than_the_minimum_lowers_the_minimum_too() {
    let reactor = Reactor::new();
    let sizes = || (reactor.thread_pool().stats().min, reactor.thread_pool().stats().max);
    reactor.suggest_thread_pool_size(30);
    assert_eq!(sizes(), (5, 30));
    reactor.suggest_thread_pool_size(3);
    assert_eq!(sizes(), (3, 3));
    reactor.suggest_thread_pool_size(8);
    assert_eq!(sizes(), (3, 8));
}
