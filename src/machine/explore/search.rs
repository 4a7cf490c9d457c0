//! The search: a world is explored from its start, and a violated property comes with one of the shortest ways to it.
//!
//! A **world** is one value: the machine, and what the threads around it are doing, at the granularity of its locks.
//! Its **steps** are whatever can happen next, whichever thread does it. Three properties are checked:
//!
//! - **safety**: in no reachable state does [`World::violation`] find anything;
//! - **progress**: where no [`Fair`](Fairness::Fair) step is left, [`World::stuck`] finds nothing; where no
//!   [`UserFair`](Fairness::UserFair) step is left either, nor does [`World::unfinished`];
//! - **termination**: fair and user-fair steps form no cycle, so that every run of them ends, however it is scheduled.
//!
//! The search is breadth first, which is why its counterexamples are among the shortest.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Debug, Write};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

use pathfinding::prelude::{bfs, bfs_loop, bfs_reach};

use super::table::{Row, Rows};

/// Whether a step that can be taken eventually will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fairness {
    /// Perhaps never: a call that a program may make, a spurious wake.
    Unfair,
    /// If the program's code plays its part: a job ends.
    UserFair,
    /// Always: a thread in the middle of an operation goes on.
    Fair,
}

/// A machine and what is around it.
pub(super) trait World: Clone + Eq + Hash + Debug {
    /// What can happen; printed in a counterexample.
    type Event: Copy + Debug;

    /// Adds every step that is possible in this state.
    fn steps(&self, steps: &mut Steps<'_, Self>);

    /// The safety property that this state violates.
    fn violation(&self) -> Option<&'static str>;

    /// What must not be left undone in a state without fair steps.
    fn stuck(&self) -> Option<&'static str> {
        None
    }

    /// What must not be left undone in a state without fair and user-fair steps.
    fn unfinished(&self) -> Option<&'static str> {
        None
    }
}

/// The steps out of a state, and the rows of the machine's table that they go through.
pub(super) struct Steps<'a, W: World> {
    steps: Vec<(Fairness, W::Event, W)>,
    rows: &'a mut Rows,
}

impl<W: World> Steps<'_, W> {
    pub(super) fn fair(&mut self, event: W::Event, to: W) {
        self.steps.push((Fairness::Fair, event, to));
    }

    pub(super) fn user_fair(&mut self, event: W::Event, to: W) {
        self.steps.push((Fairness::UserFair, event, to));
    }

    pub(super) fn unfair(&mut self, event: W::Event, to: W) {
        self.steps.push((Fairness::Unfair, event, to));
    }

    /// Adds a row to the transition table.
    pub(super) fn row(&mut self, row: Row) {
        self.rows.insert(row);
    }
}

/// The result of a search in which everything held.
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) rows: Rows,
}

/// The property that does not hold, and a shortest way to a state where it does not.
pub(super) struct Counterexample {
    property: &'static str,
    trace: String,
}

impl fmt::Debug for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.property, self.trace)
    }
}

/// Searches the whole world: nothing is sampled, and nothing but the world itself bounds the search.
pub(super) fn explore<W: World>(start: W) -> Result<Explored, Counterexample> {
    let graph = RefCell::new(Graph::from(start));
    let steps = |id: &StateId| graph.borrow_mut().expand(*id);
    bfs_reach(ROOT, steps).for_each(drop);
    let graph = graph.into_inner();
    match graph.violation.or_else(|| graph.cycle()) {
        Some((property, state)) => Err(Counterexample { property, trace: graph.trace(state) }),
        None => Ok(Explored { states: graph.worlds.len(), steps: graph.steps, rows: graph.rows }),
    }
}

/// Searches a world in which everything must hold, and pins how large it is.
#[track_caller]
pub(super) fn must_hold<W: World>(start: W, states: usize, steps: usize) -> Rows {
    let explored = explore(start).unwrap();
    let size = (explored.states, explored.steps);
    assert_eq!(size, (states, steps), "the size of this world has changed: (states, steps)");
    explored.rows
}

/// Searches a world with a bug in it, which must violate `property`.
#[track_caller]
pub(super) fn must_find<W: World>(start: W, property: &str) {
    let violated = explore(start).err().map(|counterexample| counterexample.property);
    assert_eq!(violated, Some(property), "what the injected bug violates");
}

/// The number of a state, in the order of discovery.
type StateId = u32;

const ROOT: StateId = 0;

/// A hasher for many small fields. The standard one resists attackers, which is not needed here and takes half of the
/// search's time. Inlined always: at the tests' level of optimization it would not be.
#[derive(Default)]
struct FastHasher(u64);

impl FastHasher {
    #[inline(always)]
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for FastHasher {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    #[inline(always)]
    fn write_u8(&mut self, n: u8) {
        self.mix(u64::from(n));
    }

    #[inline(always)]
    fn write_u16(&mut self, n: u16) {
        self.mix(u64::from(n));
    }

    #[inline(always)]
    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }

    #[inline(always)]
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
    ids: HashMap<Rc<W>, StateId, BuildHasherDefault<FastHasher>>,
    /// The steps out of each state that was expanded.
    edges: Vec<Box<[(Fairness, StateId)]>>,
    steps: usize,
    rows: Rows,
    violation: Option<(&'static str, StateId)>,
}

impl<W: World> From<W> for Graph<W> {
    fn from(start: W) -> Self {
        let mut graph = Self {
            worlds: Vec::new(),
            ids: HashMap::default(),
            edges: Vec::new(),
            steps: 0,
            rows: Rows::new(),
            violation: None,
        };
        graph.id(start);
        graph
    }
}

impl<W: World> Graph<W> {
    fn id(&mut self, world: W) -> StateId {
        if let Some(&known) = self.ids.get(&world) {
            return known;
        }
        let new = StateId::try_from(self.worlds.len()).unwrap();
        let world = Rc::new(world);
        self.worlds.push(Rc::clone(&world));
        self.ids.insert(world, new);
        new
    }

    /// Checks a state and numbers its successors. After a violation there are none, which ends the search.
    fn expand(&mut self, state: StateId) -> Vec<StateId> {
        if self.violation.is_some() {
            return Vec::new();
        }
        assert_eq!(state as usize, self.edges.len(), "breadth-first search expands states in the order of discovery");
        let world = Rc::clone(&self.worlds[state as usize]);
        let mut steps = Steps { steps: Vec::new(), rows: &mut self.rows };
        world.steps(&mut steps);
        let steps = steps.steps;
        let fairest = steps.iter().map(|(fairness, _, _)| *fairness).max().unwrap_or(Fairness::Unfair);
        let left_undone = match fairest {
            Fairness::Fair => None,
            Fairness::UserFair => world.stuck(),
            Fairness::Unfair => world.stuck().or_else(|| world.unfinished()),
        };
        self.violation = world.violation().or(left_undone).map(|property| (property, state));
        self.steps += steps.len();
        let edges: Box<[_]> = steps.into_iter().map(|(fairness, _, to)| (fairness, self.id(to))).collect();
        let next = edges.iter().map(|&(_, to)| to).collect();
        self.edges.push(edges);
        next
    }

    /// The ends of the fair and user-fair steps out of a state.
    fn fair_successors(&self, state: StateId) -> impl Iterator<Item = StateId> + '_ {
        self.edges[state as usize].iter().filter(|(fairness, _)| *fairness > Fairness::Unfair).map(|&(_, to)| to)
    }

    /// A cycle of fair and user-fair steps: a run that never ends.
    ///
    /// Topological sorting: a state is visited when all its fair predecessors have been. States on a cycle, or behind
    /// one, are never visited.
    fn cycle(&self) -> Option<(&'static str, StateId)> {
        let all = || 0..StateId::try_from(self.worlds.len()).unwrap_or(StateId::MAX);
        let mut unvisited = vec![0_u32; self.worlds.len()];
        all().flat_map(|state| self.fair_successors(state)).for_each(|to| unvisited[to as usize] += 1);
        let sources: Vec<StateId> = all().filter(|&state| unvisited[state as usize] == 0).collect();
        let visited = bfs_reach(None, |state| match state {
            None => sources.iter().copied().map(Some).collect::<Vec<_>>(),
            Some(state) => self
                .fair_successors(*state)
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
        let on_cycle = suspects.find(|state| bfs_loop(state, |&state| self.fair_successors(state)).is_some());
        on_cycle.map(|state| ("it goes round in a cycle from here", state))
    }

    /// The states and events on a shortest way to a state.
    fn trace(&self, to: StateId) -> String {
        let next = |state: &StateId| self.edges.get(*state as usize).map_or(&[][..], |edges| edges).iter().map(|e| e.1);
        let path = bfs(&ROOT, |state| next(state).collect::<Vec<_>>(), |state| *state == to).unwrap_or_default();
        let mut text = format!("     {:?}\n", self.worlds[ROOT as usize]);
        for pair in path.windows(2) {
            let (from, to) = (&self.worlds[pair[0] as usize], &self.worlds[pair[1] as usize]);
            let mut rows = Rows::new();
            let mut steps = Steps { steps: Vec::new(), rows: &mut rows };
            from.steps(&mut steps);
            let step = steps.steps.iter().find(|(_, _, next)| next == &**to);
            let event = step.map(|(_, event, _)| event);
            writeln!(text, "  -> {event:?}\n     {to:?}").unwrap();
        }
        text
    }
}
