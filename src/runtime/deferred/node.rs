//! What chains are made of: the traits of nodes and of whole chains, the data of a chain, the cell where a result is
//! stored.

use std::cell::Cell;
use std::mem;
use std::panic::Location;
use std::ptr;
use std::rc::{Rc, Weak};
use std::task::Waker;

use super::super::report::{Incident, drop_contained, report_unhandled};
use super::unclaimed::{Receipt, Unclaimed};
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::{self as machine, ChainState, PathEnds, PathPosition, ResultState};

/// A whole chain: its handles cancel and pause it through this trait, and the loop that runs callbacks keeps its state.
pub(crate) trait Chain {
    fn core(&self) -> &Core;

    /// Sends a failure to the first link. Only after a transition of the chain's state that returned `Fire::Run`.
    fn fail(self: Rc<Self>, failure: Failure);

    /// Cancels what will make the chain's first result, if the chain knows it: see `Producer` in `head.rs`.
    fn cancel_producer(&self) {}

    /// The list, if this is a member of one. `None` for every chain that has a head.
    fn list(&self) -> Option<Rc<dyn List>> {
        None
    }
}

/// A node of a chain (a head, a link or a list's member), for code that follows a chain downstream.
pub(crate) trait Node {
    /// What will get the node's result: the next link, or a node of another chain that waits for it.
    fn next(&self) -> Option<Rc<dyn Node>> {
        None
    }

    /// The chain that waits here for another.
    fn waiting_chain(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        None
    }

    /// The node's chain has another head from now on. Only a node that refers to its chain needs this.
    fn replace_head(&self, _chain: &Rc<dyn Chain>) {}
}

/// A node that can be run: a link, or a list's member.
pub(crate) trait Run: Node {
    /// Runs the callback, and returns the next link to run. If the result leaves the chain, `chain` becomes the one
    /// that it went to.
    fn run(self: Rc<Self>, chain: &mut Rc<dyn Chain>) -> Option<Rc<dyn Run>>;
}

/// A node as seen by its successor: a link or a head, whose result is a `Result<T, E>`.
pub(crate) trait Output<T, E>: Node {
    fn cell(&self) -> &ResultCell<T, E>;

    /// Whether that is the cell of the chain's head.
    fn is_head(&self) -> bool {
        false
    }

    /// Keeps the chain that waits here until the result that it waits for comes. Only a link needs this: the chain that
    /// waits in a head is the head's own.
    fn suspend(&self, _chain: Rc<dyn Chain>) {}

    /// Takes the chain that waited here.
    fn resume(self: Rc<Self>) -> Option<Rc<dyn Chain>> {
        None
    }
}

/// A link as seen by its predecessor.
pub(crate) trait Input<T, E>: Node {
    /// Takes the result, and returns itself, to be run.
    fn accept(self: Rc<Self>, result: Result<T, E>) -> Rc<dyn Run>;

    /// As [`accept`](Self::accept), for an item that nobody has received.
    fn accept_unclaimed(self: Rc<Self>, item: Unclaimed<T>) -> Rc<dyn Run>;
}

/// A list of Deferreds, for code that follows waits from list to list.
pub(crate) trait List {
    /// The chain that the list will fire; `None` once that has a result, because then nothing waits for the members.
    fn unfired_chain(&self) -> Option<Rc<dyn Chain>>;

    fn cached_ancestor(&self) -> &CachedAncestor;

    /// The list was cancelled, has no result even then, and is about to fail: what it has of its members is not
    /// returned.
    fn give_up(&self);
}

/// A list that waits, directly or through others, for the list that stores this. `cycle.rs` says why, and how old it
/// may be.
#[derive(Default)]
pub(crate) struct CachedAncestor(Cell<Option<Weak<dyn List>>>);

impl CachedAncestor {
    /// Calls `read` with the ancestor; `None` if nothing is stored.
    pub(super) fn read<A>(&self, read: impl FnOnce(&Weak<dyn List>) -> A) -> Option<A> {
        let ancestor = self.0.take();
        let seen = ancestor.as_ref().map(read);
        self.0.set(ancestor);
        seen
    }

    pub(super) fn set(&self, ancestor: &Rc<dyn List>) {
        self.0.set(Some(Rc::downgrade(ancestor)));
    }
}

/// What a chain calls when it is cancelled unfired (its canceller), or when its pauses end while it holds a result
/// (what passes the result on). A chain never has both.
///
/// A canceller returns what has to be cancelled before this cancel is complete: the members of a list. It does not
/// cancel them itself, because cancels of lists of lists would then nest on the stack.
pub(super) type Handler = Box<dyn FnOnce(Rc<dyn Chain>, HeadKind) -> AlsoCancel>;

/// What is to be cancelled too: nothing, or the members of a list.
#[derive(Default)]
pub(super) struct AlsoCancel {
    pub(super) members: Members,
    /// Gives up, if it has no result when its members were cancelled.
    pub(super) list: Option<Rc<dyn List>>,
}

/// Chains that are to be cancelled in this order, if they still exist.
pub(super) type Members = Vec<Weak<dyn Chain>>;

/// Whether the chain that a handler is called with still has its own head.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadKind {
    /// It has the head it was made with.
    Own,
    /// That was dropped; another stands in its place (`release_without_head` in `head.rs`).
    Substitute,
}

/// A handler that leaves nothing else to cancel.
pub(super) fn handler(run: impl FnOnce(Rc<dyn Chain>, HeadKind) + 'static) -> Handler {
    Box::new(move |chain, head| {
        run(chain, head);
        AlsoCancel::default()
    })
}

/// The data of a chain that do not depend on its types. Every field that changes is a `Cell`, so nothing is borrowed
/// while user code runs.
pub(crate) struct Core {
    state: Cell<ChainState>,
    /// Where the chain stands in its wait path.
    pub(super) position: Cell<PathPosition<ChainRef>>,
    /// The canceller while the chain is unfired, or what releases its result while it is held.
    pub(super) handler: Cell<Option<Handler>>,
    /// Where a program made the Deferred.
    made_at: &'static Location<'static>,
}

impl Core {
    #[inline]
    pub(super) fn new(state: ChainState, handler: Option<Handler>, made_at: &'static Location<'static>) -> Self {
        Self { state: Cell::new(state), position: Cell::new(PathPosition::Alone), handler: Cell::new(handler), made_at }
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

    pub(super) fn set_made_at(&mut self, made_at: &'static Location<'static>) {
        self.made_at = made_at;
    }

    /// One transition of the chain's state machine.
    pub(super) fn transition<A>(&self, event: impl FnOnce(&mut ChainState) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    /// The chain is paused and has a result, which `release` passes on when the pauses end. `release` must not own the
    /// chain, because the chain owns it.
    pub(super) fn hold(&self, release: impl FnOnce(Rc<dyn Chain>, HeadKind) + 'static) {
        self.transition(ChainState::hold);
        self.handler.set(Some(handler(release)));
    }

    /// Replaces the `release` of an earlier [`hold`](Self::hold).
    pub(super) fn hold_instead(&self, release: impl FnOnce(Rc<dyn Chain>, HeadKind) + 'static) {
        drop_contained(self.handler.replace(Some(handler(release))));
    }

    /// The innermost chain of the path, if this is its outermost.
    pub(super) fn innermost(&self) -> Option<ChainRef> {
        self.read_position(|position| match position {
            PathPosition::Outermost { innermost } => Some(innermost.clone()),
            PathPosition::Alone | PathPosition::Between | PathPosition::Innermost { .. } => None,
        })
    }

    /// The outermost chain of the path, if this is its innermost.
    pub(super) fn outermost(&self) -> Option<ChainRef> {
        self.read_position(|position| match position {
            PathPosition::Innermost { outermost } => Some(outermost.clone()),
            PathPosition::Alone | PathPosition::Outermost { .. } | PathPosition::Between => None,
        })
    }

    /// Calls `read` with the position, which is not `Copy`.
    pub(super) fn read_position<A>(&self, read: impl FnOnce(&PathPosition<ChainRef>) -> A) -> A {
        let position = self.position.replace(PathPosition::Alone);
        let seen = read(&position);
        self.position.set(position);
        seen
    }
}

/// One end of a wait path, as the other end knows it.
///
/// Weak, because the ends know each other: two strong pointers would be a cycle. An end lives as long as it matters:
/// the outermost chain is kept by its link that waits, the innermost by its resolver or by the loop that runs it.
#[derive(Clone)]
pub(super) struct ChainRef(Weak<dyn Chain>);

impl ChainRef {
    pub(super) fn new(chain: &Rc<dyn Chain>) -> Self {
        Self(Rc::downgrade(chain))
    }

    pub(super) fn chain(&self) -> Option<Rc<dyn Chain>> {
        self.0.upgrade()
    }
}

impl PartialEq for ChainRef {
    fn eq(&self, other: &Self) -> bool {
        // By address alone: two pointers to one chain may have different vtables.
        ptr::addr_eq(self.0.as_ptr(), other.0.as_ptr())
    }
}

/// The ends of the wait path that `chain`, which runs, makes when it comes to wait for `other`. `None` if it would wait
/// for itself.
pub(super) fn joined_ends(chain: &Rc<dyn Chain>, other: &Rc<dyn Chain>) -> Option<PathEnds<ChainRef>> {
    let (this, that) = (ChainRef::new(chain), ChainRef::new(other));
    other.core().read_position(|others| chain.core().read_position(|position| position.join(this, that, others)))
}

/// Makes the ends of a wait path known to each other.
pub(super) fn connect(PathEnds { outermost, innermost }: PathEnds<ChainRef>) {
    let (Some(outer), Some(inner)) = (outermost.chain(), innermost.chain()) else { return };
    if outermost == innermost {
        outer.core().position.set(PathPosition::Alone);
    } else {
        outer.core().position.set(PathPosition::Outermost { innermost });
        inner.core().position.set(PathPosition::Innermost { outermost });
    }
}

/// Makes a list's `member` wait for `chain`, which was outermost in its path: now the member is.
pub(super) fn extend_outwards(member: &Rc<dyn Chain>, chain: &Rc<dyn Chain>) {
    let innermost = chain.core().innermost().unwrap_or_else(|| ChainRef::new(chain));
    chain.core().position.set(PathPosition::Between);
    connect(PathEnds { outermost: ChainRef::new(member), innermost });
}

/// Tells all links of a chain, from this one on, that the chain has another head.
pub(super) fn replace_head_from(first: Rc<dyn Node>, chain: &Rc<dyn Chain>) {
    let mut node = first;
    loop {
        node.replace_head(chain);
        match node.next() {
            // A node where a chain waits belongs to that chain.
            Some(next) if Rc::clone(&next).waiting_chain().is_none() => node = next,
            _ => return,
        }
    }
}

/// The outermost chain of the path that this node's chain is inside of. Walks along the whole path.
pub(super) fn find_outermost(from: Rc<dyn Node>) -> Option<Rc<dyn Chain>> {
    let (mut node, mut outermost) = (from, None);
    while let Some(next) = node.next() {
        outermost = Rc::clone(&next).waiting_chain().or(outermost);
        node = next;
    }
    outermost
}

/// What gets a node's result. These pointers lead downstream only, so they form no cycle; and the resolver holds the
/// first node, so a chain lives as long as it may be fired, whether or not somebody holds its tail.
pub(crate) enum Successor<T, E> {
    /// The next link of the same chain.
    Link(Rc<dyn Input<T, E>>),
    /// A node of another chain, which waits there: its callback returned this chain's Deferred.
    Waiter(Rc<dyn Output<T, E>>),
}

/// A result in its cell.
pub(crate) enum Stored<T, E> {
    /// A result, and where its chain was made, for a report of it.
    Result(Result<T, E>, &'static Location<'static>),
    /// An item that nobody has received. Dropped, it goes back.
    Unclaimed(Unclaimed<T>),
}

/// The cell behind a head or a link, where its result and its successor meet.
pub(crate) type ResultCell<T, E> = machine::ResultCell<Successor<T, E>, Stored<T, E>, Waker>;

impl<T, E> ResultCell<T, E> {
    pub(super) fn empty() -> Self {
        Self::new(ResultState::Empty)
    }

    pub(super) fn stored(result: Result<T, E>, made_at: &'static Location<'static>) -> Self {
        Self::new(ResultState::Stored(Stored::Result(result, made_at)))
    }

    pub(super) fn unclaimed(item: Unclaimed<T>) -> Self {
        Self::new(ResultState::Stored(Stored::Unclaimed(item)))
    }

    pub(super) fn is_stored(&self) -> bool {
        self.read(|state| matches!(state, ResultState::Stored(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read(|state| matches!(state, ResultState::Empty))
    }

    pub(super) fn is_watched_by(&self, waker: &Waker) -> bool {
        // `will_wake` compares two pointers: no user code runs.
        self.read(|state| matches!(state, ResultState::Watched(watching) if watching.will_wake(waker)))
    }

    /// What will get the result, if that is known.
    pub(super) fn next(&self) -> Option<Rc<dyn Node>> {
        self.read(|state| match state {
            ResultState::Linked(Successor::Link(link)) => Some(Rc::clone(link) as Rc<dyn Node>),
            ResultState::Linked(Successor::Waiter(waiter)) => Some(Rc::clone(waiter) as Rc<dyn Node>),
            ResultState::Empty | ResultState::Watched(_) | ResultState::Stored(_) | ResultState::Spent => None,
        })
    }

    /// Takes the successor, if it is the next link of the same chain.
    #[inline]
    pub(super) fn detach_link(&self) -> Option<Rc<dyn Input<T, E>>> {
        self.detach(|next| match next {
            Successor::Link(link) => Ok(link),
            Successor::Waiter(_) => Err(next),
        })
    }

    /// Takes the successor, if it is a node of another chain.
    pub(super) fn detach_waiter(&self) -> Option<Rc<dyn Output<T, E>>> {
        self.detach(|next| match next {
            Successor::Waiter(waiter) => Ok(waiter),
            Successor::Link(_) => Err(next),
        })
    }
}

impl<T, E: ChainError> ResultCell<T, E> {
    /// Called when the node is dropped. An error that is still stored was handled by nobody: it is reported here and
    /// nowhere else, so exactly once.
    #[inline]
    pub(super) fn close(&mut self) {
        match self.get_mut() {
            ResultState::Stored(Stored::Result(Ok(_), _)) if !mem::needs_drop::<T>() => {}
            ResultState::Stored(_) => {
                if let Some(stored) = self.take() {
                    stored.report_unhandled();
                }
            }
            ResultState::Empty | ResultState::Watched(_) | ResultState::Linked(_) | ResultState::Spent => {}
        }
    }
}

impl<T, E: ChainError> Stored<T, E> {
    #[inline(never)]
    fn report_unhandled(self) {
        match self {
            Self::Result(result, made_at) => {
                if let Err(error) = &result {
                    report_unhandled(Incident::Unhandled, error.as_error(), Some(made_at));
                }
                drop_contained(result);
            }
            Self::Unclaimed(item) => drop(item),
        }
    }
}

impl<T, E> Stored<T, E> {
    pub(super) fn is_ok(&self) -> bool {
        match self {
            Self::Result(result, _) => result.is_ok(),
            Self::Unclaimed(_) => true,
        }
    }

    /// The same result in another chain, which was made there.
    pub(super) fn in_chain(self, made_at: &'static Location<'static>) -> Self {
        match self {
            Self::Result(result, _) => Self::Result(result, made_at),
            Self::Unclaimed(item) => Self::Unclaimed(item),
        }
    }
}

impl<T, E: From<Failure>> Stored<T, E> {
    /// The result, and the right to give it back, if it has one.
    pub(super) fn split(self) -> (Result<T, E>, Option<Receipt<T>>) {
        match self {
            Self::Result(result, _) => (result, None),
            Self::Unclaimed(item) => item.split(),
        }
    }

    /// The program receives the result.
    #[inline]
    pub(super) fn into_result(self) -> Result<T, E> {
        match self {
            Self::Result(result, _) => result,
            Self::Unclaimed(item) => item.claim(),
        }
    }
}
