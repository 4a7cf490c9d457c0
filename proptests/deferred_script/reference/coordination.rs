//! Locks, semaphores and queues in flat lists: who waits, and for what there is.

use std::collections::VecDeque;

use super::{
    Answer, Callback, Comes, Deferred, Event, Given, Id, Model, Nth, Pair, Pending, Rest, Returns, Token, Unwinding,
    Why,
};

/// A lock, or a semaphore.
pub(super) struct Semaphore {
    free: usize,
    /// Permits that the program gives back by releasing them.
    kept: usize,
    /// Permits that give themselves back.
    guarded: usize,
    line: VecDeque<usize>,
    serving: bool,
    /// The program has let go of it: it goes with its last guard.
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
    items: VecDeque<Id>,
    line: VecDeque<usize>,
    serving: bool,
    pub(super) closed: bool,
}

/// Where a Deferred waits in a line, which a cancel takes it out of.
#[derive(Clone, Copy)]
pub(super) enum Line {
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
            line: VecDeque::new(),
            serving: false,
            closed: false,
        });
    }

    pub(super) fn new_queue(&mut self, size: u8, backlog: u8) {
        let (size, backlog) = (limit(size), limit(backlog));
        let (items, line) = (VecDeque::new(), VecDeque::new());
        self.queues.push(Queue { size, backlog, items, line, serving: false, closed: false });
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
            self.come(semaphore, Pair::Keep(semaphore));
        }
    }

    pub(super) fn run_in(&mut self, nth: Nth, Callback { closure, returns }: &Callback) {
        if let Some(semaphore) = self.semaphore(nth) {
            let token = self.token(closure);
            self.come(semaphore, Pair::Run(semaphore, token, *returns));
        }
    }

    /// B64: nobody overtakes.
    fn come(&mut self, semaphore: usize, then: Pair) {
        let it = if self.semaphores[semaphore].free > 0 && self.semaphores[semaphore].line.is_empty() {
            let permit = self.permit(semaphore);
            self.add_deferred(Deferred { fired: true, result: Some(permit), ..Deferred::default() })
        } else {
            let waits_in = Some(Line::Semaphore(semaphore));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.semaphores[semaphore].line.push_back(it);
            it
        };
        self.deferreds[it].in_reach = false;
        self.add(it, then);
        self.deferreds[it].in_reach = true;
    }

    fn permit(&mut self, semaphore: usize) -> Rest {
        self.semaphores[semaphore].free -= 1;
        self.semaphores[semaphore].guarded += 1;
        Rest::Permit(semaphore)
    }

    pub(super) fn keep_permit(&mut self, semaphore: usize) -> Rest {
        self.semaphores[semaphore].kept += 1;
        self.unguard(semaphore);
        self.new_value()
    }

    pub(super) fn run_with_permit(&mut self, semaphore: usize, token: Token, end: Returns) -> Comes {
        self.trace.push(Event::Began(token.id, Given::Nothing));
        let flow = self.perform_all(&token.closure.body);
        let comes = match (flow, end) {
            (Err(Unwinding), _) => Comes::Now(Rest::Error(Why::Panicked)),
            (Ok(()), Returns::Error) => Comes::Now(self.new_error()),
            (Ok(()), Returns::Await(nth)) => match self.take(nth) {
                Some(inner) => Comes::Later(inner),
                None => Comes::Now(self.new_value()),
            },
            (Ok(()), Returns::Pass | Returns::Value) => Comes::Now(self.new_value()),
        };
        self.trace.push(Event::Ended(token.id));
        match comes {
            Comes::Now(_) => self.drop_permit(semaphore),
            Comes::Later(inner) => self.add(inner, Pair::GiveBack(semaphore)),
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
        self.unguard(semaphore);
    }

    /// P31: what is given back while somebody is being served is handed on when that is over.
    fn give_back(&mut self, semaphore: usize) {
        self.semaphores[semaphore].free += 1;
        if self.semaphores[semaphore].serving {
            return;
        }
        self.semaphores[semaphore].serving = true;
        while self.semaphores[semaphore].free > 0
            && let Some(it) = self.semaphores[semaphore].line.pop_front()
        {
            let permit = self.permit(semaphore);
            self.serve(it, permit);
        }
        self.semaphores[semaphore].serving = false;
    }

    fn serve(&mut self, it: usize, with: Rest) {
        self.deferreds[it].waits_in = None;
        self.arrive(it, Comes::Now(with));
        self.resolver_goes(it);
    }

    /// P31: when nobody is left who could give back a permit, those who wait fail.
    fn unguard(&mut self, semaphore: usize) {
        self.semaphores[semaphore].guarded -= 1;
        self.room_goes(semaphore);
    }

    fn room_goes(&mut self, semaphore: usize) {
        if self.semaphores[semaphore].closed && self.semaphores[semaphore].guarded == 0 {
            let line = std::mem::take(&mut self.semaphores[semaphore].line);
            self.turn_away(line);
        }
    }

    fn turn_away(&mut self, line: VecDeque<usize>) {
        for it in line {
            self.deferreds[it].waits_in = None;
            self.one_by_one(Pending::Abandoned(it));
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

    /// P32: what is put while another is being delivered is delivered when that is over.
    fn put_item(&mut self, at: usize, item: Id) -> bool {
        let queue = &mut self.queues[at];
        if queue.items.len() >= queue.line.len()
            && queue.size.is_some_and(|size| queue.items.len() - queue.line.len() >= size)
        {
            return false;
        }
        queue.items.push_back(item);
        if queue.serving {
            return true;
        }
        self.queues[at].serving = true;
        while !self.queues[at].items.is_empty()
            && let Some(it) = self.queues[at].line.pop_front()
            && let Some(item) = self.queues[at].items.pop_front()
        {
            self.serve(it, Rest::Value(item));
        }
        self.queues[at].serving = false;
        true
    }

    pub(super) fn get(&mut self, nth: Nth) {
        let Some(at) = self.queue(nth) else { return };
        let queue = &mut self.queues[at];
        if queue.line.is_empty()
            && let Some(item) = queue.items.pop_front()
        {
            self.add_deferred(Deferred { fired: true, result: Some(Rest::Value(item)), ..Deferred::default() });
        } else if queue.line.len() >= queue.items.len()
            && queue.backlog.is_some_and(|backlog| queue.line.len() - queue.items.len() >= backlog)
        {
            self.say(Answer::Underflow);
        } else {
            let waits_in = Some(Line::Queue(at));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.queues[at].line.push_back(it);
        }
    }

    /// B64: to cancel one that waits takes it out of its line.
    pub(super) fn leave_line(&mut self, it: usize) {
        let line = match self.deferreds[it].waits_in.take() {
            Some(Line::Semaphore(semaphore)) => &mut self.semaphores[semaphore].line,
            Some(Line::Queue(queue)) => &mut self.queues[queue].line,
            None => return,
        };
        line.retain(|waits| *waits != it);
        self.resolver_goes(it);
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
            while !self.queues[at].closed && self.queues[at].line.len() > self.queues[at].items.len() {
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
                self.room_goes(semaphore);
            }
        }
        for at in 0.. {
            if at >= self.queues.len() {
                return;
            }
            if !self.queues[at].closed {
                self.queues[at].closed = true;
                let queue = &mut self.queues[at];
                let (items, line) = (std::mem::take(&mut queue.items), std::mem::take(&mut queue.line));
                items.into_iter().for_each(|item| self.trace.push(Event::Dropped(item)));
                self.turn_away(line);
            }
        }
    }
}
