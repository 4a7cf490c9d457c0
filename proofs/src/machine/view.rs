//! Machines that are made of given fields, and read back.

use super::chunked_queue::ChunkedQueue;
use super::count::Count;
use super::inbox::{CallQueue, Inbox, LoopState, PushCall};
use super::item_queue::ItemQueue;
use super::place::ItemsByPlace;
use super::wait_queue::WaitQueue;
use crate::symbol::Int;

/// A call, of which is known whether its poster kept to the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    WithinBound,
    BeyondBound,
}

/// A queue of calls that knows how many it holds, and how many of them were posted within the bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Calls {
    pub len: Count,
    pub within_bound: Int,
}

impl Default for Calls {
    fn default() -> Self {
        Self { len: Count::default(), within_bound: Int::ZERO }
    }
}

impl CallQueue for Calls {
    fn len(&self) -> Count {
        self.len
    }
}

impl PushCall<Call> for Calls {
    fn push(&mut self, call: Call) {
        self.len += 1;
        self.within_bound = self.within_bound + Int::from(call == Call::WithinBound);
    }
}

/// What the proof speaks of, of an inbox.
#[derive(Debug, Clone)]
pub struct InboxFields {
    pub state: LoopState,
    pub calls: Int,
    pub within_bound: Int,
    pub waiting_posters: Int,
}

/// An inbox with these fields.
pub fn inbox(fields: InboxFields, bound: Int) -> Inbox<Calls> {
    let mut inbox = Inbox::new(Count(bound));
    inbox.state = fields.state;
    inbox.calls = Calls { len: Count(fields.calls), within_bound: fields.within_bound };
    inbox.waiting_posters = Count(fields.waiting_posters);
    inbox
}

pub fn inbox_fields(inbox: &Inbox<Calls>) -> InboxFields {
    InboxFields {
        state: inbox.state,
        calls: inbox.calls.len.0,
        within_bound: inbox.calls.within_bound,
        waiting_posters: inbox.waiting_posters.0,
    }
}

/// An item is named by its place, and a taker by the order in which takers came.
pub type Items = ItemQueue<Int, Int>;

/// What the proof speaks of, of a queue of items.
#[derive(Debug, Clone)]
pub struct ItemQueueFields {
    pub returned: ItemsByPlace<Int>,
    pub items: ChunkedQueue<Int>,
    pub taken: Int,
    pub takers: WaitQueue<Int>,
    pub delivering: bool,
    pub closed: bool,
}

/// A queue of items with these fields.
pub fn item_queue(fields: ItemQueueFields, size: Option<Int>, backlog: Option<Int>) -> Items {
    let mut queue = ItemQueue::new(size.map(Count), backlog.map(Count));
    queue.returned = fields.returned;
    queue.items = fields.items;
    queue.taken = Count(fields.taken);
    queue.takers = fields.takers;
    queue.delivering = fields.delivering;
    queue.closed = fields.closed;
    queue
}

pub fn item_queue_fields(queue: &Items) -> ItemQueueFields {
    ItemQueueFields {
        returned: queue.returned.clone(),
        items: queue.items.clone(),
        taken: queue.taken.0,
        takers: queue.takers.clone(),
        delivering: queue.delivering,
        closed: queue.closed,
    }
}
