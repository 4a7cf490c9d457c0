//! Load on the machine: threads that never sleep, until they are dropped.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

pub struct Neighbours {
    quit: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Neighbours {
    /// Threads of this process, which the scheduler treats as those of another. They use no memory but their own
    /// stacks, and never yield: they take processor time from the contenders, and nothing else.
    pub fn start(count: usize) -> Neighbours {
        let quit = Arc::new(AtomicBool::new(false));
        let threads = (0..count)
            .map(|_| {
                let quit = Arc::clone(&quit);
                thread::spawn(move || {
                    let mut sum = 0_u64;
                    while !quit.load(Relaxed) {
                        (0..10_000).for_each(|n| sum = black_box(sum.wrapping_mul(31).wrapping_add(n)));
                    }
                })
            })
            .collect();
        Neighbours { quit, threads }
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.quit.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("a neighbour only counts");
        }
    }
}
