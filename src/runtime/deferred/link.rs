//! A link of a chain: one callback, the result that it is given, and the cell for the result that it makes.

use std::any::Any;
use std::cell::Cell;
use std::mem;
use std::rc::Rc;

use super::node::{Chain, Input, Node, Output, ResultCell, Run, Stored};
use super::outcome::Settled;
use super::run::{carry_out, deliver_stored, hold_if_paused, rest_if_kept, run, run_added, wait};
use super::unclaimed::Unclaimed;
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::ChainState;

/// What a link calls with the result it is given: one type for each way to add a callback.
pub(crate) trait Callback<T, E> {
    type Value;

    /// Calls the user's function, or passes the result by. Never panics, unless `E::from` does.
    ///
    /// Implementations are `#[inline(always)]`: each has one caller, and as a call of its own costs a callback 20
    /// instructions.
    fn call(self, input: Result<T, E>) -> Settled<Self::Value, E>;

    /// Called instead of `call` with an item that nobody has received. A callback that passes values by returns it.
    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<Self::Value, E>
    where
        Self: Sized,
        E: From<Failure>,
    {
        Passed::Settled(self.call(item.claim()))
    }

    /// The chain has another head from now on. Only a callback that refers to its chain needs this.
    fn replace_head(&self, _chain: &Rc<dyn Chain>) {}
}

/// What a link makes of an unclaimed item.
pub(crate) enum Passed<T, E> {
    /// Its function has received it, and has returned this.
    Settled(Settled<T, E>),
    /// The item passes by.
    Unclaimed(Unclaimed<T>),
}

/// A link, in one allocation.
pub(super) struct Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    /// `None` once it was called, and in a link that only stores a result or waits.
    callback: Cell<Option<C>>,
    input: Cell<InputSlot<T, E>>,
    cell: ResultCell<C::Value, E>,
}

/// The input of a link's callback, and what takes its place during a wait.
enum InputSlot<T, E> {
    /// Nothing: no result has come, or the callback has it.
    Empty,
    /// The result that the callback is about to be given.
    Given(Result<T, E>),
    /// The same, for an item that nobody has received.
    Unclaimed(Unclaimed<T>),
    /// The callback has returned a Deferred; this is the chain that waits for it here.
    Waiting(Rc<dyn Chain>),
}

impl<C, T, E> Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    pub(super) fn new(callback: C) -> Rc<Self> {
        let link = Rc::<Self>::default();
        mem::forget(link.callback.replace(Some(callback)));
        link
    }

    /// Carries on with what the callback returned.
    #[inline]
    fn go_on(self: Rc<Self>, settled: Settled<C::Value, E>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>>
    where
        C: Callback<T, E, Value: 'static> + 'static,
        T: 'static,
        E: From<Failure>,
    {
        match settled {
            Settled::Now(result) => {
                let core = chain.core();
                if let Some(next) = self.cell.detach_link() {
                    return hold_if_paused(core, next.accept(result));
                }
                let action = rest_if_kept(core, self.cell.store(Stored::Result(result, core.made_at())))?;
                carry_out(action, self, chain)
            }
            Settled::Later(inner) => wait(self, inner, chain),
        }
    }

    /// Calls the callback with an item that nobody has received. `None` if there is no item.
    #[cold]
    fn call_unclaimed(&self, callback: C) -> Option<Passed<C::Value, E>>
    where
        E: From<Failure>,
    {
        match self.input.replace(InputSlot::Empty) {
            InputSlot::Unclaimed(item) => Some(callback.call_unclaimed(item)),
            InputSlot::Empty | InputSlot::Given(_) | InputSlot::Waiting(_) => None,
        }
    }

    #[inline]
    fn take_given(&self) -> Option<Result<T, E>> {
        match self.input.replace(InputSlot::Empty) {
            InputSlot::Given(result) => Some(result),
            was => {
                mem::forget(self.input.replace(was));
                None
            }
        }
    }
}

/// A link without a callback, which can store a result or keep a chain that waits. (`Rc::default` makes it in place;
/// `Rc::new` would copy it there.)
impl<C, T, E> Default for Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    fn default() -> Self {
        Self { callback: Cell::new(None), input: Cell::new(InputSlot::Empty), cell: ResultCell::empty() }
    }
}

/// Adds a callback to a tail that has its result: calls it at once, or holds it if the chain is paused. Returns the new
/// tail.
pub(super) fn call_or_hold<C, T, E>(
    callback: C,
    result: Result<T, E>,
    tail: Rc<dyn Output<T, E>>,
    chain: &Rc<dyn Chain>,
) -> Rc<dyn Output<C::Value, E>>
where
    C: Callback<T, E, Value: 'static> + 'static,
    T: 'static,
    E: ChainError,
{
    let core = chain.core();
    if core.is_paused() {
        drop(tail);
        let link = Link::new(callback);
        run_added(Rc::clone(&link).accept(result), chain);
        return link;
    }
    core.transition(ChainState::add);
    let reused = reuse(tail);
    let settled = callback.call(result);
    let tail = reused.unwrap_or_else(|| Rc::<Link<C, T, E>>::default());
    match settled {
        Settled::Now(result) => {
            core.transition(ChainState::rest);
            tail.cell().restore(Stored::Result(result, core.made_at()));
        }
        Settled::Later(inner) => {
            let mut waiting = Rc::clone(chain);
            let next = wait(Rc::clone(&tail), inner, &mut waiting);
            run(next, waiting);
        }
    }
    tail
}

/// Returns the tail, to store the callback's result in it too, if both results have the same type.
///
/// `None` for the head: it lives on with its [`Resolver`](super::Resolver), so an error in it that nobody handled would
/// be reported too late.
fn reuse<T, U, E>(tail: Rc<dyn Output<T, E>>) -> Option<Rc<dyn Output<U, E>>>
where
    T: 'static,
    U: 'static,
    E: 'static,
{
    let mut tail = Some(tail);
    let same = (&mut tail as &mut dyn Any).downcast_mut::<Option<Rc<dyn Output<U, E>>>>()?;
    same.take_if(|tail| !tail.is_head())
}

impl<C, T, E> Input<T, E> for Link<C, T, E>
where
    C: Callback<T, E, Value: 'static> + 'static,
    T: 'static,
    E: ChainError,
{
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run> {
        // The slot is empty, so there is nothing to drop; `set` would have to check that.
        mem::forget(self.input.replace(InputSlot::Given(result)));
        self
    }

    fn accept_unclaimed(self: Rc<Self>, item: Unclaimed<T>) -> Rc<dyn Run> {
        self.input.set(InputSlot::Unclaimed(item));
        self
    }
}

impl<C, T, E> Run for Link<C, T, E>
where
    C: Callback<T, E, Value: 'static> + 'static,
    T: 'static,
    E: ChainError,
{
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>> {
        let callback = self.callback.take()?;
        let settled = match self.take_given() {
            Some(input) => callback.call(input),
            None => match self.call_unclaimed(callback)? {
                Passed::Settled(settled) => settled,
                Passed::Unclaimed(item) => return deliver_stored(self, Stored::Unclaimed(item), chain),
            },
        };
        self.go_on(settled, chain)
    }
}

impl<C, T, E> Node for Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    fn next(&self) -> Option<Rc<dyn Node>> {
        self.cell.next()
    }

    fn waiting_chain(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        let input = self.input.replace(InputSlot::Empty);
        let chain = if let InputSlot::Waiting(chain) = &input { Some(Rc::clone(chain)) } else { None };
        self.input.set(input);
        chain
    }

    fn replace_head(&self, chain: &Rc<dyn Chain>) {
        let callback = self.callback.take();
        if let Some(callback) = &callback {
            callback.replace_head(chain);
        }
        self.callback.set(callback);
    }
}

impl<C, T, E> Output<C::Value, E> for Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    fn cell(&self) -> &ResultCell<C::Value, E> {
        &self.cell
    }

    fn suspend(&self, chain: Rc<dyn Chain>) {
        self.input.set(InputSlot::Waiting(chain));
    }

    fn resume(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        match self.input.replace(InputSlot::Empty) {
            InputSlot::Waiting(chain) => Some(chain),
            InputSlot::Empty | InputSlot::Given(_) | InputSlot::Unclaimed(_) => None,
        }
    }
}

impl<C, T, E> Drop for Link<C, T, E>
where
    C: Callback<T, E>,
    E: ChainError,
{
    fn drop(&mut self) {
        self.cell.close();
    }
}
