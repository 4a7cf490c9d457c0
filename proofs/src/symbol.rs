//! Symbolic integers and conditions: linear terms over named unknowns.
//!
//! Terms live in an arena of the thread and are shared: equal terms have equal handles, so a comparison that was
//! already decided is recognised, and most equalities of an unchanged field fold to a constant.

mod smt;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::{Add, BitAnd, BitOr, Mul, Not, Sub};

/// An integer: a constant, or a linear term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Int {
    Constant(i64),
    Linear(LinearId),
}

/// A truth value: a constant, or a condition over unknowns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    Constant(bool),
    Term { id: ConditionId, negated: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinearId(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConditionId(u32);

/// What a linear term is a sum of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct AtomId(u32);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Atom {
    Unknown(&'static str),
    If(Condition, Int, Int),
}

/// A sum of atoms, each with its factor, and a constant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Linear {
    /// In the order of their atoms. No factor is zero.
    terms: Vec<(AtomId, i64)>,
    constant: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ConditionTerm {
    Unknown(&'static str),
    AtMostZero(LinearId),
    IsZero(LinearId),
    All(Vec<Condition>),
}

/// The values of unknowns. One without a value is zero, or false: it came up after the others were found.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub ints: HashMap<&'static str, i128>,
    pub bools: HashMap<&'static str, bool>,
}

/// The unknowns of a kind, in the order in which they came up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknowns {
    pub ints: Vec<&'static str>,
    pub bools: Vec<&'static str>,
}

#[derive(Default)]
struct Arena {
    atoms: Vec<Atom>,
    linears: Vec<Linear>,
    conditions: Vec<ConditionTerm>,
    atom_ids: HashMap<Atom, AtomId>,
    linear_ids: HashMap<Linear, LinearId>,
    condition_ids: HashMap<ConditionTerm, ConditionId>,
    unknowns: Unknowns,
    names: HashSet<&'static str>,
}

thread_local! {
    static ARENA: RefCell<Arena> = RefCell::new(Arena::new());
}

/// The name of the greatest machine integer, the first unknown of every arena.
pub const GREATEST: &str = "usize::MAX";

impl Arena {
    fn new() -> Self {
        let mut arena = Self::default();
        let atom = arena.atom(Atom::Unknown(GREATEST));
        arena.linear(Linear { terms: vec![(atom, 1)], constant: 0 });
        arena
    }

    fn atom(&mut self, atom: Atom) -> AtomId {
        if let Some(id) = self.atom_ids.get(&atom) {
            return *id;
        }
        if let Atom::Unknown(name) = atom {
            self.unknowns.ints.push(name);
        }
        let id = AtomId(self.atoms.len() as u32);
        self.atoms.push(atom.clone());
        self.atom_ids.insert(atom, id);
        id
    }

    fn linear(&mut self, linear: Linear) -> Int {
        if linear.terms.is_empty() {
            return Int::Constant(linear.constant);
        }
        if let Some(id) = self.linear_ids.get(&linear) {
            return Int::Linear(*id);
        }
        let id = LinearId(self.linears.len() as u32);
        self.linears.push(linear.clone());
        self.linear_ids.insert(linear, id);
        Int::Linear(id)
    }

    fn condition(&mut self, term: ConditionTerm) -> Condition {
        if let Some(id) = self.condition_ids.get(&term) {
            return Condition::Term { id: *id, negated: false };
        }
        if let ConditionTerm::Unknown(name) = term {
            self.unknowns.bools.push(name);
        }
        let id = ConditionId(self.conditions.len() as u32);
        self.conditions.push(term.clone());
        self.condition_ids.insert(term, id);
        Condition::Term { id, negated: false }
    }

    fn sum(&mut self, a: Int, factor: i64, b: Int) -> Int {
        let a = self.linear_of(a);
        let b = self.linear_of(b);
        let mut factors: std::collections::BTreeMap<AtomId, i64> = a.terms.into_iter().collect();
        for (atom, times) in b.terms {
            *factors.entry(atom).or_default() += factor * times;
        }
        let terms = factors.into_iter().filter(|(_, times)| *times != 0).collect();
        self.linear(Linear { terms, constant: a.constant + factor * b.constant })
    }

    fn linear_of(&self, int: Int) -> Linear {
        match int {
            Int::Constant(constant) => Linear { terms: Vec::new(), constant },
            Int::Linear(id) => self.linears[id.0 as usize].clone(),
        }
    }

    fn starts_negative(&self, id: LinearId) -> bool {
        self.linears[id.0 as usize].terms[0].1 < 0
    }

    fn evaluate(&self, int: Int, model: &Model) -> i128 {
        match int {
            Int::Constant(value) => value.into(),
            Int::Linear(id) => {
                let linear = &self.linears[id.0 as usize];
                let value = |atom: AtomId| match &self.atoms[atom.0 as usize] {
                    Atom::Unknown(name) => model.ints.get(name).copied().unwrap_or(0),
                    Atom::If(condition, yes, no) => {
                        self.evaluate(if self.holds(*condition, model) { *yes } else { *no }, model)
                    }
                };
                linear.terms.iter().map(|(atom, times)| value(*atom) * i128::from(*times)).sum::<i128>()
                    + i128::from(linear.constant)
            }
        }
    }

    fn holds(&self, condition: Condition, model: &Model) -> bool {
        match condition {
            Condition::Constant(value) => value,
            Condition::Term { id, negated } => {
                let value = match &self.conditions[id.0 as usize] {
                    ConditionTerm::Unknown(name) => model.bools.get(name).copied().unwrap_or(false),
                    ConditionTerm::AtMostZero(id) => self.evaluate(Int::Linear(*id), model) <= 0,
                    ConditionTerm::IsZero(id) => self.evaluate(Int::Linear(*id), model) == 0,
                    ConditionTerm::All(all) => all.iter().all(|each| self.holds(*each, model)),
                };
                value != negated
            }
        }
    }
}

fn with_arena<R>(run: impl FnOnce(&mut Arena) -> R) -> R {
    ARENA.with_borrow_mut(run)
}

/// The same name, for as long as the process runs.
pub fn named(name: &str) -> &'static str {
    with_arena(|arena| match arena.names.get(name) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into());
            arena.names.insert(name);
            name
        }
    })
}

/// All unknowns that have come up on this thread, but for those that are known.
pub fn unknowns_since(known: &Unknowns) -> Unknowns {
    with_arena(|arena| Unknowns {
        ints: arena.unknowns.ints[known.ints.len()..].to_vec(),
        bools: arena.unknowns.bools[known.bools.len()..].to_vec(),
    })
}

impl Int {
    pub const ZERO: Self = Self::Constant(0);
    /// The greatest machine integer.
    pub const GREATEST: Self = Self::Linear(LinearId(0));

    pub fn unknown(name: &'static str) -> Self {
        with_arena(|arena| {
            let atom = arena.atom(Atom::Unknown(name));
            arena.linear(Linear { terms: vec![(atom, 1)], constant: 0 })
        })
    }

    pub fn at_most(self, other: impl Into<Self>) -> Condition {
        match self - other.into() {
            Self::Constant(difference) => (difference <= 0).into(),
            Self::Linear(id) => with_arena(|arena| {
                if !arena.starts_negative(id) {
                    return arena.condition(ConditionTerm::AtMostZero(id));
                }
                // `a <= 0` is written as `not (1 - a <= 0)`: a condition and its negation are one term.
                match arena.sum(Self::Constant(1), -1, Self::Linear(id)) {
                    Self::Linear(id) => !arena.condition(ConditionTerm::AtMostZero(id)),
                    Self::Constant(_) => unreachable!("a linear term has an atom"),
                }
            }),
        }
    }

    pub fn less(self, other: impl Into<Self>) -> Condition {
        (self + 1).at_most(other)
    }

    pub fn equals(self, other: impl Into<Self>) -> Condition {
        match self - other.into() {
            Self::Constant(difference) => (difference == 0).into(),
            Self::Linear(id) => with_arena(|arena| {
                let id = if arena.starts_negative(id) {
                    match arena.sum(Self::ZERO, -1, Self::Linear(id)) {
                        Self::Linear(id) => id,
                        Self::Constant(_) => unreachable!("a linear term has an atom"),
                    }
                } else {
                    id
                };
                arena.condition(ConditionTerm::IsZero(id))
            }),
        }
    }

    pub fn is_zero(self) -> Condition {
        self.equals(0)
    }

    pub fn is_positive(self) -> Condition {
        Self::ZERO.less(self)
    }

    pub fn min(self, other: impl Into<Self>) -> Self {
        let other = other.into();
        Self::choose(self.at_most(other), self, other)
    }

    pub fn max(self, other: impl Into<Self>) -> Self {
        let other = other.into();
        Self::choose(other.at_most(self), self, other)
    }

    pub fn choose(condition: Condition, yes: impl Into<Self>, no: impl Into<Self>) -> Self {
        let (yes, no) = (yes.into(), no.into());
        match condition {
            Condition::Constant(true) => yes,
            Condition::Constant(false) => no,
            _ if yes == no => yes,
            Condition::Term { id, negated: true } => Self::choose(Condition::Term { id, negated: false }, no, yes),
            Condition::Term { .. } => with_arena(|arena| {
                let atom = arena.atom(Atom::If(condition, yes, no));
                arena.linear(Linear { terms: vec![(atom, 1)], constant: 0 })
            }),
        }
    }

    pub fn value(self, model: &Model) -> i128 {
        with_arena(|arena| arena.evaluate(self, model))
    }
}

impl From<i64> for Int {
    fn from(value: i64) -> Self {
        Self::Constant(value)
    }
}

impl From<bool> for Int {
    fn from(value: bool) -> Self {
        Self::Constant(value.into())
    }
}

impl<T: Into<Int>> Add<T> for Int {
    type Output = Self;

    fn add(self, other: T) -> Self {
        let other = other.into();
        with_arena(|arena| arena.sum(self, 1, other))
    }
}

impl<T: Into<Int>> Sub<T> for Int {
    type Output = Self;

    fn sub(self, other: T) -> Self {
        let other = other.into();
        with_arena(|arena| arena.sum(self, -1, other))
    }
}

impl Mul<i64> for Int {
    type Output = Self;

    fn mul(self, factor: i64) -> Self {
        with_arena(|arena| arena.sum(Self::ZERO, factor, self))
    }
}

impl Condition {
    pub const TRUE: Self = Self::Constant(true);
    pub const FALSE: Self = Self::Constant(false);

    pub fn unknown(name: &'static str) -> Self {
        with_arena(|arena| arena.condition(ConditionTerm::Unknown(name)))
    }

    pub fn all(of: impl IntoIterator<Item = Self>) -> Self {
        let mut terms = Vec::new();
        for each in of {
            match each {
                Self::Constant(true) => {}
                Self::Constant(false) => return Self::FALSE,
                term if terms.contains(&!term) => return Self::FALSE,
                term if terms.contains(&term) => {}
                term => terms.push(term),
            }
        }
        match terms[..] {
            [] => Self::TRUE,
            [one] => one,
            _ => with_arena(|arena| arena.condition(ConditionTerm::All(terms))),
        }
    }

    pub fn implies(self, other: impl Into<Self>) -> Self {
        !(self & !other.into())
    }

    pub fn holds(self, model: &Model) -> bool {
        with_arena(|arena| arena.holds(self, model))
    }

    /// As SMT-LIB has it.
    pub fn smt(self) -> String {
        let mut text = String::new();
        with_arena(|arena| arena.write_condition(self, &mut text));
        text
    }

    fn index(self) -> usize {
        match self {
            Self::Term { id, .. } => id.0 as usize,
            Self::Constant(_) => unreachable!("a constant is not in the arena"),
        }
    }
}

impl From<bool> for Condition {
    fn from(value: bool) -> Self {
        Self::Constant(value)
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(!value),
            Self::Term { id, negated } => Self::Term { id, negated: !negated },
        }
    }
}

impl<T: Into<Condition>> BitAnd<T> for Condition {
    type Output = Self;

    fn bitand(self, other: T) -> Self {
        Self::all([self, other.into()])
    }
}

impl<T: Into<Condition>> BitOr<T> for Condition {
    type Output = Self;

    fn bitor(self, other: T) -> Self {
        !Self::all([!self, !other.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Int, Model};

    #[test]
    fn equal_terms_are_one_and_what_follows_from_their_form_is_a_constant() {
        let (a, b) = (Int::unknown("a"), Int::unknown("b"));
        assert_eq!(a + b - a, b);
        assert_eq!((a + 1).at_most(a), Condition::FALSE);
        assert_eq!(a.less(b), !b.at_most(a));
        assert_eq!(a.equals(b), b.equals(a));
        assert_eq!(Int::choose(!a.less(b), a, b), a.max(b));
        assert_eq!(a.less(b) & b.at_most(a), Condition::FALSE);
    }

    #[test]
    fn a_term_has_the_value_that_the_unknowns_give_it() {
        let (a, b) = (Int::unknown("a"), Int::unknown("b"));
        let model = Model { ints: [("a", 3), ("b", 7)].into(), ..Model::default() };
        assert_eq!((a.max(b) * 2 - a).value(&model), 11);
        assert!(a.less(b).holds(&model) && !a.equals(b).holds(&model));
        assert_eq!(a.less(b).smt(), "(<= (+ 1 |a| (* (- 1) |b|)) 0)");
    }
}
