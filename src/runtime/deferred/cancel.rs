//! Cancelling: whom it reaches, and what is over before what.

use std::mem;
use std::rc::{Rc, Weak};
use std::vec;

use super::super::report::{Incident, report};
use super::super::sync::catch;
use super::chain::{Chain, Others, Whose};
use super::outlet::{Ahead, outermost};
use crate::error::Cancelled;
use crate::failure::Failure;
use crate::machine::deferred::{Cancel, ChainState, Fire};

/// Cancels what `chain` waits for, or the chain itself if it waits for nothing but its own firing. Nobody waits for it.
pub(super) fn cancel(chain: &Rc<dyn Chain>) {
    if let Some(target) = ask(chain, || None) {
        call_off(Open::call(target));
    }
}

/// The same for one that others may wait for, from a link of it that has no result yet. Only the ends of a line know the other, so this may have to go
/// to the outer one first.
pub(crate) fn cancel_before(link: Rc<dyn Ahead>, chain: &Rc<dyn Chain>) {
    if let Some(target) = ask(chain, || outermost(link)) {
        call_off(Open::call(target));
    }
}

/// The same for each of these, one after the other.
pub(super) fn cancel_each(chains: Others) {
    call_off(Open { target: None, others: chains.into_iter() });
}

/// Asks whom a cancel reaches: the one whose canceller is to be called. `outer` looks for the outermost of a line that `chain` is in the middle of.
fn ask(chain: &Rc<dyn Chain>, outer: impl FnOnce() -> Option<Rc<dyn Chain>>) -> Option<Rc<dyn Chain>> {
    match chain.core().step(ChainState::cancel) {
        Cancel::CallCanceller => return Some(Rc::clone(chain)),
        Cancel::Nothing => return None,
        Cancel::Forward => {}
    }
    let other_end = chain.core().innermost().or_else(|| outer()?.core().innermost())?;
    let innermost = other_end.chain()?;
    let asked = innermost.core().step(ChainState::cancel);
    (asked == Cancel::CallCanceller).then_some(innermost)
}

/// A cancel that has begun, and is over when these others have been cancelled too.
struct Open {
    /// Whose canceller was called. None where somebody cancels the others and nothing else.
    target: Option<Rc<dyn Chain>>,
    others: vec::IntoIter<Weak<dyn Chain>>,
}

impl Open {
    fn call(target: Rc<dyn Chain>) -> Self {
        let called = match target.core().take_errand() {
            Some(canceller) => catch(|| canceller(Rc::clone(&target), Whose::Own)),
            None => Ok(Others::new()),
        };
        let others = called.unwrap_or_else(|panic| {
            report(Incident::Canceller, &panic, Some(target.core().made_at()));
            Others::new()
        });
        Self { target: Some(target), others: others.into_iter() }
    }

    /// All has been done that could have given it another result: if it has none, it fails.
    fn close(self) {
        if let Some(target) = self.target
            && target.core().step(ChainState::canceller_returned) == Fire::Run
        {
            target.fail(Failure::from(Cancelled));
        }
    }
}

/// Sees a cancel through: a list's members one after the other, each to its end before the next begins, and then the list.
///
/// A member may be a list too. Those that are not over are kept here, and not on the stack, so the order is that of calls and their depth is not.
fn call_off(first: Open) {
    // Who is no list has no others.
    if first.others.as_slice().is_empty() {
        return first.close();
    }
    let (mut open, mut around) = (first, Vec::new());
    loop {
        if let Some(other) = open.others.next() {
            if let Some(target) = other.upgrade().and_then(|other| ask(&other, || None)) {
                around.push(mem::replace(&mut open, Open::call(target)));
            }
            continue;
        }
        let Some(outer) = around.pop() else { return open.close() };
        // What comes out of a member must not keep the others from being cancelled.
        if let Err(panic) = catch(|| open.close()) {
            report(Incident::Canceller, &panic, None);
        }
        open = outer;
    }
}
