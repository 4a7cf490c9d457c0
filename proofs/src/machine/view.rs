//! Machines that are made of given fields, and read back.

use super::count::Count;
use super::inbox::{CallQueue, Inbox, LoopState, PushCall};
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
