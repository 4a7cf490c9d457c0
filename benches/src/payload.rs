//! The work that every contender carries: closures that leave a trace, so that no round can skip one or run one twice.

use std::sync::Mutex;
use std::sync::atomic::{
    AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
    Ordering::Release,
};
use std::thread::{self, Thread};

use crossbeam_utils::CachePadded;

/// What the peers of a loop carry. selvedge boxes the same closure, which takes `&Reactor` besides.
pub type Job = Box<dyn FnOnce() + Send>;

static SUM: AtomicU64 = AtomicU64::new(0);

/// Run on one loop thread at a time, which is why a load and a store do: an atomic addition would cost as much as the fastest
/// contender.
pub fn trace(number: u64) {
    SUM.store(SUM.load(Relaxed).wrapping_add(number + 1), Relaxed);
}

pub fn job(number: u64) -> Job {
    Box::new(move || trace(number))
}

/// Each of the numbers below `operations` has been traced, since the last time this was asked.
pub fn assert_all_traced(operations: u64) {
    assert_eq!(
        SUM.swap(0, Relaxed),
        operations * (operations + 1) / 2,
        "a closure was lost, or ran twice"
    );
}

const STRIPES: usize = 64;

/// Counts jobs that run on several threads at once.
///
/// A single counter would be the most contended thing in the measurement. Jobs that run at the same time are mostly
/// neighbours in number, and neighbours are on different cache lines here.
struct Board {
    stripes: [CachePadded<AtomicU64>; STRIPES],
    open: AtomicUsize,
    waiter: Mutex<Option<Thread>>,
}

static BOARD: Board = Board {
    stripes: [const { CachePadded::new(AtomicU64::new(0)) }; STRIPES],
    open: AtomicUsize::new(0),
    waiter: Mutex::new(None),
};

/// Must be punched once, on whichever thread.
pub struct Ticket(u64);

impl Ticket {
    pub fn punch(self) {
        let stripe = &BOARD.stripes[self.0 as usize % STRIPES];
        if stripe.fetch_sub(1, AcqRel) == 1 && BOARD.open.fetch_sub(1, AcqRel) == 1 {
            let waiter = BOARD
                .waiter
                .lock()
                .expect("nothing panics under this lock")
                .take();
            waiter.expect("one ticket is the last").unpark();
        }
    }
}

/// Gives out so many tickets and waits until all of them have been punched.
pub fn submit_and_wait(operations: u64, submit: impl Fn(Ticket)) {
    let stripes = operations.min(STRIPES as u64);
    *BOARD.waiter.lock().expect("nothing panics under this lock") = Some(thread::current());
    BOARD.open.store(stripes as usize, Release);
    for (index, stripe) in (0..stripes).zip(&BOARD.stripes) {
        stripe.store((operations - index).div_ceil(STRIPES as u64), Release);
    }
    for number in 0..operations {
        submit(Ticket(number));
    }
    while BOARD.open.load(Acquire) > 0 {
        thread::park();
    }
}
