//! Reactor-owned values: a value that is not thread-safe stays on the reactor's thread; other threads reach it by its
//! address.

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::deferred::Plain;
use super::super::report::{Incident, drop_contained, report};
use super::super::sync::{Arc, catch};
use super::{Call, Core, Handle, Reactor};
use crate::error::{OwnedError, Rejected, Unavailable};
use crate::machine::radix_map::RadixMap;

/// Identifies a value of one reactor, and says where a program gave it to the reactor. As small as two words, because
/// each call by address carries it.
#[derive(Clone, Copy)]
pub(crate) struct ValueId {
    key: ValueKey,
    owned_at: &'static Location<'static>,
}

/// A value's number, which is never reused, behind its drop order. When the reactor ends, values are dropped in the
/// order of their keys.
#[derive(Clone, Copy)]
pub(super) struct ValueKey(u64);

impl ValueKey {
    const NUMBER_BITS: u32 = 62;

    fn new(drop_order: DropOrder, number: u64) -> Self {
        Self((drop_order as u64) << Self::NUMBER_BITS | number)
    }

    fn drop_order(self) -> usize {
        (self.0 >> Self::NUMBER_BITS) as usize
    }

    fn number(self) -> u64 {
        self.0 & ((1 << Self::NUMBER_BITS) - 1)
    }
}

impl ValueId {
    /// Why the value, a `T`, cannot be reached.
    fn error<T>(self, reason: Unavailable) -> OwnedError {
        OwnedError { reason, type_name: type_name::<T>(), owned_at: self.owned_at }
    }
}

/// In which order the reactor drops its values when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DropOrder {
    /// First: what another thread blocks on. It has to learn that the reactor has stopped, not what the drop of a value
    /// does.
    BlockedCaller,
    /// Then: what has asked to be told of the end. It is told while the values that it may use are still there.
    Listener,
    /// Last: a program's values, and its tasks.
    Value,
}

const DROP_ORDERS: usize = DropOrder::Value as usize + 1;

/// One value: `None` once it is gone, borrowed while it is in use.
pub(super) struct Slot<T> {
    value: RefCell<Option<T>>,
    /// It has left the table, or was never in it. If the value is in use, its user drops it when done.
    removed: Cell<bool>,
}

impl<T> Slot<T> {
    fn new(value: T) -> Self {
        Self { value: RefCell::new(Some(value)), removed: Cell::new(false) }
    }

    /// Puts a value into a slot that has none.
    pub(super) fn fill(&self, value: T) {
        *self.value.borrow_mut() = Some(value);
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Result<R, Unavailable> {
        let mut value = self.value.try_borrow_mut().map_err(|_| Unavailable::InUse)?;
        // Not `map`: it would drop an uncalled `f` while the slot is borrowed, and that drop is user code, which may
        // use the slot.
        match value.as_mut() {
            Some(value) => Ok(f(value)),
            None => Err(Unavailable::Gone),
        }
    }

    pub(super) fn take(&self) -> Result<T, Unavailable> {
        let mut value = self.value.try_borrow_mut().map_err(|_| Unavailable::InUse)?;
        value.take().ok_or(Unavailable::Gone)
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.get()
    }

    /// The slot has left the table.
    pub(super) fn mark_removed(&self) {
        self.removed.set(true);
    }

    /// Drops the value of a removed slot, with a panic contained. A value in use is left for its user to drop.
    pub(super) fn empty(&self) {
        drop_contained(self.take());
    }
}

/// One whose value comes later.
impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { value: RefCell::new(None), removed: Cell::new(false) }
    }
}

/// A slot whose type is erased, for the table.
pub(super) trait AnySlot: Any {
    /// It has left the table. A task need not know: no reactor ends while it polls one.
    fn mark_removed(&self) {}

    /// The reactor ends: a removed slot loses its value.
    fn end(self: Rc<Self>);

    /// Polls the value, which has this key. Only a task is polled.
    fn poll(self: Rc<Self>, _key: ValueKey, _reactor: &Reactor) {}
}

impl<T: 'static> AnySlot for Slot<T> {
    fn mark_removed(&self) {
        self.mark_removed();
    }

    fn end(self: Rc<Self>) {
        self.empty();
    }
}

fn downcast<T: 'static>(slot: Rc<dyn AnySlot>) -> Option<Rc<Slot<T>>> {
    (slot as Rc<dyn Any>).downcast().ok()
}

/// Calls `f` with the value of a slot.
///
/// If the value leaves the table meanwhile, because its owner is dropped, it is released or the reactor ends, it is
/// dropped when `f` returns or panics. A panic is caught first: a second one, from the value's drop, would abort during
/// unwinding.
fn with_slot<T: 'static, R>(
    core: &Weak<Core>,
    id: ValueId,
    slot: &Slot<T>,
    f: impl FnOnce(&mut T) -> R,
) -> Result<R, OwnedError> {
    let result = catch(|| slot.with(f));
    // A reactor that is being dropped has let go of all values, of those too that are still in its table.
    if slot.is_removed() || core.strong_count() == 0 {
        // Upgraded only now: `f` may end the reactor, and a strong reference would delay that.
        let core = core.upgrade();
        let _scope = core.map(|core| core.reporter.enter());
        slot.empty();
    }
    result.unwrap_or_else(|panic| panic.resume()).map_err(|reason| id.error::<T>(reason))
}

/// All values that the reactor owns.
#[derive(Default)]
pub(super) struct Table {
    /// By drop order, and then by number.
    slots: [RefCell<Slots>; DROP_ORDERS],
    next: Cell<u64>,
}

type Slots = RadixMap<Rc<dyn AnySlot>>;

impl Table {
    pub(super) fn insert(&self, drop_order: DropOrder, slot: Rc<dyn AnySlot>) -> ValueKey {
        let key = self.next_key(drop_order);
        if let Some(mut slots) = self.slots(key) {
            slots.insert(key.number(), slot);
        }
        key
    }

    fn next_key(&self, drop_order: DropOrder) -> ValueKey {
        let number = self.next.get();
        self.next.set(number + 1);
        ValueKey::new(drop_order, number)
    }

    pub(super) fn find(&self, key: ValueKey) -> Option<Rc<dyn AnySlot>> {
        self.slots(key)?.get_mut(key.number()).map(|slot| Rc::clone(slot))
    }

    /// Removes a value's slot and returns it: the caller drops the value.
    pub(super) fn remove(&self, key: ValueKey) -> Option<Rc<dyn AnySlot>> {
        let mut slots = self.slots(key)?;
        let slot = slots.remove(key.number())?;
        drop(slots.take_emptied());
        slot.mark_removed();
        Some(slot)
    }

    /// Those of the key's drop order.
    fn slots(&self, key: ValueKey) -> Option<RefMut<'_, Slots>> {
        self.slots.get(key.drop_order()).map(RefCell::borrow_mut)
    }

    /// Tells all callers that are blocked until their answer comes.
    pub(super) fn clear_blocked_callers(&self) {
        let [blocked_callers, ..] = &self.slots;
        Self::clear_slots(blocked_callers);
    }

    /// Drops all values: by drop order, then oldest first.
    pub(super) fn clear(&self) {
        self.slots.iter().for_each(Self::clear_slots);
    }

    fn clear_slots(slots: &RefCell<Slots>) {
        loop {
            let first = slots.borrow_mut().pop_first_if(|_| true);
            let Some(slot) = first else { break };
            slot.mark_removed();
            slot.end();
        }
        slots.take();
    }
}

/// The owner of a reactor-owned value, on the reactor's thread: what [`Reactor::own`] returns. Dropping it drops the
/// value.
///
/// It does not keep the reactor alive. When the reactor ends, the value is dropped and the owner is empty.
///
/// ```
/// use selvedge::Reactor;
/// use std::rc::Rc;
///
/// let reactor = Reactor::new();
/// let transport = reactor.own(Rc::new(String::from("not thread-safe")));
/// let address = transport.address();
/// let handle = reactor.handle();
/// std::thread::spawn(move || {
///     address.call(|transport, _| println!("{transport}, and on its own thread")).unwrap();
///     handle.stop();
/// });
/// reactor.run();
/// ```
#[must_use = "dropping the owner drops the value at once; `detach` leaves it to the reactor"]
pub struct Owned<T: 'static> {
    core: Weak<Core>,
    id: ValueId,
    slot: Rc<Slot<T>>,
    handle: Handle,
    detached: bool,
}

impl<T: 'static> Owned<T> {
    #[track_caller]
    pub(crate) fn new(reactor: &Reactor, drop_order: DropOrder, value: T) -> Self {
        let core = &reactor.core;
        let slot = Rc::new(Slot::new(value));
        let key = if core.has_ended() {
            let _scope = core.reporter.enter();
            slot.mark_removed();
            slot.empty();
            core.owned.next_key(drop_order)
        } else {
            core.owned.insert(drop_order, Rc::clone(&slot) as Rc<dyn AnySlot>)
        };
        let id = ValueId { key, owned_at: Location::caller() };
        Self { core: Rc::downgrade(core), id, slot, handle: reactor.handle(), detached: false }
    }

    /// The address of the value, for any thread.
    #[must_use]
    pub fn address(&self) -> Address<T> {
        Address { handle: self.handle.clone(), id: self.id, value: PhantomData }
    }

    /// Calls `f` with the value, now.
    ///
    /// # Errors
    /// The value is gone, because the reactor has ended, or it is in use further up this thread's stack.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Result<R, OwnedError> {
        with_slot(&self.core, self.id, &self.slot, f)
    }

    /// Takes the value back.
    ///
    /// # Errors
    /// The value is gone, because the reactor has ended; or it is in use further up this thread's stack, and then stays
    /// with the reactor.
    pub fn into_inner(mut self) -> Result<T, OwnedError> {
        let taken = self.slot.take();
        self.detached = matches!(taken, Err(Unavailable::InUse));
        taken.map_err(|reason| self.id.error::<T>(reason))
    }

    /// Gives up the owner: the value stays with the reactor until it is [released](Address::release) or the reactor
    /// ends.
    #[must_use = "the address is the only way to the value from now on"]
    pub fn detach(mut self) -> Address<T> {
        self.detached = true;
        self.address()
    }
}

impl<T: 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.detached || self.slot.is_removed() {
            return;
        }
        let core = self.core.upgrade();
        let _scope = core.as_ref().map(|core| core.reporter.enter());
        drop(core.map(|core| core.owned.remove(self.id.key)));
        self.slot.empty();
    }
}

impl<T: 'static> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").field("id", &self.id.key.number()).finish_non_exhaustive()
    }
}

/// The address of a reactor-owned value: it is `Send` and `Sync` whatever the value is.
///
/// Calls through it run on the reactor's thread, in the order in which they were posted, each with `&mut` access.
pub struct Address<T: 'static> {
    handle: Handle,
    id: ValueId,
    /// A function type makes the address `Send` and `Sync` even if `T` is neither.
    value: PhantomData<fn(&mut T)>,
}

impl<T: 'static> Address<T> {
    /// Calls `f` with the value, now, on the reactor's own thread: a `&Reactor` cannot be anywhere else. Other threads
    /// [`call`](Self::call) or [`ask`](Self::ask).
    ///
    /// ```
    /// use selvedge::Reactor;
    ///
    /// let reactor = Reactor::new();
    /// let visitors = reactor.own(0_u32).detach();
    /// reactor.call_later(std::time::Duration::ZERO, move |reactor| {
    ///     let count = visitors.with(reactor, |visitors| {
    ///         *visitors += 1;
    ///         *visitors
    ///     });
    ///     assert_eq!(count, Ok(1));
    ///     reactor.handle().stop();
    /// });
    /// reactor.run();
    /// ```
    ///
    /// # Errors
    /// The value is gone, or in use further up this thread's stack, or another reactor owns it. Then `f` is dropped
    /// uncalled.
    pub fn with<R>(&self, reactor: &Reactor, f: impl FnOnce(&mut T) -> R) -> Result<R, OwnedError> {
        if !Arc::ptr_eq(&self.handle.shared, &reactor.core.shared) {
            return Err(self.id.error::<T>(Unavailable::OtherReactor));
        }
        self.with_value(reactor, f)
    }

    /// Runs `f` on the reactor's thread with the value. Returns at once; order and cost are those of
    /// [`Handle::call_from_thread`].
    ///
    /// If the value is gone or in use by then, `f` is dropped without being called, and an [`OwnedError`] is reported.
    /// `Ok` says only that the call was accepted: for a value whose `Owned` was moved into a callback, for example a
    /// shutdown trigger, calls are accepted until the reactor ends, and it is gone when the callback has returned.
    /// [`ask`](Self::ask) tells its caller.
    ///
    /// # Errors
    /// The reactor has stopped, or its [bounded](crate::reactor::ReactorBuilder::inbox_bound) inbox is full: the call
    /// is handed back.
    pub fn call<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&mut T, &Reactor) + Send + 'static,
    {
        let id = self.id;
        let mut f = Some(f);
        self.handle.call_from_thread(move |reactor| {
            let called = Self::visit(reactor, id, |value, reactor| f.take().map(|f| f(value, reactor)));
            if let Err(error) = called {
                report(Incident::OwnedValue, &error, None);
            }
        })
    }

    /// Makes the reactor drop the value, on its own thread. Does nothing if it is gone.
    ///
    /// # Errors
    /// The reactor has stopped, and the value is gone with it.
    pub fn release(&self) -> Result<(), Rejected<Call>> {
        let id = self.id;
        self.handle.post_unbounded(move |reactor| drop(Self::take_by_id(reactor, id)))
    }

    pub(crate) fn id(&self) -> ValueId {
        self.id
    }

    /// The reactor that owns the value.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Calls `f` with the value, on the reactor's thread.
    pub(crate) fn with_value<R>(&self, reactor: &Reactor, f: impl FnOnce(&mut T) -> R) -> Result<R, OwnedError> {
        Self::visit(reactor, self.id, |value, _| f(value))
    }

    /// Takes the value out, on the reactor's thread.
    pub(crate) fn take(&self, reactor: &Reactor) -> Option<T> {
        Self::take_by_id(reactor, self.id)
    }

    /// Takes the value of this id out, on the reactor's thread.
    pub(crate) fn take_by_id(reactor: &Reactor, id: ValueId) -> Option<T> {
        let slot = downcast::<T>(reactor.core.owned.remove(id.key)?)?;
        slot.take().ok()
    }

    /// Calls `f` with the value of this id, on the reactor's thread.
    pub(crate) fn visit<R>(
        reactor: &Reactor,
        id: ValueId,
        f: impl FnOnce(&mut T, &Reactor) -> R,
    ) -> Result<R, OwnedError> {
        let slot =
            reactor.core.owned.find(id.key).and_then(downcast).ok_or_else(|| id.error::<T>(Unavailable::Gone))?;
        with_slot(&Rc::downgrade(&reactor.core), id, &slot, |value| f(value, reactor))
    }
}

/// What a reactor is asked for may be an address.
impl<T: 'static> Plain for Address<T> {}

impl<T: 'static> Clone for Address<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), id: self.id, value: PhantomData }
    }
}

impl<T: 'static> fmt::Debug for Address<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("id", &self.id.key.number()).finish_non_exhaustive()
    }
}
