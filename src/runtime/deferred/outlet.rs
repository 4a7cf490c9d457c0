//! The way out of a link: where its result and its successor meet.

use std::cell::Cell;
use std::error::Error;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::super::report::{Incident, drop_contained, report};
use super::super::sync::catch;
use super::chain::{Chain, Run};
use crate::machine::deferred::{ResultState, Store};

/// A link, or a head, whatever its types, as those see it that walk along a line.
pub(crate) trait Ahead {
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
pub(crate) trait Output<T, E>: Ahead {
    fn cell(&self) -> &ResultCell<T, E>;

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

type Parts<T, E> = ResultState<Next<T, E>, Rest<T, E>, Waker>;

pub(crate) struct ResultCell<T, E>(Cell<Parts<T, E>>);

impl<T, E> ResultCell<T, E> {
    pub(super) fn empty() -> Self {
        Self(Cell::new(ResultState::Empty))
    }

    pub(super) fn stored(result: Result<T, E>, made_at: &'static Location<'static>) -> Self {
        Self(Cell::new(ResultState::Stored(Rest { result, made_at })))
    }

    #[inline]
    pub(super) fn store(&self, rest: Rest<T, E>) -> Store<Next<T, E>, Rest<T, E>, Waker> {
        ResultState::store(&self.0, rest)
    }

    /// Only where no result lies.
    #[inline]
    pub(super) fn link(&self, next: Next<T, E>) {
        ResultState::link(&self.0, next);
    }

    #[inline]
    pub(super) fn take(&self) -> Option<Rest<T, E>> {
        ResultState::take(&self.0)
    }

    /// Takes the result away, and leaves the place for what becomes of it.
    #[inline]
    pub(super) fn take_for_update(&self) -> Option<Rest<T, E>> {
        ResultState::take_for_update(&self.0)
    }

    /// What has become of the result that was lent.
    #[inline]
    pub(super) fn restore(&self, result: Result<T, E>, made_at: &'static Location<'static>) {
        ResultState::restore(&self.0, Rest { result, made_at });
    }

    /// Whether the result lies here.
    pub(super) fn is_stored(&self) -> bool {
        ResultState::read(&self.0, |is| matches!(is, ResultState::Stored(_)))
    }

    /// Has this waker told when the result is here. Hands out the one that was to be told before, or hands this one back if there is nothing to wait
    /// for: dropping either is user code, and the caller's.
    pub(super) fn watch(&self, waker: Waker) -> Result<Option<Waker>, Waker> {
        ResultState::watch(&self.0, waker)
    }

    pub(super) fn is_watched_by(&self, waker: &Waker) -> bool {
        // Two pointers are compared: nothing of the waker's own runs.
        ResultState::read(&self.0, |is| matches!(is, ResultState::Watched(watching) if watching.will_wake(waker)))
    }

    pub(super) fn unwatch(&self) -> Option<Waker> {
        ResultState::unwatch(&self.0)
    }

    /// What will get the result, if that is known.
    pub(super) fn next(&self) -> Option<Rc<dyn Ahead>> {
        ResultState::read(&self.0, |is| match is {
            ResultState::Linked(Next::Link(link)) => Some(Rc::clone(link) as Rc<dyn Ahead>),
            ResultState::Linked(Next::Waiter(waiter)) => Some(Rc::clone(waiter) as Rc<dyn Ahead>),
            ResultState::Empty | ResultState::Watched(_) | ResultState::Stored(_) | ResultState::Spent => None,
        })
    }

    /// Takes the successor away if it is the next link of the same chain.
    #[inline]
    pub(super) fn detach_link(&self) -> Option<Rc<dyn Input<T, E>>> {
        ResultState::detach(&self.0, |next| match next {
            Next::Link(link) => Ok(link),
            Next::Waiter(_) => Err(next),
        })
    }

    /// Takes the successor away if it waits in another chain.
    pub(super) fn detach_waiter(&self) -> Option<Rc<dyn Output<T, E>>> {
        ResultState::detach(&self.0, |next| match next {
            Next::Waiter(waiter) => Ok(waiter),
            Next::Link(_) => Err(next),
        })
    }
}

impl<T, E: Error + 'static> ResultCell<T, E> {
    /// Nobody can ask for the result any more. A failure that lies here was handled by nobody: it is reported, here and nowhere else, so exactly
    /// once.
    #[inline]
    pub(super) fn close(&mut self) {
        if matches!(self.0.get_mut(), ResultState::Stored(_))
            && let Some(rest) = self.take()
        {
            rest.drop_unasked();
        }
    }
}

impl<T, E: Error + 'static> Rest<T, E> {
    #[inline(never)]
    fn drop_unasked(self) {
        let Self { result, made_at } = self;
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
