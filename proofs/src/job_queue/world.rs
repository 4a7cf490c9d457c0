//! A queue of jobs, and what is true of the jobs in it.
//!
//! Two jobs with a ticket are watched, and two without, whichever they are: what is proved of them is true of each.

use super::steps::STEPS;
use crate::claim::Describe;
use crate::events::job_queue::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::job_queue::{JobQueue, Queued, fields, queue};
use crate::machine::radix_map::WATCHED;
use crate::symbol::{Condition, Int, Model};

/// When a job came into the queue, and what it is known by there.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub is_there: Condition,
    pub came: Int,
    /// Of a job with a ticket, how many jobs without one came before it; of a job without a ticket likewise.
    pub position: Int,
}

#[derive(Clone)]
pub struct World {
    pub(crate) machine: JobQueue,
    /// The watched tickets, the lower one first.
    pub tickets: [Int; 2],
    /// When their jobs came.
    pub came: [Int; 2],
    /// How many jobs without a ticket came before each of the watched ones that have none, the lower one first.
    pub plain: [Int; 2],
    /// When those came.
    pub plain_came: [Int; 2],
    /// When the next job comes.
    pub now: Int,
    pub next_ticket: Int,
    /// The ticket of the first job that has one, if that is not watched, and when it came.
    pub first: Option<(Int, Job)>,
    /// When the first job without a ticket came.
    pub head_came: Int,
}

impl World {
    /// The watched jobs that have a ticket.
    pub fn watched(&self) -> [Job; 2] {
        let watched = fields(&self.machine).watched;
        [0, 1].map(|which| {
            let (is_there, Queued { position, .. }) = watched[which];
            Job { is_there, came: self.came[which], position }
        })
    }

    /// The watched jobs that have no ticket.
    pub fn watched_plain(&self) -> [Job; 2] {
        let queue = fields(&self.machine);
        [0, 1].map(|which| {
            let position = self.plain[which];
            let is_there = queue.head.at_most(position) & position.less(queue.head + queue.plain);
            Job { is_there, came: self.plain_came[which], position }
        })
    }

    /// The first job that has no ticket.
    pub fn head(&self) -> Job {
        let queue = fields(&self.machine);
        Job { is_there: queue.plain.is_positive(), came: self.head_came, position: queue.head }
    }

    pub fn len(&self) -> Int {
        let queue = fields(&self.machine);
        queue.plain + queue.ticketed
    }

    /// A job with a ticket came between jobs that were there, or before and after all of them.
    fn is_between(&self, job: Job) -> Condition {
        let queue = fields(&self.machine);
        job.is_there.implies(queue.popped.at_most(job.position) & job.position.at_most(queue.popped + queue.plain))
    }

    /// What is assumed of the first jobs, because it is true of each.
    fn has_first_jobs(&self) -> Condition {
        let head = self.head();
        let mut all = vec![self.came_before_now(head)];
        for plain in self.watched_plain() {
            let is_it = head.position.equals(plain.position);
            let came = Int::choose(is_it, head.came, plain.came);
            all.push((head.is_there & plain.is_there).implies({
                plain.came.equals(came) & (is_it | (head.position.less(plain.position) & head.came.less(plain.came)))
            }));
        }
        all.extend(self.watched().map(|job| knows_order(job, head)));
        if let Some((ticket, first)) = self.first {
            all.extend([self.came_before_now(first), self.is_between(first), ticket.less(self.next_ticket)]);
            all.push(knows_order(first, head));
            all.extend(self.watched_plain().map(|plain| knows_order(first, plain)));
            for (job, other) in self.watched().into_iter().zip(self.tickets) {
                all.push(job.is_there.implies(ticket.less(other) & are_in_order(first, job)));
            }
        }
        Condition::all(all)
    }

    fn came_before_now(&self, job: Job) -> Condition {
        job.is_there.implies(Int::ZERO.at_most(job.came) & job.came.less(self.now))
    }

    fn is_in_memory(&self) -> Condition {
        let queue = fields(&self.machine);
        let none_negative = [queue.popped, queue.plain, queue.ticketed, self.tickets[0], self.plain[0], self.now];
        Condition::all(none_negative.map(|part| Int::ZERO.at_most(part)))
            & (self.len() * 2).less(Int::GREATEST)
            & (queue.popped + queue.plain).less(Int::GREATEST)
            & Int::from(65_535).at_most(Int::GREATEST)
            & self.tickets[0].less(self.tickets[1])
            & self.plain[0].less(self.plain[1])
            & self.next_ticket.less(Int::GREATEST)
    }
}

/// Of a job with a ticket and one without, the position says which came first.
fn knows_order(ticketed: Job, plain: Job) -> Condition {
    let first = ticketed.came.less(plain.came);
    let says = ticketed.position.at_most(plain.position);
    (ticketed.is_there & plain.is_there).implies((first & says) | (plain.came.less(ticketed.came) & !says))
}

/// Of two jobs with a ticket, or of two without, the lower first.
fn are_in_order(low: Job, high: Job) -> Condition {
    (low.is_there & high.is_there).implies(low.position.at_most(high.position) & low.came.less(high.came))
}

impl World {
    /// Nobody goes on.
    fn prove_done(&self) {
        let [low, high] = self.watched();
        let [plain, other] = self.watched_plain();
        let is_empty = !low.is_there & !high.is_there & !plain.is_there & !other.is_there;
        prove("a queue that is empty holds no job", is_empty);
    }
}

impl induction::World for World {
    const NAME: &'static str = "job queue";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] =
        &[Rest { name: "at rest", ended: &[Kind::Own], provided: |_| Condition::TRUE, prove: Self::prove_done }];

    fn any() -> Option<Self> {
        let tickets = WATCHED.map(Int::unknown);
        let positions = [Int::unknown("its position"), Int::unknown("the other's position")];
        let queued = |which: usize| Queued { ticket: tickets[which], position: positions[which], job: tickets[which] };
        let (popped, plain) = (Int::unknown("popped"), Int::unknown("jobs without a ticket"));
        let (ticket, position) = (Int::unknown("first ticket"), Int::unknown("position of the first ticket"));
        let others = Int::unknown("other jobs with a ticket");
        let mut first = None;
        let map = match (choose("jobs have tickets"), choose("the first is watched"), choose("it is the higher")) {
            (false, false, false) => None,
            (false, false, true) => Some((None, [None, None], Int::ZERO)),
            (true, true, true) => Some((Some(queued(1)), [None, None], others)),
            (true, true, false) => {
                let higher = choose("the higher watched ticket is queued").then(|| queued(1));
                Some((Some(queued(0)), [None, higher], others))
            }
            (true, false, false) => {
                let came = Int::unknown("when the first ticket came");
                first = Some((ticket, Job { is_there: Condition::TRUE, came, position }));
                let lower = choose("the lower watched ticket is queued").then(|| queued(0));
                let higher = choose("the higher watched ticket is queued").then(|| queued(1));
                Some((Some(Queued { ticket, position, job: ticket }), [lower, higher], others))
            }
            _ => return None,
        };
        if first.is_some() {
            assume(!ticket.equals(tickets[0]) & !ticket.equals(tickets[1]))?;
        }
        assume(Int::ZERO.at_most(others) & Int::ZERO.at_most(popped) & Int::ZERO.at_most(plain))?;
        let world = Self {
            machine: queue(popped, plain, tickets, map),
            tickets,
            came: [Int::unknown("when it came"), Int::unknown("when the other came")],
            plain: [Int::unknown("watched job without a ticket"), Int::unknown("another without a ticket")],
            plain_came: [Int::unknown("when that came"), Int::unknown("when that other came")],
            now: Int::unknown("now"),
            next_ticket: Int::unknown("next ticket"),
            first,
            head_came: Int::unknown("when the first without a ticket came"),
        };
        assume(world.is_in_memory() & world.has_first_jobs())?;
        Some(world)
    }

    fn new() -> Option<Self> {
        let any = Self::any()?;
        assume(any.first.is_none().into())?;
        Some(Self { machine: JobQueue::default(), now: Int::ZERO, next_ticket: Int::ZERO, ..any })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let queue = fields(&self.machine);
        let ([low, high], [plain, other]) = (self.watched(), self.watched_plain());
        let is_named = |which: usize| {
            let (is_there, Queued { job, .. }) = queue.watched[which];
            is_there.implies(job.equals(self.tickets[which]) & self.tickets[which].less(self.next_ticket))
        };
        vec![
            ("popped counts the jobs that left the store", queue.popped.equals(queue.head)),
            ("a ticket names one job", is_named(0) & is_named(1)),
            ("a ticket was given behind jobs that were there", self.is_between(low) & self.is_between(high)),
            ("tickets are in the order in which their jobs came", are_in_order(low, high)),
            ("a position says which jobs came before", knows_order(low, plain) & knows_order(high, plain)),
            ("jobs without a ticket are in the order in which they came", are_in_order(plain, other)),
            ("what is queued came before now", {
                self.came_before_now(low)
                    & self.came_before_now(high)
                    & self.came_before_now(plain)
                    & self.came_before_now(other)
            }),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        vec![self.len()]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let queue = fields(&self.machine);
        let number = |int: Int| int.value(model).to_string();
        let [low, high] = self.watched();
        let job = |job: Job| match job.is_there.holds(model) {
            true => format!("position {}, came {}", number(job.position), number(job.came)),
            false => "not queued".into(),
        };
        vec![
            ("popped", number(queue.popped)),
            ("jobs without a ticket", number(queue.plain)),
            ("jobs with a ticket", number(queue.ticketed)),
            ("next ticket", number(self.next_ticket)),
            ("watched ticket", number(self.tickets[0])),
            ("its job", job(low)),
            ("another watched ticket", number(self.tickets[1])),
            ("the other's job", job(high)),
            ("watched job without a ticket", job(self.watched_plain()[0])),
            ("another without a ticket", job(self.watched_plain()[1])),
            ("now", number(self.now)),
        ]
    }
}
