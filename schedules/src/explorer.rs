//! Runs programs under seeded schedules: one number is a program, how likely timeouts and failures are,
//! a scheduler, and a few schedules.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::decisions::{self, Odds};
use crate::failure::Injected;

/// A program by its name. It is given its seed, and asserts what is promised.
pub type Program = (&'static str, fn(u64));

/// Schedules of one seed. A scheduler learns from the first of them how long the program is.
pub const SCHEDULES: usize = 16;

/// No program that ends takes that many steps, and one that waits for a timeout of one in 64 is far below it.
const MAX_STEPS: usize = 200_000;

/// Deep enough for a job that calls a reactor that calls a pool.
const STACK_BYTES: usize = 1 << 18;

/// Gives each seed a scheduler of its own.
struct Seeds {
    seeds: Box<dyn Iterator<Item = u64> + Send>,
    current: Arc<AtomicU64>,
    scheduler: Option<Box<dyn Scheduler + Send>>,
}

/// A third of the seeds chooses each step at random. The others run the thread with the highest priority, and change
/// priorities at one to six steps (PCT): so a thread may be left behind for long, which random choice hardly ever does.
fn scheduler_of(seed: u64) -> Box<dyn Scheduler + Send> {
    let mixed = mix(seed ^ 0x5EED);
    match mixed % 9 {
        0..3 => Box::new(RandomScheduler::new_from_seed(mixed, SCHEDULES)),
        depth => Box::new(PctScheduler::new_from_seed(mixed, depth as usize - 1, SCHEDULES)),
    }
}

/// Neighbouring seeds have nothing in common (the finalizer of SplitMix64).
pub fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Scheduler for Seeds {
    fn new_execution(&mut self) -> Option<Schedule> {
        loop {
            if let Some(schedule) = self.scheduler.as_mut().and_then(Scheduler::new_execution) {
                let seed = self.current.load(Ordering::Relaxed);
                decisions::begin(Odds::of(mix(seed)));
                return Some(schedule);
            }
            let seed = self.seeds.next()?;
            self.current.store(seed, Ordering::Relaxed);
            self.scheduler = Some(scheduler_of(seed));
        }
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        self.scheduler.as_mut()?.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.as_mut().map_or(0, Scheduler::next_u64)
    }
}

/// Explores the schedules of these seeds, and returns their number, or the seed that fails. What fails is printed.
pub fn explore(programs: &'static [Program], seeds: impl Iterator<Item = u64> + Send + 'static) -> Result<usize, u64> {
    let current = Arc::new(AtomicU64::new(0));
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.silence_warnings = true;
    // Its first run sets shuttle's panic hook, which tells of each panic that is caught.
    Runner::new(RandomScheduler::new_from_seed(0, 1), config.clone()).run(|| ());
    print_failures(programs, &current);
    let scheduler = Seeds { seeds: Box::new(seeds), current: Arc::clone(&current), scheduler: None };
    let seed = Arc::clone(&current);
    let run = move || {
        let seed = seed.load(Ordering::Relaxed);
        let (_, program) = program_of(programs, seed);
        program(mix(seed));
    };
    catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, config).run(run)))
        .map_err(|_| current.load(Ordering::Relaxed))
}

/// The remainder of a seed is its program.
pub fn program_of(programs: &'static [Program], seed: u64) -> &'static Program {
    &programs[(seed % programs.len() as u64) as usize]
}

/// Before anything unwinds: a second panic would end the process.
fn print_failures(programs: &'static [Program], current: &Arc<AtomicU64>) {
    let current = Arc::clone(current);
    panic::set_hook(Box::new(move |info| {
        if info.payload().is::<Injected>() {
            return;
        }
        let seed = current.load(Ordering::Relaxed);
        eprintln!("{info}\n“{}” fails; this replays it: --seed {seed}", program_of(programs, seed).0);
    }));
}
