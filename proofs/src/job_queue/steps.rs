//! The transitions of a queue of jobs.

use super::world::{Job, World};
use crate::events::job_queue::Event;
use crate::explore::{choose, decide, prove};
use crate::induction::{Kind, Step};
use crate::machine::job_queue::{JobQueue, Popped, fields, queue};
use crate::symbol::{Condition, Int};

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "a job is pushed",
        kind: Kind::Outside,
        events: &[Event::Push],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let queue = fields(&world.machine);
            let index = queue.head + queue.plain;
            world.machine.push();
            for (watched, came) in world.plain.into_iter().zip(&mut world.plain_came) {
                *came = Int::choose(index.equals(watched), world.now, *came);
            }
            world.now = world.now + 1;
            prove("a job that is pushed is queued", fields(&world.machine).plain.equals(queue.plain + 1));
            Some(())
        },
    },
    Step {
        name: "a job with a ticket is pushed",
        kind: Kind::Outside,
        events: &[Event::PushTicketed],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let ticket = world.next_ticket;
            let len = world.len();
            world.machine.push_ticketed(ticket);
            for (watched, came) in world.tickets.into_iter().zip(&mut world.came) {
                *came = Int::choose(ticket.equals(watched), world.now, *came);
            }
            world.now = world.now + 1;
            world.next_ticket = world.next_ticket + 1;
            prove("a job that is pushed is queued", world.len().equals(len + 1));
            Some(())
        },
    },
    Step {
        name: "a job is taken",
        kind: Kind::Own,
        events: &[Event::Pop, Event::HandOut],
        besides: (),
        enabled: |world| world.len().is_positive(),
        run: |world| {
            let was = world.clone();
            match world.machine.pop() {
                None => prove("where a job is queued, one is taken", Condition::FALSE),
                Some(Popped::InStore(index)) => {
                    prove("jobs without a ticket leave in their order", index.equals(was.head().position));
                    is_first(&was, was.head());
                }
                Some(Popped::Ticketed(ticket)) => {
                    let first = match was.first {
                        Some((first, job)) => {
                            prove("the job that is taken is the one that its ticket names", ticket.equals(first));
                            job
                        }
                        None => {
                            let is_lower = decide(ticket.equals(was.tickets[0]));
                            was.watched()[usize::from(!is_lower)]
                        }
                    };
                    is_first(&was, first);
                }
            }
            prove("one job is taken", world.len().equals(was.len() - 1));
            Some(())
        },
    },
    Step {
        name: "a job is cancelled",
        kind: Kind::Outside,
        events: &[Event::Cancel],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let was = world.clone();
            let which = usize::from(choose("it has the higher of the watched tickets"));
            let ticket = was.tickets[which];
            let cancelled = world.machine.cancel(ticket);
            match cancelled {
                Some(job) => {
                    prove("a job is cancelled by its own ticket", was.watched()[which].is_there & job.equals(ticket));
                    prove("a cancel takes one job", world.len().equals(was.len() - 1));
                }
                None => {
                    prove("a job that is queued is cancelled by its ticket", !was.watched()[which].is_there);
                    prove("a cancel in vain changes nothing", world.len().equals(was.len()));
                }
            }
            let (is_there, still) = (was.watched()[1 - which].is_there, world.watched()[1 - which].is_there);
            prove("a cancel leaves the other jobs", (is_there & still) | (!is_there & !still));
            prove("a cancelled job is queued no more", !world.watched()[which].is_there);
            Some(())
        },
    },
    Step {
        name: "a queue is emptied into another",
        kind: Kind::Outside,
        events: &[Event::Exchange],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let was = world.clone();
            let popped = Int::unknown("popped from the other queue");
            let map = choose("the other queue had tickets").then_some((None, [None, None], Int::ZERO));
            let mut other: JobQueue = queue(popped, Int::ZERO, world.tickets, map);
            other.take_all(&mut world.machine);
            prove("nothing is left behind", world.len().is_zero());
            world.machine = other;
            prove("all jobs are moved", world.len().equals(was.len()));
            let moved = was.watched().into_iter().zip(world.watched());
            prove("each job is moved", {
                Condition::all(moved.map(|(was, is)| (was.is_there & is.is_there) | (!was.is_there & !is.is_there)))
            });
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

/// The job that is taken came before all that are left.
fn is_first(was: &World, taken: Job) {
    let ([low, high], [plain, other]) = (was.watched(), was.watched_plain());
    let before = |job: Job| job.is_there.implies(taken.came.at_most(job.came));
    prove("the job that has been queued longest is taken", {
        before(low) & before(high) & before(plain) & before(other)
    });
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use crate::induction::tests::refuted;

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let tickets_first = |world: &World| {
            let (ticketed, plain) = (world.watched()[0], world.watched_plain()[0]);
            (ticketed.is_there & plain.is_there).implies(ticketed.came.less(plain.came))
        };
        assert_eq!(refuted("a job with a ticket is pushed", tickets_first), ["what is claimed besides"]);
        assert!(refuted("a job is pushed", tickets_first).is_empty());
    }
}
