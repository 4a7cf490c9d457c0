//! Shell 3, the token of a job: what listens to a cancel is called once, or dropped.

use loom::sync::Arc;
use loom::thread;
use selvedge::loom::ThreadPool;
use selvedge::loom::pool::Ticket;

use crate::explore::explore_calm;
use crate::pool::pool;
use crate::probes::Log;
use crate::witness::reached;

/// A ticket of a job that no worker takes.
fn ticket() -> (ThreadPool, Ticket) {
    let pool = pool(0, 1);
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    (pool, ticket)
}

// Checks: P125
#[test]
fn a_function_registered_against_a_cancel_is_called_once() {
    explore_calm(|_| {
        let (_pool, ticket) = ticket();
        let (log, token) = (Log::default(), ticket.token());
        let canceller = thread::spawn(move || ticket.cancel());
        token.on_cancel(log.job(1)).detach();
        canceller.join().unwrap();
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: P125
#[test]
fn a_function_removed_against_two_cancels_is_called_once_or_dropped() {
    explore_calm(|_| {
        let (_pool, ticket) = ticket();
        let (log, token, captured) = (Log::default(), ticket.token(), Arc::new(()));
        let (call, held) = (log.job(1), Arc::clone(&captured));
        let guard = token.on_cancel(move || {
            call();
            drop(held);
        });
        let other = ticket.clone();
        let canceller = thread::spawn(move || other.cancel());
        drop(guard);
        ticket.cancel();
        canceller.join().unwrap();
        assert!(log.seen().len() <= 1);
        reached(if log.seen().is_empty() { "removed" } else { "called" });
        assert_eq!(Arc::strong_count(&captured), 1);
    });
}
