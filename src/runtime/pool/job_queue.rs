//! The pool's queue of jobs: in one order, each by value, in the [lane](super::super::typed_queue) of its type.
//!
//! So submitting a job allocates nothing, and a worker moves it from the queue straight to its own stack. Code that
//! takes a job out has to know its type: the [`JobVTable`] of each lane does.

use std::mem;

use super::super::segment_list::{SegmentList, Unused};
use super::super::typed_queue::{HasVTable, SEGMENT_CAPACITY, Segment};
use super::job::{BoxedJob, QueuedJob};
use crate::machine::pool::{JobStore, Popped, PushJob, RefusedJobs};

/// Segments in order: the first, from which jobs are taken, full ones, and the last, which takes the next job. `R` is
/// how a worker runs a job of a known type.
pub(super) struct JobQueue<R> {
    first: Segment<JobVTable<R>>,
    /// Full segments. There are some only in a burst.
    middle: SegmentList<JobVTable<R>>,
    last: Segment<JobVTable<R>>,
    len: usize,
    /// Segments that are used up, until the worker that used them up [frees](Self::take_used_up) them.
    used_up: Unused<JobVTable<R>>,
}

/// What can be done with the first job of a lane, given the lane's number.
#[derive(Clone, Copy)]
pub(super) struct JobVTable<R> {
    /// Takes it and runs it.
    pub(super) run: R,
    /// Takes it, boxed.
    take: fn(usize, &mut JobQueue<R>) -> Option<BoxedJob>,
}

/// Where the job is that was popped last: to be taken from there before the next is popped.
pub(super) struct Position<R> {
    // A whole word: padding would be copied too, and more slowly than the rest.
    pub(super) lane: usize,
    pub(super) vtable: JobVTable<R>,
}

impl<R> Default for JobQueue<R> {
    fn default() -> Self {
        let (first, middle, last) = (Segment::default(), SegmentList::default(), Segment::default());
        Self { first, middle, last, len: 0, used_up: Unused::new() }
    }
}

impl<R: HasVTable<J> + Copy, J: QueuedJob> HasVTable<J> for JobVTable<R> {
    const VTABLE: Self = Self { run: R::VTABLE, take: |lane, queue| queue.take::<J>(lane).map(J::into_job) };
}

impl<R: Copy> JobQueue<R> {
    /// Takes the first job of a lane by value. `None` never happens where `J` is the lane's type.
    #[inline]
    pub(super) fn take<J: 'static>(&mut self, lane: usize) -> Option<J> {
        self.first.lane(lane)?.take()
    }

    /// Whether the job that was pushed last is of a type that its segment did not hold before. Asked once for each.
    #[inline]
    pub(super) fn take_unknown_type(&mut self) -> bool {
        self.last.take_new_type()
    }

    /// Whether there is memory that is not needed any more, which is to be [taken](Self::take_used_up).
    #[inline]
    pub(super) fn has_used_up(&self) -> bool {
        !self.used_up.is_empty()
    }

    /// Memory that is not needed any more: to be dropped when the lock is released.
    pub(super) fn take_used_up(&mut self) -> Unused<JobVTable<R>> {
        mem::take(&mut self.used_up)
    }

    /// Makes room for one more value in the last segment.
    #[inline]
    fn reserve(&mut self) {
        if self.last.len() == SEGMENT_CAPACITY {
            self.middle.push(&mut self.last);
        }
        self.len += 1;
    }

    /// Goes on to the next segment: the first is used up.
    #[inline(never)]
    fn next_segment(&mut self) {
        let mut next = self.middle.take_first();
        if let Some(segment) = next.front_mut() {
            mem::swap(segment, &mut self.first);
            self.middle.recycle(next, &mut self.used_up);
        } else {
            if let Some(worn) = self.first.reset() {
                self.used_up.push_back(worn);
                self.middle.release_spares(&mut self.used_up);
            }
            mem::swap(&mut self.first, &mut self.last);
        }
    }
}

impl<R: Copy + HasVTable<BoxedJob>> JobQueue<R> {
    /// Appends a job whose type has no lane and cannot get one. Room has been reserved for it.
    #[cold]
    #[inline(never)]
    fn push_boxed(&mut self, job: BoxedJob) {
        self.last.push_uncapped(job);
    }
}

impl<R: Copy> JobStore for JobQueue<R> {
    type Job = BoxedJob;
    type Location = Position<R>;

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn pop(&mut self) -> Option<Position<R>> {
        if self.len == 0 {
            return None;
        }
        if self.first.len() == 0 {
            self.next_segment();
        }
        self.len -= 1;
        let (number, lane) = self.first.pop_lane()?;
        Some(Position { lane: number, vtable: lane.vtable })
    }

    /// The memory of this queue's last segment goes to the other. The first segment stays: the job popped last may be
    /// in it still.
    fn take_all(&mut self, other: &mut Self) {
        mem::swap(&mut self.last, &mut other.last);
        mem::swap(&mut self.middle, &mut other.middle);
        mem::swap(&mut self.len, &mut other.len);
    }
}

impl<R: Copy + HasVTable<J> + HasVTable<BoxedJob>, J: QueuedJob> PushJob<J> for JobQueue<R> {
    #[inline]
    fn push(&mut self, job: J) {
        self.reserve();
        if let Err(job) = self.last.push(job) {
            self.push_boxed(job.into_job());
        }
    }
}

/// Takes a popped job out of its queue, boxed.
pub(super) fn take_job<R: Copy>(popped: Popped<JobQueue<R>>, queue: &mut JobQueue<R>) -> Option<BoxedJob> {
    match popped {
        Popped::InStore(position) => (position.vtable.take)(position.lane, queue),
        Popped::Ticketed(job) => Some(job),
    }
}

/// The jobs of a backlog, in order.
pub(super) fn drain<R: Copy>(mut backlog: RefusedJobs<JobQueue<R>>) -> impl Iterator<Item = BoxedJob> {
    std::iter::from_fn(move || {
        let popped = backlog.pop()?;
        drop(backlog.store().take_used_up());
        take_job(popped, backlog.store())
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::sync::check_on_threads;
    use super::super::ThreadPool;
    use super::SEGMENT_CAPACITY;

    // Checks: P73, P93
    #[test]
    fn the_memory_of_a_burst_is_freed_by_the_worker_that_runs_it() {
        check_on_threads(|| {
            let pool = ThreadPool::new(1, 1).expect("the sizes are valid");
            // More segments than are kept for reuse.
            for _ in 0..8 * SEGMENT_CAPACITY {
                pool.call_in_thread(|| ()).expect("there is no bound");
            }
            pool.start().expect("it is new");
            pool.stop().expect("this is no worker");
            assert!(pool.owner.shared.workers.lock().machine.store().used_up.is_empty());
        });
    }
}
