//! What a list is made of: a member at the end of the chain of each of its Deferreds, and the results gathered there.
//!
//! A list links a [`Member`] to the tail of each of its Deferreds, where a callback would stand. The member that
//! decides the list returns the first link of the list's own chain to the loop that runs the member's chain, as a chain
//! does for the one that waits for it; and a list's canceller returns the members to the loop that called it. So lists
//! of lists, however deep, fire and are cancelled on a stack of constant size. In the wait path of its Deferred a
//! member is the outermost chain: a cancel of the list starts there, and a [wait cycle](super::cycle) is found from
//! there. The states are in `machine/gather.rs`.

use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::report::{Incident, drop_contained, report_unhandled};
use super::super::sync::catch;
use super::cancel::cancel_each;
use super::conversion::convert_own;
use super::deferred::Deferred;
use super::head::{Head, Source};
use super::node::{
    AlsoCancel, CachedAncestor, Chain, Core, Input, List, Members, Node, Run, Stored, Successor, extend_outwards,
};
use super::run::{deliver_stored, run_added};
use super::unclaimed::{Receipt, Unclaimed};
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::{ChainStage, ChainState, Fire};
use crate::machine::gather::{Arrival, DecidedBy, GatherState};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) consume_errors: bool,
    pub(super) cancel_rest: bool,
}

/// What the list fires with. Values decide the list if there is an `on_value`, errors if there is an `on_error`;
/// `on_all` is for a list that no single result has decided.
pub(super) struct Policy<T, E, U> {
    pub(super) on_value: Option<fn(usize, T) -> U>,
    pub(super) on_error: Option<fn(usize, E) -> E>,
    pub(super) on_all: fn(Vec<Result<T, E>>) -> Result<U, E>,
    /// What a result that nobody has received is made of, each with the index of its member, in order.
    pub(super) take_apart: fn(U) -> Vec<(usize, Result<T, E>)>,
}

/// What a list has of one member.
enum Slot<T, E> {
    /// No result: the member, through which its Deferred is cancelled. Weak, because the member owns the list.
    Pending(Weak<dyn Chain>),
    /// Its result.
    Stored(Stored<T, E>),
    /// No result, and the list has cancelled it; or the Deferred had its result when the list was made, and that has
    /// not been taken yet.
    Empty,
}

/// The data of one list, owned by its members. It fires the list's own chain, as a resolver would.
struct Gathering<T: 'static, E: ChainError, U: 'static> {
    head: Weak<Head<U, E>>,
    /// Keeps the list's chain alive until that is fired or cancelled, and no longer, even if other members have no
    /// result yet.
    unfired: Cell<Option<Rc<Head<U, E>>>>,
    policy: Policy<T, E, U>,
    options: Options,
    state: Cell<GatherState>,
    /// Gone once the list is decided, even if members have no result yet.
    slots: RefCell<Vec<Slot<T, E>>>,
    /// It has cancelled all members without a result: what they come to is dropped silently, if it is not part of the
    /// list's result.
    has_cancelled: Cell<bool>,
    made_at: &'static Location<'static>,
    cached_ancestor: CachedAncestor,
}

/// The node at the end of a member's chain.
struct Member<T: 'static, E: ChainError, U: 'static> {
    gathering: Rc<Gathering<T, E, U>>,
    index: usize,
    /// The Deferred had its result when the list was made, so the list never cancels it.
    is_early: bool,
    input: Cell<Option<Stored<T, E>>>,
    /// In wait paths a member counts as a chain, which always waits.
    core: Core,
}

/// Makes the list, and returns its Deferred.
#[track_caller]
pub(super) fn gather<T, E, U>(members: Vec<Deferred<T, E>>, options: Options, policy: Policy<T, E, U>) -> Deferred<U, E>
where
    T: 'static,
    E: ChainError,
    U: 'static,
{
    let (state, at_once) = GatherState::new(policy.decided_by(), members.len());
    let head = Head::unfired(None, Location::caller());
    let list = Deferred::from_head(Rc::clone(&head));
    let gathering = Rc::new(Gathering {
        head: Rc::downgrade(&head),
        unfired: Cell::default(),
        policy,
        options,
        state: Cell::new(state),
        slots: RefCell::default(),
        has_cancelled: Cell::default(),
        made_at: Location::caller(),
        cached_ancestor: CachedAncestor::default(),
    });
    if at_once {
        head.fire(gathering.complete().into_result());
        return list;
    }
    let weak = Rc::downgrade(&gathering);
    head.set_canceller(Box::new(move |_, _| weak.upgrade().map(Gathering::on_cancel).unwrap_or_default()));
    gathering.unfired.set(Some(head));
    // All members have their slot before the first of them is linked, which may run callbacks that fire or cancel
    // others.
    let linked = members.iter().enumerate().map(|(index, deferred)| Member::new(&gathering, index, deferred));
    let (nodes, slots): (Vec<_>, Vec<_>) = linked.unzip();
    gathering.slots.replace(slots);
    for (member, deferred) in nodes.into_iter().zip(members) {
        link(member, deferred);
    }
    list
}

/// Links a member to its Deferred's tail, and takes the result if it is there already.
fn link<T, E, U>(member: Rc<Member<T, E, U>>, deferred: Deferred<T, E>)
where
    T: 'static,
    E: ChainError,
    U: 'static,
{
    let Deferred { tail, chain } = deferred;
    match tail.cell().take() {
        None => tail.cell().link(Successor::Link(member)),
        Some(stored) => {
            drop(tail);
            member.input.set(Some(stored));
            run_added(member, &chain);
        }
    }
}

impl<T, E, U> Policy<T, E, U> {
    fn decided_by(&self) -> DecidedBy {
        DecidedBy { value: self.on_value.is_some(), error: self.on_error.is_some() }
    }
}

impl<T: 'static, E: ChainError, U: 'static> Gathering<T, E, U> {
    /// One transition of the state machine.
    fn transition<A>(&self, event: impl FnOnce(&mut GatherState) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    /// A member has its result. Returns what the list fires with, if this decides it.
    fn arrived(&self, index: usize, is_early: bool, stored: Stored<T, E>) -> Option<Stored<U, E>> {
        match self.transition(|state| state.arrived(stored.is_ok())) {
            Arrival::Store => {
                self.set_slot(index, Slot::Stored(stored));
                None
            }
            Arrival::Late if self.has_cancelled.get() && !is_early => {
                drop_contained(stored);
                None
            }
            Arrival::Late => {
                self.discard(stored);
                None
            }
            Arrival::Completes => {
                self.set_slot(index, Slot::Stored(stored));
                Some(self.complete())
            }
            Arrival::Decides => {
                self.set_slot(index, Slot::Empty);
                Some(self.decide(index, stored))
            }
        }
    }

    /// What was in the slot is no result.
    fn set_slot(&self, index: usize, to: Slot<T, E>) {
        if let Some(slot) = self.slots.borrow_mut().get_mut(index) {
            *slot = to;
        }
    }

    fn take_slots(&self) -> Vec<Slot<T, E>> {
        mem::take(&mut *self.slots.borrow_mut())
    }

    fn complete(&self) -> Stored<U, E> {
        let slots = self.take_slots();
        let mut receipts = Vec::new();
        let results = slots.into_iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Stored(stored) => {
                let (result, receipt) = stored.split();
                receipts.extend(receipt.map(|receipt| (index, receipt)));
                Some(result)
            }
            Slot::Pending(_) | Slot::Empty => None,
        });
        let results = results.collect();
        self.store(catch_conversion(|| (self.policy.on_all)(results)), receipts)
    }

    /// The list's result. While nobody has received it, items among its values can be given back.
    fn store(&self, result: Result<U, E>, receipts: Vec<(usize, Receipt<T>)>) -> Stored<U, E> {
        match result {
            Ok(value) if !receipts.is_empty() => {
                let take_apart = self.policy.take_apart;
                let give_back = move |value| {
                    let mut receipts = receipts.into_iter().peekable();
                    for (index, result) in take_apart(value) {
                        match (receipts.next_if(|(of, _)| *of == index), result) {
                            (Some((_, receipt)), Ok(item)) => receipt.give_back(item),
                            (_, result) => drop_contained(result),
                        }
                    }
                };
                Stored::Unclaimed(Unclaimed::new(value, Receipt::List(Box::new(give_back))))
            }
            result => Stored::Result(result, self.made_at),
        }
    }

    fn decide(&self, index: usize, stored: Stored<T, E>) -> Stored<U, E> {
        let pending = self.discard_stored();
        if self.options.cancel_rest {
            self.has_cancelled.set(true);
            cancel_each(pending);
        }
        let (result, receipt) = stored.split();
        let receipts = receipt.map(|receipt| (index, receipt)).into_iter().collect();
        let result = catch_conversion(|| match (result, self.policy.on_value, self.policy.on_error) {
            (Ok(value), Some(on_value), _) => Ok(on_value(index, value)),
            (Err(error), _, Some(on_error)) => Err(on_error(index, error)),
            // Impossible: such a result does not decide.
            (result, ..) => (self.policy.on_all)(vec![result]),
        });
        self.store(result, receipts)
    }

    /// The list is decided: drops what came before, and returns the members without a result, in order.
    fn discard_stored(&self) -> Members {
        let mut pending = Members::new();
        for slot in self.take_slots() {
            match slot {
                Slot::Stored(stored) => self.discard(stored),
                Slot::Pending(member) => pending.push(member),
                Slot::Empty => {}
            }
        }
        pending
    }

    /// The members to cancel, in order: all that have no result now, whatever the cancel of the first of them causes.
    fn take_pending(&self) -> Members {
        let mut slots = self.slots.borrow_mut();
        let pending = slots.iter_mut().filter(|slot| matches!(slot, Slot::Pending(_)));
        let pending = pending.filter_map(|slot| match mem::replace(slot, Slot::Empty) {
            Slot::Pending(member) => Some(member),
            Slot::Stored(_) | Slot::Empty => None,
        });
        pending.collect()
    }

    /// Drops a result that is not part of the list's. An item that nobody has received goes back.
    fn discard(&self, stored: Stored<T, E>) {
        if let Stored::Result(Err(error), made_at) = &stored
            && !self.options.consume_errors
        {
            report_unhandled(Incident::Unhandled, error.as_error(), Some(*made_at));
        }
        drop_contained(stored);
    }

    fn on_cancel(self: Rc<Self>) -> AlsoCancel {
        // Not the last pointer to the head: the caller that cancels it has another.
        self.unfired.take();
        self.has_cancelled.set(true);
        AlsoCancel { members: self.take_pending(), list: Some(self) }
    }
}

impl<T: 'static, E: ChainError, U: 'static> List for Gathering<T, E, U> {
    fn unfired_chain(&self) -> Option<Rc<dyn Chain>> {
        let head = self.head.upgrade()?;
        (!head.core().state().is_decided()).then_some(head)
    }

    fn cached_ancestor(&self) -> &CachedAncestor {
        &self.cached_ancestor
    }

    fn give_up(&self) {
        self.transition(GatherState::give_up);
        drop(self.discard_stored());
    }
}

/// Calls a conversion, which may be user code. A panic becomes the error.
fn catch_conversion<U, E: From<Failure>>(convert: impl FnOnce() -> Result<U, E>) -> Result<U, E> {
    catch(convert).unwrap_or_else(|panic| Err(convert_own(panic)))
}

impl<T: 'static, E: ChainError, U: 'static> Member<T, E, U> {
    /// The member for this Deferred, and its slot. It is not linked yet.
    fn new(gathering: &Rc<Gathering<T, E, U>>, index: usize, deferred: &Deferred<T, E>) -> (Rc<Self>, Slot<T, E>) {
        let core = Core::new(ChainState::new(ChainStage::Waiting), None, deferred.made_at());
        // Such a one is never cancelled, even if a member before it decides the list: an error of it is reported.
        let is_early = deferred.tail.cell().is_stored();
        let member = Rc::new(Self { gathering: Rc::clone(gathering), index, is_early, input: Cell::new(None), core });
        if is_early {
            return (member, Slot::Empty);
        }
        let outermost = Rc::clone(&member) as Rc<dyn Chain>;
        extend_outwards(&outermost, &deferred.chain);
        (member, Slot::Pending(Rc::downgrade(&outermost)))
    }
}

impl<T: 'static, E: ChainError, U: 'static> Chain for Member<T, E, U> {
    fn core(&self) -> &Core {
        &self.core
    }

    /// Never called: a member has no head and is never fired.
    fn fail(self: Rc<Self>, _failure: Failure) {}

    fn list(&self) -> Option<Rc<dyn List>> {
        Some(Rc::clone(&self.gathering) as Rc<dyn List>)
    }
}

/// A walk downstream ends here: any member may be the one that fires the list.
impl<T: 'static, E: ChainError, U: 'static> Node for Member<T, E, U> {
    fn waiting_chain(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T: 'static, E: ChainError, U: 'static> Input<T, E> for Member<T, E, U> {
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run> {
        self.input.set(Some(Stored::Result(result, self.core.made_at())));
        self
    }

    fn accept_unclaimed(self: Rc<Self>, item: Unclaimed<T>) -> Rc<dyn Run> {
        self.input.set(Some(Stored::Unclaimed(item)));
        self
    }
}

impl<T: 'static, E: ChainError, U: 'static> Run for Member<T, E, U> {
    /// The result leaves the member's chain. If it decides the list, the loop goes on with the list's chain.
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>> {
        let stored = self.input.take()?;
        chain.core().transition(ChainState::hand_over);
        let stored = self.gathering.arrived(self.index, self.is_early, stored)?;
        let Some(head) = self.gathering.unfired.take().or_else(|| self.gathering.head.upgrade()) else {
            drop_contained(stored);
            return None;
        };
        match head.core().transition(ChainState::fire) {
            Fire::Run => {
                let (head, list) = head.start();
                *chain = list;
                deliver_stored(head, stored, chain)
            }
            Fire::Discard => {
                drop_contained(stored);
                None
            }
        }
    }
}
