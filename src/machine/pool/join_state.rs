//! The end of a pool's threads: which of them is still to be joined, by whom, and whether all have been.
//!
//! A worker makes its last transition in the pool's machine; then destructors of thread-locals run on its thread, which
//! are user code and may take any time; then the thread [ends](JoinState::ended) here. It leaves its own handle, and
//! takes that of the thread which ended before it, which it joins. So at most one thread has ended and is not joined,
//! however many come and go, and nobody else waits for a thread.
//!
//! When the pool is [drained](JoinState::drained) and all its threads have ended, the last handle is left. A caller
//! that waits without a time limit joins it. Others must not wait for a thread of the pool: for them a *closing thread*
//! is spawned, which joins the last thread, leaves its own handle, and says so. It has run nothing but that join, so
//! those who wait for the end can join it without waiting for user code. If one whom it tells has a host, whose hook is
//! user code, it leaves no handle: nobody joins it.

/// What the pool's threads have come to. It only ever moves down this list, except that a handle may be left
/// ([`Left`](Self::Left)) and be joined again ([`Joining`](Self::Joining)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stage {
    /// Workers may come.
    Open,
    /// The pool has neither jobs nor workers, and none will come. Threads may still run destructors.
    Drained,
    /// All have ended, and somebody joins the last, or the closing thread.
    Joining,
    /// The closing thread has joined the last, and left its own handle. (Or it could not be spawned, and the last
    /// thread's handle is left.)
    Left,
    /// All threads are joined.
    Joined,
}

/// Which threads of a pool are still to be joined, and whether all have been. `H` is the handle of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct JoinState<H> {
    stage: Stage,
    /// Threads that were spawned, or are about to be, and have not ended.
    threads: usize,
    /// The handle of the thread that ended last, unless somebody joins it.
    last: Option<H>,
    /// Somebody who does not wait is to be told of the end.
    awaited: bool,
}

/// What is owed once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndAction<H> {
    Nothing,
    /// Wake those who wait: one of them has something to do.
    Wake,
    /// Spawn the closing thread, which joins this one. Then it is [`closed`](JoinState::closed), or
    /// [`not_closed`](JoinState::not_closed) if it could not be spawned.
    Close(H),
    /// The pool has ended: wake those who wait, and tell those who do not.
    Announce,
}

/// What a caller does that waits for the end.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndWait<H> {
    /// Wait to be woken, and look again.
    Sleep,
    /// Join this thread, then say that it is [`joined`](JoinState::joined).
    Join(H),
    /// As [`EndAction::Close`]; then look again.
    Close(H),
    /// Return: all threads are joined.
    Return,
}

impl<H> JoinState<H> {
    pub(crate) fn new() -> Self {
        Self { stage: Stage::Open, threads: 0, last: None, awaited: false }
    }

    /// A thread is about to be spawned.
    pub(crate) fn spawn(&mut self) {
        self.threads += 1;
    }

    /// It could not be spawned. The pool is not drained yet: its machine still counts the worker.
    pub(crate) fn spawn_failed(&mut self) {
        self.threads -= 1;
    }

    /// A thread ends, after all destructors of its thread-locals. `drains`: its worker was the pool's last, so the pool
    /// is drained with this. The thread carries out the action, and joins the thread that is returned.
    pub(crate) fn ended(&mut self, own: H, drains: bool) -> (Option<H>, EndAction<H>) {
        self.threads -= 1;
        let previous = self.last.replace(own);
        if drains && self.stage == Stage::Open {
            self.stage = Stage::Drained;
        }
        (previous, self.check_ended())
    }

    /// The pool has neither jobs nor workers, and none will come. May be said again.
    pub(crate) fn drained(&mut self) -> EndAction<H> {
        if self.stage > Stage::Open {
            return EndAction::Nothing;
        }
        self.stage = Stage::Drained;
        self.check_ended()
    }

    /// Somebody who does not wait wants to be told of the end.
    pub(crate) fn request(&mut self) -> EndAction<H> {
        self.awaited = true;
        match self.stage {
            Stage::Open | Stage::Joining => EndAction::Nothing,
            Stage::Drained => self.check_ended(),
            Stage::Left | Stage::Joined => EndAction::Announce,
        }
    }

    /// A caller waits for the end, and looks, at first and after each wake. `limited`: it waits for a limited time, so
    /// it must not wait for a thread of the pool.
    pub(crate) fn wait(&mut self, limited: bool) -> EndWait<H> {
        match self.stage {
            Stage::Drained if self.threads == 0 => self.join(if limited { EndWait::Close } else { EndWait::Join }),
            Stage::Left => self.join(EndWait::Join),
            Stage::Joined => EndWait::Return,
            Stage::Open | Stage::Drained | Stage::Joining => EndWait::Sleep,
        }
    }

    /// Somebody who has been told of the end takes what is left to be joined.
    #[must_use]
    pub(crate) fn take_left(&mut self) -> Option<H> {
        if self.stage != Stage::Left {
            return None;
        }
        self.stage = Stage::Joining;
        self.last.take()
    }

    /// The closing thread has joined the last thread, and leaves its own handle; none, if it is about to wake a host.
    pub(crate) fn closed(&mut self, own: Option<H>) -> EndAction<H> {
        match own {
            Some(own) => self.leave(own),
            None => self.joined(),
        }
    }

    /// The closing thread could not be spawned: whoever waits joins the last thread.
    pub(crate) fn not_closed(&mut self, last: H) -> EndAction<H> {
        self.leave(last)
    }

    /// The thread that was taken to be joined has been joined, or nobody is to join it.
    pub(crate) fn joined(&mut self) -> EndAction<H> {
        self.stage = Stage::Joined;
        EndAction::Announce
    }

    /// Whether the pool is drained and all its threads have ended: no code of the program runs on any of them.
    pub(crate) fn has_ended(&self) -> bool {
        self.stage > Stage::Open && self.threads == 0
    }

    /// How many threads end, of a pool that has so many live workers: those that run destructors, and one if somebody
    /// joins the last.
    pub(crate) fn ending(&self, live: usize) -> usize {
        self.threads.saturating_sub(live) + usize::from(self.stage == Stage::Joining)
    }

    /// The name of its state, for the table.
    #[cfg(test)]
    pub(in crate::machine) fn stage_label(&self) -> &'static str {
        match (self.stage, self.threads > 0, self.last.is_some()) {
            (Stage::Open, _, false) => "Open",
            (Stage::Open, _, true) => "Open: one to join",
            (Stage::Drained, true, _) => "Drained: threads end",
            (Stage::Drained, false, _) => "Drained: one to join",
            (Stage::Joining, ..) => "Joining",
            (Stage::Left, ..) => "Left",
            (Stage::Joined, ..) => "Joined",
        }
    }

    fn check_ended(&mut self) -> EndAction<H> {
        if self.stage != Stage::Drained || self.threads > 0 {
            return EndAction::Nothing;
        }
        match self.last.take() {
            None => self.joined(),
            Some(last) if self.awaited => {
                self.stage = Stage::Joining;
                EndAction::Close(last)
            }
            last => {
                self.last = last;
                EndAction::Wake
            }
        }
    }

    fn join(&mut self, how: fn(H) -> EndWait<H>) -> EndWait<H> {
        match self.last.take() {
            Some(last) => {
                self.stage = Stage::Joining;
                how(last)
            }
            // Never happens: a handle is left in each stage that asks.
            None => EndWait::Sleep,
        }
    }

    fn leave(&mut self, handle: H) -> EndAction<H> {
        self.last = Some(handle);
        self.stage = Stage::Left;
        EndAction::Announce
    }
}

#[cfg(test)]
mod tests {
    use super::{EndAction, JoinState};

    // Checks: P88, P56
    #[test]
    fn a_thread_ends_from_its_workers_last_transition_until_it_is_joined() {
        let mut state = JoinState::new();
        assert_eq!(state.ending(0), 0);
        state.spawn();
        assert_eq!((state.ending(2), state.ending(1)), (0, 0), "it is about to start, or runs");
        assert_eq!(state.ending(0), 1, "destructors run");
        assert_eq!(state.request(), EndAction::Nothing);
        assert_eq!(state.ended("worker", true), (None, EndAction::Close("worker")));
        assert_eq!(state.ending(0), 1, "it is being joined");
        assert_eq!(state.closed(Some("closing")), EndAction::Announce);
        assert_eq!(state.ending(0), 0);
    }
}
