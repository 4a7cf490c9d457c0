//! The pool's queue of jobs: in one order, each by value, in the [lane](super::super::typed_queue) of its type.
//!
//! So submitting a job allocates nothing, and a worker moves it from the queue straight to its own stack. Code that
//! takes a job out has to know its type: the [`JobVTable`] of each lane does.

use std::collections::VecDeque;
use std::mem;

use super::super::typed_queue::{HasVTable, SEGMENT_CAPACITY, Segment};
use super::job::{Job, QueuedJob};
use crate::machine::pool::{Entry, JobStore, Popped, PushJob, RefusedJobs, TicketId};

/// Segments in order: the first, from which jobs are taken, full ones, and the last, which takes the next job. `R` is
/// how a worker runs a job of a known type.
pub(super) struct JobQueue<R> {
    first: Segment<LaneKind<R>>,
    /// Full segments, in order. Empty except in a burst.
    middle: VecDeque<Segment<LaneKind<R>>>,
    last: Segment<LaneKind<R>>,
    len: usize,
}

/// What the values of a lane are.
#[derive(Clone, Copy)]
enum LaneKind<R> {
    /// Ids of jobs that have a ticket. The jobs themselves are kept outside, by id.
    Tickets,
    Jobs(JobVTable<R>),
}

/// What can be done with the first job of a lane, given the lane's number.
#[derive(Clone, Copy)]
pub(super) struct JobVTable<R> {
    /// Takes it and runs it.
    pub(super) run: R,
    /// Takes it, boxed.
    take: fn(u8, &mut JobQueue<R>) -> Option<Job>,
}

/// Where the job is that was popped last: to be taken from there before the next is popped.
pub(super) struct Position<R> {
    pub(super) lane: u8,
    pub(super) vtable: JobVTable<R>,
}

impl<R> Default for JobQueue<R> {
    fn default() -> Self {
        Self { first: Segment::default(), middle: VecDeque::new(), last: Segment::default(), len: 0 }
    }
}

impl<R> HasVTable<TicketId> for LaneKind<R> {
    const VTABLE: Self = Self::Tickets;
}

impl<R: HasVTable<J>, J: QueuedJob> HasVTable<J> for LaneKind<R> {
    const VTABLE: Self =
        Self::Jobs(JobVTable { run: R::VTABLE, take: |lane, queue| queue.take::<J>(lane).map(J::into_job) });
}

impl<R> JobQueue<R> {
    /// Takes the first job of a lane by value. `None` never happens where `J` is the lane's type.
    #[inline]
    pub(super) fn take<J: 'static>(&mut self, lane: u8) -> Option<J> {
        self.first.lane(lane)?.take()
    }

    /// Makes room for one more value in the last segment.
    #[inline]
    fn reserve(&mut self) {
        if self.last.len() == SEGMENT_CAPACITY {
            self.begin_segment();
        }
        self.len += 1;
    }

    #[cold]
    #[inline(never)]
    fn begin_segment(&mut self) {
        self.middle.push_back(mem::take(&mut self.last));
    }

    /// Goes on to the next segment: the first is used up.
    #[inline(never)]
    fn next_segment(&mut self) {
        self.first.reset();
        if let Some(next) = self.middle.pop_front() {
            self.first = next;
            self.shrink();
        } else {
            mem::swap(&mut self.first, &mut self.last);
        }
    }

    /// Frees the list of full segments after a burst.
    fn shrink(&mut self) {
        if self.middle.is_empty() {
            self.middle = VecDeque::new();
        }
    }
}

impl<R: Copy + HasVTable<Job>> JobQueue<R> {
    /// Appends a job whose type has no lane and cannot get one. Room has been reserved for it.
    #[cold]
    #[inline(never)]
    fn push_boxed(&mut self, job: Job) {
        self.last.push_uncapped(job);
    }
}

impl<R: Copy> JobStore for JobQueue<R> {
    type Job = Job;
    type Location = Position<R>;

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    fn push_ticket(&mut self, ticket: TicketId) {
        self.reserve();
        self.last.push_uncapped(ticket);
    }

    #[inline]
    fn pop(&mut self) -> Option<Entry<Position<R>>> {
        if self.len == 0 {
            return None;
        }
        if self.first.len() == 0 {
            self.next_segment();
        }
        self.len -= 1;
        let (number, lane) = self.first.pop_lane()?;
        Some(match lane.vtable {
            LaneKind::Tickets => Entry::Ticket(lane.take()?),
            LaneKind::Jobs(vtable) => Entry::Job(Position { lane: number, vtable }),
        })
    }

    fn retain_tickets(&mut self, keep: impl Fn(TicketId) -> bool) {
        let mut len = 0;
        let mut sweep = |segment: &mut Segment<LaneKind<R>>| {
            segment.retain(|ticket| keep(*ticket));
            len += usize::from(segment.len());
            segment.len() > 0
        };
        self.middle.retain_mut(&mut sweep);
        sweep(&mut self.first);
        sweep(&mut self.last);
        self.len = len;
        self.shrink();
    }

    /// The memory of this queue's last segment goes to the other. The first segment stays: the job popped last may
    /// still be in it.
    fn take_all(&mut self, other: &mut Self) {
        mem::swap(&mut self.last, &mut other.last);
        mem::swap(&mut self.middle, &mut other.middle);
        mem::swap(&mut self.len, &mut other.len);
    }
}

impl<R: Copy + HasVTable<J> + HasVTable<Job>, J: QueuedJob> PushJob<J> for JobQueue<R> {
    #[inline]
    fn push(&mut self, job: J) {
        self.reserve();
        if let Err(job) = self.last.push(job) {
            self.push_boxed(job.into_job());
        }
    }
}

/// Takes a popped job out of its queue, boxed.
pub(super) fn take_job<R: Copy>(popped: Popped<JobQueue<R>>, queue: &mut JobQueue<R>) -> Option<Job> {
    match popped {
        Popped::InStore(position) => (position.vtable.take)(position.lane, queue),
        Popped::Cancellable(job) => Some(job),
    }
}

/// The jobs of a backlog, in order.
pub(super) fn drain<R: Copy>(mut backlog: RefusedJobs<JobQueue<R>>) -> impl Iterator<Item = Job> {
    std::iter::from_fn(move || {
        let popped = backlog.pop()?;
        take_job(popped, backlog.store())
    })
}
