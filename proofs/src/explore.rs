//! Runs a program over symbolic integers once for each path that the solver finds possible.
//!
//! The program asks [`decide`] at each comparison. Where both answers are possible it goes on with one, and is run
//! again for the other. What must hold on a path is collected by [`prove`] and asked at the path's end.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::solver::Solver;
use crate::symbol::{Condition, Int, Model, named};

/// How many goals are asked on their own.
const HARD: usize = 2;

/// What a path must prove.
#[derive(Debug, Clone)]
struct Goal {
    name: &'static str,
    condition: Condition,
}

/// What was decided at one point of a path.
struct Decision {
    of: Of,
    value: bool,
    /// It is asserted: it neither followed from those before nor was a free choice.
    asserted: bool,
    /// The other value is possible too, with these unknowns, and has not been tried.
    alternative: Option<Model>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Condition(Condition),
    /// What is free to be so or not.
    Choice(&'static str),
}

struct Explorer {
    solver: Solver,
    /// All decisions of this path. Those before `at` have been met again in this run.
    trail: Vec<Decision>,
    at: usize,
    known: HashMap<Condition, bool>,
    /// How many unknowns this run has made up.
    made_up: usize,
    /// Satisfies all that is asserted.
    model: Model,
    goals: Vec<Goal>,
    /// This path was assumed not to be of interest: what it still asks is not explored.
    ruled_out: bool,
}

thread_local! {
    static EXPLORER: RefCell<Option<Explorer>> = const { RefCell::new(None) };
}

/// How many paths a program had, and how often the solver was asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Explored {
    pub paths: u64,
    pub checks: u64,
}

/// A path on which something does not hold.
#[derive(Debug)]
pub struct Refuted<R> {
    /// The names of all that do not hold.
    pub failed: Vec<&'static str>,
    /// What the program returned, over these unknowns.
    pub result: R,
    pub model: Model,
    /// What was chosen freely, and is so.
    pub chosen: Vec<&'static str>,
}

/// Runs a program on all its paths, but for those that an [assumption](assume) rules out. It may return `None` there.
///
/// # Errors
/// The first path on which a goal does not hold.
pub fn explore<R>(solver: Solver, program: impl Fn() -> Option<R>) -> (Solver, Explored, Result<(), Refuted<R>>) {
    let begun = solver.checks;
    let explorer = Explorer {
        solver,
        trail: Vec::new(),
        at: 0,
        known: HashMap::new(),
        made_up: 0,
        model: Model::default(),
        goals: Vec::new(),
        ruled_out: false,
    };
    EXPLORER.set(Some(explorer));
    let mut explored = Explored::default();
    let outcome = loop {
        let result = program();
        let next = with_explorer(|explorer| {
            if let Some(result) = result.filter(|_| !explorer.ruled_out) {
                explored.paths += 1;
                if let Some((failed, model)) = explorer.failed_goals() {
                    return Some(Err(Refuted { failed, result, model, chosen: explorer.chosen() }));
                }
            }
            if explorer.backtrack() { None } else { Some(Ok(())) }
        });
        if let Some(outcome) = next {
            break outcome;
        }
    };
    let solver = EXPLORER.take().expect("it was set above").finish();
    explored.checks = solver.checks - begun;
    (solver, explored, outcome)
}

fn with_explorer<R>(run: impl FnOnce(&mut Explorer) -> R) -> R {
    EXPLORER.with_borrow_mut(|explorer| run(explorer.as_mut().expect("a program is explored")))
}

/// Whether a condition holds on this path.
pub fn decide(condition: Condition) -> bool {
    match condition {
        Condition::Constant(value) => value,
        _ => with_explorer(|explorer| explorer.decide(condition)),
    }
}

/// Only paths are of interest on which this holds: `None` if it cannot.
pub fn assume(condition: Condition) -> Option<()> {
    let possible = match condition {
        Condition::Constant(value) => value,
        _ => with_explorer(|explorer| explorer.assume(condition)),
    };
    if !possible {
        with_explorer(|explorer| explorer.ruled_out = true);
    }
    possible.then_some(())
}

/// Something that may be so or not, whatever else is so.
pub fn choose(what: &'static str) -> bool {
    with_explorer(|explorer| {
        if explorer.ruled_out {
            return false;
        }
        let of = Of::Choice(what);
        explorer.replay(of).unwrap_or_else(|| {
            let alternative = Some(explorer.model.clone());
            explorer.trail.push(Decision { of, value: false, asserted: false, alternative });
            explorer.at += 1;
            false
        })
    })
}

/// A number of which nothing is known yet.
pub fn any(what: &str) -> Int {
    with_explorer(|explorer| {
        explorer.made_up += 1;
        Int::unknown(named(&format!("{what} #{}", explorer.made_up)))
    })
}

/// This must hold at the end of the path.
pub fn prove(name: &'static str, condition: impl Into<Condition>) {
    let condition = condition.into();
    if condition != Condition::TRUE {
        with_explorer(|explorer| explorer.goals.push(Goal { name, condition }));
    }
}

impl Explorer {
    fn decide(&mut self, condition: Condition) -> bool {
        if self.ruled_out {
            return false;
        }
        if let Some(value) = self.known.get(&condition) {
            return *value;
        }
        if let Some(value) = self.replay(Of::Condition(condition)) {
            return value;
        }
        let value = condition.holds(&self.model);
        let other = if value { !condition } else { condition };
        self.solver.push(other);
        let alternative = self.solver.check();
        self.solver.pop(1);
        let asserted = alternative.is_some();
        if asserted {
            self.solver.push(!other);
        }
        self.trail.push(Decision { of: Of::Condition(condition), value, asserted, alternative });
        self.met(condition, value);
        value
    }

    fn assume(&mut self, condition: Condition) -> bool {
        if self.ruled_out {
            return false;
        }
        if let Some(value) = self.known.get(&condition) {
            return *value;
        }
        if self.replay(Of::Condition(condition)).is_some() {
            return true;
        }
        self.solver.push(condition);
        if !condition.holds(&self.model) {
            match self.solver.check() {
                Some(model) => self.model = model,
                None => {
                    self.solver.pop(1);
                    return false;
                }
            }
        }
        self.trail.push(Decision { of: Of::Condition(condition), value: true, asserted: true, alternative: None });
        self.met(condition, true);
        true
    }

    /// The decision that was made here in the run before, if this is still a part of its path.
    fn replay(&mut self, of: Of) -> Option<bool> {
        let decision = self.trail.get(self.at)?;
        assert_eq!(decision.of, of, "a program asks the same on the same path");
        let value = decision.value;
        match of {
            Of::Condition(condition) => self.met(condition, value),
            Of::Choice(_) => self.at += 1,
        }
        Some(value)
    }

    fn met(&mut self, condition: Condition, value: bool) {
        self.at += 1;
        self.known.insert(condition, value);
        self.known.insert(!condition, !value);
    }

    /// The goals that some state on this path does not satisfy, and that state.
    fn failed_goals(&mut self) -> Option<(Vec<&'static str>, Model)> {
        let goals = std::mem::take(&mut self.goals);
        // Those that come last are the hardest: each is asked on its own.
        let mut groups: Vec<Condition> = goals.iter().rev().take(HARD).map(|goal| goal.condition).collect();
        groups.push(Condition::all(goals.iter().rev().skip(HARD).map(|goal| goal.condition)));
        let model = groups
            .into_iter()
            .rev()
            .find_map(|group| if group.holds(&self.model) { self.refute(group) } else { Some(self.model.clone()) })?;
        // Others may fail in other states on this path.
        let mut failed: Vec<_> = goals.iter().filter(|goal| self.refute(goal.condition).is_some()).collect();
        failed.sort_by_key(|goal| goal.condition.holds(&model));
        let mut names: Vec<_> = failed.into_iter().map(|goal| goal.name).collect();
        names.dedup();
        Some((names, model))
    }

    /// A state on this path in which a condition does not hold.
    fn refute(&mut self, condition: Condition) -> Option<Model> {
        if condition == Condition::TRUE {
            return None;
        }
        self.solver.push(!condition);
        let found = self.solver.check();
        self.solver.pop(1);
        found
    }

    fn chosen(&self) -> Vec<&'static str> {
        let so = self.trail.iter().filter(|decision| decision.value);
        so.filter_map(|decision| if let Of::Choice(what) = decision.of { Some(what) } else { None }).collect()
    }

    /// Turns to the last decision that has an alternative. Returns whether there is one.
    fn backtrack(&mut self) -> bool {
        self.at = 0;
        self.known.clear();
        self.made_up = 0;
        self.ruled_out = false;
        self.goals.clear();
        while let Some(decision) = self.trail.pop() {
            self.solver.pop(decision.asserted.into());
            let Some(model) = decision.alternative else { continue };
            let value = !decision.value;
            let asserted = match decision.of {
                Of::Condition(condition) => {
                    self.solver.push(if value { condition } else { !condition });
                    true
                }
                Of::Choice(_) => false,
            };
            self.model = model;
            self.trail.push(Decision { value, asserted, alternative: None, ..decision });
            return true;
        }
        false
    }

    fn finish(mut self) -> Solver {
        let levels = self.trail.iter().filter(|decision| decision.asserted).count();
        self.solver.pop(levels);
        self.solver
    }
}

#[cfg(test)]
mod tests {
    use super::{assume, choose, decide, explore, prove};
    use crate::solver::Solver;
    use crate::symbol::Int;

    #[test]
    fn a_program_is_run_once_for_each_path_that_can_be() {
        let (_, explored, outcome) = explore(Solver::start().unwrap(), || {
            let (x, y) = (Int::unknown("x"), Int::unknown("y"));
            assume(x.less(y))?;
            // With `x < y` there are three ways: below, between and above.
            let (low, high) = (decide(Int::from(5).less(x)), decide(Int::from(5).less(y)));
            prove("what is between is decided", !low | high);
            Some(choose("it does not matter"))
        });
        assert!(outcome.is_ok());
        assert_eq!(explored.paths, 6);
    }

    #[test]
    fn a_path_that_is_ruled_out_is_explored_no_further() {
        let (_, explored, outcome) = explore(Solver::start().unwrap(), || {
            let x = Int::unknown("x");
            let is_large = decide(Int::from(5).less(x));
            _ = assume(x.at_most(5));
            decide(Int::from(3).less(x));
            prove("only small ones are left", !is_large);
            Some(())
        });
        assert!(outcome.is_ok());
        assert_eq!(explored.paths, 2);
    }

    #[test]
    fn a_goal_that_does_not_hold_comes_with_a_state() {
        let (_, _, outcome) = explore(Solver::start().unwrap(), || {
            let x = Int::unknown("x");
            assume(Int::ZERO.at_most(x) & x.at_most(10))?;
            prove("all are small", x.less(10));
            prove("none is negative", Int::ZERO.at_most(x));
            Some(x)
        });
        let refuted = outcome.unwrap_err();
        assert_eq!((refuted.failed, refuted.result.value(&refuted.model)), (vec!["all are small"], 10));
    }
}
