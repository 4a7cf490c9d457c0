//! The inbox with its loop and its posters, what holds of them in every state, and what each step of theirs lowers.

use super::steps::STEPS;
use crate::claim::Describe;
use crate::events::inbox::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::count::Count;
use crate::machine::inbox::{Inbox, LoopState};
use crate::machine::view::{Calls, InboxFields, inbox, inbox_fields};
use crate::symbol::{Condition, Int, Model};

/// What the loop is about to do, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    /// Takes all calls next.
    Takes,
    /// Has run a batch, and parks next.
    Parks,
    /// Waits to be woken, in the inbox or in its host.
    Waits,
    /// Its wait is over, and it has not taken the lock since.
    WaitOver,
    /// Has closed the inbox.
    Ended,
}

/// An inbox with all who use it.
#[derive(Clone)]
pub struct World {
    pub machine: Inbox<Calls>,
    pub bound: Int,
    pub consumer: Loop,
    /// Posters that owe the loop a wake.
    pub owe_wake: Int,
    /// Wakes that were owed since the loop fell asleep.
    pub wakes: Int,
    /// Notifies of all waiting posters that the loop owes.
    pub notify_all: Int,
    /// Posters that wait for a slot.
    pub waiting: Int,
    /// Posters whose wait is over, and who take the lock next.
    pub trying_again: Int,
}

impl World {
    pub fn fields(&self) -> InboxFields {
        inbox_fields(&self.machine)
    }

    /// The bound is a machine integer. Calls and posters are in memory, so fewer than half of those numbers exist.
    fn is_in_memory(&self) -> Condition {
        let exist = self.fields().calls + self.waiting + self.trying_again;
        let is_count = Int::ZERO.at_most(self.bound) & self.bound.at_most(Int::GREATEST);
        is_count & (exist * 2).less(Int::GREATEST) & Int::from(65_535).at_most(Int::GREATEST)
    }
}

impl World {
    /// Nobody goes on.
    fn prove_done(&self) {
        let fields = self.fields();
        prove("every call that was accepted was taken", fields.calls.is_zero());
        prove("nobody waits for a slot unless none will ever be", self.waiting.is_zero() | self.bound.is_zero());
        prove("a loop that waits is asleep, so that the next call wakes it", {
            fields.state == LoopState::Asleep || self.consumer == Loop::Ended
        });
    }
}

impl induction::World for World {
    const NAME: &'static str = "inbox";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] =
        &[Rest { name: "at rest", ended: &[Kind::Own], provided: |_| Condition::TRUE, prove: Self::prove_done }];

    fn any() -> Option<Self> {
        let state = match (choose("a wait began"), choose("it went on")) {
            (false, false) => LoopState::Awake,
            (true, false) => LoopState::Asleep,
            (true, true) => LoopState::Woken,
            (false, true) => LoopState::Closed,
        };
        let consumer = match state {
            LoopState::Closed => Loop::Ended,
            LoopState::Awake if choose("the loop parks next") => Loop::Parks,
            LoopState::Awake => Loop::Takes,
            LoopState::Asleep | LoopState::Woken if choose("the loop's wait is over") => Loop::WaitOver,
            LoopState::Asleep | LoopState::Woken => Loop::Waits,
        };
        let bound = Int::unknown("bound");
        let fields = InboxFields {
            state,
            calls: Int::unknown("calls"),
            within_bound: Int::unknown("calls within the bound"),
            waiting_posters: Int::unknown("waiting_posters"),
        };
        let world = Self {
            machine: inbox(fields, bound),
            bound,
            consumer,
            owe_wake: Int::unknown("posters that owe a wake"),
            wakes: Int::unknown("wakes since the loop fell asleep"),
            notify_all: Int::unknown("notifies of all posters"),
            waiting: Int::unknown("posters that wait for a slot"),
            trying_again: Int::unknown("posters that try again"),
        };
        assume(world.is_in_memory())?;
        Some(world)
    }

    fn new() -> Option<Self> {
        let any = Self::any()?;
        Some(Self {
            machine: Inbox::new(Count(any.bound)),
            consumer: Loop::Takes,
            owe_wake: Int::ZERO,
            wakes: Int::ZERO,
            notify_all: Int::ZERO,
            waiting: Int::ZERO,
            trying_again: Int::ZERO,
            ..any
        })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let InboxFields { state, calls, within_bound, waiting_posters } = self.fields();
        let counts = [self.owe_wake, self.wakes, self.notify_all, self.waiting, self.trying_again];
        let in_state = |is: LoopState, what: Condition| what | (state != is);
        let is_waiting = self.consumer == Loop::Waits;
        let is_open = state != LoopState::Closed;
        vec![
            ("nobody leaves a place where nobody is", Condition::all(counts.map(|count| Int::ZERO.at_most(count)))),
            ("waiting_posters counts those that wait", waiting_posters.equals(self.waiting + self.trying_again)),
            ("the inbox knows what its loop does", {
                let is_known = match self.consumer {
                    Loop::Takes | Loop::Parks => state == LoopState::Awake,
                    Loop::Waits | Loop::WaitOver => matches!(state, LoopState::Asleep | LoopState::Woken),
                    Loop::Ended => !is_open,
                };
                is_known.into()
            }),
            ("nobody sleeps beside a call unless a wake was owed", in_state(LoopState::Asleep, calls.is_zero())),
            ("whoever owes a loop its wake has not carried it out", {
                in_state(LoopState::Woken, self.owe_wake.is_positive() | !is_waiting)
            }),
            ("a sleep costs one wake at most", {
                let owed = Int::from(state == LoopState::Woken);
                self.wakes.equals(owed) | !matches!(self.consumer, Loop::Waits | Loop::WaitOver)
            }),
            ("a closed inbox holds no calls", in_state(LoopState::Closed, calls.is_zero())),
            ("posters within the bound leave no more calls than it allows", {
                Int::ZERO.at_most(within_bound) & within_bound.at_most(self.bound) & within_bound.at_most(calls)
            }),
            ("whoever waits for a slot waits because there is none, or is notified", {
                let waits_on = self.waiting.is_positive() & self.notify_all.is_zero();
                waits_on.implies(self.bound.at_most(calls) & is_open)
            }),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        let calls = self.fields().calls;
        let posters = self.waiting + self.trying_again;
        let to_be_done = match self.consumer {
            Loop::WaitOver => Int::from(4),
            Loop::Parks => Int::choose(calls.is_positive(), 3, 1),
            Loop::Takes => Int::from(2),
            Loop::Waits | Loop::Ended => Int::ZERO,
        };
        vec![calls + posters, posters, self.owe_wake, to_be_done, self.notify_all, self.trying_again]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let InboxFields { state, calls, within_bound, waiting_posters } = self.fields();
        let number = |int: Int| int.value(model).to_string();
        vec![
            ("state", format!("{state:?}")),
            ("the loop", format!("{:?}", self.consumer)),
            ("bound", number(self.bound)),
            ("calls", number(calls)),
            ("of these, within the bound", number(within_bound)),
            ("waiting_posters", number(waiting_posters)),
            ("owe the loop a wake", number(self.owe_wake)),
            ("wakes since the loop fell asleep", number(self.wakes)),
            ("notifies of all posters", number(self.notify_all)),
            ("wait for a slot", number(self.waiting)),
            ("try again for a slot", number(self.trying_again)),
        ]
    }
}
