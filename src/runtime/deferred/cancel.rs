//! Cancelling: which chain a cancel reaches, and in which order the cancels of a list and its members complete.

use std::mem;
use std::rc::{Rc, Weak};
use std::vec;

use super::super::report::{Incident, report};
use super::super::sync::catch;
use super::deferred::Deferred;
use super::node::{AlsoCancel, Chain, HeadKind, List, Members, Node, find_outermost};
use crate::error::Cancelled;
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::{Cancel, ChainState, Fire};

/// A cancel whose canceller was called. It completes when the chains of `others` have been cancelled too.
struct OpenCancel {
    /// The node whose canceller was called. `None` for a list that is decided and cancels its other members only.
    target: Option<Rc<dyn Chain>>,
    /// The list whose Deferred the target is.
    list: Option<Rc<dyn List>>,
    others: vec::IntoIter<Weak<dyn Chain>>,
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Says that no result is wanted any more.
    ///
    /// - Unfired: its canceller is called, if it has one. Unless that fires it, it fails with [`Cancelled`] now, and a
    ///   result that comes later is dropped silently. If the canceller panics, that is reported.
    /// - Waiting for a Deferred that a callback returned: that one is cancelled instead, or the one that *it* waits
    ///   for. Errbacks decide how the chain goes on.
    /// - Fired, or running a callback: nothing happens.
    ///
    /// The error `Cancelled` is one like others: if nobody handles it before the Deferred is dropped, it is reported.
    /// To cancel without that report, use [`cancel_on_drop`](Self::cancel_on_drop), or drop the Deferred's future.
    ///
    /// Takes the same time however long the chain is, and however many Deferreds wait for each other.
    pub fn cancel(&self) {
        cancel(&self.chain);
    }
}

/// Cancels a chain that no other chain waits for: itself if it is unfired, otherwise the innermost one it waits for.
pub(super) fn cancel(chain: &Rc<dyn Chain>) {
    if let Some(target) = find_target(chain, || None) {
        cancel_all(OpenCancel::begin(target));
    }
}

/// Cancels a chain that others may wait for. `node` is one of its nodes, and has no result yet. Only the ends of a wait
/// path know each other, so this may have to walk from the node to the outer end first.
pub(crate) fn cancel_from(node: Rc<dyn Node>, chain: &Rc<dyn Chain>) {
    if let Some(target) = find_target(chain, || find_outermost(node)) {
        cancel_all(OpenCancel::begin(target));
    }
}

/// Cancels each of these, one after the other.
pub(super) fn cancel_each(members: Members) {
    cancel_all(OpenCancel { target: None, list: None, others: members.into_iter() });
}

/// The chain whose canceller is to be called. `find_outermost` is called if `chain` stands between the ends of its
/// path.
fn find_target(chain: &Rc<dyn Chain>, find_outermost: impl FnOnce() -> Option<Rc<dyn Chain>>) -> Option<Rc<dyn Chain>> {
    match chain.core().transition(ChainState::cancel) {
        Cancel::CallCanceller => return Some(Rc::clone(chain)),
        Cancel::Nothing => return None,
        Cancel::Forward => {}
    }
    let other_end = chain.core().innermost().or_else(|| find_outermost()?.core().innermost())?;
    let innermost = other_end.chain()?;
    let action = innermost.core().transition(ChainState::cancel);
    (action == Cancel::CallCanceller).then_some(innermost)
}

impl OpenCancel {
    fn begin(target: Rc<dyn Chain>) -> Self {
        let called = match target.core().handler.take() {
            Some(canceller) => catch(|| canceller(Rc::clone(&target), HeadKind::Own)),
            None => Ok(AlsoCancel::default()),
        };
        let AlsoCancel { members, list } = called.unwrap_or_else(|panic| {
            report(Incident::Canceller, &panic, Some(target.core().made_at()));
            AlsoCancel::default()
        });
        Self { target: Some(target), list, others: members.into_iter() }
    }

    /// The canceller has returned and the others are cancelled. If the target still has no result, it fails.
    fn complete(self) {
        if let Some(target) = self.target
            && target.core().transition(ChainState::canceller_returned) == Fire::Run
        {
            if let Some(list) = self.list {
                list.give_up();
            }
            target.fail(Failure::without_backtrace(Cancelled));
        }
    }
}

/// Completes a cancel: of a list's members one after the other, each completely before the next begins, and then of the
/// list.
///
/// A member may be a list too. Cancels that are not complete are kept in a vector, not on the stack: the order is that
/// of nested calls, at a constant depth.
fn cancel_all(first: OpenCancel) {
    // Only the cancel of a list has others.
    if first.others.as_slice().is_empty() {
        return first.complete();
    }
    let (mut open, mut enclosing) = (first, Vec::new());
    loop {
        if let Some(other) = open.others.next() {
            if let Some(target) = other.upgrade().and_then(|other| find_target(&other, || None)) {
                enclosing.push(mem::replace(&mut open, OpenCancel::begin(target)));
            }
            continue;
        }
        let Some(outer) = enclosing.pop() else { return open.complete() };
        // A panic of a member must not keep the others from being cancelled.
        if let Err(panic) = catch(|| open.complete()) {
            report(Incident::Canceller, &panic, None);
        }
        open = outer;
    }
}
