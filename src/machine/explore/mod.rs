//! Exhaustive exploration of the machines that ship: every reachable state of a small world around each, and every step out of it.
//!
//! A **world** is one value: the machine itself, and around it what a few threads are doing and have in their hands, at the
//! granularity of the locks. Its steps are whatever can happen next, whoever does it. Three things are held of it:
//!
//! - **safety**: in every reachable state, [`World::wrong`] finds nothing;
//! - **progress**: wherever nothing is left that is [`Certain`](Likely::Certain) to happen, [`World::stuck`] finds nothing owed; where nothing
//!   hoped for is left either, neither does [`World::done`];
//! - **an end**: those steps never go round in a circle, so every run of them, however scheduled, gets there.
//!
//! The search is breadth first, so what it finds is shortest: it is printed step by step. The numbers of states and steps are
//! pinned, because a search that silently shrinks is worse than none; and each file seeds a few faults, to see that they are found.

mod cooperative;
mod deferred;
mod gather;
mod inbox;
mod lifecycle;
mod looping;
mod permits;
mod pool;
mod reply;
mod stock;
mod table;
mod table_file;
mod task;
mod ticket;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Debug, Write};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

use pathfinding::prelude::{bfs, bfs_loop, bfs_reach};

pub(super) use table::{Row, Rows};

/// How sure it is that a step which can be taken will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likely {
    /// It may never be: a call that a program may make, a spurious wake.
    Possible,
    /// A program's own code has to play its part: a job ends.
    Hoped,
    /// A thread in the middle of something goes on.
    Certain,
}

/// A machine, and what is around it.
pub(super) trait World: Clone + Eq + Hash + Debug {
    /// What can happen; printed when it leads to a fault.
    type Event: Copy + Debug;

    /// Whatever can happen next.
    fn steps(&self, steps: &mut Steps<'_, Self>);

    /// What is wrong with this state, if anything is.
    fn wrong(&self) -> Option<&'static str>;

    /// What is owed here although nothing more is certain to happen.
    fn stuck(&self) -> Option<&'static str> {
        None
    }

    /// What is owed here although nothing more is to be hoped for.
    fn done(&self) -> Option<&'static str> {
        None
    }
}

/// Where a world tells its steps, and the rows of the machine's table that they take.
pub(super) struct Steps<'a, W: World> {
    found: Vec<(Likely, W::Event, W)>,
    rows: &'a mut Rows,
}

impl<W: World> Steps<'_, W> {
    pub(super) fn certain(&mut self, event: W::Event, to: W) {
        self.found.push((Likely::Certain, event, to));
    }

    pub(super) fn hoped(&mut self, event: W::Event, to: W) {
        self.found.push((Likely::Hoped, event, to));
    }

    pub(super) fn possible(&mut self, event: W::Event, to: W) {
        self.found.push((Likely::Possible, event, to));
    }

    /// A row of the transition table was seen.
    pub(super) fn row(&mut self, row: Row) {
        self.rows.insert(row);
    }
}

/// What a search came to that found nothing wrong.
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) rows: Rows,
}

/// The shortest way to a fault.
pub(super) struct Fault {
    what: &'static str,
    trace: String,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.trace)
    }
}

/// Searches the whole world. None of it is sampled and nothing bounds the search but the world itself.
pub(super) fn explore<W: World>(start: W) -> Result<Explored, Fault> {
    let graph = RefCell::new(Graph::from(start));
    let steps = |id: &State| graph.borrow_mut().expand(*id);
    bfs_reach(ROOT, steps).for_each(drop);
    let graph = graph.into_inner();
    match graph.fault.or_else(|| graph.circle()) {
        Some((what, state)) => Err(Fault { what, trace: graph.trace(state) }),
        None => Ok(Explored { states: graph.worlds.len(), steps: graph.steps, rows: graph.rows }),
    }
}

/// Searches a world that must be sound, and pins how large it is.
#[track_caller]
pub(super) fn sound<W: World>(start: W, states: usize, steps: usize) -> Rows {
    let explored = explore(start).unwrap();
    let found = (explored.states, explored.steps);
    assert_eq!(found, (states, steps), "the size of this world has changed: (states, steps)");
    explored.rows
}

/// Searches a world with a fault seeded in it, which must come out as `what`.
#[track_caller]
pub(super) fn finds<W: World>(start: W, what: &str) {
    let fault = explore(start).err().map(|fault| fault.what);
    assert_eq!(fault, Some(what), "the seeded fault");
}

/// The number of a state, in the order of discovery.
type State = u32;

const ROOT: State = 0;

/// A hash for many small fields. Std's defends against an attacker, whom we do not have, and takes half of the search's time.
#[derive(Default)]
struct Quick(u64);

impl Quick {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn write_u8(&mut self, n: u8) {
        self.mix(u64::from(n));
    }

    fn write_u16(&mut self, n: u16) {
        self.mix(u64::from(n));
    }

    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_usize(n.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// The states that were reached, and the steps between them.
struct Graph<W: World> {
    worlds: Vec<Rc<W>>,
    numbers: HashMap<Rc<W>, State, BuildHasherDefault<Quick>>,
    /// Of each state that was looked at, the steps out of it.
    edges: Vec<Box<[(Likely, State)]>>,
    steps: usize,
    rows: Rows,
    fault: Option<(&'static str, State)>,
}

impl<W: World> From<W> for Graph<W> {
    fn from(start: W) -> Self {
        let mut graph = Self {
            worlds: Vec::new(),
            numbers: HashMap::default(),
            edges: Vec::new(),
            steps: 0,
            rows: Rows::new(),
            fault: None,
        };
        graph.number(start);
        graph
    }
}

impl<W: World> Graph<W> {
    fn number(&mut self, world: W) -> State {
        if let Some(&known) = self.numbers.get(&world) {
            return known;
        }
        let new = State::try_from(self.worlds.len()).unwrap();
        let world = Rc::new(world);
        self.worlds.push(Rc::clone(&world));
        self.numbers.insert(world, new);
        new
    }

    /// Judges a state and numbers what follows it. Once a fault is found nothing does.
    fn expand(&mut self, state: State) -> Vec<State> {
        if self.fault.is_some() {
            return Vec::new();
        }
        assert_eq!(state as usize, self.edges.len(), "breadth-first search looks in the order of discovery");
        let world = Rc::clone(&self.worlds[state as usize]);
        let mut steps = Steps { found: Vec::new(), rows: &mut self.rows };
        world.steps(&mut steps);
        let found = steps.found;
        let surest = found.iter().map(|(likely, _, _)| *likely).max().unwrap_or(Likely::Possible);
        let owed = match surest {
            Likely::Certain => None,
            Likely::Hoped => world.stuck(),
            Likely::Possible => world.stuck().or_else(|| world.done()),
        };
        self.fault = world.wrong().or(owed).map(|what| (what, state));
        self.steps += found.len();
        let edges: Box<[_]> = found.into_iter().map(|(likely, _, to)| (likely, self.number(to))).collect();
        let next = edges.iter().map(|&(_, to)| to).collect();
        self.edges.push(edges);
        next
    }

    /// Where the world leads itself to, whatever may not happen.
    fn onward(&self, state: State) -> impl Iterator<Item = State> + '_ {
        self.edges[state as usize].iter().filter(|(likely, _)| *likely > Likely::Possible).map(|&(_, to)| to)
    }

    /// A circle of steps that would all be taken, so that no end is ever reached.
    ///
    /// A state is visited when all that leads to it has been: what lies on a circle, or behind one, never is.
    fn circle(&self) -> Option<(&'static str, State)> {
        let all = || 0..State::try_from(self.worlds.len()).unwrap_or(State::MAX);
        let mut unvisited = vec![0_u32; self.worlds.len()];
        all().flat_map(|state| self.onward(state)).for_each(|to| unvisited[to as usize] += 1);
        let outset: Vec<State> = all().filter(|&state| unvisited[state as usize] == 0).collect();
        let visited = bfs_reach(None, |state| match state {
            None => outset.iter().copied().map(Some).collect::<Vec<_>>(),
            Some(state) => self
                .onward(*state)
                .filter(|&to| {
                    unvisited[to as usize] -= 1;
                    unvisited[to as usize] == 0
                })
                .map(Some)
                .collect(),
        });
        if visited.count() == self.worlds.len() + 1 {
            return None;
        }
        let mut suspects = all().filter(|&state| unvisited[state as usize] > 0);
        let on_circle = suspects.find(|state| bfs_loop(state, |&state| self.onward(state)).is_some());
        on_circle.map(|state| ("it goes round in a circle from here", state))
    }

    fn trace(&self, to: State) -> String {
        let next = |state: &State| self.edges.get(*state as usize).map_or(&[][..], |edges| edges).iter().map(|e| e.1);
        let path = bfs(&ROOT, |state| next(state).collect::<Vec<_>>(), |state| *state == to).unwrap_or_default();
        let mut text = format!("     {:?}\n", self.worlds[ROOT as usize]);
        for pair in path.windows(2) {
            let (from, to) = (&self.worlds[pair[0] as usize], &self.worlds[pair[1] as usize]);
            let mut rows = Rows::new();
            let mut steps = Steps { found: Vec::new(), rows: &mut rows };
            from.steps(&mut steps);
            let step = steps.found.iter().find(|(_, _, next)| next == &**to);
            let event = step.map(|(_, event, _)| event);
            writeln!(text, "  -> {event:?}\n     {to:?}").unwrap();
        }
        text
    }
}
