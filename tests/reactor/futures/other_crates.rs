//! Futures of other crates on the reactor: combinators of `futures`, channels of `async-channel`.

use std::rc::Rc;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, join_all, select};
use futures::{StreamExt, stream};
use selvedge::{Failure, Reactor};

use crate::support::with_watchdog;

fn stopping(reactor: &Reactor, future: impl Future<Output = ()> + 'static) {
    let local = reactor.local();
    let _ = reactor.spawn(async move {
        future.await;
        local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap();
    });
}

// Checks: P26, P23
#[test]
fn a_channel_that_another_thread_feeds_wakes_the_task_for_each_message() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (sender, receiver) = async_channel::bounded(2);
        let feeder = thread::spawn(move || (0..1_000_u32).for_each(|n| sender.send_blocking(n).unwrap()));
        stopping(&reactor, async move {
            let mut next = 0;
            while let Ok(n) = receiver.recv().await {
                assert_eq!(n, next);
                next += 1;
            }
            assert_eq!(next, 1_000);
        });
        reactor.run();
        feeder.join().unwrap();
    });
}

// Checks: P26
#[test]
fn two_tasks_talk_over_a_channel_that_is_full_half_of_the_time() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (sender, receiver) = async_channel::bounded(1);
        let _ = reactor.spawn(async move {
            for n in 0..100_u32 {
                sender.send(n).await.unwrap();
            }
        });
        stopping(&reactor, async move {
            let all: Vec<u32> = receiver.collect().await;
            assert_eq!(all, (0..100).collect::<Vec<_>>());
        });
        reactor.run();
    });
}

// Checks: P26, P20
#[test]
fn combinators_race_a_channel_against_a_timer() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let local = reactor.local();
        stopping(&reactor, async move {
            let (_silent, never) = oneshot::channel::<()>();
            let timeout = local.sleep(Duration::from_millis(1)).into_future();
            match select(never, timeout).await {
                Either::Right((Ok(()), _)) => {}
                other => panic!("{:?}", matches!(other, Either::Left(_))),
            }
            let (tell, told) = oneshot::channel();
            thread::spawn(move || tell.send(5).unwrap());
            let long = local.sleep(Duration::MAX).into_future();
            assert!(matches!(select(told, long).await, Either::Left((Ok(5), _))));
            // The timer that lost is cancelled.
            assert_eq!(local.with(Reactor::delayed_calls), Ok(0));
        });
        reactor.run();
    });
}

// Checks: P26
#[test]
fn many_at_once_are_awaited_in_one_task() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let local = reactor.local();
        stopping(&reactor, async move {
            let factor = Rc::new(1);
            let all = (0..100).map(|n| {
                let (local, factor) = (local.clone(), Rc::clone(&factor));
                async move {
                    local.sleep(Duration::from_micros(n % 7)).await?;
                    Ok::<_, Failure>(n * *factor)
                }
            });
            let sum: u64 = join_all(all).await.into_iter().map(Result::unwrap).sum();
            assert_eq!(sum, 4950);
            let doubled: Vec<u32> =
                stream::iter(1..4).map(|n| async move { n * 2 }).buffer_unordered(2).collect().await;
            assert_eq!(doubled.len(), 3);
        });
        reactor.run();
    });
}
