//! The inbox: calls posted from any thread, in one total order, to one loop. A shell around `machine::inbox`.
//!
//! The loop sleeps in `wait`, or it is hosted: it parks with `park` and goes back to its host, until its next turn
//! calls `resume`. Then the one wake that is owed to a sleep is a call of the host's hook.

use std::fmt;
use std::time::Duration;

use super::cache_padded::CachePadded;
use super::deadline::{Epoch, WhenFull};
use super::sync::{Condvar, Hint, Mutex, MutexGuard, Spin, pause, trace};
use super::wake_hook::WakeHook;
use crate::error::Rejection;
use crate::machine::inbox::{self as machine, LoopWake, Park, PostError, Slot};
pub use crate::machine::inbox::{CallQueue, PushCall};

/// A batch is large if it has more calls than this: somebody posts faster than the loop takes.
const LARGE_BATCH: usize = 4;

/// How long the loop pauses after a large batch before it looks whether more was posted: some microseconds.
const GATHER_PAUSES: u32 = 128;

/// How often it pauses at most before it takes the next batch.
const GATHER_ROUNDS: u32 = 8;

/// The inbox, shared by all who post and the one loop that takes. `Q` holds the calls; it may be a `Vec`.
pub struct Inbox<Q> {
    state: Mutex<machine::Inbox<Q>>,
    /// The loop waits here, with `state`, while the inbox is empty.
    wake: Condvar,
    /// Posters wait here, with `state`, while the inbox is full.
    not_full: Condvar,
    /// Hint: something was posted since the loop last took all calls. A poster sets it before it unlocks, while its
    /// core has this cache line anyway.
    maybe_nonempty: Hint,
    consumer: CachePadded<ConsumerState>,
    /// Wakes the loop's host, if it has one.
    on_wake: Option<Box<WakeHook>>,
}

/// What only the loop writes: on a cache line of its own.
struct ConsumerState {
    /// The last batch was a large one, so posters are faster than the loop.
    last_batch_large: Hint,
    spin: Spin,
}

impl<Q: CallQueue> Inbox<Q> {
    /// An open inbox with an awake loop.
    #[allow(clippy::new_without_default)]
    #[allow(dead_code, reason = "models and properties have an inbox of their own")]
    #[must_use]
    pub fn new() -> Self {
        Self::bounded(usize::MAX)
    }

    /// An open inbox in which [`post_bounded`](Self::post_bounded) accepts a call only while fewer than `bound` are
    /// queued.
    #[must_use]
    pub fn bounded(bound: usize) -> Self {
        Self {
            state: Mutex::new(machine::Inbox::new(bound)),
            wake: Condvar::new(),
            not_full: Condvar::new(),
            maybe_nonempty: Hint::default(),
            consumer: CachePadded(ConsumerState { last_batch_large: Hint::default(), spin: Spin::new() }),
            on_wake: None,
        }
    }

    /// The same for a hosted loop.
    pub(crate) fn hosted(self, on_wake: WakeHook) -> Self {
        Self { on_wake: Some(Box::new(on_wake)), ..self }
    }

    /// How many calls wait.
    pub fn queued(&self) -> usize {
        self.state.lock().queued()
    }

    /// Posts a call and wakes the loop if it sleeps. A closed inbox hands the call back.
    ///
    /// # Errors
    /// The call, if the inbox is closed.
    pub fn post<C>(&self, call: C) -> Result<(), C>
    where
        Q: PushCall<C>,
    {
        self.post_locked(self.state.lock_spinning(), call)
    }

    #[inline]
    fn post_locked<C>(&self, mut state: MutexGuard<'_, machine::Inbox<Q>>, call: C) -> Result<(), C>
    where
        Q: PushCall<C>,
    {
        let wake = state.post(call)?;
        trace::call::<C>("posts");
        self.notify(state, wake);
        Ok(())
    }

    /// Posts a call if the inbox is not full. `when_full` says what to do if it is.
    ///
    /// # Errors
    /// The call, and why it was not taken.
    pub fn post_bounded<C>(&self, call: C, when_full: WhenFull) -> Result<(), (C, Rejection)>
    where
        Q: PushCall<C>,
    {
        let mut state = self.state.lock_spinning();
        match state.post_bounded(call) {
            Ok(wake) => {
                trace::call::<C>("posts");
                self.notify(state, wake);
                Ok(())
            }
            Err(PostError::Closed(call) | PostError::Full(call)) => self.post_to_free_slot(state, call, when_full),
        }
    }

    /// Posts a call that was refused, as soon as there is a slot for it.
    #[cold]
    #[inline(never)]
    fn post_to_free_slot<'a, C>(
        &'a self,
        state: MutexGuard<'a, machine::Inbox<Q>>,
        call: C,
        when_full: WhenFull,
    ) -> Result<(), (C, Rejection)>
    where
        Q: PushCall<C>,
    {
        match self.wait_for_slot(state, when_full) {
            Ok(free) => self.post_locked(free, call).map_err(|call| (call, Rejection::ReactorStopped)),
            Err(why) => Err((call, why)),
        }
    }

    /// A call was refused. Waits for a free slot as `when_full` says, and returns the lock under which there is one.
    ///
    /// It does not know the call, so that a program has this code once.
    #[cold]
    fn wait_for_slot<'a>(
        &'a self,
        mut state: MutexGuard<'a, machine::Inbox<Q>>,
        when_full: WhenFull,
    ) -> Result<MutexGuard<'a, machine::Inbox<Q>>, Rejection> {
        let deadline = when_full.deadline(Epoch::default());
        loop {
            match (state.slot(), deadline) {
                (Slot::Free, _) => return Ok(state),
                (Slot::Closed, _) => return Err(Rejection::ReactorStopped),
                (Slot::None, None) => return Err(Rejection::InboxFull),
                (Slot::None, Some(deadline)) if deadline.has_passed(Epoch::default()) => {
                    return Err(Rejection::TimedOut);
                }
                (Slot::None, Some(deadline)) => {
                    state.begin_slot_wait();
                    state = self.not_full.wait_for(state, deadline.remaining());
                    state.end_slot_wait();
                }
            }
        }
    }

    /// Carries out what a post asks for: releases the lock, then wakes the loop if it sleeps.
    #[inline]
    fn notify(&self, state: MutexGuard<'_, machine::Inbox<Q>>, wake: LoopWake) {
        // The hint is set while this core still has the lock's cache line.
        self.maybe_nonempty.set(true);
        drop(state);
        if wake == LoopWake::Needed {
            self.wake_loop();
        }
    }

    /// The one wake that is owed to a loop which fell asleep, in `wait` or hosted.
    fn wake_loop(&self) {
        let hook = self.on_wake.as_ref();
        if !hook.is_some_and(|hook| hook.call()) {
            self.wake.notify_one();
        }
    }

    /// Takes all posted calls into `batch`, which must be empty; its memory is used for later calls.
    pub fn take(&self, batch: &mut Q) {
        let mut state = self.state.lock();
        state.take(batch);
        self.maybe_nonempty.set(false);
        let posters_wait = state.has_waiting_posters();
        drop(state);
        if posters_wait {
            self.not_full.notify_all();
        }
        self.consumer.last_batch_large.set(batch.len() > LARGE_BATCH);
    }

    /// Waits until something is posted or the timeout passes. It may return spuriously.
    pub fn wait(&self, timeout: Option<Duration>) {
        let mut state = self.state.lock();
        if state.park() == Park::Sleep {
            trace::other("sleeps", || "in the loop".into());
            // `park` and the wait share one hold of the lock, which the wait releases as it begins to sleep. So a call
            // comes before `park`, which finds it, or its poster finds the loop asleep and wakes it.
            state = self.wake.wait_for(state, timeout);
            state.resume();
        }
    }

    /// Whether the loop has a hook, which wakes its host.
    pub(crate) fn is_hosted(&self) -> bool {
        self.on_wake.is_some()
    }

    /// Whether a post may call the hook.
    pub(crate) fn calls_hook(&self) -> bool {
        self.on_wake.as_ref().is_some_and(|hook| !hook.is_retired())
    }

    /// A hosted loop falls asleep: the next post calls its hook. False if there are calls to take, or if it is closed.
    pub(crate) fn park(&self) -> bool {
        self.state.lock().park() == Park::Sleep
    }

    /// A hosted loop is turned again.
    pub(crate) fn resume(&self) {
        self.state.lock().resume();
    }

    /// The loop's host is not woken any more: the loop sleeps in `wait`, or has ended.
    pub(crate) fn retire_hook(&self) {
        if let Some(hook) = &self.on_wake {
            hook.retire();
        }
    }

    /// Spins briefly, which may save the sleep; returns whether something was posted.
    pub(crate) fn spin_until_nonempty(&self) -> bool {
        let maybe_nonempty = self.consumer.spin.until(&self.maybe_nonempty);
        if maybe_nonempty && self.consumer.last_batch_large.get() {
            self.gather();
        }
        maybe_nonempty
    }

    /// Lets a batch gather, as long as calls keep coming. A loop that takes each call as soon as it is posted contends
    /// with its posters for the cache lines of the lock and of what it guards. Calls that come one by one, or a few at
    /// a time, are never delayed.
    fn gather(&self) {
        pause(GATHER_PAUSES);
        for _ in 1..GATHER_ROUNDS {
            self.maybe_nonempty.set(false);
            pause(GATHER_PAUSES);
            if !self.maybe_nonempty.get() {
                break;
            }
        }
        self.maybe_nonempty.set(true);
    }

    /// Whether there is something to take.
    pub(crate) fn has_calls(&self) -> bool {
        self.maybe_nonempty.get() && self.state.lock().calls().len() > 0
    }

    /// Whether there is something to take, or a poster waits for a slot. While nothing is queued a slot is free, so
    /// that one posts.
    pub(crate) fn expects_calls(&self) -> bool {
        let state = self.state.lock();
        state.calls().len() > 0 || state.has_waiting_posters()
    }

    /// Accepts no more calls. Returns those that are left, for the caller to run or drop.
    #[must_use]
    pub fn close(&self) -> Q {
        let mut state = self.state.lock();
        let rest = state.close();
        let posters_wait = state.has_waiting_posters();
        drop(state);
        if posters_wait {
            self.not_full.notify_all();
        }
        rest
    }

    /// A spurious wake of the posters that wait for a slot.
    #[allow(dead_code, reason = "used by models only")]
    pub fn wake_waiters_spuriously(&self) {
        self.not_full.notify_all();
    }

    /// A spurious wake of the loop.
    pub fn wake_spuriously(&self) {
        self.wake.notify_all();
    }
}

impl<Q: CallQueue> fmt::Debug for Inbox<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read first: what `f` writes to is user code, which may post.
        let (state, calls, posters_wait) = {
            let locked = self.state.lock();
            (locked.state(), locked.calls().len(), locked.has_waiting_posters())
        };
        let mut shown = f.debug_struct("Inbox");
        shown.field("loop", &state).field("calls", &calls).field("posters_wait", &posters_wait).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync::check_on_threads;
    use super::{Inbox, LARGE_BATCH};

    // Checks: P4
    #[test]
    fn the_loop_knows_of_what_it_has_let_gather() {
        check_on_threads(|| {
            let inbox = Inbox::<Vec<usize>>::new();
            (0..=LARGE_BATCH).for_each(|call| inbox.post(call).expect("it is open"));
            let mut batch = Vec::new();
            inbox.take(&mut batch);
            assert_eq!((batch.len(), inbox.has_calls(), inbox.expects_calls()), (LARGE_BATCH + 1, false, false));
            inbox.post(0).expect("it is open");
            assert!(inbox.spin_until_nonempty());
            assert_eq!((inbox.has_calls(), inbox.expects_calls()), (true, true));
        });
    }
}
