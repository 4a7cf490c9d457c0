//! The proof of a list of Deferreds, for any number of members.
//!
//! A state is known by what is missing and whether the list is decided: by induction there is no other.

use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, choose, prove};
use crate::machine::count::{Count, ZERO};
use crate::machine::gather::{Arrival, DecidedBy, GatherState};
use crate::symbol::{Int, Model};

/// All claims about a list.
pub fn claims() -> Vec<Claim> {
    let claim = |name: &str, program: fn() -> Option<Change>| Claim {
        machine: "gather",
        name: name.into(),
        program: Box::new(program),
    };
    vec![
        claim("a new list", is_new),
        claim("a result of an undecided list", arrives_undecided),
        claim("a result of a decided list", arrives_decided),
    ]
}

/// A list without members fires at once, and no other does.
fn is_new() -> Option<Change> {
    let members = members()?;
    let by = any_rule();
    let (list, fires) = GatherState::new(by, Count(members));
    prove("a list without members fires at once", if fires { members.is_zero() } else { members.is_positive() });
    if fires {
        prove("a list that has fired is decided", list == decided(by, Int::ZERO));
    }
    Some(change(members, members))
}

fn arrives_undecided() -> Option<Change> {
    let missing = members()?;
    assume(missing.is_positive())?;
    let (by, is_value) = (any_rule(), choose("the result is a value"));
    let mut list = GatherState::new(by, Count(missing)).0;
    let arrival = list.arrived(is_value);
    let left = missing - 1;
    let decides = if is_value { by.value } else { by.error };
    match arrival {
        Arrival::Store => {
            prove("a list waits while results are missing and none decides it", left.is_positive() & !decides);
            prove("a stored result is missing no more", list == GatherState::new(by, Count(left)).0);
        }
        Arrival::Decides => prove("a list is decided by a result that decides it", decides),
        Arrival::Completes => prove("a list is complete with its last result", left.is_zero() & !decides),
        Arrival::Late => prove("no result of an undecided list is late", false),
    }
    if arrival != Arrival::Store {
        prove("a list that has fired is decided", list == decided(by, left));
        prove("a list fires once", left.is_zero() | (list.arrived(choose("the next is a value")) == Arrival::Late));
    }
    Some(change(missing, left))
}

fn arrives_decided() -> Option<Change> {
    let (missing, by) = (members()?, any_rule());
    assume(missing.is_positive() & (by.value || by.error))?;
    let mut list = decided(by, missing);
    let arrival = list.arrived(choose("the result is a value"));
    prove("a list fires once", arrival == Arrival::Late);
    prove("a decided list stays decided", list == decided(by, missing - 1));
    Some(change(missing, missing - 1))
}

fn members() -> Option<Int> {
    let members = Int::unknown("members without a result");
    assume(Int::ZERO.at_most(members) & members.less(Int::GREATEST))?;
    Some(members)
}

fn any_rule() -> DecidedBy {
    DecidedBy { value: choose("a value decides"), error: choose("an error decides") }
}

/// A decided list whose members without a result are so many: one result has decided it, or all are there.
fn decided(by: DecidedBy, missing: Int) -> GatherState {
    if !by.value && !by.error {
        return GatherState::new(by, ZERO).0;
    }
    let mut list = GatherState::new(by, Count(missing + 1)).0;
    _ = list.arrived(by.value);
    list
}

/// The members without a result, before and after.
struct Missing(Int);

impl Describe for Missing {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        vec![("members without a result", self.0.value(model).to_string())]
    }
}

fn change(before: Int, after: Int) -> Change {
    Change { before: Box::new(Missing(before)), after: Box::new(Missing(after)) }
}
