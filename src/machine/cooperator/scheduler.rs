//! The state machine of a cooperator's scheduler: whether the cooperator runs, and whether a tick is to come.

use super::task::EndReason;

/// Whether a tick of the cooperator is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tick {
    /// No timer is set.
    None,
    /// A timer is set, so there is a task in the run queue.
    Scheduled,
    /// A tick is under way.
    Running,
}

/// Whether tasks are stepped, wait to be stepped, or end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mode {
    /// Not started. Tasks may be added, and wait.
    Unstarted,
    /// Started, and not stopped since.
    Running,
    /// Stopped, and not started since. Tasks that are added end at once.
    Stopped,
    /// The reactor has ended. Tasks that are added end at once. Never left.
    Ended,
}

/// Whether a cooperator runs, and whether a tick is to come. Each transition returns whether the caller has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scheduler {
    mode: Mode,
    tick: Tick,
}

impl Scheduler {
    pub(crate) const fn new(running: bool) -> Self {
        Self { mode: if running { Mode::Running } else { Mode::Unstarted }, tick: Tick::None }
    }

    /// A task was appended to the run queue. True: set a timer for the next tick.
    #[must_use]
    pub(crate) fn task_queued(&mut self) -> bool {
        self.schedule(true)
    }

    /// Starts it, unless the reactor has ended; `any_ready` says whether there is a task in the run queue. True: set a
    /// timer.
    #[must_use]
    pub(crate) fn start(&mut self, any_ready: bool) -> bool {
        if self.mode != Mode::Ended {
            self.mode = Mode::Running;
        }
        self.schedule(any_ready)
    }

    /// Stops it: all tasks are to end. True: cancel the timer.
    #[must_use]
    pub(crate) fn stop(&mut self) -> bool {
        if self.mode != Mode::Ended {
            self.mode = Mode::Stopped;
        }
        self.queue_emptied()
    }

    /// The reactor has ended: all tasks are to end. True: cancel the timer.
    #[must_use]
    pub(crate) fn reactor_ended(&mut self) -> bool {
        self.mode = Mode::Ended;
        self.queue_emptied()
    }

    /// The run queue has become empty. True: cancel the timer.
    #[must_use]
    pub(crate) fn queue_emptied(&mut self) -> bool {
        let scheduled = self.tick == Tick::Scheduled;
        if scheduled {
            self.tick = Tick::None;
        }
        scheduled
    }

    /// The timer has fired. False: it was stopped meanwhile.
    #[must_use]
    pub(crate) fn begin_tick(&mut self) -> bool {
        let due = self.tick == Tick::Scheduled;
        if due {
            self.tick = Tick::Running;
        }
        due
    }

    /// True: set a timer for the next tick.
    #[must_use]
    pub(crate) fn tick_ended(&mut self, any_ready: bool) -> bool {
        self.tick = Tick::None;
        self.schedule(any_ready)
    }

    pub(crate) fn is_running(self) -> bool {
        self.mode == Mode::Running
    }

    /// Why a task that would become ready ends instead. `None`: it does not.
    pub(crate) fn refusal(self) -> Option<EndReason> {
        match self.mode {
            Mode::Unstarted | Mode::Running => None,
            Mode::Stopped => Some(EndReason::SchedulerStopped),
            Mode::Ended => Some(EndReason::ReactorStopped),
        }
    }

    fn schedule(&mut self, any_ready: bool) -> bool {
        let needed = any_ready && self.is_running() && self.tick == Tick::None;
        if needed {
            self.tick = Tick::Scheduled;
        }
        needed
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match (self.mode, self.tick) {
            (Mode::Ended, Tick::Running) => "Ticking, ended",
            (Mode::Ended, _) => "Ended",
            (_, Tick::Running) => "Ticking",
            (_, Tick::Scheduled) => "Scheduled",
            (Mode::Running, Tick::None) => "Idle",
            (Mode::Stopped, Tick::None) => "Stopped",
            (Mode::Unstarted, Tick::None) => "Unstarted",
        }
    }
}
