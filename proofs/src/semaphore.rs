//! The proof of a semaphore, for any number of permits and waiters.
//!
//! A state is made by calls; what a call leads to is compared with what it should lead to, field by field. Of the
//! waiters only the first two are known: a transition serves at most one, and looks at the next.

use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, choose, decide, prove};
use crate::machine::count::{Count, ZERO};
use crate::machine::semaphore::{Acquired, Released, Semaphore};
use crate::machine::wait_queue::Key;
use crate::symbol::{Condition, Int, Model};

/// A semaphore, by what it holds.
#[derive(Debug, Clone, PartialEq)]
struct State {
    limit: Int,
    held: Int,
    kept: Int,
    /// What each waiter asks for: none, one or two are known.
    waiters: Vec<Int>,
    /// Some caller is in its loop over `next`.
    serving: bool,
}

type Program = fn(State) -> Option<State>;

/// All claims about a semaphore.
pub fn claims() -> Vec<Claim> {
    let steps: [(&str, Program); 7] = [
        ("permits are asked for", acquires),
        ("permits are returned", releases),
        ("a guard is forgotten", keeps),
        ("a kept permit is returned", releases_kept),
        ("the limit changes", changes_limit),
        ("a wait is cancelled", cancels_wait),
        ("the loop that serves takes the next", serves_next),
    ];
    let claim = |(name, program): (&str, Program)| Claim {
        machine: "semaphore",
        name: name.into(),
        program: Box::new(move || {
            let before = State::any()?;
            let after = program(before.clone())?;
            prove("no waiter that can be served waits while nobody serves", after.is_served());
            prove("what is kept is held", after.kept.at_most(after.held));
            Some(Change { before: Box::new(before), after: Box::new(after) })
        }),
    };
    steps.into_iter().map(claim).collect()
}

impl State {
    /// Any state in which the invariant holds.
    fn any() -> Option<Self> {
        let state = Self {
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
        assume(Int::ZERO.at_most(state.kept) & state.kept.at_most(state.held))?;
        assume(state.is_served())?;
        Some(state)
    }

    fn free(&self) -> Int {
        (self.limit - self.held).max(0)
    }

    /// The first waiter can have what it asks for.
    fn first_fits(&self) -> Condition {
        self.waiters.first().map_or(Condition::FALSE, |count| count.at_most(self.free()))
    }

    fn is_served(&self) -> Condition {
        !self.first_fits() | self.serving
    }

    /// The machine in this state.
    fn machine(&self) -> Semaphore<()> {
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
    fn serve(mut self, released: Released) -> Self {
        let serves = !self.serving && decide(self.first_fits());
        prove(
            "the first waiter is to be served where it fits and nobody serves",
            (released == Released::Serve) == serves,
        );
        self.serving |= serves;
        self
    }

    /// The machine must be in this state.
    fn is(self, machine: &Semaphore<()>) -> Option<Self> {
        prove("the machine is as the calls say", *machine == self.machine());
        Some(self)
    }
}

/// All or none, and nobody overtakes.
fn acquires(mut state: State) -> Option<State> {
    let (mut machine, count) = (state.machine(), permits("permits that are asked for")?);
    let fits = state.waiters.is_empty() && decide(count.at_most(state.free()));
    let acquired = machine.try_acquire(Count(count));
    prove("permits are granted where they are free and nobody waits", (acquired == Acquired::Granted) == fits);
    if acquired == Acquired::Granted {
        state.held = state.held + count;
        prove("no more permits are granted than there are", count.is_zero() | state.held.at_most(state.limit));
    } else {
        machine.wait(Count(count), ());
        state.waiters.push(count);
    }
    state.is(&machine)
}

fn releases(mut state: State) -> Option<State> {
    let (mut machine, count) = (state.machine(), permits("permits that are returned")?);
    assume(count.at_most(state.held - state.kept))?;
    state.held = state.held - count;
    let released = machine.release(Count(count));
    state.serve(released).is(&machine)
}

fn keeps(mut state: State) -> Option<State> {
    let (mut machine, count) = (state.machine(), permits("permits that are kept")?);
    assume(count.at_most(state.held - state.kept))?;
    state.kept = state.kept + count;
    machine.keep(Count(count));
    state.is(&machine)
}

fn releases_kept(mut state: State) -> Option<State> {
    let mut machine = state.machine();
    match machine.release_kept() {
        Ok(released) => {
            prove("a permit is returned that was kept", state.kept.is_positive());
            (state.kept, state.held) = (state.kept - 1, state.held - 1);
            state.serve(released).is(&machine)
        }
        Err(_) => {
            prove("only where none is kept, none is returned", state.kept.is_zero());
            state.is(&machine)
        }
    }
}

fn changes_limit(mut state: State) -> Option<State> {
    let mut machine = state.machine();
    state.limit = permits("new limit")?;
    let released = machine.set_limit(Count(state.limit));
    state.serve(released).is(&machine)
}

fn cancels_wait(mut state: State) -> Option<State> {
    let mut machine = state.machine();
    let (key, at) = match (choose("it is the first that waits"), choose("it is the second that waits")) {
        (true, false) => (Key::First, Some(0)),
        (false, true) => (Key::Another, Some(1)),
        _ => (Key::Nobody, None),
    };
    let (waiter, released) = machine.cancel_wait(key);
    let waits = at.filter(|at| *at < state.waiters.len());
    prove("a wait is cancelled once, unless it is over", waiter.is_some() == waits.is_some());
    if let Some(at) = waits {
        state.waiters.remove(at);
    }
    state.serve(released).is(&machine)
}

fn serves_next(mut state: State) -> Option<State> {
    assume(state.serving.into())?;
    let mut machine = state.machine();
    let fits = decide(state.first_fits());
    let next = machine.next();
    prove("the first waiter is served where it fits", next.is_some() == fits);
    if next.is_some() {
        let count = state.waiters.remove(0);
        state.held = state.held + count;
        prove("no more permits are granted than there are", count.is_zero() | state.held.at_most(state.limit));
    } else {
        state.serving = false;
    }
    state.is(&machine)
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
