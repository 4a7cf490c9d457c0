//! Wait cycles: whether a chain that is about to wait would wait for itself through a list.
//!
//! A result is wanted in one place at most: by the chain that waits for it, or by the list that its Deferred was given
//! to. So chains and lists form trees, and a program holds the Deferreds of the roots only. A chain that comes to wait
//! closes a cycle exactly if it waits for the root of its own tree. Within a wait path the two ends know each other
//! ([`PathPosition`](crate::machine::deferred::PathPosition)), and a list's member is the outermost chain of the path
//! of its Deferred; so the walk to the root goes from list to list. (What waits for a shared Deferred is not seen here:
//! each of its waiters is a chain of its own, which it fires.)
//!
//! Each list caches an ancestor, and each walk shortens the next (path halving): lists of lists of lists cost the same
//! whether a program builds them from the inside or from the outside. A cached ancestor may be stale: a list between
//! the two may have fired without waiting for the lower one. Then nothing below that list is wanted any more; and
//! nothing ever moves to another tree. So a cached walk can report a false cycle, never miss one, and what it reports
//! is checked by a walk step by step.

use std::rc::Rc;

use super::node::{Chain, ChainRef, List};

/// What wants the result of a list.
enum Parent {
    /// Another list: one of its members waits, directly or through chains, for the list.
    List(Rc<dyn List>),
    /// A program: it holds or has dropped the Deferred of this chain, which is the root of the tree.
    Root(ChainRef),
    /// Nothing: the list has fired, or the chain that waited for it is gone.
    Nobody,
}

/// Whether `chain`, which runs, would wait for itself through a list if it waited for `other`, whose Deferred a program
/// holds.
pub(super) fn would_close_cycle(chain: &Rc<dyn Chain>, other: &Rc<dyn Chain>) -> bool {
    // Most chains return here: nothing waits for them.
    let Some(outermost) = chain.core().outermost() else { return false };
    let Some(list) = outermost.chain().and_then(|chain| chain.list()) else { return false };
    let other = ChainRef::new(other);
    let is_root = |end| matches!(end, Parent::Root(root) if root == other);
    is_root(walk_cached(Rc::clone(&list))) && is_root(walk(list))
}

/// What wants the list's result: one step up the tree.
fn parent(list: &Rc<dyn List>) -> Parent {
    let Some(unfired) = list.unfired_chain() else { return Parent::Nobody };
    let outermost = unfired.core().outermost().unwrap_or_else(|| ChainRef::new(&unfired));
    match outermost.chain().map(|chain| chain.list()) {
        Some(Some(list)) => Parent::List(list),
        Some(None) => Parent::Root(outermost),
        None => Parent::Nobody,
    }
}

/// The cached ancestor, or else the parent. An ancestor that was dropped wanted nothing any more.
fn ancestor(list: &Rc<dyn List>) -> Parent {
    let cached = list.cached_ancestor().read(|cached| cached.upgrade().map_or(Parent::Nobody, Parent::List));
    cached.unwrap_or_else(|| parent(list))
}

/// Walks up the tree to the end, step by step.
fn walk(mut list: Rc<dyn List>) -> Parent {
    loop {
        match parent(&list) {
            Parent::List(next) => list = next,
            end => return end,
        }
    }
}

/// Walks up the tree to the end, from cached ancestor to cached ancestor. Every second list on the way caches the
/// ancestor of its ancestor.
fn walk_cached(mut list: Rc<dyn List>) -> Parent {
    loop {
        let next = match ancestor(&list) {
            Parent::List(next) => next,
            end => return end,
        };
        match ancestor(&next) {
            Parent::List(far) => {
                list.cached_ancestor().set(&far);
                list = far;
            }
            end => return end,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::iter;
    use std::panic::Location;
    use std::rc::Rc;

    use super::super::head::Head;
    use super::super::node::{CachedAncestor, Chain, ChainRef, Core, List, extend_outwards};
    use super::{Parent, walk_cached};
    use crate::failure::Failure;
    use crate::machine::deferred::{ChainStage, ChainState};

    /// A list that counts how often walks look at one.
    struct Counted {
        chain: Rc<dyn Chain>,
        cached: CachedAncestor,
        looks: Rc<Cell<usize>>,
    }

    impl List for Counted {
        fn unfired_chain(&self) -> Option<Rc<dyn Chain>> {
            Some(Rc::clone(&self.chain))
        }

        fn cached_ancestor(&self) -> &CachedAncestor {
            self.looks.set(self.looks.get() + 1);
            &self.cached
        }

        fn give_up(&self) {}
    }

    struct Member {
        core: Core,
        of: Rc<dyn List>,
    }

    impl Chain for Member {
        fn core(&self) -> &Core {
            &self.core
        }

        fn fail(self: Rc<Self>, _failure: Failure) {}

        fn list(&self) -> Option<Rc<dyn List>> {
            Some(Rc::clone(&self.of))
        }
    }

    // Checks: B54, P74
    #[test]
    fn walks_from_the_same_list_soon_take_two_looks_however_many_lists_are_around_it() {
        let (depth, looks) = (1_024, Rc::new(Cell::new(0)));
        let chain = || Head::<(), Failure>::unfired(None, Location::caller()) as Rc<dyn Chain>;
        let chains: Vec<_> = iter::repeat_with(chain).take(depth).collect();
        let list_of = |chain: &Rc<dyn Chain>| -> Rc<dyn List> {
            let (chain, looks) = (Rc::clone(chain), Rc::clone(&looks));
            Rc::new(Counted { chain, cached: CachedAncestor::default(), looks })
        };
        let lists: Vec<_> = chains.iter().map(list_of).collect();
        // Each list is a member of the one before it.
        let join = |(of, inner): (&Rc<dyn List>, _)| {
            let core = Core::new(ChainState::new(ChainStage::Waiting), None, Location::caller());
            let member: Rc<dyn Chain> = Rc::new(Member { core, of: Rc::clone(of) });
            extend_outwards(&member, inner);
            member
        };
        let _members: Vec<_> = lists.iter().zip(&chains[1..]).map(join).collect();
        let looks_of_a_walk = || {
            looks.set(0);
            let end = walk_cached(Rc::clone(&lists[depth - 1]));
            assert!(matches!(end, Parent::Root(root) if root == ChainRef::new(&chains[0])));
            looks.get()
        };
        assert!(looks_of_a_walk() >= depth);
        // Each walk halves the way of the next, and 1,024 is the tenth power of two.
        let later: Vec<_> = iter::repeat_with(looks_of_a_walk).take(11).collect();
        assert!(later.ends_with(&[2]), "{later:?}");
    }
}
