//! The Deferred explored: a few chains that are fired, abandoned, cancelled, added to, paused, awaited and made to wait for each other, each at
//! any moment, inside callbacks and cancellers included.

mod labels;
mod moves;
mod program;

use self::labels::part;
use super::{Steps, World, must_find, must_hold, table, table_file};
use crate::machine::deferred::{ChainStage, ChainState, PathPosition, ResultState};

/// What a chain's result says of how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::enum_variant_names, reason = "they go on from the name of the whole")]
enum Brought {
    ByAProgram,
    ByCancelling,
    ByAbandoning,
    ByWaitingForItself,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A ring of chains is closed like any line.
    LetsItWaitForItself,
    /// A chain that finishes does not tell the ends of its line.
    LeavesUnseen,
    /// A last callback that waits steps out of the line and is still taken for a part of it.
    StepsOutUnseen,
    /// The one who cancels does not come back after the canceller.
    ForgetsToFail,
    /// While the canceller runs, the chain looks unfired.
    ForgetsThatItIsCancelled,
    /// A paused chain passes its result on.
    PassesOnAlthoughPaused,
    /// A chain that others may pause steps out of its line.
    StepsOutAlthoughShared,
    /// Nobody lets go on what is held when its last handle goes.
    HoldsForGood,
    /// Who awaits a result is not told of it.
    TellsNobody,
}

/// A result that a pause keeps back, and from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Held {
    ACallback(Brought),
    AWaiter(usize, Brought),
    WhoAwaitsIt,
}

/// Where somebody stands who awaits the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Awaiting {
    Nobody,
    ToBeTold,
    Told,
}

/// What the program may do with each chain, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct May {
    add: u8,
    pause: u8,
    /// Somebody beside the holder of the tail can pause.
    share: bool,
    await_it: bool,
}

const MAY_ADD: May = May { add: 1, pause: 0, share: false, await_it: false };
const MAY_NOT: May = May { add: 0, ..MAY_ADD };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct One {
    chain: ChainState,
    place: PathPosition<usize>,
    /// The way out of the last link.
    outlet: ResultState<usize, Brought, ()>,
    /// Callbacks that have not run.
    links: u8,
    /// The result on its way to the next of them, or out.
    carried: Option<Brought>,
    in_callback: bool,
    /// The program holds the firing half; the tail.
    resolver: bool,
    handle: bool,
    /// A handle that can pause it.
    brake: bool,
    may: May,
    held: Option<Held>,
    awaiting: Awaiting,
    /// Its canceller is on the stack.
    calling: bool,
    cancellers_called: u8,
    /// What it really waits for: what the places have to agree with.
    waits_for: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Chains {
    bug: Bug,
    /// The program does nothing but fire, and return from callbacks.
    calm: bool,
    all: Vec<One>,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "which chain it is is read in the trace of a counterexample")]
enum Event {
    IsFired(usize),
    IsAbandoned(usize),
    IsCancelled(usize),
    ItsCancellerReturns(usize),
    ItsResultGoesOn(usize),
    ItsCallbackReturnsAValue(usize),
    ItsCallbackReturns(usize, usize),
    IsAddedTo(usize),
    IsTakenFrom(usize),
    IsPaused(usize),
    IsUnpaused(usize),
    IsPolled(usize),
    ItsTailIsDropped(usize),
    ItsBrakeIsDropped(usize),
    ItsPauseEndsByItself(usize),
}

impl Chains {
    fn new(chains: usize, links: u8, may: May, bug: Bug) -> Self {
        let mut chain = ChainState::new(ChainStage::Unfired);
        if may.share {
            chain.share();
        }
        let one = One {
            chain,
            place: PathPosition::Alone,
            outlet: ResultState::Empty,
            links,
            carried: None,
            in_callback: false,
            resolver: true,
            handle: true,
            brake: may.share,
            may,
            held: None,
            awaiting: Awaiting::Nobody,
            calling: false,
            cancellers_called: 0,
            waits_for: None,
        };
        Self { bug, calm: false, all: vec![one; chains], violation: None }
    }

    fn fail(&mut self, what: &'static str) {
        self.violation.get_or_insert(what);
    }

    /// Whether the line that goes inwards from `from` ends at `end`.
    fn ends_at(&self, from: usize, end: usize) -> bool {
        self.inwards(from) == end
    }

    /// The innermost of the line, as far as one can go without going round.
    fn inwards(&self, from: usize) -> usize {
        (0..self.all.len()).fold(from, |at, _| self.all[at].waits_for.unwrap_or(at))
    }

    fn waiter_of(&self, at: usize) -> Option<usize> {
        self.all.iter().position(|one| one.waits_for == Some(at))
    }

    /// Where the chain stands, found out the long way.
    fn true_place(&self, at: usize) -> PathPosition<usize> {
        let outwards = |from| (0..self.all.len()).fold(from, |at, _| self.waiter_of(at).unwrap_or(at));
        match (self.waiter_of(at), self.all[at].waits_for) {
            (None, None) => PathPosition::Alone,
            (None, Some(_)) => PathPosition::Outermost { innermost: self.inwards(at) },
            (Some(_), Some(_)) => PathPosition::Between,
            (Some(_), None) => PathPosition::Innermost { outermost: outwards(at) },
        }
    }
}

impl World for Chains {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        for at in 0..self.all.len() {
            self.program_steps(steps, at);
            self.own_steps(steps, at);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let each = |holds: fn(&One) -> bool| self.all.iter().all(holds);
        let checks = [
            (each(|one| one.cancellers_called <= 1), "a canceller is called twice"),
            (
                each(|one| one.waits_for.is_some() == (one.chain.stage() == ChainStage::Waiting)),
                "a chain waits without knowing it",
            ),
            (
                each(|one| {
                    let rests = one.chain.stage() == ChainStage::Resting || one.held == Some(Held::WhoAwaitsIt);
                    matches!(one.outlet, ResultState::Stored(_)) == rests
                }),
                "a result lies at a tail without the chain knowing it",
            ),
            (
                each(|one| one.held.is_some() == (one.chain.stage() == ChainStage::Held)),
                "a chain holds a result without knowing it",
            ),
            (
                each(|one| one.chain.stage() != ChainStage::Held || one.chain.is_paused()),
                "a chain holds a result and is not paused",
            ),
            (
                each(|one| one.awaiting != Awaiting::ToBeTold || one.chain.stage() != ChainStage::Resting),
                "somebody awaits a result that is here, and was not told",
            ),
            (
                each(|one| (one.in_callback || one.carried.is_some()) == (one.chain.stage() == ChainStage::Running)),
                "a chain runs without knowing it",
            ),
            (
                (0..self.all.len()).all(|at| self.all[self.inwards(at)].waits_for.is_none()),
                "chains wait for each other in a ring",
            ),
            (
                (0..self.all.len()).all(|at| self.all[at].place == self.true_place(at)),
                "a chain is wrong about its place",
            ),
        ];
        self.violation.or_else(|| checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what))
    }

    fn stuck(&self) -> Option<&'static str> {
        self.all
            .iter()
            .any(|one| one.chain.stage() == ChainStage::Cancelling && !one.calling)
            .then_some("a cancelled chain never fails")
    }

    fn unfinished(&self) -> Option<&'static str> {
        let hangs = |one: &One| !matches!(one.chain.stage(), ChainStage::Resting | ChainStage::Over);
        self.all.iter().any(hangs).then_some("a chain hangs although everything was fired or dropped")
    }
}

// Checks: B49, B51, B52, B53, B54, B56, B57, B58, P20
#[test]
fn every_chain_comes_to_one_result_and_knows_its_place_whatever_happens_inside_what() {
    let mut rows = must_hold(Chains::new(2, 2, MAY_ADD, Bug::None), 33664, 175656);
    rows.extend(must_hold(Chains::new(3, 1, MAY_NOT, Bug::None), 210360, 1474332));
    // It takes four to join two lines of two.
    rows.extend(must_hold(Chains { calm: true, ..Chains::new(4, 2, MAY_NOT, Bug::None) }, 124_291, 451_740));
    rows.extend(must_hold(
        Chains::new(1, 2, May { add: 1, pause: 3, share: true, await_it: true }, Bug::None),
        5976,
        29716,
    ));
    rows.extend(must_hold(
        Chains::new(2, 1, May { add: 0, pause: 1, share: true, await_it: false }, Bug::None),
        134_352,
        972_648,
    ));
    rows.extend(must_hold(
        Chains::new(2, 1, May { add: 0, pause: 1, share: false, await_it: true }, Bug::None),
        67_777,
        500_518,
    ));
    let three = Chains::new(3, 1, May { add: 0, pause: 1, share: true, await_it: false }, Bug::None);
    rows.extend(must_hold(Chains { calm: true, ..three }, 183_680, 1_233_048));
    let chain = part(&rows, &["Unfired", "Cancelling", "Running", "Waiting", "Held", "Resting", "Over"]);
    let cell = part(&rows, &["Empty", "Watched", "Linked", "Stored", "Spent"]);
    let position = part(&rows, &["Alone", "Outermost", "Between", "Innermost"]);
    table_file::assert_current("deferred/chain", &table::markdown(&chain));
    table_file::assert_current("deferred/result_cell", &table::markdown(&cell));
    table_file::assert_current("deferred/wait_path", &table::markdown(&position));
}

// Checks: B52, B53, B54, B56, B58, P20
#[test]
fn injected_bugs_of_the_deferred_are_found() {
    must_find(Chains::new(2, 1, MAY_NOT, Bug::LetsItWaitForItself), "chains wait for each other in a ring");
    must_find(Chains::new(2, 1, MAY_NOT, Bug::LeavesUnseen), "a chain is wrong about its place");
    must_find(Chains::new(3, 1, MAY_NOT, Bug::StepsOutUnseen), "a chain is wrong about its place");
    must_find(Chains::new(1, 0, MAY_NOT, Bug::ForgetsToFail), "a cancelled chain never fails");
    must_find(Chains::new(1, 0, MAY_NOT, Bug::ForgetsThatItIsCancelled), "a canceller is called twice");
    let paused = May { add: 0, pause: 1, share: true, await_it: true };
    must_find(Chains::new(1, 1, paused, Bug::PassesOnAlthoughPaused), "a paused chain lets its result go on");
    must_find(
        Chains::new(3, 1, paused, Bug::StepsOutAlthoughShared),
        "a chain steps out of its line where a pause of it no longer matters",
    );
    must_find(Chains::new(1, 1, paused, Bug::HoldsForGood), "a chain hangs although everything was fired or dropped");
    must_find(Chains::new(1, 1, paused, Bug::TellsNobody), "somebody awaits a result that is here, and was not told");
}
