//! One link: a callback, the result that it is given, and the one that it makes. One allocation.

use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::mem;
use std::ptr;
use std::rc::Rc;

use super::super::report::drop_contained;
use super::super::sync::catch;
use super::chain::{Chain, Run, deliver, pass, run, run_added, wait};
use super::outcome::{Outcome, OutcomeOf, Settled};
use super::outlet::{Ahead, Input, Output, ResultCell};
use crate::failure::Failure;
use crate::machine::deferred::ChainState;

/// What a link does with the result it is given: one type for each way to add a callback.
pub(crate) trait Hook<T, E> {
    type Value;

    /// Calls the user's function, or passes the result by. Never panics, unless `E::from` does.
    fn call(self, input: Result<T, E>) -> Settled<Self::Value, E>;

    /// The chain has this head from now on. Only what knows its chain has to know.
    fn adopt(&self, _chain: &Rc<dyn Chain>) {}
}

/// What a link holds before its callback.
enum Inlet<T, E> {
    /// Nothing: no result has come yet, or the callback has it.
    Empty,
    /// The result that the callback is about to be given.
    Given(Result<T, E>),
    /// The callback has returned a Deferred: the chain that waits for it here.
    Waiting(Rc<dyn Chain>),
}

pub(super) struct Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    hook: Cell<Option<H>>,
    inlet: Cell<Inlet<T, E>>,
    cell: ResultCell<H::Value, E>,
}

impl<H, T, E> Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    pub(super) fn new(hook: H) -> Rc<Self> {
        let link = Rc::<Self>::default();
        mem::forget(link.hook.replace(Some(hook)));
        link
    }

    #[inline]
    fn take_given(&self) -> Option<Result<T, E>> {
        match self.inlet.replace(Inlet::Empty) {
            Inlet::Given(result) => Some(result),
            was => {
                mem::forget(self.inlet.replace(was));
                None
            }
        }
    }
}

/// A link without a callback: where a result may lie, or a chain wait. (`Rc::default` makes it where it is to lie; `Rc::new` would copy it there.)
impl<H, T, E> Default for Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    fn default() -> Self {
        Self { hook: Cell::new(None), inlet: Cell::new(Inlet::Empty), cell: ResultCell::empty() }
    }
}

/// A callback has come to a tail where the result lay, and has it: it is called at once, unless the chain is paused. Says where its result will lie.
pub(super) fn call_or_hold<H, T, E>(
    hook: H,
    result: Result<T, E>,
    tail: Rc<dyn Output<T, E>>,
    chain: &Rc<dyn Chain>,
) -> Rc<dyn Output<H::Value, E>>
where
    H: Hook<T, E, Value: 'static> + 'static,
    T: 'static,
    E: Error + From<Failure> + 'static,
{
    let core = chain.core();
    if core.is_paused() {
        drop(tail);
        let link = Link::new(hook);
        run_added(Rc::clone(&link).accept(result), chain);
        return link;
    }
    core.step(ChainState::add);
    let kept = keep(tail, chain);
    let outcome = hook.call(result);
    let tail = kept.unwrap_or_else(|| Rc::<Link<H, T, E>>::default());
    match outcome {
        Settled::Now(result) => {
            core.step(ChainState::rest);
            tail.cell().restore(result, core.made_at());
        }
        Settled::Later(inner) => {
            let mut at = Rc::clone(chain);
            let next = wait(Rc::clone(&tail), inner, &mut at);
            run(next, at);
        }
    }
    tail
}

/// Keeps the link where a result lay for what a callback makes of that, if both have one type.
///
/// Never the head: it lives on with its [`Resolver`](super::Resolver), and an error that nobody handled would wait there to be reported.
fn keep<T, U, E>(tail: Rc<dyn Output<T, E>>, chain: &Rc<dyn Chain>) -> Option<Rc<dyn Output<U, E>>>
where
    T: 'static,
    U: 'static,
    E: 'static,
{
    let mut tail = Some(tail);
    let same = (&mut tail as &mut dyn Any).downcast_mut::<Option<Rc<dyn Output<U, E>>>>()?;
    same.take().filter(|tail| !ptr::addr_eq(Rc::as_ptr(tail), Rc::as_ptr(chain)))
}

impl<H, T, E> Input<T, E> for Link<H, T, E>
where
    H: Hook<T, E, Value: 'static> + 'static,
    T: 'static,
    E: Error + From<Failure> + 'static,
{
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run> {
        // Nothing was there: `set` would have to find that out.
        mem::forget(self.inlet.replace(Inlet::Given(result)));
        self
    }
}

impl<H, T, E> Run for Link<H, T, E>
where
    H: Hook<T, E, Value: 'static> + 'static,
    T: 'static,
    E: Error + From<Failure> + 'static,
{
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>> {
        let (Some(hook), Some(input)) = (self.hook.take(), self.take_given()) else { return None };
        match hook.call(input) {
            Settled::Now(result) => match self.cell.detach_link() {
                Some(next) => pass(next, result, chain.core()),
                None => deliver(self, result, chain),
            },
            Settled::Later(inner) => wait(self, inner, chain),
        }
    }
}

impl<H, T, E> Ahead for Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    fn next(&self) -> Option<Rc<dyn Ahead>> {
        self.cell.next()
    }

    fn waiting(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        let inlet = self.inlet.replace(Inlet::Empty);
        let chain = if let Inlet::Waiting(chain) = &inlet { Some(Rc::clone(chain)) } else { None };
        self.inlet.set(inlet);
        chain
    }

    fn adopt(&self, chain: &Rc<dyn Chain>) {
        let hook = self.hook.take();
        if let Some(hook) = &hook {
            hook.adopt(chain);
        }
        self.hook.set(hook);
    }
}

impl<H, T, E> Output<H::Value, E> for Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    fn cell(&self) -> &ResultCell<H::Value, E> {
        &self.cell
    }

    fn park(&self, chain: Rc<dyn Chain>) {
        self.inlet.set(Inlet::Waiting(chain));
    }

    fn unpark(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        match self.inlet.replace(Inlet::Empty) {
            Inlet::Waiting(chain) => Some(chain),
            Inlet::Empty | Inlet::Given(_) => None,
        }
    }
}

impl<H, T, E> Drop for Link<H, T, E>
where
    H: Hook<T, E>,
    E: Error + 'static,
{
    fn drop(&mut self) {
        self.cell.close();
    }
}

/// Calls a user's function. Its panic, or that of turning what it returned into a result, is the failure of this link.
pub(crate) fn guard<T, E: From<Failure>>(body: impl FnOnce() -> Settled<T, E>) -> Settled<T, E> {
    catch(body).unwrap_or_else(|panic| Settled::Now(Err(E::from(Failure::from(panic)))))
}

/// `add_callback`.
pub(super) struct OnValue<F>(pub(super) F);

impl<T, E, F, R> Hook<T, E> for OnValue<F>
where
    E: From<Failure>,
    F: FnOnce(T) -> R,
    R: Outcome<E>,
{
    type Value = R::Value;

    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        match input {
            Ok(value) => guard(|| (self.0)(value).settle()),
            Err(error) => {
                drop_contained(self.0);
                Settled::Now(Err(error))
            }
        }
    }
}

/// `add_errback`.
pub(super) struct OnError<F>(pub(super) F);

impl<T, E, F, R> Hook<T, E> for OnError<F>
where
    E: From<Failure>,
    F: FnOnce(E) -> R,
    R: OutcomeOf<T, E>,
{
    type Value = T;

    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        match input {
            Ok(value) => {
                drop_contained(self.0);
                Settled::Now(Ok(value))
            }
            Err(error) => guard(|| (self.0)(error).settle_as()),
        }
    }
}

/// `add_callbacks`.
pub(super) struct OnEither<F, G>(pub(super) F, pub(super) G);

impl<T, E, F, G, R, S> Hook<T, E> for OnEither<F, G>
where
    E: From<Failure>,
    F: FnOnce(T) -> R,
    G: FnOnce(E) -> S,
    R: Outcome<E>,
    S: OutcomeOf<R::Value, E>,
{
    type Value = R::Value;

    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        let Self(on_value, on_error) = self;
        // The one that is not called goes first: when the other runs, what it captured is gone.
        match input {
            Ok(value) => {
                drop_contained(on_error);
                guard(|| on_value(value).settle())
            }
            Err(error) => {
                drop_contained(on_value);
                guard(|| on_error(error).settle_as())
            }
        }
    }
}

/// `add_both`.
pub(super) struct OnBoth<F>(pub(super) F);

impl<T, E, F, R> Hook<T, E> for OnBoth<F>
where
    E: From<Failure>,
    F: FnOnce(Result<T, E>) -> R,
    R: Outcome<E>,
{
    type Value = R::Value;

    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        guard(|| (self.0)(input).settle())
    }
}

/// `map`.
pub(super) struct OnValuePlain<F>(pub(super) F);

impl<T, E, F, U> Hook<T, E> for OnValuePlain<F>
where
    E: From<Failure>,
    F: FnOnce(T) -> U,
{
    type Value = U;

    fn call(self, input: Result<T, E>) -> Settled<U, E> {
        match input {
            Ok(value) => Settled::Now(catch(|| (self.0)(value)).map_err(|panic| E::from(Failure::from(panic)))),
            Err(error) => {
                drop_contained(self.0);
                Settled::Now(Err(error))
            }
        }
    }
}
