//! The chain as a whole: its head, what it is doing, and how a result travels down it.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::ptr;
use std::rc::{Rc, Weak};
use std::task::Waker;

use super::super::report::drop_contained;
use super::Deferred;
use super::cycle::{self, Whole};
use super::drop_queue::{Ending, end};
use super::outlet::{Ahead, Input, Next, Output, Rest, ResultCell, adopt_from, tell};
use crate::error::{NotPaused, WaitsForItself};
use crate::failure::Failure;
use crate::machine::deferred::{ChainStage, ChainState, Fire, PathEnds, PathPosition, Store, Unpause};

/// A chain, whatever the types of its results: the tail's handle cancels through it, the loop that runs callbacks keeps its state.
pub(crate) trait Chain {
    fn core(&self) -> &Core;

    /// Sends a failure down from the head. Only for a chain that was just told to run.
    fn fail(self: Rc<Self>, failure: Failure);

    /// The list for which this waits as its member; none, as every chain that has a head, if it does not.
    fn list(&self) -> Option<Rc<dyn Whole>> {
        None
    }
}

/// What runs a link, whatever the types of its values.
pub(super) trait Run: Ahead {
    /// Runs the callback, and says what comes next. Where the result leaves the chain, `chain` becomes the one it has come to.
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>>;
}

/// What is to be done with a chain later: while it is unfired, its canceller; while it is held, what lets the result go on. It never has both.
///
/// A canceller says which others have to be cancelled before it is over: the members of a list. That it does not cancel them itself is what keeps
/// lists of lists off the stack ([`cancel`](super::cancel)).
pub(super) type Errand = Box<dyn FnOnce(Rc<dyn Chain>, Whose) -> Others>;

/// Chains that are to be cancelled in this order, if they are still there.
pub(super) type Others = Vec<Weak<dyn Chain>>;

/// Whether the chain that an errand is done for has the head it had.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    /// Its head is gone, and another has taken its part.
    Orphan,
}

/// An errand after which there is nothing to cancel.
pub(super) fn errand(run: impl FnOnce(Rc<dyn Chain>, Whose) + 'static) -> Errand {
    Box::new(move |chain, whose| {
        run(chain, whose);
        Others::new()
    })
}

/// What a chain knows of itself. Every part is a `Cell`: whatever a user's code does while it runs, nothing is borrowed.
pub(crate) struct Core {
    state: Cell<ChainState>,
    place: Cell<PathPosition<End>>,
    errand: Cell<Option<Errand>>,
    made_at: &'static Location<'static>,
}

impl Core {
    #[inline]
    pub(super) fn new(state: ChainState, errand: Option<Errand>, made_at: &'static Location<'static>) -> Self {
        Self { state: Cell::new(state), place: Cell::new(PathPosition::Alone), errand: Cell::new(errand), made_at }
    }

    pub(super) fn state(&self) -> ChainState {
        self.state.get()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.state.get().is_paused()
    }

    pub(super) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// One event of the chain's machine.
    pub(super) fn step<A>(&self, event: impl FnOnce(&mut ChainState) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    /// The chain is paused and has a result that could go on: this is what lets it, later. It must not own the chain, which owns it.
    pub(super) fn hold(&self, go_on: impl FnOnce(Rc<dyn Chain>, Whose) + 'static) {
        self.step(ChainState::hold);
        self.errand.set(Some(errand(go_on)));
    }

    /// As [`hold`](Self::hold), for one that is held: this instead of what it had.
    pub(super) fn hold_instead(&self, go_on: impl FnOnce(Rc<dyn Chain>, Whose) + 'static) {
        drop_contained(self.errand.replace(Some(errand(go_on))));
    }

    /// Takes the errand: it is run once.
    pub(super) fn take_errand(&self) -> Option<Errand> {
        self.errand.take()
    }

    /// The other end of the line, if this is its outermost.
    pub(super) fn innermost(&self) -> Option<End> {
        self.place(|place| match place {
            PathPosition::Outermost { innermost } => Some(innermost.clone()),
            PathPosition::Alone | PathPosition::Between | PathPosition::Innermost { .. } => None,
        })
    }

    /// The other end of the line, if this is its innermost.
    pub(super) fn outermost(&self) -> Option<End> {
        self.place(|place| match place {
            PathPosition::Innermost { outermost } => Some(outermost.clone()),
            PathPosition::Alone | PathPosition::Outermost { .. } | PathPosition::Between => None,
        })
    }

    /// One look at the place, which is not `Copy`.
    fn place<A>(&self, look: impl FnOnce(&PathPosition<End>) -> A) -> A {
        let place = self.place.replace(PathPosition::Alone);
        let seen = look(&place);
        self.place.set(place);
        seen
    }
}

/// An end of a line, as the other end knows it.
///
/// Weak: ends know each other, and a pair of strong pointers would be a cycle. The end is alive as long as it matters: an
/// outermost chain is kept by the link of it that waits, an innermost one by its firing half or by the loop that runs it.
#[derive(Clone)]
pub(super) struct End(Weak<dyn Chain>);

impl End {
    pub(super) fn new(chain: &Rc<dyn Chain>) -> Self {
        Self(Rc::downgrade(chain))
    }

    pub(super) fn chain(&self) -> Option<Rc<dyn Chain>> {
        self.0.upgrade()
    }
}

impl PartialEq for End {
    fn eq(&self, other: &Self) -> bool {
        // By address alone: two pointers to one chain may have different tables.
        ptr::addr_eq(self.0.as_ptr(), other.0.as_ptr())
    }
}

/// Makes the ends of a line known to each other.
fn draw(PathEnds { outermost, innermost }: PathEnds<End>) {
    let (Some(outer), Some(inner)) = (outermost.0.upgrade(), innermost.0.upgrade()) else { return };
    if outermost == innermost {
        outer.core().place.set(PathPosition::Alone);
    } else {
        outer.core().place.set(PathPosition::Outermost { innermost });
        inner.core().place.set(PathPosition::Innermost { outermost });
    }
}

/// Lets `member` stand outermost in a line, before `chain`, which did: a list wants what that comes to.
pub(super) fn stand_before(member: &Rc<dyn Chain>, chain: &Rc<dyn Chain>) {
    let innermost = chain.core().innermost().unwrap_or_else(|| End::new(chain));
    chain.core().place.set(PathPosition::Between);
    draw(PathEnds { outermost: End::new(member), innermost });
}

/// Where a chain begins: its core, and the first result on its way to the first link. One allocation.
pub(super) struct Head<T, E: Error + 'static> {
    core: Core,
    cell: ResultCell<T, E>,
}

impl<T: 'static, E: Error + From<Failure> + 'static> Head<T, E> {
    pub(super) fn unfired(canceller: Option<Errand>, made_at: &'static Location<'static>) -> Rc<Self> {
        Self::new(ChainState::new(ChainStage::Unfired), ResultCell::empty(), canceller, made_at)
    }

    pub(super) fn fired(result: Result<T, E>, made_at: &'static Location<'static>) -> Rc<Self> {
        Self::new(ChainState::new(ChainStage::Resting), ResultCell::stored(result, made_at), None, made_at)
    }

    fn new(
        state: ChainState,
        cell: ResultCell<T, E>,
        errand: Option<Errand>,
        made_at: &'static Location<'static>,
    ) -> Rc<Self> {
        Rc::new(Self { core: Core::new(state, errand, made_at), cell })
    }

    /// Gives an unfired head what it is cancelled with.
    pub(super) fn set_canceller(&self, canceller: Errand) {
        self.core.errand.set(Some(canceller));
    }

    /// The chain runs from now on: its canceller is of no use any more.
    pub(super) fn begin(self: Rc<Self>) -> (Rc<dyn Output<T, E>>, Rc<dyn Chain>) {
        drop_contained(self.core.errand.take());
        (Rc::clone(&self) as Rc<dyn Output<T, E>>, self)
    }

    fn send(self: Rc<Self>, result: Result<T, E>) {
        let (head, mut chain) = self.begin();
        let first = deliver(head, result, &mut chain);
        run(first, chain);
    }

    pub(super) fn fire(self: Rc<Self>, result: Result<T, E>) {
        match self.core.step(ChainState::fire) {
            Fire::Run => self.send(result),
            Fire::Discard => drop_contained(result),
        }
    }

    /// Fires with what `inner` comes to, as if a first callback had returned it.
    pub(super) fn fire_later(self: Rc<Self>, inner: Deferred<T, E>) {
        match self.core.step(ChainState::fire) {
            Fire::Run => {
                let (head, mut chain) = self.begin();
                let first = wait(head, inner, &mut chain);
                run(first, chain);
            }
            Fire::Discard => inner.ignore(),
        }
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Chain for Head<T, E> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn fail(self: Rc<Self>, failure: Failure) {
        self.send(Err(E::from(failure)));
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Ahead for Head<T, E> {
    fn next(&self) -> Option<Rc<dyn Ahead>> {
        self.cell.next()
    }

    /// Where one waits at a head, it is the head's own chain.
    fn waiting(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Output<T, E> for Head<T, E> {
    fn cell(&self) -> &ResultCell<T, E> {
        &self.cell
    }

    /// A head knows its chain without being told: it is part of it.
    fn park(&self, _chain: Rc<dyn Chain>) {}

    fn unpark(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T, E: Error + 'static> Drop for Head<T, E> {
    fn drop(&mut self) {
        if let Some(errand) = self.core.errand.take() {
            go_on_without(&self.core, errand);
        }
        self.cell.close();
    }
}

impl<T, E: Error + 'static> fmt::Debug for Head<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.core.state().stage(), f)
    }
}

/// Runs links until the result rests, waits, or is gone. This loop is the only place where callbacks run, so the stack is as
/// deep at the millionth link as at the first, whether they stand in one chain or each in one of its own.
pub(super) fn run(first: Option<Rc<dyn Run>>, mut chain: Rc<dyn Chain>) {
    let mut next = first;
    while let Some(link) = next {
        next = link.run(&mut chain);
    }
}

/// A link has come to a tail where the result lay, and was given it: it runs at once, unless the chain is paused.
pub(super) fn run_added(link: Rc<dyn Run>, chain: &Rc<dyn Chain>) {
    let core = chain.core();
    core.step(ChainState::add);
    let next = if core.is_paused() { hold_link(core, link) } else { Some(link) };
    run(next, Rc::clone(chain));
}

/// Carries a result out of `from`: to the next link, which is returned to be run, or to whatever waits for this whole chain.
///
/// What waits for a chain has the chain's type, so a result that ends one chain after the other passes through all of them in this
/// loop, without a call in between.
pub(super) fn deliver<T: 'static, E: Error + 'static>(
    mut from: Rc<dyn Output<T, E>>,
    mut result: Result<T, E>,
    chain: &mut Rc<dyn Chain>,
) -> Option<Rc<dyn Run>> {
    loop {
        let core = chain.core();
        match from.cell().store(Rest { result, made_at: core.made_at }) {
            Store::Kept => {
                core.step(ChainState::rest);
                return None;
            }
            Store::Pass(Next::Link(link), rest) => return pass(link, rest.result, core),
            Store::Pass(Next::Waiter(waiter), rest) => {
                if core.is_paused() {
                    hold_back(core, waiter, rest.result);
                    return None;
                }
                result = rest.result;
                hand_over(&waiter, chain)?;
                from = waiter;
            }
            Store::Wake(waker) => {
                if core.is_paused() {
                    hold_wake(core, waker);
                } else {
                    // Who is told may give up the tail: an error is reported there and then only if nobody else has hold of the link.
                    drop(from);
                    rest_and_tell(&**chain, waker);
                }
                return None;
            }
        }
    }
}

/// Passes a result to the next link of the chain, which is returned to be run.
#[inline]
pub(super) fn pass<T, E>(link: Rc<dyn Input<T, E>>, result: Result<T, E>, core: &Core) -> Option<Rc<dyn Run>> {
    let link = link.accept(result);
    if core.is_paused() { hold_link(core, link) } else { Some(link) }
}

/// Goes over to the chain that waits at `waiter` for this one.
fn hand_over<T, E>(waiter: &Rc<dyn Output<T, E>>, chain: &mut Rc<dyn Chain>) -> Option<()> {
    let outer = Rc::clone(waiter).unpark()?;
    chain.core().step(ChainState::hand_over);
    draw(chain.core().place.replace(PathPosition::Alone).leave(End::new(&outer)));
    outer.core().step(ChainState::resume);
    *chain = outer;
    Some(())
}

/// Keeps a link from running, until its chain is paused no more. Says what is to run instead: nothing. (Cold, as all that a pause holds: out of the way of what is not.)
#[cold]
pub(super) fn hold_link(core: &Core, link: Rc<dyn Run>) -> Option<Rc<dyn Run>> {
    core.hold(move |chain, whose| {
        if whose == Whose::Orphan {
            adopt_from(Rc::clone(&link) as Rc<dyn Ahead>, &chain);
        }
        run(Some(link), chain);
    });
    None
}

/// Keeps from `waiter` the result of a paused chain, until that is paused no more.
#[cold]
fn hold_back<T: 'static, E: Error + 'static>(core: &Core, waiter: Rc<dyn Output<T, E>>, result: Result<T, E>) {
    core.hold(move |mut chain, _| {
        if hand_over(&waiter, &mut chain).is_some() {
            let next = deliver(waiter, result, &mut chain);
            run(next, chain);
        }
    });
}

/// The result lies at the tail of a paused chain, and this is who awaits it: told when the pause is over.
pub(super) fn hold_from(chain: &Rc<dyn Chain>, waker: Waker) {
    let core = chain.core();
    if core.state().stage() == ChainStage::Resting {
        core.step(ChainState::add);
        hold_wake(core, waker);
    } else {
        core.hold_instead(|chain, _| rest_and_tell(&*chain, waker));
    }
}

#[cold]
fn hold_wake(core: &Core, waker: Waker) {
    core.hold(|chain, _| rest_and_tell(&*chain, waker));
}

/// The result lies at the tail, and somebody waits to hear of it. Not before the chain rests: being told may be enough to come and take it.
fn rest_and_tell(chain: &dyn Chain, waker: Waker) {
    chain.core().step(ChainState::rest);
    tell(waker);
}

/// Ends one pause of a chain. What was held runs in here.
pub(super) fn unpause(chain: &Rc<dyn Chain>) -> Result<(), NotPaused> {
    match chain.core().step(ChainState::unpause) {
        Unpause::NotPaused => return Err(NotPaused),
        Unpause::Nothing => {}
        Unpause::Release => {
            if let Some(go_on) = chain.core().take_errand() {
                go_on(Rc::clone(chain), Whose::Own);
            }
        }
    }
    Ok(())
}

/// The head of a held chain is dropped: nobody is left who could end its pauses, so they end. Something else takes the head's part.
fn go_on_without(gone: &Core, errand: Errand) {
    let mut state = gone.state();
    if state.unpause_all() != Unpause::Release {
        return drop_contained(errand);
    }
    let chain: Rc<dyn Chain> = Head::<(), Failure>::new(state, ResultCell::empty(), None, gone.made_at);
    if let PathPosition::Innermost { outermost } = gone.place.replace(PathPosition::Alone) {
        draw(PathEnds { outermost, innermost: End::new(&chain) });
    }
    end(Ending::Unpaused(errand, chain));
}

/// Lets `waiter`, where a callback of `chain` just returned `inner`, wait for what that comes to.
pub(super) fn wait<T: 'static, E: Error + From<Failure> + 'static>(
    waiter: Rc<dyn Output<T, E>>,
    inner: Deferred<T, E>,
    chain: &mut Rc<dyn Chain>,
) -> Option<Rc<dyn Run>> {
    let (tail, other) = inner.into_parts();
    if !other.core().is_paused()
        && let Some(rest) = tail.cell().take()
    {
        other.core().step(ChainState::take);
        // The inner chain goes before the result goes on: whoever gets it finds it unshared.
        drop((tail, other));
        return deliver(waiter, rest.result, chain);
    }
    let (this, that) = (End::new(chain), End::new(&other));
    let join = || other.core().place(|others| chain.core().place(|place| place.join(this, that, others)));
    let Some(line) = (if cycle::closes(chain, &other) { None } else { join() }) else {
        drop((tail, other));
        return deliver(waiter, Err(E::from(Failure::from(WaitsForItself))), chain);
    };
    let may_be_bypassed = chain.core().state().may_be_bypassed();
    let next = match may_be_bypassed.then(|| waiter.cell().detach_waiter()).flatten() {
        // This was the last callback of a chain that is itself waited for. It has nothing more to do, so it steps out of the line
        // instead of waiting: a program that loops by returning its next round, for ever, stays as short as it began.
        Some(outer) => {
            chain.core().step(ChainState::hand_over);
            chain.core().place.set(PathPosition::Alone);
            outer
        }
        None => {
            waiter.park(Rc::clone(chain));
            chain.core().step(ChainState::wait);
            chain.core().place.set(PathPosition::Between);
            waiter
        }
    };
    other.core().place.set(PathPosition::Between);
    draw(line);
    // The tail has no result, or one that may not go on yet. It is kept by what fires it, or by whoever may end its pause.
    match tail.cell().take() {
        None => tail.cell().link(Next::Waiter(next)),
        Some(rest) => {
            other.core().step(ChainState::add);
            hold_back(other.core(), next, rest.result);
        }
    }
    None
}
