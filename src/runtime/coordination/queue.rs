//! The queue: items that wait for a taker, or takers that wait for an item.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::super::deferred::{Deferred, Resolver};
use super::super::report::drop_contained;
use crate::error::{QueueOverflow, QueueUnderflow};
use crate::machine::item_queue::{ItemQueue, Put, Take};

/// A FIFO queue of items whose [`get`](Self::get) is a Deferred: each item goes to one taker, and both items and takers
/// keep their order.
///
/// Clones are handles to the same queue.
///
/// ```
/// use selvedge::coordination::DeferredQueue;
///
/// let queue = DeferredQueue::with_limits(2, None);
/// let first = queue.get()?.add_callback(|item| println!("{item}"));
/// queue.put("printed at once")?;
/// queue.put("kept")?;
/// queue.put("kept too")?;
/// let overflow = queue.put("one too many").unwrap_err();
/// assert_eq!(overflow.item, "one too many");
/// # drop(first);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Order.** All of it lives on one thread and nothing blocks. An item that somebody waits for is delivered inside
/// [`put`](Self::put). If it is put inside the callbacks of another delivery, it is delivered when those have returned:
/// nothing recurses.
///
/// **Limits** count what would be left after every item had been paired with a taker: items without a taker, and takers
/// without an item. An item that was accepted stays, even if the taker that it was meant for is cancelled.
///
/// **Takers.** To [`cancel`](Deferred::cancel) the Deferred of a waiting taker removes the taker from the queue; no
/// item is lost. A taker whose Deferred was *dropped* still gets its item in its turn, which is dropped if no callback
/// was added.
///
/// **Handles.** When the last one is dropped the items are dropped, and takers fail with
/// [`Abandoned`](crate::error::Abandoned).
///
/// **Cost.** Constant time for each put and get; a get allocates its Deferred.
pub struct DeferredQueue<T: 'static> {
    shared: Rc<Shared<T>>,
}

/// What the handles share.
struct Shared<T: 'static>(RefCell<ItemQueue<T, Resolver<T>>>);

impl<T: 'static> DeferredQueue<T> {
    /// A queue without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(None, None)
    }

    /// A queue of at most `size` items without a taker, and at most `backlog` takers without an item. `None` is no
    /// limit. With a size of zero an item is accepted only if somebody waits for it; with a backlog of zero nobody may
    /// wait.
    #[must_use]
    pub fn with_limits(size: impl Into<Option<usize>>, backlog: impl Into<Option<usize>>) -> Self {
        Self { shared: Rc::new(Shared(RefCell::new(ItemQueue::new(size.into(), backlog.into())))) }
    }

    /// Appends an item, and delivers it if somebody waits for one.
    ///
    /// # Errors
    /// Nobody waits and the queue is full: the item is handed back inside the error.
    pub fn put(&self, item: T) -> Result<(), QueueOverflow<T>> {
        let put = self.shared.0.borrow_mut().put(item).map_err(QueueOverflow::new)?;
        if put == Put::Nothing {
            return Ok(());
        }
        loop {
            let next = self.shared.0.borrow_mut().next();
            // After the borrow, because the taker's callbacks may call this queue.
            let Some((taker, item)) = next else { return Ok(()) };
            taker.callback(item);
        }
    }

    /// Takes the first item, or waits for one.
    ///
    /// # Errors
    /// The queue is empty, and as many takers wait as may.
    #[track_caller]
    pub fn get(&self) -> Result<Deferred<T>, QueueUnderflow> {
        let take = self.shared.0.borrow_mut().take();
        match take {
            Take::Item(item) => return Ok(Deferred::succeed(item)),
            Take::Refused => return Err(QueueUnderflow),
            Take::MustWait => {}
        }
        let key = self.shared.0.borrow().next_key();
        let queue = Rc::downgrade(&self.shared);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let taker = queue.upgrade().and_then(|shared| shared.0.borrow_mut().cancel_wait(key));
            // Dropped after the borrow. A resolver dropped unfired fails its Deferred, but this one is being cancelled
            // already.
            drop(taker);
        });
        self.shared.0.borrow_mut().wait(resolver);
        Ok(deferred)
    }

    /// How many items there are without a taker.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.0.borrow().len()
    }

    /// Whether there is no item without a taker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many takers wait without an item.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.0.borrow().waiting()
    }
}

impl<T: 'static> Clone for DeferredQueue<T> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared) }
    }
}

impl<T: 'static> Default for DeferredQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> fmt::Debug for DeferredQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredQueue").field("len", &self.len()).field("waiting", &self.waiting()).finish()
    }
}

impl<T: 'static> Drop for Shared<T> {
    /// Items are dropped one by one, because each drop is user code and may panic. The machine drops the takers.
    fn drop(&mut self) {
        while let Take::Item(item) = self.0.get_mut().take() {
            drop_contained(item);
        }
    }
}
