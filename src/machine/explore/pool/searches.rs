//! The worlds of the pool that are searched, with their pinned sizes, and the bugs that must be found.

use std::sync::OnceLock;

use super::super::{Rows, must_find, must_hold, table, table_file};
use super::labels;
use super::plain_store::PlainStore;
use super::plan::{Budget, Bug, Plan};
use super::world::PoolWorld;
use crate::machine::pool::{Compensation, Policy, Sizes, SubmitQueue, Workers, is_at_rest, start, stop};

const fn sizes(min: usize, max: usize) -> Sizes {
    Sizes { min, max }
}

const NOTHING: Budget = Budget {
    submits: 0,
    starts: 0,
    lazy_starts: 0,
    resizes: 0,
    stops: 0,
    spawn_failures: 0,
    cancels: 0,
    blocks: 0,
    wakes_ahead: 0,
    timeouts: 0,
};

/// One or two workers, two clients.
const SMALL: Plan = Plan {
    bug: Bug::None,
    clients: 2,
    sizes: sizes(1, 2),
    targets: &[],
    budget: Budget { submits: 2, starts: 1, ..NOTHING },
    policies: &[Policy::Drain],
    bound: usize::MAX,
    compensation: 0,
    ticketed: false,
    chained: false,
    keep_alive: false,
    hooks: false,
    searches: false,
    spurious: true,
};

/// A world and its pinned size. The first test that needs it searches it, once.
struct Search {
    plan: Plan,
    states: usize,
    steps: usize,
    rows: OnceLock<Rows>,
}

impl Search {
    const fn new(plan: Plan, states: usize, steps: usize) -> Self {
        Self { plan, states, steps, rows: OnceLock::new() }
    }

    /// The rows that the search saw. Everything must hold in this world.
    fn rows(&'static self) -> &'static Rows {
        self.rows.get_or_init(|| must_hold(PoolWorld::new(&self.plan), self.states, self.steps))
    }
}

/// Few workers, many jobs, wakes that nobody needs, and a stop.
static BUSY: Search = Search::new(
    Plan {
        sizes: sizes(1, 3),
        budget: Budget { submits: 4, starts: 1, stops: 1, wakes_ahead: 1, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    80_833,
    263_480,
);

/// Three submitters at a time, and workers that search before they sleep.
static SEARCHING: Search = Search::new(
    Plan {
        clients: 3,
        sizes: sizes(2, 2),
        budget: Budget { submits: 4, starts: 1, stops: 1, ..NOTHING },
        searches: true,
        ..SMALL
    },
    192_405,
    896_915,
);

/// Resizes at the same time and one after the other, down to zero and up again, while jobs are submitted.
static RESIZED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 0), sizes(0, 2), sizes(1, 1)],
        budget: Budget { submits: 3, starts: 1, resizes: 3, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    44_776,
    148_208,
);

/// Two stops, two resizes, and workers that wake spuriously.
static STOPPED: Search = Search::new(
    Plan {
        targets: &[sizes(0, 0), sizes(0, 3)],
        budget: Budget { submits: 2, starts: 1, resizes: 2, stops: 2, ..NOTHING },
        ..SMALL
    },
    153_178,
    630_355,
);

/// Threads that cannot be spawned, in a pool that is stopped and resized.
static FAILING: Search = Search::new(
    Plan {
        sizes: sizes(2, 2),
        targets: &[sizes(0, 3)],
        budget: Budget { submits: 3, starts: 1, resizes: 1, stops: 1, spawn_failures: 2, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    158_843,
    476_847,
);

/// Started lazily and not lazily, in either order.
static LAZY: Search = Search::new(
    Plan {
        sizes: sizes(2, 3),
        targets: &[sizes(0, 1)],
        budget: Budget { submits: 2, starts: 1, lazy_starts: 1, resizes: 1, stops: 1, spawn_failures: 1, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    65_418,
    213_021,
);

/// Workers above the minimum whose keep-alive passes, while jobs are submitted and the minimum changes.
static EXPIRING: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(1, 2), sizes(0, 1)],
        budget: Budget { submits: 3, starts: 1, resizes: 1, stops: 1, ..NOTHING },
        keep_alive: true,
        ..SMALL
    },
    299_805,
    1_323_414,
);

/// Jobs that are cancelled wherever they are, in a pool that is stopped with both policies, by clients whose waits may
/// time out.
static CANCELLED: Search = Search::new(
    Plan {
        sizes: sizes(1, 2),
        policies: &[Policy::Drain, Policy::CancelQueued],
        budget: Budget { submits: 3, starts: 1, cancels: 2, stops: 2, timeouts: 1, ..NOTHING },
        ticketed: true,
        spurious: false,
        ..SMALL
    },
    61_743,
    251_651,
);

/// Three submitters to a queue with one slot. They wait for it, or not, or with a timeout, until the pool is stopped.
static BOUNDED: Search = Search::new(
    Plan {
        clients: 3,
        sizes: sizes(0, 1),
        policies: &[Policy::Drain, Policy::CancelQueued],
        budget: Budget { submits: 4, starts: 1, cancels: 1, stops: 1, timeouts: 1, ..NOTHING },
        bound: 1,
        ticketed: true,
        spurious: false,
        ..SMALL
    },
    16_714,
    54_651,
);

/// Jobs that block, compensation for one, a target that changes, and a keep-alive.
static BLOCKED: Search = Search::new(
    Plan {
        sizes: sizes(0, 1),
        targets: &[sizes(0, 2)],
        budget: Budget { submits: 2, starts: 1, blocks: 2, resizes: 1, stops: 1, ..NOTHING },
        compensation: 1,
        keep_alive: true,
        spurious: false,
        ..SMALL
    },
    193_756,
    732_190,
);

/// Jobs each of which waits for the next, in a pool of one worker with compensation for all.
static CHAINED: Search = Search::new(
    Plan {
        sizes: sizes(1, 1),
        budget: Budget { submits: 4, starts: 1, blocks: 3, ..NOTHING },
        compensation: 3,
        chained: true,
        spurious: false,
        ..SMALL
    },
    30_953,
    89_764,
);

/// Hooks that take long, in a pool that is resized and stopped meanwhile.
static HOOKED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 0), sizes(1, 1)],
        budget: Budget { submits: 3, starts: 1, resizes: 2, stops: 1, spawn_failures: 1, ..NOTHING },
        hooks: true,
        spurious: false,
        ..SMALL
    },
    74_698,
    250_185,
);

/// Threads that cannot be spawned, a target that changes, jobs that block, and several stops.
static STRAINED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 1), sizes(2, 2)],
        budget: Budget { submits: 2, starts: 1, resizes: 1, spawn_failures: 2, blocks: 2, stops: 2, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    68_856,
    196_719,
);

/// Threads that cannot be spawned, in the place of expired or blocked workers, for jobs that are queued, cancelled, or
/// wait for a free slot.
static SHORT: Search = Search::new(
    Plan {
        sizes: sizes(0, 1),
        budget: Budget { submits: 3, starts: 1, spawn_failures: 2, blocks: 1, cancels: 1, stops: 1, ..NOTHING },
        bound: 2,
        compensation: 1,
        ticketed: true,
        keep_alive: true,
        spurious: false,
        ..SMALL
    },
    75_283,
    240_290,
);

// Checks: B30, B35, B40, P2, R1, R2, R5, R7, R9, R14
#[test]
fn jobs_leave_in_order_and_none_waits_while_a_worker_could_run_it() {
    BUSY.rows();
}

// Checks: B30, P4, R6, R8
#[test]
fn a_worker_that_searches_before_it_sleeps_misses_no_job() {
    SEARCHING.rows();
}

// Checks: B28, B30, B31, B33, B42, R4, R10, R11, R13, R15
#[test]
fn after_any_resizes_the_pool_reaches_its_target_and_serves_its_queue() {
    RESIZED.rows();
}

// Checks: B40, B42, R12, R29
#[test]
fn however_often_it_is_stopped_a_pool_finishes_each_accepted_job_once() {
    STOPPED.rows();
}

// Checks: B41, R3
#[test]
fn a_failed_spawn_strands_no_job() {
    FAILING.rows();
}

// Checks: B27, B29
#[test]
fn a_pool_may_be_started_lazily_and_again() {
    LAZY.rows();
}

// Checks: B34, P50, R4
#[test]
fn an_expired_worker_above_the_minimum_exits_and_strands_no_job() {
    EXPIRING.rows();
}

// Checks: B40, B43, P51, P52, R12, R29
#[test]
fn a_job_is_cancelled_wherever_it_is_queued_and_nowhere_else() {
    CANCELLED.rows();
}

// Checks: B44, P53, R6, R9
#[test]
fn a_bounded_queue_keeps_its_bound_and_nobody_waits_for_a_slot_that_is_free() {
    BOUNDED.rows();
}

// Checks: B45, P54, R1, R10
#[test]
fn a_blocked_worker_is_compensated_and_no_extra_worker_stays() {
    BLOCKED.rows();
}

// Checks: B45, P54, R1
#[test]
fn jobs_that_wait_for_each_other_all_end() {
    CHAINED.rows();
}

// Checks: B31, B39, B40, B42
#[test]
fn long_hooks_delay_no_job_and_no_count() {
    HOOKED.rows();
}

// Checks: B34, B41, B43, B44, B45, R3
#[test]
fn a_failed_spawn_strands_no_job_whatever_it_was_for() {
    SHORT.rows();
}

// Checks: B31, B40, B41, B45, P54, P67, R3, R45
#[test]
fn whatever_fails_blocks_shrinks_and_stops_together_nobody_is_forgotten() {
    STRAINED.rows();
}

// Checks: B30, B31, B40, B41, P2
#[test]
fn the_tables_of_the_pool_are_current() {
    let searches = [
        &BUSY, &SEARCHING, &RESIZED, &STOPPED, &FAILING, &LAZY, &EXPIRING, &CANCELLED, &BOUNDED, &BLOCKED, &CHAINED,
        &HOOKED, &SHORT, &STRAINED,
    ];
    let rows = searches.iter().flat_map(|search| search.rows()).copied().collect();
    table_file::assert_current("pool/submit_queue", &table::markdown(&table::rows_of(&rows, labels::SUBMIT_QUEUE)));
    table_file::assert_current("pool/workers", &table::markdown(&table::rows_of(&rows, labels::WORKERS)));
    table_file::assert_current("pool/worker_loop", &table::markdown(&table::rows_of(&rows, labels::WORKER_LOOP)));
}

macro_rules! must_find {
    ($bug:ident in $world:expr, $what:literal) => {{
        static PLAN: Plan = Plan { bug: Bug::$bug, ..$world };
        must_find(PoolWorld::new(&PLAN), $what);
    }};
}

// Checks: B30, B31, B41, B42, R1, R2, R3, R4, R6, R13, R17
#[test]
fn injected_bugs_of_the_pool_are_found() {
    must_find!(ForgetsWakeForSubmit in SMALL, "a wake is pending, and no worker will come");
    must_find!(NeverStarts in SMALL, "the count of starting threads is wrong");
    must_find!(WakesNobodyForTheRest in BUSY.plan, "a wake is pending, and no worker will come");
    must_find!(KeepsIdleCount in SMALL, "the counts of live, idle and busy are wrong");
    must_find!(HidesSpawnFailure in FAILING.plan, "the counts of live, idle and busy are wrong");
    must_find!(PassesNoWakeOn in BUSY.plan, "a wake is pending, and no worker will come");
    must_find!(NotifiesNoSubmitter in BOUNDED.plan, "a client hangs");
    must_find!(RunsCancelledJob in CANCELLED.plan, "the queues do not hold what was accepted, in that order");
    must_find!(UnblockWakesNobody in BLOCKED.plan, "a wake is pending, and no worker will come");
}

// Checks: B45, R1
#[test]
fn without_compensation_jobs_that_wait_for_each_other_hang() {
    static ALONE: Plan = Plan { compensation: 0, ..CHAINED.plan };
    must_find(PoolWorld::new(&ALONE), "jobs wait for each other for ever");
}

// Checks: P67
#[test]
fn a_pool_that_is_to_spawn_as_many_threads_as_can_be_counted_is_asked_whether_it_is_at_rest() {
    let sizes = Sizes { min: usize::MAX, max: usize::MAX };
    let mut workers = Workers::<PlainStore<u8>>::new(sizes, Compensation { most: 0, for_one: true });
    let mut submit_queue = SubmitQueue::new(usize::MAX);
    _ = submit_queue.submit(0).unwrap();
    _ = start(&mut workers, &mut submit_queue, false).unwrap();
    // One more than the threads: it refuses the job.
    _ = stop(&mut workers, &mut submit_queue, Policy::CancelQueued);
    assert!(!is_at_rest(&workers, &submit_queue, 0));
}
