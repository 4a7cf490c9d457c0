//! What may happen in each world that is searched, and what the searches have to find.

use std::sync::OnceLock;

use super::super::{Rows, must_find, must_hold, table, table_file};
use super::{Yard, labels};
use crate::machine::pool::{Policy, Sizes};

/// What may happen in a world, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) bug: Bug,
    /// How many threads may call the pool at the same time.
    pub(super) clients: usize,
    pub(super) sizes: Sizes,
    /// What the pool may be resized to.
    pub(super) targets: &'static [Sizes],
    pub(super) left: Budget,
    /// What a pool that is stopped may be told to do with jobs that wait.
    pub(super) policies: &'static [Policy],
    /// The most jobs that may wait.
    pub(super) bound: usize,
    /// The most workers that stand in for blocked ones.
    pub(super) compensation: usize,
    /// Jobs have tickets.
    pub(super) ticketed: bool,
    /// A job that is blocked waits until the next one is over.
    pub(super) chained: bool,
    /// Workers without a job expire.
    pub(super) keep_alive: bool,
    /// Hooks are run when workers start and end.
    pub(super) hooks: bool,
    /// Workers may search before they sleep. Whether it pays they decide each time.
    pub(super) searches: bool,
    /// Waiters may be released for no reason, which makes a notify that releases two a special case.
    pub(super) spurious: bool,
}

/// How often things may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Budget {
    pub(super) submits: u8,
    pub(super) starts: u8,
    pub(super) lazy_starts: u8,
    pub(super) resizes: u8,
    pub(super) stops: u8,
    pub(super) failures: u8,
    pub(super) cancels: u8,
    pub(super) blocks: u8,
    /// Deadlines of callers that may pass.
    pub(super) lapses: u8,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// A submitter does not carry out its summons (R6).
    ForgetsToSummon,
    /// A worker whose wait is over for no reason goes on waiting as if it had not been: idle is one too many (R1, R2).
    StaysIdle,
    /// A thread that was started never says that it has arrived: it is waited for for ever (R17).
    NeverArrives,
    /// A worker that leaves jobs behind does not notify another before it runs its own; afterwards it will look itself (R1).
    CallsNobody,
    /// A thread that cannot be started is not mentioned (R3).
    HushesFailure,
    /// A shrink wakes one idle worker where it should wake all (R4).
    WakesOneToShrink,
    /// Two start threads side by side, and one need not wait until the other has joined those in whose place they come (R13).
    IsOvertaken,
    /// One that has retired waits for the roster where another has it, who may be joining it.
    WaitsForTheRoster,
    /// A caller that waits for a place is not told of one (R6).
    TellsNobodyOfAPlace,
    /// A job that was cancelled stays in the queue.
    RunsWhatWasCancelled,
    /// A blocked job goes on, there is a worker too many, and the idle ones are not told (R4).
    StaysInExcess,
}

const fn sizes(min: usize, max: usize) -> Sizes {
    Sizes { min, max }
}

const NOTHING: Budget = Budget {
    submits: 0,
    starts: 0,
    lazy_starts: 0,
    resizes: 0,
    stops: 0,
    failures: 0,
    cancels: 0,
    blocks: 0,
    lapses: 0,
};

/// One or two workers, two clients.
const SMALL: Plan = Plan {
    bug: Bug::None,
    clients: 2,
    sizes: sizes(1, 2),
    targets: &[],
    left: Budget { submits: 2, starts: 1, ..NOTHING },
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

/// A world and how large it is. It is searched once, whichever test comes first.
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

    /// Searches the world, in which everything must hold.
    fn rows(&'static self) -> &'static Rows {
        self.rows.get_or_init(|| must_hold(Yard::new(&self.plan), self.states, self.steps))
    }
}

/// Few workers, many jobs, and a stop among them.
static BUSY: Search = Search::new(
    Plan { sizes: sizes(1, 4), left: Budget { submits: 4, starts: 1, stops: 1, ..NOTHING }, ..SMALL },
    166_845,
    638_763,
);

/// Three submitters at once, to workers that search before they sleep.
static SEARCHING: Search = Search::new(
    Plan {
        clients: 3,
        sizes: sizes(2, 2),
        left: Budget { submits: 4, starts: 1, stops: 1, ..NOTHING },
        searches: true,
        ..SMALL
    },
    68_760,
    293_682,
);

/// Resizes at once and one after the other, down to nothing and up again, while jobs come in. Each notify may release two.
static RESIZED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 0), sizes(0, 2), sizes(1, 1)],
        left: Budget { submits: 3, starts: 1, resizes: 3, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    69_785,
    218_155,
);

/// Two who stop the pool, two who resize it, and workers that wake for no reason.
static STOPPED: Search = Search::new(
    Plan {
        targets: &[sizes(0, 0), sizes(0, 3)],
        left: Budget { submits: 2, starts: 1, resizes: 2, stops: 2, ..NOTHING },
        ..SMALL
    },
    84_650,
    270_135,
);

/// Threads that cannot be started, in a pool that is stopped and resized.
static FAILING: Search = Search::new(
    Plan {
        sizes: sizes(2, 2),
        targets: &[sizes(0, 3)],
        left: Budget { submits: 3, starts: 1, resizes: 1, stops: 1, failures: 2, ..NOTHING },
        ..SMALL
    },
    231_853,
    804_804,
);

/// Started, lazily and not, in either order.
static LAZY: Search = Search::new(
    Plan {
        sizes: sizes(2, 3),
        targets: &[sizes(0, 1)],
        left: Budget { submits: 2, starts: 1, lazy_starts: 1, resizes: 1, stops: 1, failures: 1, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    101_862,
    330_783,
);

/// Workers above the minimum that go without a job for too long, while jobs come and the minimum moves.
static EXPIRING: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(1, 2), sizes(0, 1)],
        left: Budget { submits: 3, starts: 1, resizes: 1, stops: 1, ..NOTHING },
        keep_alive: true,
        ..SMALL
    },
    100_007,
    330_038,
);

/// Jobs that are cancelled wherever they stand, in a pool that is stopped in one way and then in the other, by callers that do not wait for ever.
static CANCELLED: Search = Search::new(
    Plan {
        sizes: sizes(1, 2),
        policies: &[Policy::Drain, Policy::CancelQueued],
        left: Budget { submits: 3, starts: 1, cancels: 2, stops: 2, lapses: 1, ..NOTHING },
        ticketed: true,
        spurious: false,
        ..SMALL
    },
    67_544,
    247_772,
);

/// Three who submit to a queue with one place, and wait for it, or not, or not for ever, until the pool is stopped.
static BOUNDED: Search = Search::new(
    Plan {
        clients: 3,
        sizes: sizes(0, 1),
        policies: &[Policy::Drain, Policy::CancelQueued],
        left: Budget { submits: 4, starts: 1, cancels: 1, stops: 1, lapses: 1, ..NOTHING },
        bound: 1,
        ticketed: true,
        spurious: false,
        ..SMALL
    },
    24_558,
    79_919,
);

/// Jobs that block, one stand-in at most, a target that moves, and workers that expire.
static BLOCKED: Search = Search::new(
    Plan {
        sizes: sizes(0, 1),
        targets: &[sizes(0, 2)],
        left: Budget { submits: 2, starts: 1, blocks: 2, resizes: 1, stops: 1, ..NOTHING },
        compensation: 1,
        keep_alive: true,
        spurious: false,
        ..SMALL
    },
    212_429,
    680_265,
);

/// Jobs each of which waits for the next, in a pool of one worker and as many stand-ins as there are jobs to be waited for.
static CHAINED: Search = Search::new(
    Plan {
        sizes: sizes(1, 1),
        left: Budget { submits: 4, starts: 1, blocks: 3, ..NOTHING },
        compensation: 3,
        chained: true,
        spurious: false,
        ..SMALL
    },
    56_242,
    156_391,
);

/// Workers whose hooks take their time, in a pool that is resized and stopped meanwhile.
static HOOKED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 0), sizes(1, 1)],
        left: Budget { submits: 3, starts: 1, resizes: 2, stops: 1, failures: 1, ..NOTHING },
        hooks: true,
        spurious: false,
        ..SMALL
    },
    122_399,
    395_675,
);

/// A thread that cannot be started, be it in the place of one that has expired or of one that is blocked, for jobs that wait, are cancelled, or wait for a place.
static SHORT: Search = Search::new(
    Plan {
        sizes: sizes(0, 1),
        left: Budget { submits: 3, starts: 1, failures: 2, blocks: 1, cancels: 1, stops: 1, ..NOTHING },
        bound: 2,
        compensation: 1,
        ticketed: true,
        keep_alive: true,
        spurious: false,
        ..SMALL
    },
    89_477,
    251_932,
);

// Checks: B30, B35, B40, P2, R1, R2, R5, R7, R9, R14
#[test]
fn jobs_leave_in_order_and_none_waits_beside_a_worker_that_could_run_it() {
    BUSY.rows();
}

// Checks: B30, P4, R6, R8
#[test]
fn a_search_before_sleep_hides_no_job() {
    SEARCHING.rows();
}

// Checks: B28, B30, B31, B33, B42, R4, R10, R11, R13, R15
#[test]
fn whatever_the_resizes_the_pool_comes_to_its_target_and_its_backlog_is_served() {
    RESIZED.rows();
}

// Checks: B40, B42, R12, R29
#[test]
fn stop_finishes_what_was_accepted_once_however_often_it_is_called() {
    STOPPED.rows();
}

// Checks: B41, R3
#[test]
fn a_thread_that_cannot_be_started_strands_no_job() {
    FAILING.rows();
}

// Checks: B27, B29
#[test]
fn a_pool_may_be_started_lazily_and_again() {
    LAZY.rows();
}

// Checks: B34, P50, R4
#[test]
fn a_worker_above_the_minimum_expires_and_no_job_is_stranded_by_it() {
    EXPIRING.rows();
}

// Checks: B40, B43, P51, P52, R12, R29
#[test]
fn a_job_is_cancelled_wherever_it_waits_and_nowhere_else() {
    CANCELLED.rows();
}

// Checks: B44, P53, R6, R9
#[test]
fn no_more_jobs_wait_than_may_and_nobody_waits_for_a_place_beside_one() {
    BOUNDED.rows();
}

// Checks: B45, P54, R1, R10
#[test]
fn one_more_worker_comes_for_one_that_is_blocked_and_none_stays_too_long() {
    BLOCKED.rows();
}

// Checks: B45, P54, R1
#[test]
fn jobs_that_wait_for_each_other_all_end() {
    CHAINED.rows();
}

// Checks: B31, B39, B40, B42
#[test]
fn hooks_that_take_their_time_hold_up_no_job_and_no_count() {
    HOOKED.rows();
}

// Checks: B34, B41, B43, B44, B45, R3
#[test]
fn a_thread_that_cannot_be_started_strands_no_job_whatever_it_was_for() {
    SHORT.rows();
}

// Checks: B30, B31, B40, B41, P2
#[test]
fn the_tables_of_the_pool_are_what_was_seen() {
    let searches = [
        &BUSY, &SEARCHING, &RESIZED, &STOPPED, &FAILING, &LAZY, &EXPIRING, &CANCELLED, &BOUNDED, &BLOCKED, &CHAINED,
        &HOOKED, &SHORT,
    ];
    let rows = searches.iter().flat_map(|search| search.rows()).copied().collect();
    table_file::assert_current("pool/submit_queue", &table::markdown(&table::rows_of(&rows, labels::INTAKE)));
    table_file::assert_current("pool/workers", &table::markdown(&table::rows_of(&rows, labels::CREW)));
    table_file::assert_current("pool/worker", &table::markdown(&table::rows_of(&rows, labels::WORKER)));
}

macro_rules! must_find {
    ($bug:ident in $world:expr, $what:literal) => {{
        static PLAN: Plan = Plan { bug: Bug::$bug, ..$world };
        must_find(Yard::new(&PLAN), $what);
    }};
}

// Checks: B30, B31, B41, B42, R1, R2, R3, R4, R6, R13, R17
#[test]
fn injected_bugs_of_the_pool_are_found() {
    must_find!(ForgetsToSummon in SMALL, "the wake_pending is up, and nobody is bound to look");
    must_find!(NeverArrives in SMALL, "those that arrive are not those that were started");
    must_find!(CallsNobody in BUSY.plan, "the wake_pending is up, and nobody is bound to look");
    must_find!(StaysIdle in SMALL, "live, idle and busy are not what threads do");
    must_find!(HushesFailure in FAILING.plan, "live, idle and busy are not what threads do");
    must_find!(WakesOneToShrink in RESIZED.plan, "a worker above the target stays");
    must_find!(IsOvertaken in RESIZED.plan, "there are more threads than the target allows");
    must_find!(WaitsForTheRoster in BLOCKED.plan, "a worker hangs");
    must_find!(TellsNobodyOfAPlace in BOUNDED.plan, "a caller hangs");
    must_find!(RunsWhatWasCancelled in CANCELLED.plan, "the queues do not hold what was accepted, in that order");
    must_find!(StaysInExcess in BLOCKED.plan, "a worker above the target stays");
}

// Checks: B45, R1
#[test]
fn without_a_stand_in_jobs_that_wait_for_each_other_hang_and_that_is_told() {
    static ALONE: Plan = Plan { compensation: 0, ..CHAINED.plan };
    must_find(Yard::new(&ALONE), "jobs wait for each other for ever");
}
