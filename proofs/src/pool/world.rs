//! The whole state: the machine, who is at which place, and what must be remembered to say what is true.

use super::places::Places;
use crate::explore::{assume, choose, prove};
use crate::machine::count::Count;
use crate::machine::pool::{
    Compensation, Fields, Machine, Notify, PoolState, Sizes, Wakeups, WorkerAction, WorkerHint, next_action,
};
use crate::symbol::{Condition, Int, Model};

/// A pool with all its threads and callers.
#[derive(Clone)]
pub struct World {
    pub machine: Machine,
    pub places: Places,
    /// Some thread could not be spawned, at any time before.
    pub spawn_has_failed: Condition,
    /// The pool was started lazily.
    pub is_lazy: Condition,
    /// A transition has returned that the pool has stopped.
    pub stop_announced: Condition,
    pub bound: Int,
    pub is_bounded: Condition,
    /// As the step began.
    pub free_slots_before: Int,
    most_extra: Int,
    for_one: bool,
}

impl World {
    /// Any state at all: that it can be is the invariant's concern. `for_one`: whether blocked workers are compensated
    /// for while the maximum is one. `submits`: whether a job is submitted in what follows, which alone reads whether
    /// the pool is bounded.
    pub fn of_kind(for_one: bool, submits: bool) -> Option<Self> {
        let places = Places::any();
        let state = any_state();
        let is_bounded =
            if submits { choose("the pool is bounded").into() } else { Condition::unknown("the pool is bounded") };
        let is_unbounded = is_bounded == Condition::FALSE;
        let bound = if is_unbounded { Int::GREATEST } else { Int::unknown("bound") };
        let free_slots = if is_unbounded { Int::GREATEST } else { Int::unknown("free_slots") };
        let searching = choose("a worker searches");
        let fields = Fields {
            state,
            searching,
            saturation_reported: choose("saturation was reported"),
            open: state < PoolState::Draining,
            wake_not_needed: state == PoolState::Unstarted || choose("wake_not_needed is set"),
            live: places.to_spawn + places.threads(),
            starting: places.to_spawn + places.starting,
            busy: places.running + places.blocked,
            idle: places.asleep() + places.woken(),
            blocked: places.blocked,
            exiting: places.exiting,
            waiting_submitters: places.waiting + places.trying_again,
            refusing: places.refusing,
            asleep_untimed: places.asleep_untimed,
            asleep_timed: places.asleep_timed,
            asleep_untimed_until: Int::unknown("sleepers up to the last without a timeout"),
            min: Int::unknown("minimum"),
            max: Int::unknown("maximum"),
            workers_queue: Int::unknown("workers' queue"),
            submit_queue: Int::unknown("submit queue"),
            free_slots,
            workers_position: Int::unknown("position in the workers' queue"),
            submit_position: Int::unknown("position in the submit queue"),
        };
        let most_extra = Int::unknown("compensation");
        assume(in_machine_integers(&places, &fields, bound, is_unbounded, most_extra))?;
        let compensation = Compensation { most: Count(most_extra), for_one };
        Some(Self {
            machine: Machine::new(fields, bound, compensation),
            places,
            spawn_has_failed: Condition::unknown("a spawn has failed"),
            is_lazy: Condition::unknown("the pool was started lazily"),
            stop_announced: Condition::unknown("the stop was announced"),
            bound,
            is_bounded,
            free_slots_before: free_slots,
            most_extra,
            for_one,
        })
    }

    /// A new pool, of any size.
    pub fn fresh(for_one: bool) -> Option<Self> {
        let any = Self::of_kind(for_one, true)?;
        let Fields { min, max, .. } = any.machine.fields();
        assume(min.at_most(max))?;
        let target = Sizes { min: Count(min), max: Count(max) };
        let compensation = Compensation { most: Count(any.most_extra), for_one };
        Some(Self {
            machine: Machine::fresh(target, compensation, any.bound),
            places: Places::nobody(),
            spawn_has_failed: Condition::FALSE,
            is_lazy: Condition::FALSE,
            stop_announced: Condition::FALSE,
            ..any
        })
    }

    pub fn queued(&self) -> Int {
        let fields = self.machine.fields();
        fields.workers_queue + fields.submit_queue
    }

    /// How many jobs are taken until the watched one is, which is the last of these. 0 if it is not queued.
    pub fn position(&self) -> Int {
        let Fields { workers_queue, workers_position, submit_position, .. } = self.machine.fields();
        workers_position + Int::choose(submit_position.is_positive(), workers_queue + submit_position, 0)
    }

    /// The most jobs that may run beside each other, unless they are blocked.
    pub fn max_running(&self) -> Int {
        let Fields { state, max, .. } = self.machine.fields();
        if state == PoolState::Draining { max.max(1) } else { max }
    }

    /// The most active workers there may be.
    pub fn limit(&self) -> Int {
        let compensates = Int::from(2).at_most(self.machine.fields().max) | self.for_one;
        let extra = Int::choose(compensates, self.most_extra, 0);
        (self.max_running() + self.places.blocked.min(extra)).min(Int::GREATEST)
    }

    pub fn active(&self) -> Int {
        self.machine.fields().live - self.places.exiting
    }

    /// So many active workers are there too many.
    pub fn over_limit(&self) -> Int {
        (self.active() - self.limit()).max(0)
    }

    pub fn is_serving(&self) -> bool {
        matches!(self.machine.fields().state, PoolState::Running | PoolState::Draining)
    }

    /// Every worker is blocked, and no thread may be spawned.
    pub fn is_saturated(&self) -> Condition {
        let live = self.machine.fields().live;
        live.is_positive() & self.places.blocked.equals(live) & self.limit().at_most(live) & self.is_serving()
    }

    /// Somebody owes what a transition returned.
    pub fn owe(&mut self, wakeups: Wakeups) {
        let Wakeups { wake, spawn, submitters, report_saturation } = wakeups;
        if wake.is_some() {
            // Whom the machine has taken off its list: one with a timeout, or one without.
            let untimed = self.places.asleep_untimed - self.machine.fields().asleep_untimed;
            self.places.asleep_untimed = self.places.asleep_untimed - untimed;
            self.places.asleep_timed = self.places.asleep_timed - 1 + untimed;
            self.places.named = self.places.named + 1;
        }
        let spawned = spawn.count.0.is_positive();
        self.places.to_spawn = self.places.to_spawn + spawn.count.0;
        self.places.spawners = self.places.spawners + Int::choose(spawned, 1, 0);
        match submitters {
            Notify::Nobody => {}
            Notify::One => self.places.notify_one = self.places.notify_one + 1,
            Notify::All => self.places.notify_all = self.places.notify_all + 1,
        }
        let Fields { live, starting, min, .. } = self.machine.fields();
        prove("no thread is spawned beyond the limit", spawned.implies(live.at_most(self.limit())));
        prove(
            "no thread is spawned that neither the jobs nor the minimum need",
            (spawned & min.less(live)).implies(starting.at_most(self.queued().max(1))),
        );
        if report_saturation {
            prove("saturation is reported only where it is true", self.is_saturated() & self.queued().is_positive());
        }
    }

    /// A worker that is at no place asks for its next action, under one hold of the locks.
    pub fn asks_next(&mut self, may_search: bool) {
        let action = match self.machine.workers.next_job() {
            Some((job, wakeups)) => WorkerAction::Run(job, wakeups),
            None => {
                let hint = WorkerHint { slot: 0, may_search, expired: choose("its keep-alive has passed") };
                next_action(&mut self.machine.workers, &mut self.machine.submit_queue, hint)
            }
        };
        match action {
            WorkerAction::Run(_, wakeups) => {
                self.places.running = self.places.running + 1;
                self.owe(wakeups);
                prove(
                    "no job begins while as many run as the maximum allows",
                    self.places.running.at_most(self.max_running()),
                );
            }
            WorkerAction::Search => self.places.searching = self.places.searching + 1,
            WorkerAction::Sleep { timed } => {
                let place = if timed { &mut self.places.asleep_timed } else { &mut self.places.asleep_untimed };
                *place = *place + 1;
                prove("nobody sleeps beside a job", self.queued().is_zero());
            }
            WorkerAction::Exit(wakeups) => {
                self.places.exiting = self.places.exiting + 1;
                self.owe(wakeups);
                if self.machine.fields().state == PoolState::Running {
                    let min = self.machine.fields().min;
                    prove("nobody exits whom the minimum needs", min.at_most(self.active()));
                }
            }
        }
    }

    /// The stop is announced, with this transition, if it says so.
    pub fn announce(&mut self, stopped: bool) {
        self.stop_announced = self.stop_announced | stopped;
    }

    /// Everything by its name, with these values of the unknowns.
    pub fn values(&self, model: &Model) -> Vec<(&'static str, String)> {
        let fields = self.machine.fields();
        let mut all = vec![
            ("state", format!("{:?}", fields.state)),
            ("wake_not_needed", fields.wake_not_needed.to_string()),
            ("saturation_reported", fields.saturation_reported.to_string()),
            ("a spawn has failed", self.spawn_has_failed.holds(model).to_string()),
            ("started lazily", self.is_lazy.holds(model).to_string()),
            ("stop announced", self.stop_announced.holds(model).to_string()),
        ];
        let mut number = |name, int: Int| all.push((name, int.value(model).to_string()));
        number("minimum", fields.min);
        number("maximum", fields.max);
        number("limit", self.limit());
        number("live", fields.live);
        number("sleepers up to the last without a timeout", fields.asleep_untimed_until);
        number("workers' queue", fields.workers_queue);
        number("submit queue", fields.submit_queue);
        number("position of the watched job", self.position());
        if self.is_bounded.holds(model) {
            number("bound", self.bound);
            number("free_slots", fields.free_slots);
        }
        for (name, int) in self.places.named() {
            number(name, int);
        }
        all
    }
}

fn any_state() -> PoolState {
    match (choose("the pool was stopped"), choose("it has gone on since")) {
        (false, false) => PoolState::Unstarted,
        (false, true) => PoolState::Running,
        (true, false) => PoolState::Draining,
        (true, true) => PoolState::Stopped,
    }
}

/// Counts are from zero to the greatest machine integer. Threads and jobs are in memory, so fewer than half of those
/// numbers exist: that is assumed of the world, and not kept by the machine.
fn in_machine_integers(places: &Places, fields: &Fields, bound: Int, is_unbounded: bool, most_extra: Int) -> Condition {
    let queued = fields.workers_queue + fields.submit_queue;
    let counts =
        [fields.live, fields.max, bound, fields.free_slots, most_extra].map(|count| count.at_most(Int::GREATEST));
    let own = [fields.min, fields.max, fields.workers_queue, fields.submit_queue, fields.free_slots, bound, most_extra];
    let nobody_negative = (places.named().into_iter()).map(|(_, count)| Int::ZERO.at_most(count)).collect::<Vec<_>>();
    let threads = places.threads() + places.callers();
    let exist = [queued, threads].map(|count| (count * 2).at_most(Int::GREATEST));
    Condition::all(
        (counts.into_iter())
            .chain(own.map(|count| Int::ZERO.at_most(count)))
            .chain(nobody_negative)
            .chain(exist)
            .chain([Int::from(65_535).at_most(Int::GREATEST), bound.less(Int::GREATEST) | is_unbounded]),
    )
}
