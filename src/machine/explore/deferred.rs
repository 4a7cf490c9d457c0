//! The Deferred explored: a few chains that are fired, abandoned, cancelled, added to, paused, awaited and made to wait for each other, each at
//! any moment, inside callbacks and cancellers included.

use super::table::Rows;
use super::{Row, Steps, World, book, finds, sound, table};
use crate::machine::deferred::{Cancel, Chain, Fire, Line, Met, Outlet, Place, Stage, Unpause};

/// What a chain's result says of how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::enum_variant_names, reason = "they go on from the name of the whole")]
enum Brought {
    ByAProgram,
    ByCancelling,
    ByAbandoning,
    ByWaitingForItself,
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seed {
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
    FromACallback(Brought),
    FromAWaiter(usize, Brought),
    FromWhoAwaitsIt,
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
    chain: Chain,
    place: Place<usize>,
    /// The way out of the last link.
    outlet: Outlet<usize, Brought, ()>,
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
    seed: Seed,
    /// The program does nothing but fire, and return from callbacks.
    calm: bool,
    all: Vec<One>,
    fault: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "which chain it is is read in the trace of a fault")]
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
    fn new(chains: usize, links: u8, may: May, seed: Seed) -> Self {
        let mut chain = Chain::new(Stage::Unfired);
        if may.share {
            chain.share();
        }
        let one = One {
            chain,
            place: Place::Alone,
            outlet: Outlet::Open,
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
        Self { seed, calm: false, all: vec![one; chains], fault: None }
    }

    fn fail(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    /// One transition of a chain's machine, and its row.
    fn chain<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&mut Chain) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = chain_label(self.all[at].chain);
        let owed = transition(&mut self.all[at].chain);
        steps.row(Row { from, event, action: action(&owed), to: chain_label(self.all[at].chain) });
        owed
    }

    /// A transition that owes nothing.
    fn moves(&mut self, steps: &mut Steps<'_, Self>, at: usize, event: &'static str, to: fn(&mut Chain)) {
        self.chain(steps, at, event, to, |()| "nothing");
    }

    /// One transition of the way out, and its row.
    fn outlet<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        transition: impl FnOnce(&mut Outlet<usize, Brought, ()>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = outlet_label(&self.all[at].outlet);
        let owed = transition(&mut self.all[at].outlet);
        steps.row(Row { from, event, action: action(&owed), to: outlet_label(&self.all[at].outlet) });
        owed
    }

    fn draw(&mut self, line: Line<usize>) {
        let Line { outermost, innermost } = line;
        if outermost == innermost {
            self.all[outermost].place = Place::Alone;
        } else {
            self.all[outermost].place = Place::Outermost { innermost };
            self.all[innermost].place = Place::Innermost { outermost };
        }
    }

    /// The rows of those who stand elsewhere now, or know another end.
    fn moved(&self, steps: &mut Steps<'_, Self>, before: &[One], event: &'static str) {
        for (was, is) in before.iter().zip(&self.all).filter(|(was, is)| was.place != is.place) {
            let action = match is.place {
                Place::Alone | Place::Between => "forget the other end",
                Place::Outermost { .. } | Place::Innermost { .. } => "know the other end",
            };
            steps.row(Row { from: place_label(&was.place), event, action, to: place_label(&is.place) });
        }
    }

    fn fire(&mut self, at: usize, owed: Fire, brought: Brought) {
        let one = &mut self.all[at];
        match owed {
            Fire::Run if one.carried.is_some() || one.in_callback => self.fail("a chain is fired twice"),
            Fire::Run => one.carried = Some(brought),
            // What is dropped has to be late: only a cancel makes it so.
            Fire::Discard if brought == Brought::ByAProgram && one.cancellers_called == 0 => {
                self.fail("a result is dropped that nobody said was unwanted");
            }
            Fire::Discard => {}
        }
    }

    fn cancel(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let said = |asked: &Cancel| match asked {
            Cancel::CallCanceller => "call the canceller",
            Cancel::Forward => "cancel the innermost",
            Cancel::Nothing => "nothing",
        };
        let mut target = at;
        let mut asked = self.chain(steps, at, "cancel", Chain::cancel, said);
        if asked == Cancel::Forward {
            let Place::Outermost { innermost } = self.all[at].place else {
                return self.fail("a chain that waits and is held does not know whom to cancel");
            };
            target = innermost;
            asked = self.chain(steps, target, "cancel", Chain::cancel, said);
        }
        if asked == Cancel::CallCanceller {
            self.all[target].calling = true;
            self.all[target].cancellers_called += 1;
            if self.seed == Seed::ForgetsThatItIsCancelled {
                self.all[target].chain = Chain::new(Stage::Unfired);
            }
        }
    }

    /// The result goes to the next callback, or out.
    fn deliver(&mut self, steps: &mut Steps<'_, Self>, at: usize, brought: Brought) {
        self.all[at].carried = None;
        if self.all[at].links > 0 {
            return self.go_on_or_hold(steps, at, Held::FromACallback(brought));
        }
        match self.outlet(steps, at, "settle", |outlet| outlet.settle(brought), met) {
            Met::NotYet => self.moves(steps, at, "rest", Chain::rest),
            Met::Pass(waiter, brought) => self.go_on_or_hold(steps, at, Held::FromAWaiter(waiter, brought)),
            Met::Tell(()) => self.go_on_or_hold(steps, at, Held::FromWhoAwaitsIt),
        }
    }

    /// A result could go on.
    fn go_on_or_hold(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: Held) {
        if self.all[at].chain.is_paused() && self.seed != Seed::PassesOnAlthoughPaused {
            self.moves(steps, at, "hold", Chain::hold);
            self.all[at].held = Some(to);
        } else {
            self.go_on(steps, at, to);
        }
    }

    fn go_on(&mut self, steps: &mut Steps<'_, Self>, at: usize, to: Held) {
        if self.all[at].chain.is_paused() {
            self.fail("a paused chain lets its result go on");
        }
        match to {
            // The callback gets it from the one who runs callbacks, so it needs no step of its own here.
            Held::FromACallback(_) => {
                self.all[at].links -= 1;
                self.all[at].in_callback = true;
            }
            Held::FromAWaiter(waiter, brought) => {
                self.moves(steps, at, "hand over", Chain::hand_over);
                let before = self.all.clone();
                let line = self.all[at].place.clone().leave(waiter);
                if self.seed != Seed::LeavesUnseen {
                    self.all[at].place = Place::Alone;
                    self.draw(line);
                }
                self.moved(steps, &before, "a result leaves the innermost");
                self.moves(steps, waiter, "resume", Chain::resume);
                self.all[waiter].waits_for = None;
                self.all[waiter].carried = Some(brought);
            }
            Held::FromWhoAwaitsIt => {
                self.moves(steps, at, "rest", Chain::rest);
                if self.seed != Seed::TellsNobody {
                    self.all[at].awaiting = Awaiting::Told;
                }
            }
        }
    }

    fn unpause(
        &mut self,
        steps: &mut Steps<'_, Self>,
        at: usize,
        event: &'static str,
        ends: fn(&mut Chain) -> Unpause,
    ) {
        let owed = self.chain(steps, at, event, ends, |owed| match owed {
            Unpause::Nothing => "nothing",
            Unpause::GoOn => "let the result go on",
            Unpause::Unmatched => "refuse: not paused",
        });
        let held = if owed == Unpause::GoOn { self.all[at].held.take() } else { None };
        match held {
            Some(to) => self.go_on(steps, at, to),
            None if owed == Unpause::GoOn => self.fail("a pause held nothing and lets it go on"),
            None => {}
        }
    }

    /// Whoever awaits the result looks for it.
    fn poll(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        if matches!(self.all[at].outlet, Outlet::Settled(_)) {
            if !self.all[at].chain.is_paused() {
                let result = self.outlet(steps, at, "take", Outlet::take, |_| "hand out the result");
                assert!(result.is_some());
                self.moves(steps, at, "take", Chain::take);
                self.all[at].handle = false;
                self.all[at].awaiting = Awaiting::Nobody;
                return;
            }
            if self.all[at].chain.stage() == Stage::Resting {
                self.moves(steps, at, "add", Chain::add);
                self.go_on_or_hold(steps, at, Held::FromWhoAwaitsIt);
            }
        } else {
            let watching = self.outlet(
                steps,
                at,
                "watch",
                |outlet| outlet.watch(()),
                |watching| match watching {
                    Ok(Some(())) => "hand out the one who watched before",
                    Ok(None) => "nothing",
                    Err(()) => "hand the watcher back",
                },
            );
            if watching.is_err() {
                self.fail("whoever awaits a result cannot watch for it");
            }
        }
        if self.all[at].awaiting != Awaiting::Told || self.all[at].chain.stage() != Stage::Resting {
            self.all[at].awaiting = Awaiting::ToBeTold;
        }
    }

    /// Nobody awaits the result any more: it is cancelled, and whatever it comes to is dropped.
    fn drop_await(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let _ = self.outlet(steps, at, "unwatch", Outlet::unwatch, |watcher| {
            if watcher.is_some() { "hand out the watcher" } else { "nothing" }
        });
        self.all[at].awaiting = Awaiting::Nobody;
        self.cancel(steps, at);
        self.all[at].handle = false;
    }

    /// A callback of `at` returns the tail of `other`.
    fn wait(&mut self, steps: &mut Steps<'_, Self>, at: usize, other: usize) {
        self.all[at].in_callback = false;
        self.all[other].handle = false;
        let taken = if self.all[other].chain.is_paused() {
            None
        } else {
            self.outlet(steps, other, "take", Outlet::take, |taken| {
                if taken.is_some() { "hand out the result" } else { "nothing" }
            })
        };
        if let Some(brought) = taken {
            self.moves(steps, other, "take", Chain::take);
            self.all[at].carried = Some(brought);
            return;
        }
        let ring = self.ends_at(other, at);
        let line = self.all[at].place.join(at, other, &self.all[other].place);
        if line.is_none() != ring {
            self.fail("a self-wait is seen where there is none, or not seen where there is one");
        }
        if line.is_none() && self.seed != Seed::LetsItWaitForItself {
            self.all[at].carried = Some(Brought::ByWaitingForItself);
            return;
        }
        // A waiter is the way out of a whole chain: of none whose result still has callbacks to go to.
        let may_step_out = self.all[at].chain.may_step_out() || self.seed == Seed::StepsOutAlthoughShared;
        let outer = match self.all[at].links {
            0 if may_step_out => self.outlet(
                steps,
                at,
                "detach",
                |outlet| outlet.detach(Ok),
                |next| {
                    if next.is_some() { "hand out the successor" } else { "nothing" }
                },
            ),
            _ => None,
        };
        let before = self.all.clone();
        let waiter = match outer {
            Some(outer) => {
                self.moves(steps, at, "hand over", Chain::hand_over);
                if self.seed != Seed::StepsOutUnseen {
                    self.all[at].place = Place::Alone;
                }
                if self.all[at].brake || self.all[at].chain.is_paused() {
                    self.fail("a chain steps out of its line where a pause of it no longer matters");
                }
                outer
            }
            None => {
                self.moves(steps, at, "wait", Chain::wait);
                self.all[at].place = Place::Between;
                at
            }
        };
        self.all[waiter].waits_for = Some(other);
        self.all[other].place = Place::Between;
        if let Some(line) = line {
            self.draw(line);
        }
        self.moved(steps, &before, if outer.is_some() { "a last callback waits" } else { "a callback waits" });
        match self.outlet(steps, other, "attach", |outlet| outlet.attach(waiter), met) {
            Met::NotYet => {}
            Met::Pass(waiter, brought) => {
                self.moves(steps, other, "add", Chain::add);
                self.go_on_or_hold(steps, other, Held::FromAWaiter(waiter, brought));
            }
            Met::Tell(()) => self.fail("a successor that comes tells somebody"),
        }
    }

    fn add(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        self.all[at].may.add -= 1;
        self.all[at].links += 1;
        // Which link it is makes no difference here: the new one has a way out of its own.
        if let Met::Pass(_, brought) = self.outlet(steps, at, "attach", |outlet| outlet.attach(at), met) {
            self.moves(steps, at, "add", Chain::add);
            self.go_on_or_hold(steps, at, Held::FromACallback(brought));
        }
        self.all[at].outlet = Outlet::Open;
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
    fn true_place(&self, at: usize) -> Place<usize> {
        let outwards = |from| (0..self.all.len()).fold(from, |at, _| self.waiter_of(at).unwrap_or(at));
        match (self.waiter_of(at), self.all[at].waits_for) {
            (None, None) => Place::Alone,
            (None, Some(_)) => Place::Outermost { innermost: self.inwards(at) },
            (Some(_), Some(_)) => Place::Between,
            (Some(_), None) => Place::Innermost { outermost: outwards(at) },
        }
    }

    fn program_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let fired = |owed: &Fire| match owed {
            Fire::Run => "send the result down",
            Fire::Discard => "drop the result",
        };
        let one = &self.all[at];
        if one.resolver {
            let mut next = self.clone();
            next.all[at].resolver = false;
            let mut abandoned = next.clone();
            let owed = next.chain(steps, at, "fire", Chain::fire, fired);
            next.fire(at, owed, Brought::ByAProgram);
            steps.hoped(Event::IsFired(at), next);
            if !self.calm {
                let owed = abandoned.chain(steps, at, "abandon", Chain::abandon, fired);
                abandoned.fire(at, owed, Brought::ByAbandoning);
                steps.hoped(Event::IsAbandoned(at), abandoned);
            }
        }
        let never_pauses = one.may.pause == 0 && !one.chain.is_paused() && !one.brake;
        if (one.handle || one.brake) && !never_pauses {
            self.pausing_steps(steps, at);
        }
        if !one.handle || self.calm {
            return;
        }
        let mut next = self.clone();
        next.cancel(steps, at);
        steps.possible(Event::IsCancelled(at), next);
        if one.may.await_it {
            let mut next = self.clone();
            next.poll(steps, at);
            if one.awaiting == Awaiting::Told {
                steps.hoped(Event::IsPolled(at), next);
            } else {
                steps.possible(Event::IsPolled(at), next);
            }
        }
        if one.awaiting != Awaiting::Nobody {
            let mut next = self.clone();
            next.drop_await(steps, at);
            steps.possible(Event::ItsTailIsDropped(at), next);
            return;
        }
        let mut next = self.clone();
        next.all[at].handle = false;
        let mut taken = next.clone();
        steps.possible(Event::ItsTailIsDropped(at), next);
        if matches!(one.outlet, Outlet::Settled(_)) && !one.chain.is_paused() {
            let result = taken.outlet(steps, at, "take", Outlet::take, |_| "hand out the result");
            taken.moves(steps, at, "take", Chain::take);
            assert!(result.is_some());
            steps.possible(Event::IsTakenFrom(at), taken);
        }
        if one.may.add > 0 {
            let mut next = self.clone();
            next.add(steps, at);
            steps.possible(Event::IsAddedTo(at), next);
        }
    }

    /// What can be done by whoever may pause it.
    fn pausing_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let one = &self.all[at];
        if one.may.pause > 0 {
            let mut next = self.clone();
            next.all[at].may.pause -= 1;
            next.moves(steps, at, "pause", Chain::pause);
            steps.possible(Event::IsPaused(at), next);
        }
        let mut next = self.clone();
        next.unpause(steps, at, "unpause", Chain::unpause);
        if one.chain.is_paused() {
            steps.hoped(Event::IsUnpaused(at), next);
        } else {
            steps.possible(Event::IsUnpaused(at), next);
        }
        if one.brake {
            let mut next = self.clone();
            next.all[at].brake = false;
            steps.hoped(Event::ItsBrakeIsDropped(at), next);
        }
    }

    fn own_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let one = &self.all[at];
        let abandoned = !one.handle && !one.brake && one.chain.stage() == Stage::Held;
        if abandoned && self.seed != Seed::HoldsForGood {
            let mut next = self.clone();
            next.unpause(steps, at, "unpause for good", Chain::unpause_for_good);
            steps.certain(Event::ItsPauseEndsByItself(at), next);
        }
        if one.calling {
            let mut next = self.clone();
            next.all[at].calling = false;
            if self.seed != Seed::ForgetsToFail {
                let owed = next.chain(steps, at, "uncalled", Chain::uncalled, |owed| match owed {
                    Fire::Run => "fail with Cancelled",
                    Fire::Discard => "nothing",
                });
                next.fire(at, owed, Brought::ByCancelling);
            }
            steps.certain(Event::ItsCancellerReturns(at), next);
        }
        if let Some(brought) = one.carried {
            let mut next = self.clone();
            next.deliver(steps, at, brought);
            steps.certain(Event::ItsResultGoesOn(at), next);
        }
        if one.in_callback {
            let mut next = self.clone();
            next.all[at].in_callback = false;
            next.all[at].carried = Some(Brought::ByAProgram);
            steps.hoped(Event::ItsCallbackReturnsAValue(at), next);
            let returnable = |other: &usize| self.all[*other].handle && self.all[*other].awaiting == Awaiting::Nobody;
            for other in (0..self.all.len()).filter(returnable) {
                let mut next = self.clone();
                next.wait(steps, at, other);
                steps.hoped(Event::ItsCallbackReturns(at, other), next);
            }
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

    fn wrong(&self) -> Option<&'static str> {
        let each = |holds: fn(&One) -> bool| self.all.iter().all(holds);
        let checks = [
            (each(|one| one.cancellers_called <= 1), "a canceller is called twice"),
            (
                each(|one| one.waits_for.is_some() == (one.chain.stage() == Stage::Waiting)),
                "a chain waits without knowing it",
            ),
            (
                each(|one| {
                    let rests = one.chain.stage() == Stage::Resting || one.held == Some(Held::FromWhoAwaitsIt);
                    matches!(one.outlet, Outlet::Settled(_)) == rests
                }),
                "a result lies at a tail without the chain knowing it",
            ),
            (
                each(|one| one.held.is_some() == (one.chain.stage() == Stage::Held)),
                "a chain holds a result without knowing it",
            ),
            (
                each(|one| one.chain.stage() != Stage::Held || one.chain.is_paused()),
                "a chain holds a result and is not paused",
            ),
            (
                each(|one| one.awaiting != Awaiting::ToBeTold || one.chain.stage() != Stage::Resting),
                "somebody awaits a result that is here, and was not told",
            ),
            (
                each(|one| (one.in_callback || one.carried.is_some()) == (one.chain.stage() == Stage::Running)),
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
        self.fault.or_else(|| checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what))
    }

    fn stuck(&self) -> Option<&'static str> {
        self.all
            .iter()
            .any(|one| one.chain.stage() == Stage::Cancelling && !one.calling)
            .then_some("a cancelled chain never fails")
    }

    fn done(&self) -> Option<&'static str> {
        let hangs = |one: &One| !matches!(one.chain.stage(), Stage::Resting | Stage::Over);
        self.all.iter().any(hangs).then_some("a chain hangs although everything was fired or dropped")
    }
}

fn met<N, R, W>(met: &Met<N, R, W>) -> &'static str {
    match met {
        Met::NotYet => "keep it",
        Met::Tell(_) => "keep it, tell the watcher",
        Met::Pass(..) => "pass the result on",
    }
}

fn chain_label(chain: Chain) -> &'static str {
    match (chain.stage(), chain.is_paused()) {
        (Stage::Unfired, false) => "Unfired",
        (Stage::Unfired, true) => "Unfired: paused",
        (Stage::Cancelling, false) => "Cancelling",
        (Stage::Cancelling, true) => "Cancelling: paused",
        (Stage::Running, false) => "Running",
        (Stage::Running, true) => "Running: paused",
        (Stage::Waiting, false) => "Waiting",
        (Stage::Waiting, true) => "Waiting: paused",
        (Stage::Held, _) => "Held",
        (Stage::Resting, false) => "Resting",
        (Stage::Resting, true) => "Resting: paused",
        (Stage::Over, false) => "Over",
        (Stage::Over, true) => "Over: paused",
    }
}

fn outlet_label(outlet: &Outlet<usize, Brought, ()>) -> &'static str {
    match outlet {
        Outlet::Open => "Open",
        Outlet::Watched(()) => "Watched",
        Outlet::Linked(_) => "Linked",
        Outlet::Settled(_) => "Settled",
        Outlet::Spent => "Spent",
    }
}

fn place_label(place: &Place<usize>) -> &'static str {
    match place {
        Place::Alone => "Alone",
        Place::Outermost { .. } => "Outermost",
        Place::Between => "Between",
        Place::Innermost { .. } => "Innermost",
    }
}

/// Three machines, so three tables: the rows of those whose states have these names, whatever stands behind a colon.
fn part(rows: &Rows, states: &[&str]) -> Rows {
    let name = |state: &'static str| state.split_once(':').map_or(state, |(name, _)| name);
    rows.iter().filter(|row| states.contains(&name(row.from))).copied().collect()
}

// Checks: B49, B51, B52, B53, B54, B56, B57, B58, P20
#[test]
fn every_chain_comes_to_one_result_and_knows_its_place_whatever_happens_inside_what() {
    let mut rows = sound(Chains::new(2, 2, MAY_ADD, Seed::None), 33664, 175656);
    rows.extend(sound(Chains::new(3, 1, MAY_NOT, Seed::None), 210360, 1474332));
    // It takes four to join two lines of two.
    rows.extend(sound(Chains { calm: true, ..Chains::new(4, 2, MAY_NOT, Seed::None) }, 124_291, 451_740));
    rows.extend(sound(
        Chains::new(1, 2, May { add: 1, pause: 3, share: true, await_it: true }, Seed::None),
        5976,
        29716,
    ));
    rows.extend(sound(
        Chains::new(2, 1, May { add: 0, pause: 1, share: true, await_it: false }, Seed::None),
        134_352,
        972_648,
    ));
    rows.extend(sound(
        Chains::new(2, 1, May { add: 0, pause: 1, share: false, await_it: true }, Seed::None),
        67_777,
        500_518,
    ));
    let three = Chains::new(3, 1, May { add: 0, pause: 1, share: true, await_it: false }, Seed::None);
    rows.extend(sound(Chains { calm: true, ..three }, 183_680, 1_233_048));
    let chain = part(&rows, &["Unfired", "Cancelling", "Running", "Waiting", "Held", "Resting", "Over"]);
    let outlet = part(&rows, &["Open", "Watched", "Linked", "Settled", "Spent"]);
    let place = part(&rows, &["Alone", "Outermost", "Between", "Innermost"]);
    let text = format!(
        "The chain:\n\n{}\nThe way out of a link:\n\n{}\nIts place among those that wait for each other:\n\n{}",
        table::chapter(&chain),
        table::chapter(&outlet),
        table::chapter(&place),
    );
    book::holds("deferred", &text);
}

// Checks: B52, B53, B54, B56, B58, P20
#[test]
fn seeded_faults_of_the_deferred_are_found() {
    finds(Chains::new(2, 1, MAY_NOT, Seed::LetsItWaitForItself), "chains wait for each other in a ring");
    finds(Chains::new(2, 1, MAY_NOT, Seed::LeavesUnseen), "a chain is wrong about its place");
    finds(Chains::new(3, 1, MAY_NOT, Seed::StepsOutUnseen), "a chain is wrong about its place");
    finds(Chains::new(1, 0, MAY_NOT, Seed::ForgetsToFail), "a cancelled chain never fails");
    finds(Chains::new(1, 0, MAY_NOT, Seed::ForgetsThatItIsCancelled), "a canceller is called twice");
    let paused = May { add: 0, pause: 1, share: true, await_it: true };
    finds(Chains::new(1, 1, paused, Seed::PassesOnAlthoughPaused), "a paused chain lets its result go on");
    finds(
        Chains::new(3, 1, paused, Seed::StepsOutAlthoughShared),
        "a chain steps out of its line where a pause of it no longer matters",
    );
    finds(Chains::new(1, 1, paused, Seed::HoldsForGood), "a chain hangs although everything was fired or dropped");
    finds(Chains::new(1, 1, paused, Seed::TellsNobody), "somebody awaits a result that is here, and was not told");
}
