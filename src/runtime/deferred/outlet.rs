//! The way out of a link: where its result and its successor meet.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::mem;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::super::report::{Incident, drop_contained, report};
use super::super::sync::catch;
use super::chain::{Chain, Run};
use crate::machine::deferred::{Met, Outlet as Machine};

/// A link, or a head, whatever its types, as those see it that walk along a line.
pub(super) trait Ahead {
    /// What will get its result: the next link, or the one in another chain that waits.
    fn next(&self) -> Option<Rc<dyn Ahead>>;

    /// The chain that waits here; none if none does.
    fn waiting(self: Rc<Self>) -> Option<Rc<dyn Chain>>;

    /// Another head has taken the part of this link's own. Nothing to most: they do not know their chain.
    fn adopt(&self, _chain: &Rc<dyn Chain>) {}
}

/// Tells all links of a chain, from this one on, that another head has taken the part of their own.
pub(super) fn adopt_from(first: Rc<dyn Ahead>, chain: &Rc<dyn Chain>) {
    let mut at = first;
    loop {
        at.adopt(chain);
        match at.next() {
            // Where one waits, another chain begins.
            Some(next) if Rc::clone(&next).waiting().is_none() => at = next,
            _ => return,
        }
    }
}

/// The outermost chain of the line, seen from inside it.
pub(super) fn outermost(from: Rc<dyn Ahead>) -> Option<Rc<dyn Chain>> {
    let (mut at, mut outermost) = (from, None);
    while let Some(next) = at.next() {
        outermost = Rc::clone(&next).waiting().or(outermost);
        at = next;
    }
    outermost
}

/// A link, or a head, as those see it that want its result.
pub(super) trait Output<T, E>: Ahead {
    fn outlet(&self) -> &Outlet<T, E>;

    /// Keeps the chain that waits here, until the result for it comes.
    fn park(&self, chain: Rc<dyn Chain>);

    /// The chain that waited here; none if none did.
    fn unpark(self: Rc<Self>) -> Option<Rc<dyn Chain>>;
}

/// A link, as its predecessor sees it.
pub(super) trait Input<T, E>: Ahead {
    /// Takes the result, and is itself what is to be run next.
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run>;
}

/// Who gets the result. Pointers lead forward only, and the firing half holds the first: a chain lives as long as it may be fired, whether or not
/// somebody holds its tail, and no cycle is made.
pub(super) enum Next<T, E> {
    /// The next link of the same chain.
    Link(Rc<dyn Input<T, E>>),
    /// A place in another chain, where a callback had returned this one's tail.
    Waiter(Rc<dyn Output<T, E>>),
}

/// A result that has come to rest, and where its chain was made: what a report of it would say.
pub(super) struct Rest<T, E> {
    pub(super) result: Result<T, E>,
    pub(super) made_at: &'static Location<'static>,
}

type Parts<T, E> = Machine<Next<T, E>, Rest<T, E>, Waker>;

/// What is owed when a link's result and what wants it have met.
pub(super) type Meeting<T, E> = Met<Next<T, E>, Rest<T, E>, Waker>;

pub(super) struct Outlet<T, E>(Cell<Parts<T, E>>);

impl<T, E> Outlet<T, E> {
    pub(super) fn open() -> Self {
        Self(Cell::new(Machine::Open))
    }

    pub(super) fn settled(result: Result<T, E>, made_at: &'static Location<'static>) -> Self {
        Self(Cell::new(Machine::Settled(Rest { result, made_at })))
    }

    pub(super) fn settle(&self, rest: Rest<T, E>) -> Meeting<T, E> {
        self.step(|machine| machine.settle(rest))
    }

    pub(super) fn attach(&self, next: Next<T, E>) -> Met<Next<T, E>, Rest<T, E>, Infallible> {
        self.step(|machine| machine.attach(next))
    }

    pub(super) fn take(&self) -> Option<Rest<T, E>> {
        self.step(Machine::take)
    }

    /// Whether the result lies here.
    pub(super) fn is_settled(&self) -> bool {
        self.step(|machine| matches!(machine, Machine::Settled(_)))
    }

    /// Has this waker told when the result is here. Hands out the one that was to be told before, or hands this one back if there is nothing to wait
    /// for: dropping either is user code, and the caller's.
    pub(super) fn watch(&self, waker: Waker) -> Result<Option<Waker>, Waker> {
        self.step(|machine| machine.watch(waker))
    }

    pub(super) fn is_watched_by(&self, waker: &Waker) -> bool {
        // Two pointers are compared: nothing of the waker's own runs.
        self.step(|machine| matches!(machine, Machine::Watched(watching) if watching.will_wake(waker)))
    }

    pub(super) fn unwatch(&self) -> Option<Waker> {
        self.step(Machine::unwatch)
    }

    /// What will get the result, if that is known.
    pub(super) fn next(&self) -> Option<Rc<dyn Ahead>> {
        self.step(|machine| match machine {
            Machine::Linked(Next::Link(link)) => Some(Rc::clone(link) as Rc<dyn Ahead>),
            Machine::Linked(Next::Waiter(waiter)) => Some(Rc::clone(waiter) as Rc<dyn Ahead>),
            Machine::Open | Machine::Watched(_) | Machine::Settled(_) | Machine::Spent => None,
        })
    }

    /// Takes the successor away if it waits in another chain.
    pub(super) fn detach_waiter(&self) -> Option<Rc<dyn Output<T, E>>> {
        self.step(|machine| {
            machine.detach(|next| match next {
                Next::Waiter(waiter) => Ok(waiter),
                Next::Link(_) => Err(next),
            })
        })
    }

    /// One event of the machine. Nothing of the user's runs or is dropped in it, so nobody can see the place empty.
    #[inline]
    fn step<A>(&self, event: impl FnOnce(&mut Parts<T, E>) -> A) -> A {
        let mut machine = self.0.replace(Machine::Spent);
        let action = event(&mut machine);
        // What stands there is `Spent`. `set` would have to find out that there is nothing to drop in that.
        mem::forget(self.0.replace(machine));
        action
    }
}

impl<T, E: Error + 'static> Outlet<T, E> {
    /// Nobody can ask for the result any more. A failure that lies here was handled by nobody: it is reported, here and nowhere else, so exactly
    /// once.
    pub(super) fn close(&mut self) {
        let Some(Rest { result, made_at }) = self.0.get_mut().take() else { return };
        if let Err(error) = &result {
            report(Incident::Unhandled, error, Some(made_at));
        }
        drop_contained(result);
    }
}

/// Wakes whoever watched: a stranger's code, which may run whatever it likes in here.
pub(crate) fn tell(waker: Waker) {
    if let Err(panic) = catch(|| waker.wake()) {
        report(Incident::Waker, &panic, None);
    }
}
