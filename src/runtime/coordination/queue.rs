//! The queue: items that wait for a taker, or takers that wait for an item.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::super::deferred::{Deferred, Receipt, Resolver, TakeBack, Unclaimed};
use super::super::report::drop_contained;
use crate::error::{PutError, PutRejection, QueueClosed, QueueUnderflow};
use crate::machine::item_queue::{ItemQueue, Put, PutRefused, Serve, Take};

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
/// let refused = queue.put("one too many").unwrap_err();
/// assert_eq!(refused.item, "one too many");
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
/// **Cancel safety.** [Cancelling](Deferred::cancel) the Deferred of a waiting taker, or dropping it before a callback
/// was added, removes the taker from the queue.
///
/// An item belongs to the queue until the program receives it: in a callback for the value, by
/// [`try_result`](Deferred::try_result), from an awaiting future that is ready, as the result of a list of Deferreds,
/// as the answer of a blocking call, or by [sharing](Deferred::shared) it. Errbacks and timeouts, which pass values by,
/// do not receive it. If what an item was delivered to is given up before that, the item goes back, even beyond the
/// size: to its place before all that were put after it, and so to the next taker. It is given up when its Deferred is
/// dropped (with its [pause handles](Deferred::pause_handle), if it has any), when a future is dropped after the item
/// came and before it was polled, when a list that has it is cancelled, and when the time of a blocking call is over.
/// An item that goes back is dropped only if all handles are.
///
/// **Handles.** When the last one is dropped the items are dropped, and takers fail with
/// [`Abandoned`](crate::error::Abandoned). A consumer that holds a handle while it waits is not told that all producers
/// are gone: whoever has put the last item [closes](Self::close) the queue.
///
/// **Cost.** Constant time for each put and get; logarithmic, in the number of items that came back, while there are
/// such. A get allocates its Deferred, and one box for the item; one that waits makes two small allocations more.
pub struct DeferredQueue<T: 'static> {
    shared: Rc<Shared<T>>,
}

/// What the handles share.
struct Shared<T: 'static> {
    queue: RefCell<ItemQueue<T, Resolver<T>>>,
    /// Weak: an item that nobody has received keeps no queue alive.
    this: Weak<Self>,
}

impl<T: 'static> Shared<T> {
    fn unclaimed(&self, item: T, place: u64) -> Unclaimed<T> {
        Unclaimed::new(item, Receipt::Item(self.this.clone(), place))
    }

    /// Serves takers, if the machine has asked for it.
    fn deliver(&self, put: Put) {
        if put == Put::Nothing {
            return;
        }
        loop {
            let next = self.queue.borrow_mut().next();
            // After the borrow, because the taker's callbacks may call this queue.
            match next {
                Some(Serve::Deliver(taker, item, place)) => taker.deliver_unclaimed(self.unclaimed(item, place)),
                Some(Serve::TurnAway(taker)) => taker.errback(QueueClosed),
                None => return,
            }
        }
    }
}

impl<T: 'static> TakeBack<T> for Shared<T> {
    fn take_back(&self, item: T, place: u64) {
        let put = self.queue.borrow_mut().put_back(item, place);
        self.deliver(put);
    }
}

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
        let queue = RefCell::new(ItemQueue::new(size.into(), backlog.into()));
        Self { shared: Rc::new_cyclic(|this| Shared { queue, this: this.clone() }) }
    }

    /// Appends an item, and delivers it if somebody waits for one.
    ///
    /// # Errors
    /// Nobody waits and the queue is full, or it is [closed](Self::close): the item is handed back inside the error.
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let put = self.shared.queue.borrow_mut().put(item).map_err(|(item, refused)| match refused {
            PutRefused::Full => PutError::new(item, PutRejection::Full),
            PutRefused::Closed => PutError::new(item, PutRejection::Closed),
        })?;
        self.shared.deliver(put);
        Ok(())
    }

    /// Says that no more items will be put: from now on [`put`](Self::put) hands its item back. Takers that wait fail
    /// with [`QueueClosed`], in their order, inside this call, or, if it is made inside the callbacks of a delivery,
    /// when those have returned. Items that are left can still be taken; [`get`](Self::get) fails when there are none.
    /// The error of a taker whose Deferred was dropped with callbacks is reported as any that nobody handles.
    ///
    /// An item that comes back to the closed queue can be taken too. Closing again does nothing.
    ///
    /// ```
    /// use selvedge::coordination::DeferredQueue;
    /// use selvedge::{Failure, Reactor};
    ///
    /// let lines = DeferredQueue::new();
    /// for line in ["first", "last"] {
    ///     lines.put(line)?;
    /// }
    /// lines.close();
    /// Reactor::new().block_on(async move {
    ///     while let Ok(line) = lines.get()?.await {
    ///         println!("{line}");
    ///     }
    ///     Ok::<_, Failure>(())
    /// })?;
    /// # Ok::<(), Failure>(())
    /// ```
    pub fn close(&self) {
        let put = self.shared.queue.borrow_mut().close();
        self.shared.deliver(put);
    }

    /// Whether the queue was [closed](Self::close). Items may be left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.queue.borrow().is_closed()
    }

    /// Takes the first item, or waits for one. The Deferred fails with [`QueueClosed`] if the queue is
    /// [closed](Self::close) and has no item left.
    ///
    /// # Errors
    /// The queue is empty, and as many takers wait as may.
    #[track_caller]
    pub fn get(&self) -> Result<Deferred<T>, QueueUnderflow> {
        let take = self.shared.queue.borrow_mut().take();
        match take {
            Take::Item(item, place) => return Ok(Deferred::unclaimed(self.shared.unclaimed(item, place))),
            Take::Refused => return Err(QueueUnderflow),
            Take::Closed => return Ok(Deferred::fail(QueueClosed)),
            Take::MustWait => {}
        }
        let key = self.shared.queue.borrow().next_key();
        let queue = Rc::downgrade(&self.shared);
        let (deferred, resolver) = Deferred::waiter(move || {
            let taker = queue.upgrade().and_then(|shared| shared.queue.borrow_mut().cancel_wait(key));
            // Dropped after the borrow. A resolver dropped unfired fails its Deferred, but this one is being cancelled
            // already.
            drop(taker);
        });
        self.shared.queue.borrow_mut().wait(resolver);
        Ok(deferred)
    }

    /// How many items there are without a taker.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.borrow().len()
    }

    /// Whether there is no item without a taker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many takers wait without an item.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.queue.borrow().waiting()
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
        f.debug_struct("DeferredQueue")
            .field("len", &self.len())
            .field("waiting", &self.waiting())
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl<T: 'static> Drop for Shared<T> {
    /// Items are dropped one by one, because each drop is user code and may panic. The machine drops the takers.
    fn drop(&mut self) {
        while let Take::Item(item, _) = self.queue.get_mut().take() {
            drop_contained(item);
        }
    }
}
