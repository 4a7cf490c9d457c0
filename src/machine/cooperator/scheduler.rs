//! The state machine of a cooperator's scheduler: whether the cooperator runs, and whether a tick is to come.

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

/// Whether a cooperator runs, and whether a tick is to come. Each transition returns whether the caller has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scheduler {
    /// Started, and not stopped since.
    running: bool,
    /// Stopped, and not started since. Before the first start neither this nor `running` is set.
    stopped: bool,
    tick: Tick,
}

impl Scheduler {
    pub(crate) const fn new(running: bool) -> Self {
        Self { running, stopped: false, tick: Tick::None }
    }

    /// A task was appended to the run queue. True: set a timer for the next tick.
    #[must_use]
    pub(crate) fn task_queued(&mut self) -> bool {
        self.schedule(true)
    }

    /// Starts it; `any_ready` says whether there is a task in the run queue. True: set a timer.
    #[must_use]
    pub(crate) fn start(&mut self, any_ready: bool) -> bool {
        (self.running, self.stopped) = (true, false);
        self.schedule(any_ready)
    }

    /// Stops it. True: cancel the timer.
    #[must_use]
    pub(crate) fn stop(&mut self) -> bool {
        (self.running, self.stopped) = (false, true);
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

    /// The timer was dropped uncalled. True: it was not dropped by `stop`, so the reactor has ended: end every task.
    #[must_use]
    pub(crate) fn timer_dropped(&mut self) -> bool {
        let lost = self.tick == Tick::Scheduled;
        if lost {
            let _ = self.stop();
        }
        lost
    }

    pub(crate) fn is_running(self) -> bool {
        self.running
    }

    /// Stopped: tasks that are added end at once.
    pub(crate) fn is_stopped(self) -> bool {
        self.stopped
    }

    fn schedule(&mut self, any_ready: bool) -> bool {
        let needed = any_ready && self.running && self.tick == Tick::None;
        if needed {
            self.tick = Tick::Scheduled;
        }
        needed
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match (self.running, self.stopped, self.tick) {
            (_, _, Tick::Running) => "Ticking",
            (_, _, Tick::Scheduled) => "Scheduled",
            (true, _, Tick::None) => "Idle",
            (false, true, Tick::None) => "Stopped",
            (false, false, Tick::None) => "Unstarted",
        }
    }
}
