//! The line of a pool's queue: jobs in one order, each by value, in the [lane](super::super::typed_queue) of its type.
//!
//! So handing over a job allocates nothing, and a worker takes it out of the line onto its own stack. For that it has to know the type: each lane knows how
//! a job of its type is [begun](Begin).

use std::collections::VecDeque;
use std::mem;

use super::super::sync::{Arc, MutexGuard};
use super::super::typed_queue::{HasVTable, SEGMENT_CAPACITY, Segment};
use super::job::{Job, Queued, Ran};
use super::shared::{Shared, WorkersState};
use super::worker::{Hand, run};
use crate::machine::pool::{Entry, JobStore, Popped, PushJob, RefusedJobs, TicketId, Wakeups};

/// Stretches of jobs: those that came first, those in between, and the one that takes the next. Empty ones are used again.
#[derive(Default)]
pub(super) struct Line {
    first: Segment<How>,
    /// What is full, in its order. Empty, but in a burst.
    middle: VecDeque<Segment<How>>,
    last: Segment<How>,
    len: usize,
}

/// What lies in a lane.
#[derive(Clone, Copy)]
enum How {
    Numbers,
    Jobs(Ways),
}

/// What is done with the first job of a lane, by its number.
#[derive(Clone, Copy)]
struct Ways {
    begin: Begin,
    /// Takes it, whatever its type.
    take: fn(u8, &mut Line) -> Option<Job>,
}

/// Takes it, lets go of the lock that is handed over, carries out the call, and runs it.
type Begin = fn(u8, Wakeups, &Arc<Shared>, &Hand, MutexGuard<'_, WorkersState>) -> Ran;

/// Where the job lies whose turn it is.
pub(super) struct Location {
    lane: u8,
    ways: Ways,
}

impl HasVTable<TicketId> for How {
    const VTABLE: Self = Self::Numbers;
}

impl<J: Queued> HasVTable<J> for How {
    const VTABLE: Self =
        Self::Jobs(Ways { begin: begin::<J>, take: |lane, line| line.take::<J>(lane).map(J::into_job) });
}

fn begin<J: Queued>(
    lane: u8,
    wakeups: Wakeups,
    pool: &Arc<Shared>,
    hand: &Hand,
    mut workers: MutexGuard<'_, WorkersState>,
) -> Ran {
    match workers.machine.store().take::<J>(lane) {
        Some(job) => run(job, wakeups, pool, hand, workers),
        // It is there: the lane is that of its type.
        None => {
            drop(workers);
            Shared::carry_out(pool, wakeups);
            Ran::default()
        }
    }
}

impl Line {
    #[inline]
    fn take<J: 'static>(&mut self, lane: u8) -> Option<J> {
        self.first.lane(lane)?.take()
    }
}

impl JobStore for Line {
    type Job = Job;
    type Location = Location;

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    fn push_ticket(&mut self, ticket: TicketId) {
        self.make_room();
        self.last.push_uncapped(ticket);
    }

    #[inline]
    fn pop(&mut self) -> Option<Entry<Location>> {
        if self.len == 0 {
            return None;
        }
        if self.first.len() == 0 {
            self.go_on();
        }
        self.len -= 1;
        let (number, lane) = self.first.pop_lane()?;
        Some(match lane.vtable {
            How::Numbers => Entry::Ticket(lane.take()?),
            How::Jobs(ways) => Entry::Job(Location { lane: number, ways }),
        })
    }

    fn retain_tickets(&mut self, keep: impl Fn(TicketId) -> bool) {
        let mut len = 0;
        let mut sweep = |segment: &mut Segment<How>| {
            segment.retain(|ticket| keep(*ticket));
            len += usize::from(segment.len());
            segment.len() > 0
        };
        self.middle.retain_mut(&mut sweep);
        sweep(&mut self.first);
        sweep(&mut self.last);
        self.len = len;
        self.let_go();
    }

    /// The room of this line's last segment goes the other way. The first stays: in it lies the job whose turn it is.
    fn take_all(&mut self, other: &mut Self) {
        mem::swap(&mut self.last, &mut other.last);
        mem::swap(&mut self.middle, &mut other.middle);
        mem::swap(&mut self.len, &mut other.len);
    }
}

impl<J: Queued> PushJob<J> for Line {
    #[inline]
    fn push(&mut self, job: J) {
        self.make_room();
        if let Err(job) = self.last.push(job) {
            self.push_boxed(job.into_job());
        }
    }
}

impl Line {
    /// One more is about to come in.
    #[inline]
    fn make_room(&mut self) {
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

    /// A job of one type too many, for which there is room already.
    #[cold]
    #[inline(never)]
    fn push_boxed(&mut self, job: Job) {
        self.last.push_uncapped(job);
    }

    /// The first segment is over: goes on with the next.
    #[inline(never)]
    fn go_on(&mut self) {
        self.first.reset();
        if let Some(next) = self.middle.pop_front() {
            self.first = next;
            self.let_go();
        } else {
            mem::swap(&mut self.first, &mut self.last);
        }
    }

    /// A burst is over: lets go of the room for its stretches.
    fn let_go(&mut self) {
        if self.middle.is_empty() {
            self.middle = VecDeque::new();
        }
    }
}

/// A worker has taken this: it lets go of the lock, carries out the call, and runs it.
#[inline]
pub(super) fn begin_taken(
    taken: Popped<Line>,
    wakeups: Wakeups,
    pool: &Arc<Shared>,
    hand: &Hand,
    workers: MutexGuard<'_, WorkersState>,
) -> Ran {
    match taken {
        Popped::InStore(location) => (location.ways.begin)(location.lane, wakeups, pool, hand, workers),
        Popped::Cancellable(job) => run(job, wakeups, pool, hand, workers),
    }
}

/// The job itself, out of the line whose turn it is.
pub(super) fn fetch(taken: Popped<Line>, line: &mut Line) -> Option<Job> {
    match taken {
        Popped::InStore(location) => (location.ways.take)(location.lane, line),
        Popped::Cancellable(job) => Some(job),
    }
}

/// A backlog's jobs, in their order.
pub(super) fn jobs(mut backlog: RefusedJobs<Line>) -> impl Iterator<Item = Job> {
    std::iter::from_fn(move || {
        let taken = backlog.pop()?;
        fetch(taken, backlog.store())
    })
}
