//! The queue: items that wait for somebody to take them, or those who wait for an item.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::super::deferred::{Deferred, Resolver};
use super::super::report::drop_contained;
use crate::error::{QueueOverflow, QueueUnderflow};
use crate::machine::stock::{Put, Stock, Take};

/// Hands items from those who put them to those who want one: each to one, first come, first served, on both sides.
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
/// **Where and when.** All of it lives on one thread and nothing blocks. An item that somebody waits for is delivered inside [`put`](Self::put). If it is put while another is being delivered, inside
/// that one's callbacks, it is delivered when those have returned: nothing recurses, and both lines keep their order.
///
/// **Limits** count what would be left if every item that is here had been delivered: items that nobody waits for, and takers for whom there is nothing. What was accepted stays, also if
/// the taker that an item was meant for gives up.
///
/// **Takers.** To [`cancel`](Deferred::cancel) the Deferred of a taker that waits takes it out of the line, and costs no item. One whose Deferred was *dropped* still takes its item in its turn, and drops it,
/// if no callback was added.
///
/// **Handles.** When the last one is dropped the items are dropped, and takers fail with [`Abandoned`](crate::error::Abandoned).
///
/// **Cost.** To put and to get take constant time; a get costs the allocation of its Deferred.
pub struct DeferredQueue<T: 'static> {
    shared: Rc<Shared<T>>,
}

struct Shared<T: 'static>(RefCell<Stock<T, Resolver<T>>>);

impl<T: 'static> DeferredQueue<T> {
    /// A queue without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(None, None)
    }

    /// A queue that keeps at most `size` items, and lets at most `backlog` wait for one. `None` is no limit; zero is one: of no items, a queue that only hands over; of no takers, one that
    /// is only taken from when there is something.
    #[must_use]
    pub fn with_limits(size: impl Into<Option<usize>>, backlog: impl Into<Option<usize>>) -> Self {
        Self { shared: Rc::new(Shared(RefCell::new(Stock::new(size.into(), backlog.into())))) }
    }

    /// Puts an item in: delivers it, if somebody waits, and keeps it otherwise.
    ///
    /// # Errors
    /// Nobody waits, and it holds as many items as it may: this one is handed back.
    pub fn put(&self, item: T) -> Result<(), QueueOverflow<T>> {
        let put = self.shared.0.borrow_mut().put(item).map_err(QueueOverflow::new)?;
        if put == Put::OweNothing {
            return Ok(());
        }
        loop {
            let next = self.shared.0.borrow_mut().next();
            // The borrow is over: what the taker does with its item is its own affair, and it may come back here.
            let Some((taker, item)) = next else { return Ok(()) };
            taker.callback(item);
        }
    }

    /// Takes the first item, or waits for one.
    ///
    /// # Errors
    /// There is none, and as many wait already as may.
    #[track_caller]
    pub fn get(&self) -> Result<Deferred<T>, QueueUnderflow> {
        let take = self.shared.0.borrow_mut().take();
        match take {
            Take::Item(item) => return Ok(Deferred::succeed(item)),
            Take::Refused => return Err(QueueUnderflow),
            Take::Waits => {}
        }
        let key = self.shared.0.borrow().next_key();
        let line = Rc::downgrade(&self.shared);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let gives_up = line.upgrade().and_then(|shared| shared.0.borrow_mut().give_up(key));
            // The borrow is over. That it is dropped unfired says nothing: its Deferred is being cancelled.
            drop(gives_up);
        });
        self.shared.0.borrow_mut().wait(resolver);
        Ok(deferred)
    }

    /// How many items are here that nobody waits for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.0.borrow().len()
    }

    /// Whether there is no item that nobody waits for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait for whom there is no item.
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
    /// One by one, for each drop is a program's own and may panic. Takers are dropped with the stock.
    fn drop(&mut self) {
        while let Take::Item(item) = self.0.get_mut().take() {
            drop_contained(item);
        }
    }
}
