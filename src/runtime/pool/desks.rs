//! Which job each busy worker has, and since when: what a stop that runs out of time has to tell.

use std::cmp::Reverse;

use super::super::label::{JobLabel, JobTrace};
use super::super::sync::Instant;
use super::stop::Straggler;
use crate::machine::pool::WorkerId;

/// Where a worker sits, as long as it lives.
pub(super) type Seat = usize;

/// What a busy worker has before it.
struct Desk {
    worker: WorkerId,
    job: JobTrace,
}

/// The workers' desks, guarded by the workers' lock. Seats are taken again, so there are as many as there were workers at a time.
#[derive(Default)]
pub(super) struct Desks {
    desks: Vec<Option<Desk>>,
    free: Vec<Seat>,
}

impl Desks {
    /// A worker arrives.
    pub(super) fn take_seat(&mut self) -> Seat {
        self.free.pop().unwrap_or_else(|| {
            self.desks.push(None);
            self.desks.len() - 1
        })
    }

    /// It has made its last transition.
    pub(super) fn leave_seat(&mut self, seat: Seat) {
        self.free.push(seat);
    }

    /// It has taken this job.
    #[inline]
    pub(super) fn occupy(&mut self, seat: Seat, worker: WorkerId, job: JobTrace) {
        if let Some(desk) = self.desks.get_mut(seat) {
            *desk = Some(Desk { worker, job });
        }
    }

    /// It has run it.
    #[inline]
    pub(super) fn clear(&mut self, seat: Seat) {
        if let Some(desk) = self.desks.get_mut(seat) {
            *desk = None;
        }
    }

    /// The jobs that run, those that have run longest before the others.
    pub(super) fn stragglers(&self, asked: Instant) -> Vec<Straggler> {
        let mut stragglers: Vec<_> = self
            .desks
            .iter()
            .flatten()
            .map(|desk| {
                let (job, since) = match &desk.job {
                    JobTrace::Origin(origin) => (JobLabel::unnamed(origin), asked),
                    JobTrace::Started(label, since) => (label.clone(), *since),
                };
                Straggler { job, worker: desk.worker, running_for: since.elapsed() }
            })
            .collect();
        stragglers.sort_by_key(|straggler| (Reverse(straggler.running_for), straggler.worker));
        stragglers
    }
}
