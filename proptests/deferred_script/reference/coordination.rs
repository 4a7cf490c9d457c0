//! The rules of locks, semaphores and queues.

use std::collections::VecDeque;

use super::{
    Answer, Callback, Deferred, DeferredResult, ErrorKind, Event, Given, Id, Model, Nth, Pair, Pending, Returned,
    Returns, Traced, Unwinding,
};

/// A lock, or a semaphore.
pub(super) struct Semaphore {
    free: usize,
    /// Permits that the program returns by `release`.
    kept: usize,
    /// Permits that are returned when their guard is dropped.
    guarded: usize,
    waiters: VecDeque<usize>,
    serving: bool,
    /// The program has dropped it: it ends with its last guard.
    pub(super) closed: bool,
}

impl Semaphore {
    pub(super) fn is_held(&self) -> bool {
        self.guarded > 0
    }
}

/// A queue.
pub(super) struct Queue {
    size: Option<usize>,
    backlog: Option<usize>,
    /// Items and their places, the first one first.
    items: VecDeque<(Id, usize)>,
    /// How many items were accepted.
    accepted: usize,
    waiters: VecDeque<usize>,
    serving: bool,
    pub(super) closed: bool,
}

/// What a Deferred waits for. Cancelling removes it from the waiters.
#[derive(Clone, Copy)]
pub(super) enum WaitsIn {
    Semaphore(usize),
    Queue(usize),
}

fn limit(written: u8) -> Option<usize> {
    written.checked_sub(1).map(usize::from)
}

impl Model {
    pub(super) fn new_semaphore(&mut self, places: u8) {
        let free = usize::from(places.max(1));
        self.semaphores.push(Semaphore {
            free,
            kept: 0,
            guarded: 0,
            waiters: VecDeque::new(),
            serving: false,
            closed: false,
        });
    }

    pub(super) fn new_queue(&mut self, size: u8, backlog: u8) {
        let (size, backlog) = (limit(size), limit(backlog));
        let (items, waiters) = (VecDeque::new(), VecDeque::new());
        self.queues.push(Queue { size, backlog, items, accepted: 0, waiters, serving: false, closed: false });
    }

    fn semaphore(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.semaphores.len()).filter(|&semaphore| !self.semaphores[semaphore].closed);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn queue(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.queues.len()).filter(|&queue| !self.queues[queue].closed);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    pub(super) fn acquire(&mut self, nth: Nth) {
        if let Some(semaphore) = self.semaphore(nth) {
            self.request_permit(semaphore, Pair::Keep(semaphore));
        }
    }

    pub(super) fn run_in(&mut self, nth: Nth, Callback { closure, returns }: &Callback) {
        if let Some(semaphore) = self.semaphore(nth) {
            let traced = self.traced(closure);
            self.request_permit(semaphore, Pair::Run(semaphore, traced, *returns));
        }
    }

    /// B64: waiters are served in order; nobody overtakes.
    fn request_permit(&mut self, semaphore: usize, then: Pair) {
        let it = if self.semaphores[semaphore].free > 0 && self.semaphores[semaphore].waiters.is_empty() {
            let permit = self.permit(semaphore);
            self.add_deferred(Deferred { fired: true, result: Some(permit), ..Deferred::default() })
        } else {
            let waits_in = Some(WaitsIn::Semaphore(semaphore));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.semaphores[semaphore].waiters.push_back(it);
            it
        };
        self.deferreds[it].in_reach = false;
        self.add(it, then);
        self.deferreds[it].in_reach = true;
    }

    fn permit(&mut self, semaphore: usize) -> DeferredResult {
        self.semaphores[semaphore].free -= 1;
        self.semaphores[semaphore].guarded += 1;
        DeferredResult::Permit(semaphore)
    }

    pub(super) fn keep_permit(&mut self, semaphore: usize) -> DeferredResult {
        self.semaphores[semaphore].kept += 1;
        self.drop_guard(semaphore);
        self.new_value()
    }

    pub(super) fn run_with_permit(&mut self, semaphore: usize, traced: Traced, end: Returns) -> Returned {
        self.trace.push(Event::Began(traced.id, Given::Nothing));
        let flow = self.perform_all(&traced.closure.body);
        let comes = match (flow, end) {
            (Err(Unwinding), _) => Returned::Now(DeferredResult::Error(ErrorKind::Panicked)),
            (Ok(()), Returns::Error) => Returned::Now(self.new_error()),
            (Ok(()), Returns::Await(nth)) => match self.take(nth) {
                Some(inner) => Returned::Later(inner),
                None => Returned::Now(self.new_value()),
            },
            (Ok(()), Returns::Pass | Returns::Value) => Returned::Now(self.new_value()),
        };
        self.trace.push(Event::Ended(traced.id));
        match comes {
            Returned::Now(_) => self.drop_permit(semaphore),
            Returned::Later(inner) => self.add(inner, Pair::GiveBack(semaphore)),
        }
        comes
    }

    pub(super) fn release(&mut self, nth: Nth) {
        if let Some(semaphore) = self.semaphore(nth)
            && !self.give_up_one(semaphore)
        {
            self.say(Answer::OverRelease);
        }
    }

    fn give_up_one(&mut self, semaphore: usize) -> bool {
        if self.semaphores[semaphore].kept == 0 {
            return false;
        }
        self.semaphores[semaphore].kept -= 1;
        self.give_back(semaphore);
        true
    }

    pub(super) fn drop_permit(&mut self, semaphore: usize) {
        self.give_back(semaphore);
        self.drop_guard(semaphore);
    }

    /// P31: a permit returned while a waiter is served goes to the next one afterwards.
    fn give_back(&mut self, semaphore: usize) {
        self.semaphores[semaphore].free += 1;
        if self.semaphores[semaphore].serving {
            return;
        }
        self.semaphores[semaphore].serving = true;
        while self.semaphores[semaphore].free > 0
            && let Some(it) = self.semaphores[semaphore].waiters.pop_front()
        {
            let permit = self.permit(semaphore);
            self.serve(it, permit);
        }
        self.semaphores[semaphore].serving = false;
    }

    fn serve(&mut self, it: usize, with: DeferredResult) {
        self.deferreds[it].waits_in = None;
        self.arrive(it, Returned::Now(with));
        self.drop_resolver(it);
    }

    /// P31: when no permit can be returned any more, the waiters fail.
    fn drop_guard(&mut self, semaphore: usize) {
        self.semaphores[semaphore].guarded -= 1;
        self.check_closed(semaphore);
    }

    fn check_closed(&mut self, semaphore: usize) {
        if self.semaphores[semaphore].closed && self.semaphores[semaphore].guarded == 0 {
            let waiters = std::mem::take(&mut self.semaphores[semaphore].waiters);
            self.fail_waiters(waiters);
        }
    }

    fn fail_waiters(&mut self, waiters: VecDeque<usize>) {
        for it in waiters {
            self.deferreds[it].waits_in = None;
            self.queue_drop(Pending::Abandoned(it));
        }
    }

    pub(super) fn put(&mut self, nth: Nth) {
        if let Some(queue) = self.queue(nth) {
            let item = self.number();
            if !self.put_item(queue, item) {
                self.say(Answer::Overflow);
                self.trace.push(Event::Dropped(item));
            }
        }
    }

    /// P32: an item put during a delivery is delivered afterwards.
    fn put_item(&mut self, at: usize, item: Id) -> bool {
        let queue = &mut self.queues[at];
        if queue.items.len() >= queue.waiters.len()
            && queue.size.is_some_and(|size| queue.items.len() - queue.waiters.len() >= size)
        {
            return false;
        }
        queue.items.push_back((item, queue.accepted));
        queue.accepted += 1;
        self.serve_takers(at);
        true
    }

    fn serve_takers(&mut self, at: usize) {
        if self.queues[at].serving {
            return;
        }
        self.queues[at].serving = true;
        while !self.queues[at].items.is_empty()
            && let Some(it) = self.queues[at].waiters.pop_front()
            && let Some((item, place)) = self.queues[at].items.pop_front()
        {
            self.serve(it, DeferredResult::Item(item, at, place));
        }
        self.queues[at].serving = false;
    }

    /// P81: an item that nobody has received goes back to its place, or is dropped if the queue is gone.
    pub(super) fn take_back(&mut self, at: usize, item: Id, place: usize) {
        if self.queues[at].closed {
            return self.trace.push(Event::Dropped(item));
        }
        let items = &mut self.queues[at].items;
        let before = items.iter().take_while(|(_, other)| *other < place).count();
        items.insert(before, (item, place));
        self.serve_takers(at);
    }

    pub(super) fn get(&mut self, nth: Nth) {
        let Some(at) = self.queue(nth) else { return };
        let queue = &mut self.queues[at];
        if queue.waiters.is_empty()
            && let Some((item, place)) = queue.items.pop_front()
        {
            self.add_deferred(Deferred {
                fired: true,
                result: Some(DeferredResult::Item(item, at, place)),
                ..Deferred::default()
            });
        } else if queue.waiters.len() >= queue.items.len()
            && queue.backlog.is_some_and(|backlog| queue.waiters.len() - queue.items.len() >= backlog)
        {
            self.say(Answer::Underflow);
        } else {
            let waits_in = Some(WaitsIn::Queue(at));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.queues[at].waiters.push_back(it);
        }
    }

    /// B64: cancelling a waiter removes it.
    pub(super) fn stop_waiting(&mut self, it: usize) {
        let waiters = match self.deferreds[it].waits_in.take() {
            Some(WaitsIn::Semaphore(semaphore)) => &mut self.semaphores[semaphore].waiters,
            Some(WaitsIn::Queue(queue)) => &mut self.queues[queue].waiters,
            None => return,
        };
        waiters.retain(|waits| *waits != it);
        self.drop_resolver(it);
    }

    pub(super) fn open_all(&mut self) {
        for semaphore in 0.. {
            if semaphore >= self.semaphores.len() {
                break;
            }
            while !self.semaphores[semaphore].closed && self.give_up_one(semaphore) {}
        }
        for at in 0.. {
            if at >= self.queues.len() {
                return;
            }
            while !self.queues[at].closed && self.queues[at].waiters.len() > self.queues[at].items.len() {
                let item = self.number();
                self.put_item(at, item);
            }
        }
    }

    pub(super) fn close_all(&mut self) {
        for semaphore in 0.. {
            if semaphore >= self.semaphores.len() {
                break;
            }
            if !self.semaphores[semaphore].closed {
                self.semaphores[semaphore].closed = true;
                self.check_closed(semaphore);
            }
        }
        for at in 0.. {
            if at >= self.queues.len() {
                return;
            }
            if !self.queues[at].closed {
                self.queues[at].closed = true;
                let queue = &mut self.queues[at];
                let (items, waiters) = (std::mem::take(&mut queue.items), std::mem::take(&mut queue.waiters));
                items.into_iter().for_each(|(item, _)| self.trace.push(Event::Dropped(item)));
                self.fail_waiters(waiters);
            }
        }
    }
}
