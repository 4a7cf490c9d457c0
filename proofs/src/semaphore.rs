//! The proof of a semaphore, for any number of permits and waiters.
//!
//! A state is made by calls; what a call leads to is compared with what it should lead to, field by field. Of the
//! waiters only the first two are known: a transition serves at most one, and looks at the next.

use crate::claim::Describe;
use crate::events::semaphore::Event;
use crate::explore::{assume, choose, decide, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::count::{Count, ZERO};
use crate::machine::semaphore::{Acquired, Released, Semaphore};
use crate::machine::wait_queue::Key;
use crate::symbol::{Condition, Int, Model};

/// A semaphore, by what it holds.
#[derive(Debug, Clone)]
pub struct State {
    machine: Semaphore<()>,
    limit: Int,
    held: Int,
    kept: Int,
    /// What each waiter asks for: none, one or two are known.
    waiters: Vec<Int>,
    /// Some caller is in its loop over `next`.
    serving: bool,
}

const STEPS: &[Step<State>] = &[
    Step {
        name: "permits are asked for",
        kind: Kind::Outside,
        events: &[Event::Acquire],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: acquires,
    },
    Step {
        name: "permits are returned",
        kind: Kind::Outside,
        events: &[Event::Release],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: releases,
    },
    Step {
        name: "a guard is forgotten",
        kind: Kind::Outside,
        events: &[Event::Keep],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: keeps,
    },
    Step {
        name: "a kept permit is returned",
        kind: Kind::Outside,
        events: &[Event::ReleaseKept],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: releases_kept,
    },
    Step {
        name: "the limit changes",
        kind: Kind::Outside,
        events: &[Event::SetLimit],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: changes_limit,
    },
    Step {
        name: "a wait is cancelled",
        kind: Kind::Outside,
        events: &[Event::Cancel],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: cancels_wait,
    },
    Step {
        name: "the loop that serves takes the next",
        kind: Kind::Own,
        events: &[Event::ServeNext],
        besides: (),
        enabled: |state| state.serving.into(),
        run: serves_next,
    },
];

const _: () = assert!(Event::are_the_steps_of::<State>());

impl State {
    fn free(&self) -> Int {
        (self.limit - self.held).max(0)
    }

    /// The first waiter can have what it asks for.
    fn first_fits(&self) -> Condition {
        self.waiters.first().map_or(Condition::FALSE, |count| count.at_most(self.free()))
    }

    /// The machine that calls have brought into this state.
    fn made(&self) -> Semaphore<()> {
        let mut machine = Semaphore::new(Count::MAX);
        prove("free permits are granted", machine.try_acquire(Count(self.held)) == Acquired::Granted);
        machine.keep(Count(self.kept));
        if self.serving {
            machine.wait(ZERO, ());
            prove("a waiter that fits is to be served", machine.set_limit(Count::MAX) == Released::Serve);
            prove("a waiter that fits is served", machine.next().is_some());
        }
        _ = machine.set_limit(Count(self.limit));
        self.waiters.iter().for_each(|count| machine.wait(Count(*count), ()));
        machine
    }

    /// Permits or a waiter have gone: the first of the others is to be served, if it fits and nobody serves.
    fn serve(&mut self, released: Released) {
        let serves = !self.serving && decide(self.first_fits());
        prove(
            "the first waiter is to be served where it fits and nobody serves",
            (released == Released::Serve) == serves,
        );
        self.serving |= serves;
    }
}

impl induction::World for State {
    const NAME: &'static str = "semaphore";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] = &[Rest {
        name: "at rest",
        ended: &[Kind::Own],
        provided: |_| Condition::TRUE,
        prove: |state| prove("nobody waits who can be served", !state.first_fits()),
    }];

    fn any() -> Option<Self> {
        let state = Self {
            machine: Semaphore::new(ZERO),
            limit: Int::unknown("limit"),
            held: Int::unknown("held"),
            kept: Int::unknown("kept"),
            waiters: match (choose("somebody waits"), choose("another waits behind")) {
                (false, false) => Vec::new(),
                (true, false) => vec![Int::unknown("first asks for")],
                (true, true) => vec![Int::unknown("first asks for"), Int::unknown("second asks for")],
                (false, true) => return None,
            },
            serving: choose("somebody serves"),
        };
        let counts = [state.limit, state.held].into_iter().chain(state.waiters.iter().copied());
        let are_counts = counts.map(|count| Int::ZERO.at_most(count) & count.at_most(Int::GREATEST));
        assume(Condition::all(are_counts) & Int::from(1).at_most(Int::GREATEST))?;
        // Calls lead to no other state.
        assume(Int::ZERO.at_most(state.kept) & state.kept.at_most(state.held))?;
        Some(Self { machine: state.made(), ..state })
    }

    fn new() -> Option<Self> {
        let limit = permits("limit")?;
        let machine = Semaphore::new(Count(limit));
        let none = Int::ZERO;
        Some(Self { machine, limit, held: none, kept: none, waiters: Vec::new(), serving: false })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        vec![
            ("what is kept is held", Int::ZERO.at_most(self.kept) & self.kept.at_most(self.held)),
            ("no waiter that can be served waits while nobody serves", !self.first_fits() | self.serving),
            ("the machine is as the calls say", (self.machine == self.made()).into()),
        ]
    }

    /// Of the waiters that are not known, none is served.
    fn rank(&self) -> Vec<Int> {
        vec![Int::from(self.waiters.len() as i64), Int::from(self.serving)]
    }
}

/// All or none, and nobody overtakes.
fn acquires(state: &mut State) -> Option<()> {
    let count = permits("permits that are asked for")?;
    let fits = state.waiters.is_empty() && decide(count.at_most(state.free()));
    let acquired = state.machine.try_acquire(Count(count));
    prove("permits are granted where they are free and nobody waits", (acquired == Acquired::Granted) == fits);
    if acquired == Acquired::Granted {
        state.held = state.held + count;
        prove("no more permits are granted than there are", count.is_zero() | state.held.at_most(state.limit));
    } else {
        state.machine.wait(Count(count), ());
        state.waiters.push(count);
    }
    Some(())
}

fn releases(state: &mut State) -> Option<()> {
    let count = permits("permits that are returned")?;
    assume(count.at_most(state.held - state.kept))?;
    state.held = state.held - count;
    let released = state.machine.release(Count(count));
    state.serve(released);
    Some(())
}

fn keeps(state: &mut State) -> Option<()> {
    let count = permits("permits that are kept")?;
    assume(count.at_most(state.held - state.kept))?;
    state.kept = state.kept + count;
    state.machine.keep(Count(count));
    Some(())
}

fn releases_kept(state: &mut State) -> Option<()> {
    match state.machine.release_kept() {
        Ok(released) => {
            prove("a permit is returned that was kept", state.kept.is_positive());
            (state.kept, state.held) = (state.kept - 1, state.held - 1);
            state.serve(released);
        }
        Err(_) => prove("only where none is kept, none is returned", state.kept.is_zero()),
    }
    Some(())
}

fn changes_limit(state: &mut State) -> Option<()> {
    state.limit = permits("new limit")?;
    let released = state.machine.set_limit(Count(state.limit));
    state.serve(released);
    Some(())
}

fn cancels_wait(state: &mut State) -> Option<()> {
    let (key, at) = match (choose("it is the first that waits"), choose("it is the second that waits")) {
        (true, false) => (Key::First, Some(0)),
        (false, true) => (Key::Another, Some(1)),
        _ => (Key::Nobody, None),
    };
    let (waiter, released) = state.machine.cancel_wait(key);
    let waits = at.filter(|at| *at < state.waiters.len());
    prove("a wait is cancelled once, unless it is over", waiter.is_some() == waits.is_some());
    if let Some(at) = waits {
        state.waiters.remove(at);
    }
    state.serve(released);
    Some(())
}

fn serves_next(state: &mut State) -> Option<()> {
    let fits = decide(state.first_fits());
    let next = state.machine.next();
    prove("the first waiter is served where it fits", next.is_some() == fits);
    if next.is_some() {
        let count = state.waiters.remove(0);
        state.held = state.held + count;
        prove("no more permits are granted than there are", count.is_zero() | state.held.at_most(state.limit));
    } else {
        state.serving = false;
    }
    Some(())
}

fn permits(name: &'static str) -> Option<Int> {
    let count = Int::unknown(name);
    assume(Int::ZERO.at_most(count) & count.at_most(Int::GREATEST))?;
    Some(count)
}

impl Describe for State {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let waiting = |at: usize| self.waiters.get(at).map_or("nothing".into(), |count| count.value(model).to_string());
        vec![
            ("limit", self.limit.value(model).to_string()),
            ("held", self.held.value(model).to_string()),
            ("kept", self.kept.value(model).to_string()),
            ("the first asks for", waiting(0)),
            ("the second asks for", waiting(1)),
            ("somebody serves", self.serving.to_string()),
        ]
    }
}
