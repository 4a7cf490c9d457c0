//! One of the pool's two queues: first in, first out, and a job with a ticket can be taken out of the middle at once.
//!
//! A job without a ticket lies in the queue itself: it pays nothing for what it did not ask for. One with a ticket lies beside it, under the
//! ticket's number, and only the number stands in line. Cancelling takes the job from beside the queue and leaves a **dead** number behind, so it
//! costs the same at any depth. The dead are swept as soon as they outnumber the living: each cancellation pays for two steps of a sweep, and
//! a queue is never more than twice as long as what waits in it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::History;

/// The number of a job with a ticket: no other job of its pool ever has it.
pub(crate) type TicketId = u64;

/// Tickets whose room an empty queue keeps: one burst must not hold memory for ever.
const KEPT: usize = 1 << 14;

/// What has its turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Slot<T> {
    Plain(T),
    /// The job lies in `held`, or it was cancelled.
    Ticketed(TicketId),
}

/// The line of a queue: jobs without a ticket, and the numbers of those with one.
///
/// How it holds them is no matter of the machine's. A pool's jobs are of many types, and lie where only those who know the type can take them; those of the
/// search are numbers.
pub(crate) trait Slots: Default {
    /// A job by itself, whatever its type.
    type Job;
    /// Says where the job lies whose turn it is. It is to be taken from there under the same hold of the lock.
    type Turn;

    fn len(&self) -> usize;

    /// The number of a job with a ticket comes in, behind all others.
    fn push_number(&mut self, ticket: TicketId);

    /// The first has its turn.
    fn pop(&mut self) -> Option<Slot<Self::Turn>>;

    /// Of the numbers only these stay in line.
    fn retain_numbers(&mut self, keep: impl Fn(TicketId) -> bool);

    /// Called only on an empty line: it takes all that the other holds. A job whose turn it is stays where it is.
    fn exchange(&mut self, other: &mut Self);
}

/// A line that takes jobs of the type `J`.
pub(crate) trait Accept<J>: Slots {
    /// A job comes in, behind all others.
    fn push(&mut self, job: J);
}

/// A job that has left its queue.
pub(crate) enum Taken<S: Slots> {
    /// It is still in the line: here is where.
    InLine(S::Turn),
    /// It had a ticket, and is here.
    Held(S::Job),
}

/// What only tickets need is elsewhere, and is not there before the first of them.
#[derive(Debug, Clone)]
pub(crate) struct Queue<S: Slots> {
    slots: S,
    ticketed: Option<Box<Ticketed<S::Job>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Ticketed<J> {
    held: Held<J>,
    /// Slots whose job was cancelled. None, if nothing else is left.
    dead: usize,
    /// The most that were held at a time: the map may have room for as many, whatever it says of that.
    most: History<usize>,
}

impl<J> Default for Ticketed<J> {
    fn default() -> Self {
        Self { held: Held::default(), dead: 0, most: History::default() }
    }
}

impl<S: Slots> Default for Queue<S> {
    fn default() -> Self {
        Self { slots: S::default(), ticketed: None }
    }
}

/// Room that is kept for tickets to come is no part of the state.
impl<S: Slots<Job: PartialEq> + PartialEq> PartialEq for Queue<S> {
    fn eq(&self, other: &Self) -> bool {
        self.slots == other.slots && self.tickets() == other.tickets()
    }
}

impl<S: Slots<Job: Eq> + Eq> Eq for Queue<S> {}

impl<S: Slots<Job: Hash> + Hash> Hash for Queue<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slots.hash(state);
        self.tickets().hash(state);
    }
}

impl<S: Slots> Queue<S> {
    fn tickets(&self) -> Option<&Ticketed<S::Job>> {
        self.ticketed.as_deref().filter(|ticketed| ticketed.dead > 0 || !ticketed.held.0.is_empty())
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
    pub(super) fn push<J>(&mut self, job: J)
    where
        S: Accept<J>,
    {
        self.slots.push(job);
    }

    pub(super) fn push_ticketed(&mut self, ticket: TicketId, job: S::Job) {
        self.slots.push_number(ticket);
        let ticketed = self.ticketed.get_or_insert_default();
        ticketed.held.0.insert(ticket, job);
        ticketed.most.0 = ticketed.most.0.max(ticketed.held.0.len());
    }

    /// The job that has waited longest.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Taken<S>> {
        loop {
            let ticket = match self.slots.pop()? {
                Slot::Plain(turn) => {
                    self.tidy();
                    return Some(Taken::InLine(turn));
                }
                Slot::Ticketed(ticket) => ticket,
            };
            let ticketed = self.ticketed.get_or_insert_default();
            match ticketed.held.0.remove(&ticket) {
                None => ticketed.dead -= 1,
                Some(job) => {
                    self.tidy();
                    return Some(Taken::Held(job));
                }
            }
        }
    }

    /// Takes a job out of the line, wherever it stands.
    pub(super) fn cancel(&mut self, ticket: TicketId) -> Option<S::Job> {
        let ticketed = self.ticketed.as_mut()?;
        let job = ticketed.held.0.remove(&ticket)?;
        ticketed.dead += 1;
        self.tidy();
        Some(job)
    }

    /// Called only on an empty queue: it takes all that the other holds.
    pub(super) fn exchange(&mut self, other: &mut Self) {
        self.slots.exchange(&mut other.slots);
        std::mem::swap(&mut self.ticketed, &mut other.ticketed);
    }

    /// Where jobs are to be taken from whose turn it is.
    pub(crate) fn slots(&mut self) -> &mut S {
        &mut self.slots
    }

    /// Sweeps the dead where they are too many, and lets go of the room that a burst of tickets took.
    #[inline]
    fn tidy(&mut self) {
        if let Some(ticketed) = &mut self.ticketed {
            ticketed.sweep(&mut self.slots);
            if ticketed.most.0 > KEPT && ticketed.held.0.is_empty() && ticketed.dead == 0 {
                self.ticketed = None;
            }
        }
    }
}

impl<J> Ticketed<J> {
    fn sweep(&mut self, slots: &mut impl Slots) {
        if self.dead > slots.len() - self.dead {
            slots.retain_numbers(|ticket| self.held.0.contains_key(&ticket));
            self.dead = 0;
        }
    }
}

/// All that waited in a pool, when it is known that it never will be run.
pub(crate) struct Backlog<S: Slots> {
    queue: Queue<S>,
    /// What came in behind it.
    rest: Queue<S>,
}

impl<S: Slots> Default for Backlog<S> {
    fn default() -> Self {
        Self { queue: Queue::default(), rest: Queue::default() }
    }
}

impl<S: Slots> Backlog<S> {
    /// Takes all that waits in two queues.
    pub(super) fn of(queue: &mut Queue<S>, rest: &mut Queue<S>) -> Self {
        Self { queue: std::mem::take(queue), rest: std::mem::take(rest) }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The job that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Taken<S>> {
        if self.queue.is_empty() {
            self.queue.exchange(&mut self.rest);
        }
        self.queue.pop()
    }

    /// Where jobs are to be taken from whose turn it is.
    pub(crate) fn slots(&mut self) -> &mut S {
        self.queue.slots()
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

/// Ticket numbers are our own, so nobody can choose them to collide. They follow each other, so as they are they fill a table evenly, and neighbours in the queue
/// are neighbours in it. Only the upper bits, by which a table tells apart what shares a place, have to be made up.
#[derive(Debug, Clone, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(8) ^ number;
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !(u64::MAX >> 8)
    }
}

/// The line as the exhaustive search has it: its jobs are numbers, and one that has its turn has left.
#[cfg(test)]
pub(in crate::machine) mod plain {
    use std::collections::VecDeque;

    use super::{Accept, Backlog, Queue, Slot, Slots, Taken, TicketId};

    pub(in crate::machine) type Line<J> = VecDeque<Slot<J>>;

    impl<J> Slots for Line<J> {
        type Job = J;
        type Turn = J;

        fn len(&self) -> usize {
            self.len()
        }

        fn push_number(&mut self, ticket: TicketId) {
            self.push_back(Slot::Ticketed(ticket));
        }

        fn pop(&mut self) -> Option<Slot<J>> {
            self.pop_front()
        }

        fn retain_numbers(&mut self, keep: impl Fn(TicketId) -> bool) {
            self.retain(|slot| !matches!(slot, Slot::Ticketed(ticket) if !keep(*ticket)));
        }

        fn exchange(&mut self, other: &mut Self) {
            std::mem::swap(self, other);
        }
    }

    impl<J> Accept<J> for Line<J> {
        fn push(&mut self, job: J) {
            self.push_back(Slot::Plain(job));
        }
    }

    impl<J> Taken<Line<J>> {
        pub(in crate::machine) fn job(self) -> J {
            match self {
                Self::InLine(job) | Self::Held(job) => job,
            }
        }
    }

    impl<J> Queue<Line<J>> {
        /// What waits, in order.
        pub(in crate::machine) fn jobs(&self) -> impl Iterator<Item = &J> {
            self.slots.iter().filter_map(|slot| match slot {
                Slot::Plain(job) => Some(job),
                Slot::Ticketed(ticket) => self.ticketed.as_ref().and_then(|ticketed| ticketed.held.0.get(ticket)),
            })
        }

        /// Places in line, the dead among them.
        pub(in crate::machine) fn places(&self) -> usize {
            self.slots.len()
        }
    }

    impl<J> Iterator for Backlog<Line<J>> {
        type Item = J;

        fn next(&mut self) -> Option<J> {
            self.pop().map(Taken::job)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain::Line;
    use super::{KEPT, Queue};

    // Checks: P72
    #[test]
    fn a_queue_that_a_burst_of_tickets_has_left_keeps_no_room_for_the_next() {
        let mut queue = Queue::<Line<u64>>::default();
        let most = 10 * KEPT as u64;
        (0..most).for_each(|job| queue.push_ticketed(job, job));
        while queue.pop().is_some() {}
        assert!(queue.ticketed.is_none());
        (0..most).for_each(|job| queue.push_ticketed(job, job));
        (0..most).for_each(|ticket| _ = queue.cancel(ticket));
        assert!(queue.is_empty() && queue.ticketed.is_none());
    }
}
