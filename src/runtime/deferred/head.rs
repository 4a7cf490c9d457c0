//! The head of a chain: the node that is fired. When it is dropped, nobody can end a pause any more, so pauses end.

use std::mem;
use std::panic::Location;
use std::rc::Rc;

use super::super::report::drop_contained;
use super::conversion::convert;
use super::deferred::Deferred;
use super::effect_queue::{Abandon, Effect, run_or_enqueue};
use super::node::{Chain, ChainRef, Core, Handler, Node, Output, ResultCell, Stored, connect, handler};
use super::run::{carry_out, deliver_stored, hold_if_paused, rest_if_kept, run, wait};
use super::unclaimed::Unclaimed;
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::{ChainStage, ChainState, Fire, PathEnds, PathPosition, Unpause};

/// The first node, in one allocation: the data of the chain, the cell for its first result, and what will make that, if
/// it is known.
pub(crate) struct Head<T, E: ChainError, P = ()> {
    core: Core,
    cell: ResultCell<T, E>,
    producer: P,
}

/// What makes the first result of a chain, in the chain's head.
pub(crate) trait Producer: 'static {
    /// The chain is cancelled unfired.
    fn cancel(&self);
}

/// Nothing, or what only the chain's resolver and canceller know.
impl Producer for () {
    fn cancel(&self) {}
}

/// A head, as its resolver sees it.
pub(crate) trait Source<T, E>: Abandon {
    fn fire(self: Rc<Self>, result: Result<T, E>);

    /// Fires with the result of `inner`, as if a first callback had returned that.
    fn fire_with(self: Rc<Self>, inner: Deferred<T, E>);

    /// Fires with an item that goes back if nobody receives it.
    fn fire_unclaimed(self: Rc<Self>, item: Unclaimed<T>);

    fn is_decided(&self) -> bool;
}

impl<T: 'static, E: ChainError> Head<T, E> {
    pub(super) fn fired(result: Result<T, E>, made_at: &'static Location<'static>) -> Rc<Self> {
        let state = ChainState::new(ChainStage::Resting);
        Rc::new(Self { core: Core::new(state, None, made_at), cell: ResultCell::stored(result, made_at), producer: () })
    }

    pub(super) fn unclaimed(item: Unclaimed<T>, made_at: &'static Location<'static>) -> Rc<Self> {
        let state = ChainState::new(ChainStage::Resting);
        Rc::new(Self { core: Core::new(state, None, made_at), cell: ResultCell::unclaimed(item), producer: () })
    }

    pub(super) fn set_canceller(&self, canceller: Handler) {
        self.core.handler.set(Some(canceller));
    }
}

impl<T: 'static, E: ChainError, P: Producer> Head<T, E, P> {
    #[inline]
    pub(super) fn unfired(canceller: Option<Handler>, made_at: &'static Location<'static>) -> Rc<Self>
    where
        P: Default,
    {
        let mut head = Rc::<Self>::default();
        if let Some(head) = Rc::get_mut(&mut head) {
            head.core.set_made_at(made_at);
            mem::forget(head.core.handler.replace(canceller));
        }
        head
    }

    /// An unfired head whose canceller is its producer's.
    #[inline]
    pub(super) fn produced(made_at: &'static Location<'static>) -> Rc<Self>
    where
        P: Default,
    {
        // This captures nothing, so it is no allocation.
        Self::unfired(Some(handler(|chain, _head| chain.cancel_producer())), made_at)
    }

    pub(crate) fn producer(&self) -> &P {
        &self.producer
    }

    /// The chain runs from now on.
    pub(super) fn start(self: Rc<Self>) -> (Rc<dyn Output<T, E>>, Rc<dyn Chain>) {
        self.drop_canceller();
        (Rc::clone(&self) as Rc<dyn Output<T, E>>, self)
    }

    #[inline]
    fn drop_canceller(&self) {
        if let Some(canceller) = self.core.handler.take() {
            drop_contained(canceller);
        }
    }

    /// Sends a result to the first link, without the loop of `deliver` if that is there.
    #[inline]
    fn send(self: Rc<Self>, result: Result<T, E>) {
        self.drop_canceller();
        match self.cell.detach_link() {
            Some(link) => run(hold_if_paused(&self.core, link.accept(result)), self),
            None => self.deliver(result),
        }
    }

    #[inline(never)]
    fn deliver(self: Rc<Self>, result: Result<T, E>) {
        let stored = self.cell.store(Stored::Result(result, self.core.made_at()));
        let Some(action) = rest_if_kept(&self.core, stored) else { return };
        let mut chain = Rc::clone(&self) as Rc<dyn Chain>;
        let first = carry_out(action, self, &mut chain);
        run(first, chain);
    }
}

/// An unfired head. (`Rc::default` makes it in place; `Rc::new` would copy it there.)
impl<T, E: ChainError, P: Default> Default for Head<T, E, P> {
    fn default() -> Self {
        let core = Core::new(ChainState::new(ChainStage::Unfired), None, Location::caller());
        Self { core, cell: ResultCell::empty(), producer: P::default() }
    }
}

impl<T: 'static, E: ChainError, P: Producer> Source<T, E> for Head<T, E, P> {
    fn fire(self: Rc<Self>, result: Result<T, E>) {
        match self.core.transition(ChainState::fire) {
            Fire::Run => self.send(result),
            Fire::Discard => drop_contained(result),
        }
    }

    fn fire_with(self: Rc<Self>, inner: Deferred<T, E>) {
        match self.core.transition(ChainState::fire) {
            Fire::Run => {
                let (head, mut chain) = self.start();
                let first = wait(head, inner, &mut chain);
                run(first, chain);
            }
            Fire::Discard => {
                inner.cancel();
                inner.ignore();
            }
        }
    }

    fn fire_unclaimed(self: Rc<Self>, item: Unclaimed<T>) {
        match self.core.transition(ChainState::fire) {
            Fire::Run => {
                let (head, mut chain) = self.start();
                let first = deliver_stored(head, Stored::Unclaimed(item), &mut chain);
                run(first, chain);
            }
            Fire::Discard => drop(item),
        }
    }

    fn is_decided(&self) -> bool {
        self.core.state().is_decided()
    }
}

impl<T: 'static, E: ChainError, P: Producer> Abandon for Head<T, E, P> {
    fn is_unfired(&self) -> bool {
        self.core.state().stage() == ChainStage::Unfired
    }

    fn abandon(self: Rc<Self>, why: fn() -> Failure) {
        match self.core.transition(ChainState::abandon) {
            Fire::Run => self.fail(why()),
            Fire::Discard => {}
        }
    }
}

impl<T: 'static, E: ChainError, P: Producer> Chain for Head<T, E, P> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn fail(self: Rc<Self>, failure: Failure) {
        self.drop_canceller();
        self.deliver(Err(convert(failure)));
    }

    fn cancel_producer(&self) {
        self.producer.cancel();
    }
}

impl<T: 'static, E: ChainError, P: Producer> Node for Head<T, E, P> {
    fn next(&self) -> Option<Rc<dyn Node>> {
        self.cell.next()
    }

    fn waiting_chain(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T: 'static, E: ChainError, P: Producer> Output<T, E> for Head<T, E, P> {
    fn cell(&self) -> &ResultCell<T, E> {
        &self.cell
    }

    fn is_head(&self) -> bool {
        true
    }

    fn resume(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T, E: ChainError, P> Drop for Head<T, E, P> {
    fn drop(&mut self) {
        if let Some(handler) = self.core.handler.take() {
            release_without_head(&self.core, handler);
        }
        self.cell.close();
    }
}

/// The head of a held chain is dropped: nobody is left who could end its pauses, so they end. A substitute takes the
/// place of the head.
fn release_without_head(dropped: &Core, handler: Handler) {
    let mut state = dropped.state();
    if state.unpause_all() != Unpause::Release {
        return drop_contained(handler);
    }
    let core = Core::new(state, None, dropped.made_at());
    let chain: Rc<dyn Chain> = Rc::new(Head::<(), Failure> { core, cell: ResultCell::empty(), producer: () });
    if let PathPosition::Innermost { outermost } = dropped.position.replace(PathPosition::Alone) {
        connect(PathEnds { outermost, innermost: ChainRef::new(&chain) });
    }
    run_or_enqueue(Effect::Release(handler, chain));
}
