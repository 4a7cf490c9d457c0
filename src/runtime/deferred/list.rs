//! Several Deferreds as one: how their results come together, in the order of input.
//!
//! A list hangs a [`Member`] on the tail of each of its Deferreds, in the place where a callback would stand. The member that decides the
//! list hands the list's own first link to the loop that is running its chain, as one chain does to the other that waits for it; and a list's canceller leaves its members to the loop
//! that called it. So lists of lists, as deep as you like, fire and are cancelled on a stack of constant size. In the line of its Deferred a member stands outside of all, as a chain that
//! waits: from there the line is cancelled, and from there a [cycle](super::cycle) is seen. The states are in `machine/gather.rs`.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::report::{Incident, drop_contained, report};
use super::super::sync::catch;
use super::cancel::cancel_each;
use super::chain::{Chain, Core, Head, Others, Run, deliver, run_added, stand_before};
use super::cycle::{FurtherUp, Whole};
use super::outlet::{Ahead, Input, Next, Rest};
use super::{Deferred, Resolver};
use crate::failure::{Failure, FailureGroup, FirstError};
use crate::machine::deferred::{ChainStage, ChainState, Fire};
use crate::machine::gather::{Arrival, DecidedBy, GatherState};

/// Several Deferreds, and how they are to become one. Say what you want of it, then [`all`](Self::all), or on which first result it is to fire.
///
/// | | fires with | as soon as | without members |
/// |---|---|---|---|
/// | [`all`](Self::all) | each member's result, in the order of input | all have one | `[]`, at once |
/// | [`fire_on_one_errback`](Self::fire_on_one_errback) | each member's value, in the order of input | all have one, or one fails: [`FirstError`] | `[]`, at once |
/// | [`fire_on_one_callback`](Self::fire_on_one_callback) | the first value, and whose it is | there is one, or all fail: [`FailureGroup`] | `FailureGroup`, at once |
/// | [`fire_on_one`](Self::fire_on_one) | the first result, and whose it is | there is one | `FailureGroup`, at once |
///
/// ```
/// use selvedge::{Deferred, deferred::DeferredList};
///
/// let (slow, resolver) = Deferred::<u32>::new();
/// let all = DeferredList::new([slow, Deferred::fail(std::fmt::Error), Deferred::succeed(3)]).all();
/// resolver.callback(1);
/// let results = all.try_result().expect("all have fired")?;
/// assert!(matches!(results[..], [Ok(1), Err(_), Ok(3)]));
/// # Ok::<(), selvedge::Failure>(())
/// ```
///
/// **Where and when.** The list fires inside the call that fires the member which decides it, when that one's own callbacks have run. Members that have
/// their result when the list is made are taken in the order of input.
///
/// **What has no place.** A member is consumed, so its value or error goes into the list's result, or nowhere. Values that go nowhere are dropped. Errors that do (one that comes when the
/// list has fired, and those that had come when a first value decided it) were handled by nobody, and are reported as such,
/// unless the list is told to [`consume_errors`](Self::consume_errors), or has cancelled that member itself.
///
/// **Cancelling** the list, unfired, cancels all members that have no result, in the order of input. Each fails with [`Cancelled`](crate::error::Cancelled) or whatever its
/// canceller and errbacks make of it, and the list comes to what follows from that; only if some member still has no result then does the list itself fail with `Cancelled`. Dropping
/// the list's Deferred cancels nothing.
///
/// **Its own member.** A member that would wait for its own list, straight or through others, fails with [`WaitsForItself`](crate::error::WaitsForItself), as every Deferred that would wait for itself.
///
/// **Cost.** One allocation for each member, two arrays for all, one of them for as long as the list is made, and no stack: a list of lists of lists fires, and is cancelled, as flatly as a
/// chain. Adding and firing a member takes the same time however many there are.
#[must_use = "a list does nothing until it is told on what to fire"]
pub struct DeferredList<T, E = Failure> {
    members: Vec<Deferred<T, E>>,
    options: Options,
}

#[derive(Debug, Clone, Copy, Default)]
struct Options {
    consume_errors: bool,
    cancel_rest: bool,
}

impl<T: 'static, E: Error + From<Failure> + 'static> DeferredList<T, E> {
    /// A list of these. Nothing is added to them yet.
    pub fn new(members: impl IntoIterator<Item = Deferred<T, E>>) -> Self {
        Self { members: members.into_iter().collect(), options: Options::default() }
    }

    /// Errors that have no place in the result are dropped, silently.
    pub fn consume_errors(mut self) -> Self {
        self.options.consume_errors = true;
        self
    }

    /// As soon as the list is decided, before it fires, the members that have no result are cancelled, in the order of input.
    ///
    /// What they come to is dropped, silently, as is what comes of any cancelled Deferred.
    pub fn cancel_rest(mut self) -> Self {
        self.options.cancel_rest = true;
        self
    }

    /// Fires when every member has its result, with all of them. Never fails, but when it is cancelled and a member does not heed that.
    #[track_caller]
    pub fn all(self) -> Deferred<Vec<Result<T, E>>, E> {
        self.gather(Plan { on_value: None, on_error: None, of_all: Ok })
    }

    /// Fires when every member has a value, with all of them; fails as soon as one fails, with its error and its index.
    #[track_caller]
    pub fn fire_on_one_errback(self) -> Deferred<Vec<T>, E>
    where
        E: From<FirstError<E>>,
    {
        self.gather(Plan {
            on_value: None,
            on_error: Some(|index, error| E::from(FirstError { index, error })),
            of_all: |results| results.into_iter().collect(),
        })
    }

    /// Fires as soon as a member has a value, with its index and that; fails when all have failed, with all their errors.
    ///
    /// ```
    /// use selvedge::{Deferred, deferred::DeferredList};
    ///
    /// let mirrors = [Deferred::fail(std::fmt::Error), Deferred::succeed("page")];
    /// let first = DeferredList::new(mirrors).consume_errors().fire_on_one_callback();
    /// assert!(first.try_result().is_ok_and(|first| first.is_ok_and(|first| first == (1, "page"))));
    /// ```
    #[track_caller]
    pub fn fire_on_one_callback(self) -> Deferred<(usize, T), E>
    where
        E: From<FailureGroup<E>>,
    {
        self.gather(Plan { on_value: Some(|index, value| (index, value)), on_error: None, of_all: none_succeeded })
    }

    /// Fires as soon as a member has a result, with that and its index.
    #[track_caller]
    pub fn fire_on_one(self) -> Deferred<(usize, T), E>
    where
        E: From<FirstError<E>> + From<FailureGroup<E>>,
    {
        self.gather(Plan {
            on_value: Some(|index, value| (index, value)),
            on_error: Some(|index, error| E::from(FirstError { index, error })),
            of_all: none_succeeded,
        })
    }

    #[track_caller]
    fn gather<U: 'static>(self, plan: Plan<T, E, U>) -> Deferred<U, E> {
        let (gather, at_once) = GatherState::new(plan.decided_by(), self.members.len());
        let head = Head::unfired(None, Location::caller());
        let whole = Deferred::at(Rc::clone(&head));
        let gathering = Rc::new(Gathering {
            whole: Rc::downgrade(&head),
            unfired: Cell::default(),
            plan,
            options: self.options,
            gather: Cell::new(gather),
            slots: RefCell::default(),
            further_up: FurtherUp::default(),
        });
        if at_once {
            head.fire(gathering.complete());
            return whole;
        }
        let this = Rc::downgrade(&gathering);
        head.set_canceller(Box::new(move |_, _| this.upgrade().map_or_else(Others::new, |this| this.cancelled())));
        gathering.unfired.set(Some(head));
        // Whatever the first of them brings about, all have their place by then.
        let members = self.members.iter().enumerate().map(|(index, on)| Member::of(&gathering, index, on));
        let (members, slots): (Vec<_>, Vec<_>) = members.unzip();
        gathering.slots.replace(slots);
        for (member, on) in members.into_iter().zip(self.members) {
            hang(member, on);
        }
        whole
    }
}

impl<T, E> fmt::Debug for DeferredList<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredList").field("members", &self.members).field("options", &self.options).finish()
    }
}

/// Waits for several values: fires with all of them, in the order of input, or fails with the first error, and whose it is ([`FirstError`]).
///
/// Short for `DeferredList::new(members)`[`.fire_on_one_errback()`](DeferredList::fire_on_one_errback), where the options are.
///
/// ```
/// use selvedge::{Deferred, deferred::gather_results};
///
/// let sum = gather_results([Deferred::succeed(1), Deferred::succeed(2)]).add_callback(|all| all.iter().sum::<i32>());
/// assert!(sum.try_result().is_ok_and(|sum| sum.is_ok_and(|sum| sum == 3)));
/// ```
#[track_caller]
pub fn gather_results<T, E>(members: impl IntoIterator<Item = Deferred<T, E>>) -> Deferred<Vec<T>, E>
where
    T: 'static,
    E: Error + From<Failure> + From<FirstError<E>> + 'static,
{
    DeferredList::new(members).fire_on_one_errback()
}

/// Takes the first value that one of several comes to, and cancels the others: fires with its index and the value.
///
/// The others are cancelled before it fires; what becomes of them is dropped, silently. If all fail, so does the race, with all their errors
/// ([`FailureGroup`]); a race without members fails at once. Cancelling the race cancels all of them.
///
/// Short for `DeferredList::new(members)`[`.consume_errors()`](DeferredList::consume_errors)[`.cancel_rest()`](DeferredList::cancel_rest)[`.fire_on_one_callback()`](DeferredList::fire_on_one_callback).
///
/// ```
/// use selvedge::{Deferred, deferred::race};
///
/// let (slow, _resolver) = Deferred::with_canceller(|| println!("cancelled"));
/// let winner = race([slow, Deferred::succeed("fast")]);
/// assert!(winner.try_result().is_ok_and(|winner| winner.is_ok_and(|winner| winner == (1, "fast"))));
/// ```
#[track_caller]
pub fn race<T, E>(members: impl IntoIterator<Item = Deferred<T, E>>) -> Deferred<(usize, T), E>
where
    T: 'static,
    E: Error + From<Failure> + From<FailureGroup<E>> + 'static,
{
    DeferredList::new(members).consume_errors().cancel_rest().fire_on_one_callback()
}

fn none_succeeded<T, E: From<FailureGroup<E>>>(results: Vec<Result<T, E>>) -> Result<(usize, T), E> {
    let failures = results.into_iter().filter_map(Result::err).collect();
    Err(E::from(FailureGroup { failures }))
}

/// What becomes of results. A side that has no function of its own decides nothing before all results are there.
struct Plan<T, E, U> {
    on_value: Option<fn(usize, T) -> U>,
    on_error: Option<fn(usize, E) -> E>,
    of_all: fn(Vec<Result<T, E>>) -> Result<U, E>,
}

impl<T, E, U> Plan<T, E, U> {
    fn decided_by(&self) -> DecidedBy {
        DecidedBy { value: self.on_value.is_some(), error: self.on_error.is_some() }
    }
}

/// What a list has of one member.
enum Slot<T, E> {
    /// No result: the member, through which its Deferred is cancelled. Weak, for it holds the list.
    Waits(Weak<dyn Chain>),
    /// No result, and the list has cancelled it: one that comes too late to have a place is what was asked for.
    Cancelled,
    /// Its result, and where it was made, in case that is an error that finds no place.
    Has(Rest<T, E>),
    /// Nothing: its result has decided the list, or came too late, or is about to be taken.
    Spent,
}

/// A list at work. Its members hold it, and it is the firing half of the chain that they come to.
struct Gathering<T: 'static, E: Error + From<Failure> + 'static, U: 'static> {
    whole: Weak<Head<U, E>>,
    /// What keeps that chain alive: some until it is fired or cancelled. After that a list has no part in it, however long members may take that were not waited for.
    unfired: Cell<Option<Rc<Head<U, E>>>>,
    plan: Plan<T, E, U>,
    options: Options,
    gather: Cell<GatherState>,
    slots: RefCell<Vec<Slot<T, E>>>,
    further_up: FurtherUp,
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Gathering<T, E, U> {
    /// A member has its result. What the list fires with, if that decides it.
    fn came(&self, index: usize, rest: Rest<T, E>) -> Option<Result<U, E>> {
        let mut gather = self.gather.get();
        let arrival = gather.arrived(rest.result.is_ok());
        self.gather.set(gather);
        match arrival {
            Arrival::Store => {
                self.put(index, Slot::Has(rest));
                None
            }
            Arrival::Late => {
                match self.put(index, Slot::Spent) {
                    Some(Slot::Cancelled) => drop_contained(rest.result),
                    _ => self.forget(rest),
                }
                None
            }
            Arrival::Completes => {
                self.put(index, Slot::Has(rest));
                Some(self.complete())
            }
            Arrival::Decides => {
                self.put(index, Slot::Spent);
                Some(self.decide(index, rest.result))
            }
        }
    }

    /// What stood there is returned: nothing is dropped while the slots are borrowed.
    fn put(&self, index: usize, with: Slot<T, E>) -> Option<Slot<T, E>> {
        self.slots.borrow_mut().get_mut(index).map(|slot| mem::replace(slot, with))
    }

    fn complete(&self) -> Result<U, E> {
        let slots = mem::take(&mut *self.slots.borrow_mut());
        let results = slots.into_iter().filter_map(|slot| match slot {
            Slot::Has(rest) => Some(rest.result),
            Slot::Waits(_) | Slot::Cancelled | Slot::Spent => None,
        });
        let results = results.collect();
        guard(|| (self.plan.of_all)(results))
    }

    fn decide(&self, index: usize, result: Result<T, E>) -> Result<U, E> {
        for rest in self.kept() {
            self.forget(rest);
        }
        if self.options.cancel_rest {
            cancel_each(self.call_off());
        }
        guard(|| match (result, self.plan.on_value, self.plan.on_error) {
            (Ok(value), Some(on_value), _) => Ok(on_value(index, value)),
            (Err(error), _, Some(on_error)) => Err(on_error(index, error)),
            // It would not have decided.
            (result, ..) => (self.plan.of_all)(vec![result]),
        })
    }

    /// Takes out what had come before the list was decided.
    fn kept(&self) -> Vec<Rest<T, E>> {
        let mut slots = self.slots.borrow_mut();
        let kept = slots.iter_mut().filter(|slot| matches!(slot, Slot::Has(_)));
        let kept = kept.filter_map(|slot| match mem::replace(slot, Slot::Spent) {
            Slot::Has(rest) => Some(rest),
            Slot::Waits(_) | Slot::Cancelled | Slot::Spent => None,
        });
        kept.collect()
    }

    /// A result without a place.
    fn forget(&self, Rest { result, made_at }: Rest<T, E>) {
        if let Err(error) = &result
            && !self.options.consume_errors
        {
            report(Incident::Unhandled, error, Some(made_at));
        }
        drop_contained(result);
    }

    /// Nobody wants the whole any more.
    fn cancelled(&self) -> Others {
        // It is being cancelled: this is not the last pointer to it.
        self.unfired.take();
        self.call_off()
    }

    /// The members that have no result, in order, and no more is wanted of them: they are to be cancelled, all those that are there now, whatever the first of them brings about.
    fn call_off(&self) -> Others {
        let mut slots = self.slots.borrow_mut();
        let waiting = slots.iter_mut().filter(|slot| matches!(slot, Slot::Waits(_)));
        let waiting = waiting.filter_map(|slot| match mem::replace(slot, Slot::Cancelled) {
            Slot::Waits(member) => Some(member),
            Slot::Has(_) | Slot::Cancelled | Slot::Spent => None,
        });
        waiting.collect()
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Whole for Gathering<T, E, U> {
    fn awaited(&self) -> Option<Rc<dyn Chain>> {
        let whole = self.whole.upgrade()?;
        (!whole.core().state().is_decided()).then_some(whole)
    }

    fn further_up(&self) -> &FurtherUp {
        &self.further_up
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Drop for Gathering<T, E, U> {
    /// A member whose chain was dropped without a result: nobody can fire the list any more.
    fn drop(&mut self) {
        if let Some(head) = self.unfired.take() {
            drop(Resolver::new(head));
        }
        for slot in mem::take(self.slots.get_mut()) {
            if let Slot::Has(rest) = slot {
                self.forget(rest);
            }
        }
    }
}

/// Calls a conversion, which may be the program's own.
fn guard<U, E: From<Failure>>(convert: impl FnOnce() -> Result<U, E>) -> Result<U, E> {
    catch(convert).unwrap_or_else(|panic| Err(E::from(Failure::from(panic))))
}

/// What stands at the end of a member's chain.
struct Member<T: 'static, E: Error + From<Failure> + 'static, U: 'static> {
    gathering: Rc<Gathering<T, E, U>>,
    index: usize,
    inlet: Cell<Option<Result<T, E>>>,
    /// To those who look along its line it is a chain that waits, from beginning to end.
    core: Core,
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Member<T, E, U> {
    /// The one that is going to hang on this Deferred, and the slot it has.
    fn of(gathering: &Rc<Gathering<T, E, U>>, index: usize, on: &Deferred<T, E>) -> (Rc<Self>, Slot<T, E>) {
        let core = Core::new(ChainState::new(ChainStage::Waiting), None, on.made_at());
        let member = Rc::new(Self { gathering: Rc::clone(gathering), index, inlet: Cell::new(None), core });
        // One that has its result already is not to be cancelled, whatever one before it decides: what it came to is its own.
        if on.tail.cell().is_stored() {
            return (member, Slot::Spent);
        }
        let outermost = Rc::clone(&member) as Rc<dyn Chain>;
        stand_before(&outermost, &on.chain);
        (member, Slot::Waits(Rc::downgrade(&outermost)))
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Chain for Member<T, E, U> {
    fn core(&self) -> &Core {
        &self.core
    }

    /// Nobody can: it has no head, and is never fired.
    fn fail(self: Rc<Self>, _failure: Failure) {}

    fn list(&self) -> Option<Rc<dyn Whole>> {
        Some(Rc::clone(&self.gathering) as Rc<dyn Whole>)
    }
}

/// A line ends here: a list is fired by its members, each of which may be the last.
impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Ahead for Member<T, E, U> {
    fn next(&self) -> Option<Rc<dyn Ahead>> {
        None
    }

    fn waiting(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        Some(self)
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Input<T, E> for Member<T, E, U> {
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run> {
        self.inlet.set(Some(result));
        self
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static, U: 'static> Run for Member<T, E, U> {
    /// The result leaves the member's chain. If it decides the list, the loop goes on with that.
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>> {
        let result = self.inlet.take()?;
        let made_at = chain.core().made_at();
        chain.core().step(ChainState::hand_over);
        let result = self.gathering.came(self.index, Rest { result, made_at })?;
        let Some(head) = self.gathering.unfired.take().or_else(|| self.gathering.whole.upgrade()) else {
            drop_contained(result);
            return None;
        };
        match head.core().step(ChainState::fire) {
            Fire::Run => {
                let (head, list) = head.begin();
                *chain = list;
                deliver(head, result, chain)
            }
            Fire::Discard => {
                drop_contained(result);
                None
            }
        }
    }
}

/// Hangs a member on its Deferred's tail, and takes the result that is there already.
fn hang<T: 'static, E: Error + From<Failure> + 'static, U: 'static>(member: Rc<Member<T, E, U>>, on: Deferred<T, E>) {
    let Deferred { tail, chain } = on;
    match tail.cell().take() {
        None => tail.cell().link(Next::Link(member)),
        Some(rest) => {
            drop(tail);
            run_added(member.accept(rest.result), &chain);
        }
    }
}
