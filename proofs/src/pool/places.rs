//! Where the pool's threads and its callers are: how many are at each place.
//!
//! Threads at the same place are interchangeable for the machine, so a state says only how many there are. A step moves
//! one or several from place to place while it runs a transition that ships.

use crate::symbol::Int;

macro_rules! places {
    ($($(#[$doc:meta])* $place:ident: $name:literal,)*) => {
        /// How many are at each place.
        #[derive(Debug, Clone, Copy)]
        pub struct Places {
            $($(#[$doc])* pub $place: Int,)*
        }

        impl Places {
            /// Any number at each.
            pub fn any() -> Self {
                Self { $($place: Int::unknown($name),)* }
            }

            /// Nobody anywhere.
            pub fn nobody() -> Self {
                Self { $($place: Int::ZERO,)* }
            }

            pub fn named(&self) -> Vec<(&'static str, Int)> {
                vec![$(($name, self.$place),)*]
            }
        }
    };
}

places! {
    // Threads of the pool.
    /// Of all who spawn threads, so many are left to be spawned.
    to_spawn: "threads to be spawned",
    /// Who is about to spawn the next thread, which has its number.
    spawners: "spawners with a numbered thread",
    /// Who has to ask for the next thread's number.
    unnumbered: "spawners that ask for a number",
    starting: "starting",
    start_hooks: "in start hooks",
    /// Have been woken, and wake the next before they ask for their next action.
    passing_on: "pass a wake on",
    searching: "searching",
    asleep_untimed: "asleep without a timeout",
    asleep_timed: "asleep with a timeout",
    /// Taken off the list of sleepers; their notify is owed.
    named: "named, not notified",
    /// Taken off the list of sleepers; their wait is over.
    notified: "notified",
    /// Notifies that are owed to workers whose wait was over before.
    late_notifies: "late notifies",
    running: "running a job",
    blocked: "blocked",
    exiting: "exiting",
    // Threads of the program, or of the pool, that owe something.
    /// Have submitted, and must call `wake_or_spawn`.
    owe_wake: "owe wake_or_spawn",
    /// Refuse jobs that were handed out.
    refusing: "refuse jobs",
    /// Notifies of one waiting submitter.
    notify_one: "notifies of one submitter",
    /// Notifies of all waiting submitters.
    notify_all: "notifies of all submitters",
    /// Found the submit queue full, and take both locks next.
    found_full: "found the queue full",
    /// Wait for a free slot.
    waiting: "wait for a slot",
    /// Their wait is over, and they take both locks next.
    trying_again: "try again for a slot",
}

impl Places {
    /// Workers in the list of sleepers.
    pub fn asleep(&self) -> Int {
        self.asleep_untimed + self.asleep_timed
    }

    /// Idle workers that are not in the list any more.
    pub fn woken(&self) -> Int {
        self.named + self.notified
    }

    /// Threads that exist and are in the pool.
    pub fn threads(&self) -> Int {
        self.starting
            + self.start_hooks
            + self.passing_on
            + self.searching
            + self.asleep()
            + self.woken()
            + self.running
            + self.blocked
            + self.exiting
    }

    /// Threads that are on their way into the pool's machine from outside, or in it.
    pub fn callers(&self) -> Int {
        self.owe_wake + self.refusing + self.found_full + self.waiting + self.trying_again
    }
}
