//! One of the pool's two queues: first in, first out, and a job with a ticket can be taken out of the middle at once.
//!
//! A job without a ticket lies in the queue by value: it pays nothing for what it did not ask for. One with a ticket lies beside it, under the
//! ticket's number, and only the number stands in line. Cancelling takes the job from beside the queue and leaves a **dead** number behind, so it
//! costs the same at any depth. The dead are swept as soon as they outnumber the living: each cancellation pays for two steps of a sweep, and
//! a queue is never more than twice as long as what waits in it.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The number of a job with a ticket: no other job of its pool ever has it.
pub(crate) type TicketId = u64;

/// Places whose room an empty queue keeps: one burst must not hold memory for ever.
const KEPT: usize = 1 << 14;

/// A place in line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Slot<J> {
    Plain(J),
    /// The job lies in `held`, or it was cancelled.
    Ticketed(TicketId),
}

/// Small, because it lies beside a lock for which threads compete: what only tickets need is elsewhere, and is not there before the first of them.
#[derive(Debug, Clone)]
pub(crate) struct Queue<J> {
    slots: VecDeque<Slot<J>>,
    ticketed: Option<Box<Ticketed<J>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Ticketed<J> {
    held: Held<J>,
    /// Slots whose job was cancelled. None, if nothing else is left.
    dead: usize,
}

impl<J> Default for Ticketed<J> {
    fn default() -> Self {
        Self { held: Held::default(), dead: 0 }
    }
}

/// Room that is kept for tickets to come is no part of the state.
impl<J: PartialEq> PartialEq for Queue<J> {
    fn eq(&self, other: &Self) -> bool {
        self.slots == other.slots && self.tickets() == other.tickets()
    }
}

impl<J: Eq> Eq for Queue<J> {}

impl<J: Hash> Hash for Queue<J> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slots.hash(state);
        self.tickets().hash(state);
    }
}

impl<J> Queue<J> {
    fn tickets(&self) -> Option<&Ticketed<J>> {
        self.ticketed.as_deref().filter(|ticketed| ticketed.dead > 0 || !ticketed.held.0.is_empty())
    }

    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), ticketed: None }
    }

    /// Jobs that wait. Those that were cancelled are gone.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.ticketed.as_ref().map_or(0, |ticketed| ticketed.dead)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn push(&mut self, job: J) {
        self.slots.push_back(Slot::Plain(job));
    }

    pub(super) fn push_ticketed(&mut self, ticket: TicketId, job: J) {
        self.slots.push_back(Slot::Ticketed(ticket));
        self.ticketed.get_or_insert_default().held.0.insert(ticket, job);
    }

    /// The job that has waited longest.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<J> {
        loop {
            let ticket = match self.slots.pop_front()? {
                Slot::Plain(job) => {
                    self.tidy();
                    return Some(job);
                }
                Slot::Ticketed(ticket) => ticket,
            };
            let ticketed = self.ticketed.get_or_insert_default();
            match ticketed.held.0.remove(&ticket) {
                None => ticketed.dead -= 1,
                job => {
                    self.tidy();
                    return job;
                }
            }
        }
    }

    /// Takes a job out of the line, wherever it stands.
    pub(super) fn cancel(&mut self, ticket: TicketId) -> Option<J> {
        let ticketed = self.ticketed.as_mut()?;
        let job = ticketed.held.0.remove(&ticket)?;
        ticketed.dead += 1;
        self.tidy();
        Some(job)
    }

    /// Takes all that waits, in order.
    pub(super) fn drain_into(&mut self, jobs: &mut VecDeque<J>) {
        jobs.extend(std::iter::from_fn(|| self.pop()));
    }

    /// Sweeps the dead where they are too many, and lets go of the room that a burst took.
    #[inline]
    fn tidy(&mut self) {
        if let Some(ticketed) = &mut self.ticketed {
            ticketed.sweep(&mut self.slots);
        }
        if self.slots.is_empty() && self.slots.capacity() > KEPT {
            *self = Self::new();
        }
    }
}

impl<J> Ticketed<J> {
    fn sweep(&mut self, slots: &mut VecDeque<Slot<J>>) {
        if self.dead > slots.len() - self.dead {
            let held = &self.held.0;
            slots.retain(|slot| !matches!(slot, Slot::Ticketed(ticket) if !held.contains_key(ticket)));
            self.dead = 0;
        }
    }
}

/// Jobs with a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held<J>(HashMap<TicketId, J, BuildHasherDefault<Spread>>);

impl<J> Default for Held<J> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

/// What is held is what the line says, less the dead: how many there are tells states apart well enough.
impl<J> Hash for Held<J> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
    }
}

/// Ticket numbers are our own, so nobody can choose them to collide: a multiplication spreads them.
#[derive(Debug, Clone, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

/// What nobody but the exhaustive search has to look at.
#[cfg(test)]
impl<J> Queue<J> {
    /// What waits, in order.
    pub(in crate::machine) fn jobs(&self) -> impl Iterator<Item = &J> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Plain(job) => Some(job),
            Slot::Ticketed(ticket) => self.ticketed.as_ref().and_then(|ticketed| ticketed.held.0.get(ticket)),
        })
    }

    /// Places in line, the dead among them.
    pub(in crate::machine) fn slots(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Queue};

    // Checks: P72
    #[test]
    fn a_queue_that_a_burst_has_left_keeps_no_room_for_the_next() {
        let mut queue = Queue::new();
        let most = 10 * KEPT as u64;
        (0..most).for_each(|job| queue.push(job));
        while queue.pop().is_some() {}
        assert!(queue.slots.capacity() <= KEPT);
        (0..most).for_each(|job| queue.push_ticketed(job, job));
        (0..most).for_each(|ticket| _ = queue.cancel(ticket));
        assert!(queue.is_empty() && queue.slots.capacity() <= KEPT && queue.ticketed.is_none());
    }
}
