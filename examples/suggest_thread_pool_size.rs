//! Managing the thread pool: how many threads it may have, up or down, before or while the reactor runs.
//!
//! ```python
//! reactor.suggestThreadPoolSize(30)
//! ```

use std::error::Error;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use selvedge::{Reactor, ThreadPool};

/// As many jobs as the pool is to have threads.
const JOBS: usize = 30;

fn print_size(when: &str, pool: &ThreadPool) {
    let stats = pool.stats();
    println!("{when}: {} to {} threads", stats.min, stats.max);
}

fn main() -> Result<(), Box<dyn Error>> {
    let reactor = Reactor::new();
    print_size("by default", reactor.thread_pool());

    // Each job waits for all the others: with fewer than 30 threads none would ever get past this.
    let all_here = Arc::new(Barrier::new(JOBS));
    for _ in 0..JOBS {
        let all_here = Arc::clone(&all_here);
        let handle = reactor.handle();
        reactor.call_in_thread(move || {
            if all_here.wait().is_leader() {
                _ = handle.call_from_thread(shrink);
            }
        })?;
    }

    // 10 of the 30 are running, and wait, when the pool is told that it may have more threads.
    reactor.call_when_running(|reactor| {
        reactor.suggest_thread_pool_size(JOBS);
        print_size("after suggesting 30", reactor.thread_pool());
    });
    reactor.run();
    Ok(())
}

/// The other direction. Nobody is interrupted: threads over the new size end when they are idle.
fn shrink(reactor: &Reactor) {
    println!("{JOBS} jobs ran at the same time");
    reactor.suggest_thread_pool_size(4);
    print_size("after suggesting 4", reactor.thread_pool());
    wait_until_shrunk(reactor);
}

fn wait_until_shrunk(reactor: &Reactor) {
    let live = reactor.thread_pool().stats().live;
    if live <= 4 {
        println!("{live} threads are left");
        _ = reactor.stop();
    } else {
        reactor.call_later(Duration::from_millis(1), wait_until_shrunk);
    }
}
