//! Locks, semaphores and queues in flat lists: who waits, and for what there is.

use std::collections::VecDeque;

use super::{
    Answer, Comes, Deferred, End, Event, Given, Hook, Id, Model, Nth, Pair, Pending, Rest, Token, Unwinding, Why,
};

/// A lock, or a semaphore.
pub(super) struct Room {
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

impl Room {
    pub(super) fn is_held(&self) -> bool {
        self.guarded > 0
    }
}

/// A queue.
pub(super) struct Shelf {
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
    Room(usize),
    Shelf(usize),
}

fn limit(written: u8) -> Option<usize> {
    written.checked_sub(1).map(usize::from)
}

impl Model {
    pub(super) fn new_room(&mut self, places: u8) {
        let free = usize::from(places.max(1));
        self.rooms.push(Room { free, kept: 0, guarded: 0, line: VecDeque::new(), serving: false, closed: false });
    }

    pub(super) fn new_shelf(&mut self, size: u8, backlog: u8) {
        let (size, backlog) = (limit(size), limit(backlog));
        let (items, line) = (VecDeque::new(), VecDeque::new());
        self.shelves.push(Shelf { size, backlog, items, line, serving: false, closed: false });
    }

    fn room(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.rooms.len()).filter(|&room| !self.rooms[room].closed);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    fn shelf(&mut self, nth: Nth) -> Option<usize> {
        let found = nth.of(self.shelves.len()).filter(|&shelf| !self.shelves[shelf].closed);
        if found.is_none() {
            self.say(Answer::Nothing);
        }
        found
    }

    pub(super) fn acquire(&mut self, nth: Nth) {
        if let Some(room) = self.room(nth) {
            self.come(room, Pair::Keep(room));
        }
    }

    pub(super) fn run_in(&mut self, nth: Nth, Hook { deed, end }: &Hook) {
        if let Some(room) = self.room(nth) {
            let token = self.token(deed);
            self.come(room, Pair::Run(room, token, *end));
        }
    }

    /// B64: nobody overtakes.
    fn come(&mut self, room: usize, then: Pair) {
        let it = if self.rooms[room].free > 0 && self.rooms[room].line.is_empty() {
            let permit = self.permit(room);
            self.add_deferred(Deferred { fired: true, result: Some(permit), ..Deferred::default() })
        } else {
            let waits_in = Some(Line::Room(room));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.rooms[room].line.push_back(it);
            it
        };
        self.deferreds[it].in_reach = false;
        self.add(it, then);
        self.deferreds[it].in_reach = true;
    }

    fn permit(&mut self, room: usize) -> Rest {
        self.rooms[room].free -= 1;
        self.rooms[room].guarded += 1;
        Rest::Permit(room)
    }

    pub(super) fn keep_permit(&mut self, room: usize) -> Rest {
        self.rooms[room].kept += 1;
        self.unguard(room);
        self.new_value()
    }

    pub(super) fn run_with_permit(&mut self, room: usize, token: Token, end: End) -> Comes {
        self.trace.push(Event::Began(token.id, Given::Nothing));
        let flow = self.perform_all(&token.deed.body);
        let comes = match (flow, end) {
            (Err(Unwinding), _) => Comes::Now(Rest::Error(Why::Panicked)),
            (Ok(()), End::Error) => Comes::Now(self.new_error()),
            (Ok(()), End::Await(nth)) => match self.take(nth) {
                Some(inner) => Comes::Later(inner),
                None => Comes::Now(self.new_value()),
            },
            (Ok(()), End::Pass | End::Value) => Comes::Now(self.new_value()),
        };
        self.trace.push(Event::Ended(token.id));
        match comes {
            Comes::Now(_) => self.drop_permit(room),
            Comes::Later(inner) => self.add(inner, Pair::GiveBack(room)),
        }
        comes
    }

    pub(super) fn release(&mut self, nth: Nth) {
        if let Some(room) = self.room(nth)
            && !self.give_up_one(room)
        {
            self.say(Answer::OverRelease);
        }
    }

    fn give_up_one(&mut self, room: usize) -> bool {
        if self.rooms[room].kept == 0 {
            return false;
        }
        self.rooms[room].kept -= 1;
        self.give_back(room);
        true
    }

    pub(super) fn drop_permit(&mut self, room: usize) {
        self.give_back(room);
        self.unguard(room);
    }

    /// P31: what is given back while somebody is being served is handed on when that is over.
    fn give_back(&mut self, room: usize) {
        self.rooms[room].free += 1;
        if self.rooms[room].serving {
            return;
        }
        self.rooms[room].serving = true;
        while self.rooms[room].free > 0
            && let Some(it) = self.rooms[room].line.pop_front()
        {
            let permit = self.permit(room);
            self.serve(it, permit);
        }
        self.rooms[room].serving = false;
    }

    fn serve(&mut self, it: usize, with: Rest) {
        self.deferreds[it].waits_in = None;
        self.arrive(it, Comes::Now(with));
        self.resolver_goes(it);
    }

    /// P31: when nobody is left who could give back a permit, those who wait fail.
    fn unguard(&mut self, room: usize) {
        self.rooms[room].guarded -= 1;
        self.room_goes(room);
    }

    fn room_goes(&mut self, room: usize) {
        if self.rooms[room].closed && self.rooms[room].guarded == 0 {
            let line = std::mem::take(&mut self.rooms[room].line);
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
        if let Some(shelf) = self.shelf(nth) {
            let item = self.number();
            if !self.put_item(shelf, item) {
                self.say(Answer::Overflow);
                self.trace.push(Event::Dropped(item));
            }
        }
    }

    /// P32: what is put while another is being delivered is delivered when that is over.
    fn put_item(&mut self, at: usize, item: Id) -> bool {
        let shelf = &mut self.shelves[at];
        if shelf.items.len() >= shelf.line.len()
            && shelf.size.is_some_and(|size| shelf.items.len() - shelf.line.len() >= size)
        {
            return false;
        }
        shelf.items.push_back(item);
        if shelf.serving {
            return true;
        }
        self.shelves[at].serving = true;
        while !self.shelves[at].items.is_empty()
            && let Some(it) = self.shelves[at].line.pop_front()
            && let Some(item) = self.shelves[at].items.pop_front()
        {
            self.serve(it, Rest::Value(item));
        }
        self.shelves[at].serving = false;
        true
    }

    pub(super) fn get(&mut self, nth: Nth) {
        let Some(at) = self.shelf(nth) else { return };
        let shelf = &mut self.shelves[at];
        if shelf.line.is_empty()
            && let Some(item) = shelf.items.pop_front()
        {
            self.add_deferred(Deferred { fired: true, result: Some(Rest::Value(item)), ..Deferred::default() });
        } else if shelf.line.len() >= shelf.items.len()
            && shelf.backlog.is_some_and(|backlog| shelf.line.len() - shelf.items.len() >= backlog)
        {
            self.say(Answer::Underflow);
        } else {
            let waits_in = Some(Line::Shelf(at));
            let it = self.add_deferred(Deferred { resolver: true, waits_in, ..Deferred::default() });
            self.shelves[at].line.push_back(it);
        }
    }

    /// B64: to cancel one that waits takes it out of its line.
    pub(super) fn leave_line(&mut self, it: usize) {
        let line = match self.deferreds[it].waits_in.take() {
            Some(Line::Room(room)) => &mut self.rooms[room].line,
            Some(Line::Shelf(shelf)) => &mut self.shelves[shelf].line,
            None => return,
        };
        line.retain(|waits| *waits != it);
        self.resolver_goes(it);
    }

    pub(super) fn open_all(&mut self) {
        for room in 0.. {
            if room >= self.rooms.len() {
                break;
            }
            while !self.rooms[room].closed && self.give_up_one(room) {}
        }
        for at in 0.. {
            if at >= self.shelves.len() {
                return;
            }
            while !self.shelves[at].closed && self.shelves[at].line.len() > self.shelves[at].items.len() {
                let item = self.number();
                self.put_item(at, item);
            }
        }
    }

    pub(super) fn close_all(&mut self) {
        for room in 0.. {
            if room >= self.rooms.len() {
                break;
            }
            if !self.rooms[room].closed {
                self.rooms[room].closed = true;
                self.room_goes(room);
            }
        }
        for at in 0.. {
            if at >= self.shelves.len() {
                return;
            }
            if !self.shelves[at].closed {
                self.shelves[at].closed = true;
                let shelf = &mut self.shelves[at];
                let (items, line) = (std::mem::take(&mut shelf.items), std::mem::take(&mut shelf.line));
                items.into_iter().for_each(|item| self.trace.push(Event::Dropped(item)));
                self.turn_away(line);
            }
        }
    }
}
