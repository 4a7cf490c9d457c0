//! Cores, cache lines, locks and threads, and the queue of events. One thread for each core: none is ever preempted.
//!
//! A lock is std's futex mutex: whoever comes may take it before those who wait, who spin for a while and then sleep.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem;

use fastrand::Rng;

use super::costs::Costs;

/// Picoseconds, so that sums are exact.
pub type Time = u64;

pub fn ps(nanoseconds: f64) -> Time {
    (nanoseconds * 1000.0).round() as Time
}

/// How often a thread looks at a lock before it sleeps, as in std.
const LOCK_SPINS: u32 = 100;

/// A cache line. Requests of other cores are served one after the other.
#[derive(Default)]
struct Line {
    owner: usize,
    /// A bit for each core that has it, the owner included.
    sharers: u128,
    free_at: Time,
}

impl Line {
    /// When the core may read it.
    fn read(&mut self, core: usize, now: Time, transfer: Time) -> Time {
        if self.sharers & 1 << core != 0 { now } else { self.fetch(core, now, transfer) }
    }

    /// When the core has it alone, and may write.
    fn write(&mut self, core: usize, now: Time, transfer: Time) -> Time {
        if self.sharers == 0 {
            self.sharers = 1 << core;
            self.owner = core;
            return now;
        }
        if self.owner == core && self.sharers == 1 << core {
            return now;
        }
        let at = self.fetch(core, now, transfer);
        self.owner = core;
        self.sharers = 1 << core;
        at
    }

    fn fetch(&mut self, core: usize, now: Time, transfer: Time) -> Time {
        self.free_at = self.free_at.max(now) + transfer;
        self.sharers |= 1 << core;
        self.free_at
    }
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Word {
    #[default]
    Unlocked,
    Locked,
    /// Locked, and somebody may sleep.
    Contended,
}

#[derive(Default)]
struct Lock {
    line: Line,
    word: Word,
    sleepers: VecDeque<usize>,
    last_holder: Option<usize>,
}

/// What a thread does next.
pub enum Step {
    Work(Time),
    Lock(usize),
    Unlock(usize),
    /// Writes to a cache line that is no lock's.
    Write(usize),
    /// Until another thread wakes this one. Returns at once if it has done so already.
    Sleep,
    Wake(usize),
    End,
}

/// A thread's program. `next` is called whenever its last step is over.
pub trait Process<S> {
    fn next(&mut self, world: &mut World<S>) -> Step;
}

/// What threads share, and one of them sees.
pub struct World<S> {
    pub costs: Costs,
    pub state: S,
    /// The thread whose turn it is.
    pub me: usize,
    /// Whether another thread held the lock before, which this one took last.
    pub moved: bool,
    pub now: Time,
    /// How often each operation was done.
    pub done: Vec<u8>,
    left: usize,
    ended_at: Time,
    rng: Rng,
}

impl<S> World<S> {
    pub fn finish(&mut self, operation: usize) {
        self.done[operation] += 1;
        self.left -= 1;
        self.ended_at = self.now;
    }

    pub fn all_done(&self) -> bool {
        self.left == 0
    }

    /// So long, more or less.
    pub fn about(&mut self, nanoseconds: f64) -> Time {
        ps(nanoseconds * (1.0 + self.costs.jitter * (2.0 * self.rng.f64() - 1.0)))
    }
}

/// Where a thread is.
#[derive(Clone, Copy)]
enum Phase {
    /// At its next step.
    Running,
    /// Its compare-and-swap has the lock's line. `first`: it has not looked at the lock before.
    Attempt {
        lock: usize,
        first: bool,
    },
    /// It is about to ask for the lock's line.
    Look {
        lock: usize,
        left: u32,
        slow: bool,
    },
    /// It reads the lock. `slow`: it has announced itself as a waiter, and must assume that there are others.
    Spin {
        lock: usize,
        left: u32,
        slow: bool,
    },
    /// Its swap, which marks the lock as contended, has the line.
    Swap {
        lock: usize,
    },
    /// It is about to sleep.
    FallAsleep {
        lock: usize,
    },
    Unlock {
        lock: usize,
    },
    Asleep,
}

struct Thread<S> {
    process: Box<dyn Process<S>>,
    phase: Phase,
    was_woken: bool,
    asleep_since: Time,
}

pub struct Machine<S> {
    world: World<S>,
    locks: Vec<Lock>,
    lines: Vec<Line>,
    threads: Vec<Thread<S>>,
    events: BinaryHeap<Reverse<(Time, u64, usize)>>,
    scheduled: u64,
    transfer: Time,
}

/// How a simulation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub nanoseconds: f64,
    /// How often each operation was done.
    pub done: Vec<u8>,
}

impl Outcome {
    pub fn each(&self) -> f64 {
        self.nanoseconds / self.done.len() as f64
    }
}

impl<S> Machine<S> {
    pub fn new(costs: Costs, locks: usize, operations: usize, state: S, seed: u64) -> Self {
        let world = World {
            costs,
            state,
            me: 0,
            moved: false,
            now: 0,
            done: vec![0; operations],
            left: operations,
            ended_at: 0,
            rng: Rng::with_seed(seed),
        };
        let locks = (0..locks).map(|_| Lock::default()).collect();
        let (threads, events) = (Vec::new(), BinaryHeap::new());
        Self { world, locks, lines: vec![Line::default()], threads, events, scheduled: 0, transfer: ps(costs.transfer) }
    }

    /// A thread, which begins at once, on a core of its own. Returns its number.
    pub fn add(&mut self, process: impl Process<S> + 'static) -> usize {
        let number = self.threads.len();
        assert!(number < 128, "a line has a bit for each core");
        self.threads.push(Thread {
            process: Box::new(process),
            phase: Phase::Running,
            was_woken: false,
            asleep_since: 0,
        });
        let start = self.world.about(self.world.costs.transfer);
        self.schedule(number, start);
        number
    }

    /// Runs until each operation was done.
    pub fn run(mut self) -> Outcome {
        while !self.world.all_done() {
            let Some(Reverse((now, _, thread))) = self.events.pop() else { panic!("all sleep, and work is left") };
            self.world.now = now;
            self.event(thread, now);
        }
        Outcome { nanoseconds: self.world.ended_at as f64 / 1000.0, done: self.world.done }
    }

    fn schedule(&mut self, thread: usize, at: Time) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, thread)));
    }

    fn enter(&mut self, thread: usize, phase: Phase, at: Time) {
        self.threads[thread].phase = phase;
        self.schedule(thread, at);
    }

    fn event(&mut self, thread: usize, now: Time) {
        match self.threads[thread].phase {
            Phase::Running => self.step(thread, now),
            Phase::Attempt { lock, first } => match self.locks[lock].word {
                Word::Unlocked => self.acquired(thread, lock, Word::Locked, now),
                _ if first => self.enter(thread, Phase::Look { lock, left: LOCK_SPINS, slow: false }, now),
                word => self.wait(thread, lock, word, now),
            },
            Phase::Look { lock, left, slow } => {
                let at = self.locks[lock].line.read(thread, now, self.transfer);
                self.enter(thread, Phase::Spin { lock, left, slow }, at);
            }
            Phase::Spin { lock, left, slow } => match self.locks[lock].word {
                Word::Locked if left > 0 => {
                    let look = Phase::Look { lock, left: left - 1, slow };
                    self.enter(thread, look, now + ps(self.world.costs.pause));
                }
                Word::Unlocked if !slow => self.write(thread, lock, Phase::Attempt { lock, first: false }, now),
                word => self.wait(thread, lock, word, now),
            },
            Phase::Swap { lock } => match mem::replace(&mut self.locks[lock].word, Word::Contended) {
                Word::Unlocked => self.acquired(thread, lock, Word::Contended, now),
                _ => self.fall_asleep(thread, lock, now),
            },
            Phase::FallAsleep { lock } => {
                if self.locks[lock].word == Word::Contended {
                    self.threads[thread].asleep_since = now;
                    self.locks[lock].sleepers.push_back(thread);
                } else {
                    self.enter(thread, Phase::Look { lock, left: LOCK_SPINS, slow: true }, now);
                }
            }
            Phase::Unlock { lock } => {
                let word = mem::take(&mut self.locks[lock].word);
                let mut at = now;
                if word == Word::Contended {
                    at += ps(self.world.costs.syscall);
                    if let Some(sleeper) = self.locks[lock].sleepers.pop_front() {
                        at = now + ps(self.world.costs.wake_call);
                        let look = Phase::Look { lock, left: LOCK_SPINS, slow: true };
                        let awake = now + self.wake_latency(sleeper, now);
                        self.enter(sleeper, look, awake);
                    }
                }
                self.enter(thread, Phase::Running, at);
            }
            Phase::Asleep => unreachable!("nothing is scheduled for it"),
        }
    }

    fn write(&mut self, thread: usize, lock: usize, then: Phase, now: Time) {
        let at = self.locks[lock].line.write(thread, now, self.transfer);
        self.enter(thread, then, at);
    }

    /// It has spun in vain.
    fn wait(&mut self, thread: usize, lock: usize, word: Word, now: Time) {
        if word == Word::Contended {
            self.fall_asleep(thread, lock, now);
        } else {
            self.write(thread, lock, Phase::Swap { lock }, now);
        }
    }

    fn fall_asleep(&mut self, thread: usize, lock: usize, now: Time) {
        self.enter(thread, Phase::FallAsleep { lock }, now + ps(self.world.costs.syscall));
    }

    fn wake_latency(&self, sleeper: usize, now: Time) -> Time {
        let costs = &self.world.costs;
        let is_soon = now - self.threads[sleeper].asleep_since < ps(Costs::CORE_AWAKE);
        ps(if is_soon { costs.wake_latency_soon } else { costs.wake_latency })
    }

    fn acquired(&mut self, thread: usize, lock: usize, word: Word, now: Time) {
        let lock = &mut self.locks[lock];
        lock.word = word;
        self.world.moved = lock.last_holder.replace(thread).is_some_and(|last| last != thread);
        self.threads[thread].phase = Phase::Running;
        self.step(thread, now);
    }

    fn step(&mut self, thread: usize, now: Time) {
        self.world.me = thread;
        match self.threads[thread].process.next(&mut self.world) {
            Step::Work(time) => self.enter(thread, Phase::Running, now + time),
            Step::Lock(lock) => self.write(thread, lock, Phase::Attempt { lock, first: true }, now),
            Step::Unlock(lock) => self.write(thread, lock, Phase::Unlock { lock }, now),
            Step::Write(line) => {
                let at = self.lines[line].write(thread, now, self.transfer);
                self.enter(thread, Phase::Running, at);
            }
            Step::Sleep if mem::take(&mut self.threads[thread].was_woken) => self.enter(thread, Phase::Running, now),
            Step::Sleep => {
                self.threads[thread].phase = Phase::Asleep;
                self.threads[thread].asleep_since = now;
            }
            Step::Wake(other) => {
                if let Phase::Asleep = self.threads[other].phase {
                    let awake = now + self.wake_latency(other, now);
                    self.enter(other, Phase::Running, awake);
                } else {
                    self.threads[other].was_woken = true;
                }
                self.enter(thread, Phase::Running, now + ps(self.world.costs.wake_call));
            }
            Step::End => {}
        }
    }
}
