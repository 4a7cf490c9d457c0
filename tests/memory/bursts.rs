//! What is kept of a burst: each structure that grows gives its room back when what was in it is gone.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::time::Duration;

use allocation_counter::measure;
use selvedge::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore};
use selvedge::deferred::{DeferredList, gather_results};
use selvedge::reactor::Phase;
use selvedge::task::{Cooperator, LoopingCall};
use selvedge::testing::{Step, VirtualClock};
use selvedge::{Deferred, Job, Reactor, ThreadPool, threads};

const BURST: usize = 50_000;
/// What a structure may keep of it: what the last few things in it need.
const KEPT: i64 = 32 * 1024;

/// 100 bytes, as the smallest thing that a burst is made of.
type Load = [u8; 100];

fn reactor() -> Reactor {
    Reactor::builder().clock(VirtualClock::new()).build().unwrap()
}

/// Checks what is left of a burst: after a small one, which makes what is made once.
fn is_given_back(name: &str, burst: impl Fn(usize)) {
    burst(10);
    let info = measure(|| burst(BURST));
    assert!(info.bytes_max > KEPT as u64, "{name}: the burst was none: {} bytes", info.bytes_max);
    assert!(info.bytes_current <= KEPT, "{name}: {} bytes are kept of {}", info.bytes_current, info.bytes_max);
}

// Checks: P93, R53
#[test]
fn items_and_takers_of_a_queue() {
    let queue = DeferredQueue::<Load>::new();
    let items = |number: usize| {
        (0..number).for_each(|_| queue.put([1; 100]).unwrap());
        (0..number).for_each(|_| drop(queue.get().unwrap()));
        // Those that were not taken are back in the queue.
        while !queue.is_empty() {
            drop(queue.get().unwrap().add_callback(|_| ()));
        }
    };
    is_given_back("items", items);
    is_given_back("takers", |number| {
        let takers: Vec<_> = (0..number).map(|_| queue.get().unwrap().add_callback(|_| ())).collect();
        (0..number).for_each(|_| queue.put([1; 100]).unwrap());
        drop(takers);
    });
    let waiting = |number: usize| {
        let takers: Vec<_> = (0..number).map(|_| queue.get().unwrap()).collect();
        // While nothing is put.
        drop(takers);
        assert_eq!(queue.waiting(), 0);
    };
    is_given_back("takers that are dropped", waiting);
    is_given_back("takers that are cancelled", |number| {
        let takers: Vec<_> = (0..number).map(|_| queue.get().unwrap()).collect();
        takers.into_iter().rev().for_each(|taker| {
            taker.cancel();
            drop(taker.add_errback(|_| [0; 100]));
        });
    });
}

// Checks: P93, R53
#[test]
fn waiters_of_locks_and_semaphores() {
    let (lock, semaphore) = (DeferredLock::new(), DeferredSemaphore::new(NonZeroUsize::MIN));
    // One waiter is left: the room goes with the others, not with the last.
    is_given_back("waiters of a lock", |number| {
        let held = lock.try_acquire().unwrap();
        let waiters: Vec<_> = (0..number).map(|_| lock.acquire().add_callback(drop)).collect();
        drop(held);
        drop(waiters);
    });
    let _held = semaphore.try_acquire().unwrap();
    let _last = semaphore.acquire();
    is_given_back("waiters of a semaphore", |number| {
        let waiters: Vec<_> = (0..number).map(|_| semaphore.acquire()).collect();
        for waiter in waiters {
            waiter.cancel();
            drop(waiter.add_callback(drop).add_errback(|_| ()));
        }
    });
}

// Checks: P93, R53
#[test]
fn what_a_reactor_keeps() {
    let reactor = reactor();
    reactor.turn().unwrap();
    is_given_back("timers", |number| {
        let load = [1_u8; 100];
        (0..number).for_each(|n| {
            drop(reactor.call_later(Duration::from_nanos(n as u64), move |_| assert_eq!(load, [1; 100])))
        });
        reactor.advance(Duration::from_secs(1)).unwrap();
    });
    is_given_back("timers that are cancelled", |number| {
        let timers: Vec<_> = (0..number).map(|_| reactor.call_later(Duration::from_secs(1), |_| ())).collect();
        timers.iter().for_each(|timer| timer.cancel().unwrap());
    });
    is_given_back("sleeps", |number| {
        let sleeps: Vec<_> = (0..number).map(|_| reactor.sleep(Duration::from_secs(1))).collect();
        reactor.advance(Duration::from_secs(2)).unwrap();
        drop(sleeps);
    });
    is_given_back("values", |number| {
        let values: Vec<_> = (0..number).map(|_| reactor.own([1_u8; 100])).collect();
        drop(values);
    });
    is_given_back("triggers", |number| {
        for n in 0..number {
            let phase = [Phase::Before, Phase::During, Phase::After][n % 3];
            let _ = reactor.add_event_trigger(phase, "harvest", |_| ());
        }
        reactor.fire_event("harvest").unwrap();
    });
    is_given_back("firings of an event that wait", |number| {
        let (wait, resolver) = Deferred::<()>::new();
        let _ = reactor.add_event_trigger(Phase::During, "harvest", move |_| wait);
        let _ = reactor.add_event_trigger(Phase::After, "harvest", move |_| ());
        let names: Vec<_> = (0..number).map(|n| n.to_string()).collect();
        for name in names {
            reactor.fire_event("harvest").unwrap();
            reactor.fire_event(name).unwrap();
        }
        resolver.callback(());
    });
    is_given_back("tasks", |number| {
        let tasks: Vec<_> = (0..number).map(|_| reactor.spawn(async { std::future::ready(()).await })).collect();
        reactor.advance(Duration::ZERO).unwrap();
        drop(tasks);
    });
    is_given_back("tasks that are cancelled while they wait", |number| {
        let tasks: Vec<_> = (0..number).map(|_| reactor.spawn(std::future::pending::<()>())).collect();
        reactor.advance(Duration::ZERO).unwrap();
        for task in tasks {
            task.cancel();
            drop(task.add_errback(|_| ()));
        }
    });
}

// Checks: P93, R53
#[test]
fn loops_and_tasks_of_cooperators() {
    let reactor = reactor();
    let cooperator = Cooperator::new(&reactor);
    is_given_back("tasks of a cooperator", |number| {
        let dones: Vec<_> = (0..number).map(|_| cooperator.coiterate([(); 2])).collect();
        reactor.advance(Duration::ZERO).unwrap();
        drop(dones);
    });
    let task = cooperator.cooperate([()]);
    task.pause().unwrap();
    is_given_back("those who ask for a task's end", |number| {
        let dones: Vec<_> = (0..number).map(|_| task.when_done()).collect();
        for done in dones {
            done.cancel();
            drop(done.add_errback(|_| ()));
        }
    });
    is_given_back("looping calls", |number| {
        let loops: Vec<_> = (0..number).map(|_| LoopingCall::new(|_| ())).collect();
        let ends: Vec<_> = loops.iter().map(|each| each.start(&reactor, Duration::from_secs(1)).unwrap()).collect();
        loops.iter().for_each(|each| each.stop().unwrap());
        drop(ends);
    });
}

// Checks: P93, R53
#[test]
fn callbacks_and_lists() {
    is_given_back("callbacks", |number| {
        let (mut chain, resolver) = Deferred::<usize>::new();
        for _ in 0..number {
            chain = chain.add_callback(|n| n + 1);
        }
        resolver.callback(0);
        assert_eq!(chain.try_result().unwrap().unwrap(), number);
    });
    is_given_back("members of a list", |number| {
        let (members, resolvers): (Vec<_>, Vec<_>) = (0..number).map(|_| Deferred::<()>::new()).unzip();
        let list = gather_results(members);
        resolvers.into_iter().for_each(|resolver| resolver.callback(()));
        assert_eq!(list.try_result().unwrap().unwrap().len(), number);
    });
    let left = RefCell::new(Vec::new());
    is_given_back("members of a list that is decided, but for one", |number| {
        let (members, mut resolvers): (Vec<_>, Vec<_>) = (0..=number).map(|_| Deferred::<Load>::new()).unzip();
        let list = DeferredList::new(members).fire_on_one_callback();
        left.borrow_mut().extend(resolvers.pop());
        resolvers.into_iter().for_each(|resolver| resolver.callback([1; 100]));
        assert_eq!(list.try_result().unwrap().unwrap(), (0, [1; 100]));
    });
    is_given_back("chains that are dropped inside each other", |number| {
        let mut next = None;
        for _ in 0..number {
            let (deferred, resolver) = Deferred::<()>::new();
            let inner = next.replace(resolver);
            drop(deferred.add_errback(move |_| drop(inner)));
        }
        drop(next);
    });
}

// Checks: P93, P124, P125, P110
#[test]
fn those_who_share_a_result_listen_to_a_token_or_ask() {
    let (original, resolver) = Deferred::<u32>::new();
    let shared = original.shared();
    is_given_back("waiters of a shared result that are dropped", |number| {
        drop((0..number).map(|_| shared.get()).collect::<Vec<_>>());
    });
    is_given_back("waiters of a shared result that are cancelled", |number| {
        let waiters: Vec<_> = (0..number).map(|_| shared.get().map(drop).add_errback(drop)).collect();
        waiters.iter().for_each(Deferred::cancel);
    });
    resolver.callback(1);
    let pool = ThreadPool::new(0, 0).unwrap();
    pool.start().unwrap();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    let token = ticket.token();
    is_given_back("listeners of a token", |number| {
        drop((0..number).map(|_| token.on_cancel(|| ())).collect::<Vec<_>>());
    });
    is_given_back("cancel handles", |number| {
        let (deferreds, handles): (Vec<_>, Vec<_>) =
            (0..number).map(|_| Deferred::<()>::new().0.add_errback(drop).with_cancel_handle()).unzip();
        drop((deferreds, handles));
    });
    let reactor = reactor();
    let handle = reactor.handle();
    is_given_back("questions that are given up", |number| {
        drop((0..number).map(|_| handle.ask(|_| 1)).collect::<Vec<_>>());
        // The inbox frees its room after some small batches.
        for _ in 0..100 {
            handle.call_from_thread(|_| ()).unwrap();
            reactor.turn().unwrap();
        }
    });
    is_given_back("jobs with limits that are cancelled", |number| {
        let job = || Job::new(|| ()).time_limit(Duration::from_secs(1)).queue_limit(Duration::from_secs(1));
        let jobs: Vec<_> =
            (0..number).map(|_| threads::defer_to_thread_pool(&reactor, &pool, job()).cancel_on_drop()).collect();
        drop(jobs);
        for _ in 0..100 {
            handle.call_from_thread(|_| ()).unwrap();
            reactor.turn().unwrap();
        }
    });
}

// Checks: P93, P113, B46
#[test]
fn a_job_that_is_cancelled_as_its_limit_in_the_queue_passes_leaves_nothing() {
    let (reactor, limit) = (reactor(), Duration::from_nanos(1));
    let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let rounds = |number: usize| {
        for _ in 0..number {
            let job = threads::defer_to_thread_pool(&reactor, &pool, Job::new(|| ()).queue_limit(limit));
            while stepper.step() != Some(Step::Took) {}
            // The worker has it, and the system's clock goes on where the reactor's stops.
            job.cancel();
            drop(job.add_errback(drop));
            std::thread::sleep(limit);
            while stepper.step().is_some_and(|step| step != Step::Slept) {}
            reactor.turn().unwrap();
        }
    };
    rounds(10);
    let kept = measure(|| rounds(200)).bytes_current;
    assert_eq!(pool.stats().expired, 210);
    assert!(kept <= 1_024, "{kept} bytes are kept");
}
