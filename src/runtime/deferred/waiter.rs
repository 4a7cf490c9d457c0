//! The Deferred of a waiter in a queue: if it is dropped before anything was added to it, the waiter gives up.

use std::panic::Location;
use std::rc::Rc;

use super::deferred::Deferred;
use super::effect_queue::{Effect, run_or_enqueue};
use super::head::Head;
use super::node::{Chain, Node, Output, ResultCell, handler};
use super::resolver::Resolver;
use crate::failure::Failure;
use crate::machine::deferred::ChainStage;

/// The tail of such a Deferred, in place of its head, which the queue keeps alive. Only the Deferred has it, so its
/// drop says that nothing can be added any more.
struct Waiter<T: 'static>(Rc<Head<T, Failure>>);

impl<T: 'static> Deferred<T> {
    /// `give_up` takes the resolver out of the queue, and drops it. It is called if the Deferred is cancelled, or
    /// dropped with nothing added.
    #[track_caller]
    pub(crate) fn waiter(give_up: impl FnOnce() + 'static) -> (Self, Resolver<T>) {
        let head = Head::unfired(Some(handler(|_chain, _head| give_up())), Location::caller());
        let resolver = Resolver::new(Rc::clone(&head) as _);
        (Self { tail: Rc::new(Waiter(Rc::clone(&head))), chain: head }, resolver)
    }
}

/// No chain waits here and no walk comes by: an added callback stands in a link, and the resolver fires the head.
impl<T: 'static> Node for Waiter<T> {}

impl<T: 'static> Output<T, Failure> for Waiter<T> {
    fn cell(&self) -> &ResultCell<T, Failure> {
        self.0.cell()
    }

    fn is_head(&self) -> bool {
        true
    }
}

impl<T: 'static> Drop for Waiter<T> {
    fn drop(&mut self) {
        // Nothing was added, and there was no result: a callback that is added to a result takes it out of the cell.
        if self.0.cell().is_empty() && self.0.core().state().stage() == ChainStage::Unfired {
            let (_, chain) = Deferred::from_head(Rc::clone(&self.0)).detach().into_parts();
            run_or_enqueue(Effect::Cancel(chain));
        }
    }
}
