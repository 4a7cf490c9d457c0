//! Ends that cause other ends: one after the other, however deep a program has nested them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::super::report::{Incident, report};
use super::super::sync::{catch, thread_local};
use super::cancel::cancel;
use super::chain::{Chain, Errand, Whose};
use crate::failure::Failure;

/// A head that nobody will fire.
pub(super) trait Abandon {
    fn abandon(self: Rc<Self>, why: fn() -> Failure);
}

/// What a drop brings about.
pub(super) enum Ending {
    /// A resolver was dropped unfired, and this is what its Deferred fails with.
    Abandoned(Rc<dyn Abandon>, fn() -> Failure),
    /// The future was dropped that awaited this Deferred.
    Cancelled(Rc<dyn Chain>),
    /// All were dropped that could have ended a pause.
    Unpaused(Errand, Rc<dyn Chain>),
}

impl Ending {
    fn come(self) {
        match self {
            Self::Abandoned(source, why) => source.abandon(why),
            Self::Cancelled(chain) => cancel(&chain),
            Self::Unpaused(go_on, chain) => drop(go_on(chain, Whose::Orphan)),
        }
    }
}

thread_local! {
    /// What is to end once that is over which ends now. Some exactly while that goes on.
    static TO_END: RefCell<Option<VecDeque<Ending>>> = RefCell::new(None);
}

/// Brings it about: at once, unless this happens inside another such end; then as soon as that is through.
///
/// Failing a chain drops the callbacks that it passes by, and with them the resolvers that those had captured; dropping a task drops the future that it
/// awaits, and with it another task; and so on, a million deep, if a program has linked them like that. In turns, the stack does not grow.
pub(super) fn end(first: Ending) {
    let mut first = Some(first);
    // Where the thread is being torn down there is no queue any more, and each comes at once.
    let _ = TO_END.try_with(|queue| match &mut *queue.borrow_mut() {
        Some(queue) => queue.extend(first.take()),
        free => *free = Some(VecDeque::new()),
    });
    let mut next = first;
    while let Some(ending) = next {
        // This is a drop: nothing may come out of it, and nothing may keep the others in the queue.
        if let Err(panic) = catch(|| ending.come()) {
            report(Incident::Drop, &panic, None);
        }
        next = TO_END.try_with(|queue| next_in_line(&mut queue.borrow_mut())).ok().flatten();
    }
}

fn next_in_line<A>(queue: &mut Option<VecDeque<A>>) -> Option<A> {
    let next = queue.as_mut()?.pop_front();
    if next.is_none() {
        *queue = None;
    }
    next
}
