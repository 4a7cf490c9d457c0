//! The one loop that runs callbacks, and how it passes results along a chain and from chain to waiting chain.

use std::mem;
use std::rc::Rc;
use std::task::Waker;

use super::super::report::wake_contained;
use super::conversion::convert_own;
use super::cycle::would_close_cycle;
use super::deferred::Deferred;
use super::node::{
    Chain, ChainRef, Core, HeadKind, Node, Output, Run, Stored, Successor, connect, joined_ends, replace_head_from,
};
use crate::error::WaitsForItself;
use crate::failure::ChainError;
use crate::machine::deferred::{ChainState, PathPosition, Store};

/// Runs links until the result is stored or held, a callback waits, or nothing is left to run. Callbacks run nowhere
/// else, except one that is added to a tail that has its result (`call_or_hold` in `link.rs`). So the stack is as deep
/// at the millionth link as at the first, whether they are links of one chain or each of a chain of its own.
pub(super) fn run(first: Option<Rc<dyn Run>>, mut chain: Rc<dyn Chain>) {
    let mut next = first;
    while let Some(link) = next {
        next = link.run(&mut chain);
    }
}

/// Runs a link that was added to a tail with its result, and has accepted that. If the chain is paused, holds it.
pub(super) fn run_added(link: Rc<dyn Run>, chain: &Rc<dyn Chain>) {
    let core = chain.core();
    core.transition(ChainState::add);
    let next = if core.is_paused() { hold_link(core, link) } else { Some(link) };
    run(next, Rc::clone(chain));
}

/// Carries a result out of `from`: to the next link, which is returned to be run, or to the node that waits for this
/// chain.
#[inline]
pub(super) fn deliver_stored<T: 'static, E: ChainError>(
    from: Rc<dyn Output<T, E>>,
    stored: Stored<T, E>,
    chain: &mut Rc<dyn Chain>,
) -> Option<Rc<dyn Run>> {
    let action = from.cell().store(stored);
    carry_out(action, from, chain)
}

/// Lets the chain rest if its cell has kept the result. Otherwise returns the action, to be carried out.
#[inline]
pub(super) fn rest_if_kept<S, R, W>(core: &Core, action: Store<S, R, W>) -> Option<Store<S, R, W>> {
    match action {
        kept @ Store::Kept => {
            // Nothing is in it, but the compiler would call its drop.
            mem::forget(kept);
            core.transition(ChainState::rest);
            None
        }
        action => Some(action),
    }
}

/// Carries out what the cell of `from` says to do with the result that has come there.
///
/// A node that waits for a chain has the type of the chain's result. So a result that ends one chain after the other
/// passes through all of them in this loop, without a call for each.
pub(super) fn carry_out<T: 'static, E: ChainError>(
    mut action: Store<Successor<T, E>, Stored<T, E>, Waker>,
    mut from: Rc<dyn Output<T, E>>,
    chain: &mut Rc<dyn Chain>,
) -> Option<Rc<dyn Run>> {
    loop {
        let core = chain.core();
        match action {
            Store::Kept => {
                core.transition(ChainState::rest);
                return None;
            }
            Store::Pass(Successor::Link(link), Stored::Result(result, _)) => {
                return hold_if_paused(core, link.accept(result));
            }
            Store::Pass(Successor::Link(link), Stored::Unclaimed(item)) => {
                return hold_if_paused(core, link.accept_unclaimed(item));
            }
            Store::Pass(Successor::Waiter(waiter), passed) => {
                if core.is_paused() {
                    hold_for_waiter(core, waiter, passed);
                    return None;
                }
                hand_over(&waiter, chain)?;
                action = waiter.cell().store(passed.in_chain(chain.core().made_at()));
                from = waiter;
            }
            Store::Wake(waker) => {
                if core.is_paused() {
                    hold_waker(core, waker);
                } else {
                    // The woken task may drop the tail. An error in it is reported at that moment only if nothing else
                    // keeps the link.
                    drop(from);
                    rest_and_wake(&**chain, waker);
                }
                return None;
            }
        }
    }
}

#[inline]
pub(super) fn hold_if_paused(core: &Core, link: Rc<dyn Run>) -> Option<Rc<dyn Run>> {
    if core.is_paused() { hold_link(core, link) } else { Some(link) }
}

/// The result of `chain` goes to the chain that waits for it at `waiter`, which becomes `chain`.
fn hand_over<T, E>(waiter: &Rc<dyn Output<T, E>>, chain: &mut Rc<dyn Chain>) -> Option<()> {
    let outer = Rc::clone(waiter).resume()?;
    chain.core().transition(ChainState::hand_over);
    connect(chain.core().position.replace(PathPosition::Alone).leave(ChainRef::new(&outer)));
    outer.core().transition(ChainState::resume);
    *chain = outer;
    Some(())
}

/// Makes `waiter` wait for the result of `inner`, which its callback has just returned. `waiter` is a node of `chain`.
pub(super) fn wait<T: 'static, E: ChainError>(
    waiter: Rc<dyn Output<T, E>>,
    inner: Deferred<T, E>,
    chain: &mut Rc<dyn Chain>,
) -> Option<Rc<dyn Run>> {
    let (tail, other) = inner.into_parts();
    if !other.core().is_paused()
        && let Some(stored) = tail.cell().take()
    {
        other.core().transition(ChainState::take);
        // The inner chain is dropped before the result goes on, so that whatever the result shares is no longer shared
        // with it.
        drop((tail, other));
        let stored = stored.in_chain(chain.core().made_at());
        return deliver_stored(waiter, stored, chain);
    }
    let ends = if would_close_cycle(chain, &other) { None } else { joined_ends(chain, &other) };
    let Some(ends) = ends else {
        drop((tail, other));
        let closed = Stored::Result(Err(convert_own(WaitsForItself)), chain.core().made_at());
        return deliver_stored(waiter, closed, chain);
    };
    let may_be_bypassed = chain.core().state().may_be_bypassed();
    let next = match may_be_bypassed.then(|| waiter.cell().detach_waiter()).flatten() {
        // This was the last callback of a chain that another one waits for. This chain has nothing more to do, so the
        // other one waits directly for `inner`: the path of a program that loops by returning its next round never
        // grows.
        Some(outer) => {
            chain.core().transition(ChainState::hand_over);
            chain.core().position.set(PathPosition::Alone);
            outer
        }
        None => {
            waiter.suspend(Rc::clone(chain));
            chain.core().transition(ChainState::wait);
            chain.core().position.set(PathPosition::Between);
            waiter
        }
    };
    other.core().position.set(PathPosition::Between);
    connect(ends);
    // The tail has no result, or one that is paused. It is kept by its resolver, or by who may end the pause.
    match tail.cell().take() {
        None => tail.cell().link(Successor::Waiter(next)),
        Some(stored) => {
            other.core().transition(ChainState::add);
            hold_for_waiter(other.core(), next, stored);
        }
    }
    None
}

/// Holds a link of a paused chain until the pauses end. Returns `None`: nothing is to run now.
///
/// This and the other functions that hold are cold: most chains are never paused.
#[cold]
pub(super) fn hold_link(core: &Core, link: Rc<dyn Run>) -> Option<Rc<dyn Run>> {
    core.hold(move |chain, head| {
        if head == HeadKind::Substitute {
            replace_head_from(Rc::clone(&link) as Rc<dyn Node>, &chain);
        }
        run(Some(link), chain);
    });
    None
}

/// Holds the result of a paused chain for which another one waits.
#[cold]
fn hold_for_waiter<T: 'static, E: ChainError>(core: &Core, waiter: Rc<dyn Output<T, E>>, stored: Stored<T, E>) {
    core.hold(move |mut chain, _| {
        if hand_over(&waiter, &mut chain).is_some() {
            let stored = stored.in_chain(chain.core().made_at());
            let next = deliver_stored(waiter, stored, &mut chain);
            run(next, chain);
        }
    });
}

/// Holds the waker of a task that awaits a paused chain.
#[cold]
pub(super) fn hold_waker(core: &Core, waker: Waker) {
    core.hold(|chain, _| rest_and_wake(&*chain, waker));
}

/// The result is stored at the tail, and a task awaits it. The chain rests first, because the woken task may take the
/// result at once.
pub(super) fn rest_and_wake(chain: &dyn Chain, waker: Waker) {
    chain.core().transition(ChainState::rest);
    wake_contained(waker);
}
