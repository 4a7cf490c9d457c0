//! Conservation: threads wait for items, permits, places and jobs of each other, and give up at any moment. Nothing is
//! lost, and nothing is had twice.

use std::num::{NonZero, NonZeroUsize};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use selvedge::coordination::{DeferredQueue, DeferredSemaphore};
use selvedge::error::{BlockingCallError, Cancelled, Rejection};
use selvedge::pool::{Cancellation, StopPolicy, WhenFull};
use selvedge::{Failure, Job, Reactor, ThreadPool, threads};

use crate::support::{Rng, reporting, with_watchdog};

const ASKERS: u64 = 4;
const ROUNDS: usize = 150;

thread_local! {
    static QUEUE: DeferredQueue<usize> = DeferredQueue::new();
    static PERMITS: DeferredSemaphore = DeferredSemaphore::new(NonZero::new(2).unwrap());
}

/// A time after which a thread gives up: often before it could have what it waits for, often after.
fn patience(rng: &mut Rng) -> Duration {
    Duration::from_micros(rng.below(400) as u64)
}

/// Turns the reactor until these threads have ended, and until everything that they posted has run.
fn turn_until_ended<T>(reactor: &Reactor, threads: Vec<JoinHandle<T>>, mut each_turn: impl FnMut()) -> Vec<T> {
    while !threads.iter().all(JoinHandle::is_finished) {
        each_turn();
        reactor.turn().unwrap();
    }
    let ended = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for _ in 0..3 {
        reactor.turn().unwrap();
    }
    ended
}

// Checks: P97, P80, P81, R33, R40
#[test]
fn items_that_threads_wait_for_and_give_up_are_each_received_once_or_still_there() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let queue = QUEUE.with(Clone::clone);
        let askers = (0..ASKERS).map(|seed| {
            let handle = reactor.handle();
            thread::spawn(move || {
                let (mut rng, mut received) = (Rng::new(seed), Vec::new());
                for _ in 0..ROUNDS {
                    if rng.below(2) == 0 {
                        let get = |_: &Reactor| QUEUE.with(|queue| queue.get().unwrap());
                        match threads::blocking_call_from_thread_timeout(&handle, patience(&mut rng), get) {
                            Ok(item) => received.push(item),
                            Err(BlockingCallError::TimedOut(_)) => {}
                            Err(error) => panic!("{error}"),
                        }
                        continue;
                    }
                    let get = |reactor: &Reactor| QUEUE.with(|queue| queue.get().unwrap()).into_send_future(reactor);
                    let mut future =
                        threads::blocking_call_from_thread(&handle, move |reactor| Ok::<_, Failure>(get(reactor)))
                            .unwrap();
                    for _ in 0..rng.below(3) {
                        match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
                            Poll::Ready(item) => {
                                received.push(item.unwrap());
                                break;
                            }
                            Poll::Pending => thread::yield_now(),
                        }
                    }
                }
                received
            })
        });
        let (askers, mut put) = (askers.collect(), 0);
        let received = turn_until_ended(&reactor, askers, || {
            // About as many items as are asked for, so that both items and askers wait.
            if queue.len() < 2 && put < ROUNDS {
                queue.put(put).unwrap();
                put += 1;
            }
        });
        assert_eq!(queue.waiting(), 0);
        let left = (0..queue.len()).map(|_| queue.get().unwrap().try_result().unwrap().unwrap());
        let mut all: Vec<_> = received.into_iter().flatten().chain(left).collect();
        all.sort_unstable();
        assert_eq!(all, (0..put).collect::<Vec<_>>());
        assert_eq!(reports.entries(), []);
    });
}

// Checks: P97, P80, R33
#[test]
fn permits_that_threads_wait_for_and_give_up_all_come_back() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let permits = PERMITS.with(Clone::clone);
        let askers = (0..ASKERS).map(|seed| {
            let handle = reactor.handle();
            thread::spawn(move || {
                let mut rng = Rng::new(seed);
                for _ in 0..ROUNDS {
                    let hold = patience(&mut rng);
                    let work = move |reactor: &Reactor| {
                        let local = reactor.local();
                        PERMITS.with(|permits| permits.run(move || local.sleep(hold)))
                    };
                    match threads::blocking_call_from_thread_timeout(&handle, patience(&mut rng), work) {
                        Ok(()) | Err(BlockingCallError::TimedOut(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        });
        turn_until_ended(&reactor, askers.collect(), || assert!(permits.tokens() <= 2));
        assert_eq!((permits.tokens(), permits.waiting()), (2, 0));
        assert_eq!(reports.entries(), []);
    });
}

// Checks: P97, B43, B44, P2, P53
#[test]
fn jobs_that_are_cancelled_timed_out_or_stopped_by_other_threads_each_run_once_or_never() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 2).queue_bound(NonZeroUsize::MIN).build().unwrap();
        pool.start().unwrap();
        let ran: Arc<Vec<AtomicUsize>> = Arc::new((0..ASKERS as usize * ROUNDS).map(|_| AtomicUsize::new(0)).collect());
        let clients: Vec<_> = (0..ASKERS)
            .map(|seed| {
                let (pool, ran) = (pool.clone(), Arc::clone(&ran));
                thread::spawn(move || {
                    let (mut rng, mut never, mut accepted) = (Rng::new(seed), Vec::new(), 0);
                    for round in 0..ROUNDS {
                        let job = seed as usize * ROUNDS + round;
                        let counts = Arc::clone(&ran);
                        let run = move || {
                            counts[job].fetch_add(1, Ordering::Relaxed);
                        };
                        let limit = WhenFull::WaitUpTo(patience(&mut rng));
                        match pool.call_in_thread_ticketed(Job::new(run).when_full(limit)) {
                            Ok(ticket) => {
                                accepted += 1;
                                if rng.below(2) == 0 && ticket.cancel() == Cancellation::NeverRuns {
                                    never.push(job);
                                }
                            }
                            Err(rejected) => {
                                assert!(matches!(rejected.reason, Rejection::TimedOut | Rejection::PoolStopped));
                                never.push(job);
                            }
                        }
                        if seed == 0 && round + 5 == ROUNDS {
                            pool.ask_to_stop(StopPolicy::CancelQueued);
                        }
                    }
                    (never, accepted)
                })
            })
            .collect();
        let clients: Vec<(Vec<usize>, u64)> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        pool.stop().unwrap();
        let ran: Vec<_> = ran.iter().map(|times| times.load(Ordering::Relaxed)).collect();
        assert!(clients.iter().flat_map(|(never, _)| never).all(|job| ran[*job] == 0));
        assert!(ran.iter().all(|times| *times <= 1));
        let stats = pool.stats();
        assert_eq!(stats.completed, ran.iter().sum::<usize>() as u64);
        let accepted: u64 = clients.iter().map(|(_, accepted)| accepted).sum();
        assert_eq!(stats.completed + stats.cancelled + stats.failed, accepted, "{stats:?}");
    });
}

// Checks: P97, P80, B46
#[test]
fn results_of_jobs_that_are_cancelled_or_dropped_at_any_moment_come_once_or_never() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let (mut rng, came) = (Rng::new(0), Arc::new(AtomicUsize::new(0)));
        let mut expected = 0;
        for _ in 0..ROUNDS {
            let counts = Arc::clone(&came);
            let job = threads::defer_to_thread(&reactor, || ()).add_callback(move |()| {
                counts.fetch_add(1, Ordering::Relaxed);
            });
            for _ in 0..rng.below(3) {
                reactor.turn().unwrap();
            }
            if rng.below(2) == 0 {
                // Its callback has run, or never will.
                let before = came.load(Ordering::Relaxed);
                job.cancel();
                match job.try_result().unwrap_or_else(|_| unreachable!("it was cancelled")) {
                    Ok(()) => expected += 1,
                    Err(failure) => assert!(failure.is::<Cancelled>()),
                }
                assert_eq!(came.load(Ordering::Relaxed), before);
            } else {
                expected += 1;
                drop(job);
            }
        }
        reactor.handle().stop();
        reactor.run();
        assert_eq!(came.load(Ordering::Relaxed), expected);
        assert_eq!(reports.entries(), []);
    });
}
