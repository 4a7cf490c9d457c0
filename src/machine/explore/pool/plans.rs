//! What may happen in each world that is searched, and what the searches have to find.

use std::sync::OnceLock;

use super::super::{Rows, book, finds, sound, table};
use super::{Yard, labels};
use crate::machine::pool::Sizes;

/// What may happen in a world, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: Seed,
    /// How many threads may call the pool at the same time.
    pub(super) clients: usize,
    pub(super) sizes: Sizes,
    /// What the pool may be resized to.
    pub(super) targets: &'static [Sizes],
    pub(super) left: Left,
    /// Workers may search before they sleep. Whether it pays they decide each time.
    pub(super) searches: bool,
    /// Waiters may be released for no reason, which makes a notify that releases two a special case.
    pub(super) spurious: bool,
}

/// How often things may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Left {
    pub(super) submits: u8,
    pub(super) starts: u8,
    pub(super) lazy_starts: u8,
    pub(super) resizes: u8,
    pub(super) stops: u8,
    pub(super) failures: u8,
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seed {
    None,
    /// A submitter does not carry out its summons (R6).
    ForgetsToSummon,
    /// A worker whose wait is over for no reason goes on waiting as if it had not been: idle is one too many (R1, R2).
    StaysIdle,
    /// An arriving thread leaves the beacon up: a flag left standing (R17).
    LeavesTheBeacon,
    /// A worker that leaves jobs behind does not notify another before it runs its own; afterwards it will look itself (R1).
    CallsNobody,
    /// A thread that cannot be started is not mentioned (R3).
    HushesFailure,
    /// A shrink wakes one idle worker where it should wake all (R4).
    WakesOneToShrink,
    /// Two start threads side by side, and one need not wait until the other has joined those in whose place they come (R13).
    IsOvertaken,
}

const fn sizes(min: usize, max: usize) -> Sizes {
    Sizes { min, max }
}

const NOTHING: Left = Left { submits: 0, starts: 0, lazy_starts: 0, resizes: 0, stops: 0, failures: 0 };

/// One or two workers, two clients.
const SMALL: Plan = Plan {
    seed: Seed::None,
    clients: 2,
    sizes: sizes(1, 2),
    targets: &[],
    left: Left { submits: 2, starts: 1, ..NOTHING },
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

    /// Searches the world, which must be sound.
    fn rows(&'static self) -> &'static Rows {
        self.rows.get_or_init(|| sound(Yard::new(&self.plan), self.states, self.steps))
    }
}

/// Few workers, many jobs, and a stop among them.
static BUSY: Search = Search::new(
    Plan { sizes: sizes(1, 3), left: Left { submits: 4, starts: 1, stops: 1, ..NOTHING }, ..SMALL },
    77_035,
    261_528,
);

/// Three submitters at once, to workers that search before they sleep.
static SEARCHING: Search = Search::new(
    Plan {
        clients: 3,
        sizes: sizes(2, 2),
        left: Left { submits: 4, starts: 1, stops: 1, ..NOTHING },
        searches: true,
        ..SMALL
    },
    85_856,
    348_365,
);

/// Resizes at once and one after the other, down to nothing and up again, while jobs come in. Each notify may release two.
static RESIZED: Search = Search::new(
    Plan {
        sizes: sizes(0, 2),
        targets: &[sizes(0, 0), sizes(0, 2), sizes(1, 1)],
        left: Left { submits: 3, starts: 1, resizes: 3, ..NOTHING },
        spurious: false,
        ..SMALL
    },
    39_810,
    125_500,
);

/// Two who stop the pool, two who resize it, and workers that wake for no reason.
static STOPPED: Search = Search::new(
    Plan {
        targets: &[sizes(0, 0), sizes(0, 3)],
        left: Left { submits: 2, starts: 1, resizes: 2, stops: 2, ..NOTHING },
        ..SMALL
    },
    112_825,
    372_975,
);

/// Threads that cannot be started, in a pool that is stopped and resized.
static FAILING: Search = Search::new(
    Plan {
        sizes: sizes(2, 2),
        targets: &[sizes(0, 3)],
        left: Left { submits: 3, starts: 1, resizes: 1, stops: 1, failures: 2, ..NOTHING },
        ..SMALL
    },
    571_264,
    1_922_587,
);

/// Started, lazily and not, in either order.
static LAZY: Search = Search::new(
    Plan {
        sizes: sizes(2, 3),
        targets: &[sizes(0, 1)],
        left: Left { submits: 2, starts: 1, lazy_starts: 1, resizes: 1, stops: 1, failures: 1 },
        spurious: false,
        ..SMALL
    },
    229_202,
    755_670,
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

// Checks: B30, B31, B40, B41, P2
#[test]
fn the_tables_of_the_pool_are_what_was_seen() {
    let searches = [&BUSY, &SEARCHING, &RESIZED, &STOPPED, &FAILING, &LAZY];
    let rows = searches.iter().flat_map(|search| search.rows()).copied().collect();
    book::holds("intake", &table::chapter(&table::part(&rows, labels::INTAKE)));
    book::holds("crew", &table::chapter(&table::part(&rows, labels::CREW)));
    book::holds("worker", &table::chapter(&table::part(&rows, labels::WORKER)));
}

macro_rules! finds {
    ($seed:ident in $world:expr, $what:literal) => {{
        static PLAN: Plan = Plan { seed: Seed::$seed, ..$world };
        finds(Yard::new(&PLAN), $what);
    }};
}

// Checks: B30, B31, B41, B42, R1, R2, R3, R4, R6, R13, R17
#[test]
fn seeded_faults_of_the_pool_are_found() {
    finds!(ForgetsToSummon in SMALL, "the beacon is up, and nobody is bound to look");
    finds!(LeavesTheBeacon in SMALL, "the beacon is up, and nobody is bound to look");
    finds!(CallsNobody in BUSY.plan, "the beacon is up, and nobody is bound to look");
    finds!(StaysIdle in SMALL, "live, idle and busy are not what threads do");
    finds!(HushesFailure in FAILING.plan, "live, idle and busy are not what threads do");
    finds!(WakesOneToShrink in RESIZED.plan, "a worker above the target stays");
    finds!(IsOvertaken in RESIZED.plan, "there are more threads than the target allows");
}
