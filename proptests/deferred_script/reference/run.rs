//! The rules by which results move to callbacks, waiters and lists, and what cancelling and dropping do.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use selvedge::report::Incident;

use super::{
    Answer, Deferred, DeferredResult, Delay, ErrorKind, Event, FiredWith, Flow, Given, Model, Nth, Pair, Pending,
    Returned, Returns, Timer, TimerState, Traced, Unwinding, given, receive,
};

impl Model {
    /// B59: a Deferred whose result is already there needs no timer.
    pub(super) fn timer(&mut self, it: usize, after: Duration) -> Option<usize> {
        if self.deferreds[it].rests() && self.deferreds[it].pauses == 0 {
            return None;
        }
        self.timers.push(Timer { at: self.now.saturating_add(after), cancels: it, state: TimerState::Waits });
        Some(self.timers.len() - 1)
    }

    /// B15, B21: by deadline, then in the order of adding; not those added meanwhile.
    pub(super) fn run_timers(&mut self) {
        let (now, there) = (self.now, self.timers.len());
        loop {
            let due = (0..there).filter(|&at| self.timers[at].state == TimerState::Waits && self.timers[at].at <= now);
            let Some(first) = due.min_by_key(|&at| (self.timers[at].at, at)) else { return };
            self.timers[first].state = TimerState::Fired;
            let it = self.timers[first].cancels;
            self.cancel(it);
            self.after_drop(it);
        }
    }

    /// B51: a callback added to a Deferred with a result runs at once.
    pub(super) fn add(&mut self, it: usize, pair: Pair) {
        let runs = self.deferreds[it].rests() && self.deferreds[it].pauses == 0;
        self.deferreds[it].callbacks.push_back(pair);
        self.deferreds[it].added_to = true;
        if runs {
            self.run_callbacks(it);
        }
    }

    /// Its holder drops it. B60: an unhandled error is reported when nobody can handle it any more.
    pub(super) fn drop_deferred(&mut self, it: usize) {
        self.deferreds[it].held = false;
        self.after_drop(it);
    }

    pub(super) fn drop_resolver(&mut self, it: usize) {
        self.deferreds[it].resolver = false;
        self.after_drop(it);
    }

    /// Called after any holder has dropped it.
    pub(super) fn after_drop(&mut self, it: usize) {
        self.drop_lost(it);
        if self.deferreds[it].is_alone() && self.deferreds[it].is_held() {
            self.queue_drop(Pending::Unpaused(it));
        }
        if self.deferreds[it].is_given_up() {
            self.queue_drop(Pending::GivenUp(it));
        }
    }

    pub(super) fn drop_lost(&mut self, it: usize) {
        if !self.deferreds[it].is_lost() {
            return;
        }
        let Some(result) = self.deferreds[it].result.take() else { return };
        if let DeferredResult::Error(why) = result {
            self.report(Incident::Unhandled, why);
        }
        self.drop_result(result);
    }

    pub(super) fn take_result(&mut self, it: usize) {
        if !self.deferreds[it].rests() || self.deferreds[it].pauses > 0 {
            self.say(Answer::NotYet);
            self.deferreds[it].in_reach = true;
            return;
        }
        if let Some(result) = self.deferreds[it].result.take() {
            self.say(Answer::Result(given(result)));
            self.drop_result(receive(result));
        }
        self.deferreds[it].held = false;
    }

    pub(super) fn resolver(&self, nth: Nth) -> Option<usize> {
        nth.of(self.resolvers.len()).filter(|&which| self.resolvers[which].is_some())
    }

    pub(super) fn fire(&mut self, nth: Nth, sent: FiredWith) {
        let Some(which) = self.resolver(nth) else { return self.say(Answer::Nothing) };
        let inner = match sent {
            FiredWith::Await(nth) => match self.take(nth) {
                None => return,
                inner => inner,
            },
            FiredWith::Value | FiredWith::Error => None,
        };
        let Some(it) = self.resolvers[which].take() else { return };
        let comes = match sent {
            FiredWith::Value => Returned::Now(self.new_value()),
            FiredWith::Error => Returned::Now(self.new_error()),
            FiredWith::Await(_) => Returned::Later(inner.expect("it was taken")),
        };
        self.arrive(it, comes);
        self.drop_resolver(it);
    }

    /// B49, B57, P80: the first result counts; a late one is dropped, and what would have one is cancelled.
    pub(super) fn arrive(&mut self, it: usize, comes: Returned) {
        if self.deferreds[it].fired {
            match comes {
                Returned::Now(result) => self.drop_result(result),
                Returned::Later(inner) => {
                    self.cancel(inner);
                    self.add(inner, Pair::Ignore);
                    self.drop_deferred(inner);
                }
            }
            return;
        }
        self.begin(it);
        if self.settle(it, comes) {
            self.run_callbacks(it);
        }
    }

    /// B58: the canceller is dropped at the firing, before any callback runs.
    pub(super) fn begin(&mut self, it: usize) {
        self.deferreds[it].fired = true;
        self.deferreds[it].running = true;
        if let Some(canceller) = self.deferreds[it].canceller.take() {
            self.drop_token(canceller);
        }
        self.deferreds[it].running = false;
    }

    /// A firing half was dropped: its Deferred fails.
    pub(super) fn abandon(&mut self, which: usize) {
        let Some(it) = self.resolvers[which].take() else { return };
        if self.deferreds[it].fired || self.deferreds[it].cancelling {
            self.drop_resolver(it);
        } else {
            self.queue_drop(Pending::Abandoned(it));
        }
    }

    /// Processes the effects of nested drops one after the other.
    pub(super) fn queue_drop(&mut self, first: Pending) {
        if let Some(queue) = &mut self.pending {
            queue.push_back(first);
            return;
        }
        self.pending = Some(VecDeque::from([first]));
        while let Some(next) = self.pending.as_mut().and_then(VecDeque::pop_front) {
            match next {
                Pending::Abandoned(it) => {
                    if !self.deferreds[it].cancelling {
                        self.arrive(it, Returned::Now(DeferredResult::Error(ErrorKind::Abandoned)));
                    }
                    self.drop_resolver(it);
                }
                Pending::Unpaused(it) => {
                    self.deferreds[it].pauses = 0;
                    self.run_callbacks(it);
                }
                Pending::GivenUp(it) => {
                    if self.deferreds[it].is_given_up() {
                        self.add(it, Pair::Ignore);
                        self.cancel(it);
                    }
                }
            }
        }
        self.pending = None;
    }

    /// B56, B57, B58.
    pub(super) fn cancel(&mut self, it: usize) {
        let mut it = it;
        while let Some(inner) = self.deferreds[it].waits_for {
            it = inner;
        }
        if self.deferreds[it].fired || self.deferreds[it].cancelling {
            return;
        }
        self.deferreds[it].cancelling = true;
        self.deferreds[it].kept += 1;
        if let Some(canceller) = self.deferreds[it].canceller.take() {
            let flow = self.call(canceller, Given::Nothing);
            self.contain(Incident::Canceller, flow);
        } else if let Some(list) = self.deferreds[it].list {
            self.drop_list_resolver(list);
            self.cancel_members(list);
            if !self.deferreds[it].fired {
                self.give_up(list);
            }
        } else {
            self.stop_waiting(it);
        }
        if !self.deferreds[it].fired {
            self.arrive(it, Returned::Now(DeferredResult::Error(ErrorKind::Cancelled)));
        }
        self.deferreds[it].kept -= 1;
        self.after_drop(it);
    }

    /// Stores the result. False if it has to be waited for.
    pub(super) fn settle(&mut self, it: usize, comes: Returned) -> bool {
        let result = match comes {
            Returned::Now(result) => result,
            Returned::Later(inner) => {
                self.deferreds[inner].held = false;
                if self.deferreds[inner].rests() && self.deferreds[inner].pauses == 0 {
                    self.deferreds[inner].result.take().expect("it rests")
                } else if self.leads_to(inner, it) {
                    DeferredResult::Error(ErrorKind::WaitsForItself)
                } else {
                    self.deferreds[it].waits_for = Some(inner);
                    self.deferreds[inner].waiter = Some(it);
                    self.after_drop(inner);
                    return false;
                }
            }
        };
        self.deferreds[it].result = Some(result);
        true
    }

    /// B54: whether it waits for `end`, directly, through others, or through the members of a list.
    pub(super) fn leads_to(&self, it: usize, end: usize) -> bool {
        let Deferred { waits_for, list, fired, .. } = self.deferreds[it];
        let members = list.filter(|_| !fired).map_or_else(Vec::new, |list| self.missing_members(list));
        it == end || waits_for.into_iter().chain(members).any(|inner| self.leads_to(inner, end))
    }

    /// Passes the result through the callbacks, and then to the waiter.
    pub(super) fn run_callbacks(&mut self, it: usize) {
        loop {
            if self.deferreds[it].is_held() {
                return self.after_drop(it);
            }
            let Some(result) = self.deferreds[it].result.take() else { return };
            if let Some(&Pair::Member(list, index)) = self.deferreds[it].callbacks.front() {
                self.deferreds[it].callbacks.clear();
                return self.member_settled(list, index, result);
            }
            if let Some(pair) = self.deferreds[it].callbacks.pop_front() {
                self.deferreds[it].running = true;
                let comes = self.run_pair(pair, result);
                self.deferreds[it].running = false;
                if !self.settle(it, comes) {
                    return;
                }
            } else if let Some(waiter) = self.deferreds[it].waiter.take() {
                self.deferreds[waiter].waits_for = None;
                self.deferreds[waiter].result = Some(result);
                return self.run_callbacks(waiter);
            } else {
                self.deferreds[it].result = Some(result);
                return self.drop_lost(it);
            }
        }
    }

    /// B50: values go to callbacks, errors to errbacks; the one that is not called is dropped first.
    pub(super) fn run_pair(&mut self, pair: Pair, result: DeferredResult) -> Returned {
        let ok = !matches!(result, DeferredResult::Error(_) | DeferredResult::List(_, false));
        match pair {
            Pair::Both(traced, end) => self.run_callback(traced, end, result),
            Pair::Value(traced, end) if ok => self.run_callback(traced, end, result),
            Pair::Error(traced, end) if !ok => self.run_callback(traced, end, result),
            Pair::Value(traced, _) | Pair::Error(traced, _) => {
                self.drop_token(traced);
                Returned::Now(result)
            }
            Pair::Either(traced, end, other, _) if ok => {
                self.drop_token(other);
                self.run_callback(traced, end, result)
            }
            Pair::Either(other, _, traced, end) => {
                self.drop_token(other);
                self.run_callback(traced, end, result)
            }
            Pair::Log => {
                if let DeferredResult::Error(why) = result {
                    self.report(Incident::Logged, why);
                }
                self.drop_result(receive(result));
                Returned::Now(DeferredResult::Unit)
            }
            Pair::Ignore => {
                self.drop_result(result);
                Returned::Now(DeferredResult::Unit)
            }
            Pair::Member(..) => unreachable!("it is no callback"),
            Pair::Unpack => Returned::Now(self.unpack(result)),
            Pair::Keep(semaphore) if ok => Returned::Now(self.keep_permit(semaphore)),
            Pair::Keep(_) => Returned::Now(result),
            Pair::Run(semaphore, traced, end) if ok => self.run_with_permit(semaphore, traced, end),
            Pair::Run(_, traced, _) => {
                self.drop_token(traced);
                Returned::Now(result)
            }
            Pair::GiveBack(semaphore) => {
                self.drop_permit(semaphore);
                Returned::Now(result)
            }
            Pair::Timeout(timer, after, callback) => self.end_timeout(timer, after, callback, result),
        }
    }

    /// B59: a result first cancels the timer; if the timer was first, its `Cancelled` is `TimedOut`.
    pub(super) fn end_timeout(
        &mut self,
        timer: Option<usize>,
        after: Delay,
        callback: Option<(Traced, Returns)>,
        result: DeferredResult,
    ) -> Returned {
        let timer = timer.map(|at| &mut self.timers[at].state);
        let timed_out = timer.is_some_and(|state| mem::replace(state, TimerState::Gone) == TimerState::Fired);
        match (callback, result) {
            (Some((traced, end)), result) if timed_out => self.run_callback(traced, end, result),
            (Some((traced, _)), result) => {
                self.drop_token(traced);
                Returned::Now(result)
            }
            (None, DeferredResult::Error(ErrorKind::Cancelled)) if timed_out => {
                Returned::Now(DeferredResult::Error(ErrorKind::TimedOut(after)))
            }
            (None, result) => Returned::Now(result),
        }
    }

    pub(super) fn run_callback(&mut self, traced: Traced, end: Returns, result: DeferredResult) -> Returned {
        let result = receive(result);
        self.trace.push(Event::Began(traced.id, given(result)));
        let flow = self.perform_all(&traced.closure.body);
        let comes = match (flow, end) {
            (Err(Unwinding), _) => {
                self.drop_result(result);
                Returned::Now(DeferredResult::Error(ErrorKind::Panicked))
            }
            (Ok(()), Returns::Pass) => Returned::Now(result),
            (Ok(()), Returns::Value) => {
                self.drop_result(result);
                Returned::Now(self.new_value())
            }
            (Ok(()), Returns::Error) => {
                self.drop_result(result);
                Returned::Now(self.new_error())
            }
            (Ok(()), Returns::Await(nth)) => match self.take(nth) {
                Some(inner) => {
                    self.drop_result(result);
                    Returned::Later(inner)
                }
                None => Returned::Now(result),
            },
        };
        self.trace.push(Event::Ended(traced.id));
        comes
    }

    /// Calls a closure that returns nothing. Its captures are dropped when it returns or panics.
    pub(super) fn call(&mut self, traced: Traced, given: Given) -> Flow {
        self.trace.push(Event::Began(traced.id, given));
        let flow = self.perform_all(&traced.closure.body);
        self.trace.push(Event::Ended(traced.id));
        flow
    }
}
