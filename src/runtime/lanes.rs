//! Things of many types in one order, each by value, in the lane of its type.
//!
//! A box for each would cost more than all the rest of handing it to another thread: it is allocated on one and freed on another, the one
//! thing that allocators do worst. But the calls and the jobs of a program are of few types, made in as many places. So a [`Stretch`] keeps a lane for
//! each type, and beside the lanes their order: which lane's turn it is, and how often on end. Who puts in and who takes out exchange stretches, and use
//! again what room those have, so that as a rule nothing is allocated at all.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::mem;

/// A stretch ends here, so that its growth never copies much while a lock is held.
pub(super) const LONGEST: u16 = 1024;

/// So many types are kept apart. Things of others are to be boxed, and share a lane.
const LANES: usize = 32;

/// Twice as many as there are lanes, so that a search is short and comes to an end.
const PLACES: usize = 2 * LANES;

/// No lane has this number.
const FREE: u8 = u8::MAX;
const _: () = assert!(PLACES < FREE as usize);

/// Things larger than this, in bytes, are not to be moved about under a lock.
const LARGEST: usize = 128;

/// So often the same room is used. Then a stretch begins anew: a type that comes no more must not hold memory for ever.
const FRESH: u32 = 1024;

/// Whether things of this type are small enough to lie in a lane.
pub(super) const fn fits<T>() -> bool {
    mem::size_of::<T>() <= LARGEST
}

/// What can be done with things of the type `T` where their type is not known any more.
pub(super) trait KnowsHow<T> {
    const HOW: Self;
}

/// So many things that followed each other. `H` is how they are handled.
pub(super) struct Stretch<H> {
    lanes: Vec<Lane<H>>,
    places: Places,
    order: Vec<Run>,
    /// So many of the runs have been taken out.
    over: usize,
    len: u16,
    /// How often it has begun again.
    uses: u32,
}

/// The things of one type, one behind the other.
pub(super) struct Lane<H> {
    /// A `VecDeque` of them.
    things: Box<dyn Any + Send>,
    pub(super) how: H,
}

/// So many things of one lane that followed each other.
struct Run {
    lane: u8,
    things: u16,
}

/// Where the lane of a type is looked for, beginning with a place that follows from the type: its number, or one that no lane has.
struct Places([u8; PLACES]);

impl Places {
    #[inline]
    fn lane(&self, place: usize) -> u8 {
        self.0.get(place).copied().unwrap_or(FREE)
    }

    fn give(&mut self, place: usize, lane: u8) {
        if let Some(free) = self.0.get_mut(place) {
            *free = lane;
        }
    }
}

impl<H> Default for Stretch<H> {
    fn default() -> Self {
        Self { lanes: Vec::new(), places: Places([FREE; PLACES]), order: Vec::new(), over: 0, len: 0, uses: 0 }
    }
}

impl<H> Lane<H> {
    /// One with a first thing in it.
    fn of<T: Send + 'static>(first: T) -> Self
    where
        H: KnowsHow<T>,
    {
        Self { things: Box::new(VecDeque::from([first])), how: H::HOW }
    }

    /// What lies here, for those who know what it is.
    #[inline]
    pub(super) fn things<T: 'static>(&mut self) -> Option<&mut VecDeque<T>> {
        self.things.downcast_mut()
    }

    /// Takes the first.
    #[inline]
    pub(super) fn take<T: 'static>(&mut self) -> Option<T> {
        let things = self.things::<T>()?;
        let first = things.pop_front();
        if things.is_empty() {
            // Back to the beginning of its room, for that is what lies in the caches.
            things.clear();
        }
        first
    }
}

impl<H> Stretch<H> {
    /// Things that are in it.
    #[inline]
    pub(super) fn len(&self) -> u16 {
        self.len
    }

    /// Something comes in, behind all others. It comes back if it is of one type too many: it is to be boxed, as something that is
    /// taken [always](Self::accept_always).
    #[inline]
    pub(super) fn accept<T: Send + 'static>(&mut self, thing: T) -> Result<(), T>
    where
        H: KnowsHow<T>,
    {
        let Err((thing, place)) = self.join(thing) else { return Ok(()) };
        if self.lanes.len() >= LANES {
            return Err(thing);
        }
        self.begin_lane(place, thing);
        Ok(())
    }

    /// The same, for one of the few types that there is always a lane for.
    #[inline]
    pub(super) fn accept_always<T: Send + 'static>(&mut self, thing: T)
    where
        H: KnowsHow<T>,
    {
        if let Err((thing, place)) = self.join(thing) {
            self.begin_lane(place, thing);
        }
    }

    /// Something joins the others of its type. If there are none, here it is again, with a free place for its lane.
    #[inline]
    fn join<T: 'static>(&mut self, thing: T) -> Result<(), (T, usize)> {
        let mut place = digest::<T>() % PLACES;
        loop {
            let number = self.places.lane(place);
            // Where there is no lane the search is over.
            let Some(lane) = self.lanes.get_mut(usize::from(number)) else { return Err((thing, place)) };
            if let Some(things) = lane.things() {
                things.push_back(thing);
                self.len += 1;
                self.line_up(Run { lane: number, things: 1 });
                return Ok(());
            }
            place = (place + 1) % PLACES;
        }
    }

    /// The first of its type, for whose lane there is this free place.
    #[cold]
    fn begin_lane<T: Send + 'static>(&mut self, place: usize, thing: T)
    where
        H: KnowsHow<T>,
    {
        self.add_lane(place, Lane::of(thing));
    }

    /// A lane with a first thing in it.
    fn add_lane(&mut self, place: usize, lane: Lane<H>) {
        let number = self.lanes.len() as u8;
        self.places.give(place, number);
        self.lanes.push(lane);
        self.len += 1;
        self.line_up(Run { lane: number, things: 1 });
    }

    #[inline]
    fn line_up(&mut self, next: Run) {
        if let Some(run) = self.order.last_mut()
            && run.lane == next.lane
            && run.things > 0
        {
            run.things += next.things;
        } else {
            self.order.push(next);
        }
    }

    /// The first has its turn: the lane it is in, and that lane's number. It is to be taken from there before the next has its own.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u8, &mut Lane<H>)> {
        let run = self.order.get_mut(self.over)?;
        let number = run.lane;
        run.things -= 1;
        if run.things == 0 {
            self.over += 1;
        }
        self.len -= 1;
        Some((number, self.lanes.get_mut(usize::from(number))?))
    }

    #[inline]
    pub(super) fn lane(&mut self, number: u8) -> Option<&mut Lane<H>> {
        self.lanes.get_mut(usize::from(number))
    }

    /// All have their turn, in their order: so many of a lane, to be taken from there.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&mut Lane<H>, u16)) {
        for run in self.order.drain(..) {
            if let Some(lane) = self.lanes.get_mut(usize::from(run.lane)) {
                each(lane, run.things);
            }
        }
        self.begin_again();
    }

    /// All have been taken, and others may come.
    pub(super) fn begin_again(&mut self) {
        self.order.clear();
        self.over = 0;
        self.len = 0;
        self.uses += 1;
        if self.uses == FRESH {
            *self = Self::default();
        }
    }

    /// Of the things of one type, all but those that are to be kept are gone, and so are their turns.
    pub(super) fn retain<T: 'static>(&mut self, keep: impl Fn(&T) -> bool) {
        let Some(number) = self.lanes.iter_mut().position(|lane| lane.things::<T>().is_some()) else { return };
        let order = mem::take(&mut self.order);
        for mut run in order.into_iter().skip(mem::take(&mut self.over)) {
            if usize::from(run.lane) == number
                && let Some(things) = self.lane(run.lane).and_then(Lane::things::<T>)
            {
                // Round it goes: what is kept stands again behind those that have not been looked at.
                let all = run.things;
                for _ in 0..all {
                    match things.pop_front() {
                        Some(thing) if keep(&thing) => things.push_back(thing),
                        Some(_) | None => run.things -= 1,
                    }
                }
                self.len -= all - run.things;
            }
            if run.things > 0 {
                self.line_up(run);
            }
        }
    }
}

/// A number that follows from the type. Others may have the same.
#[inline]
fn digest<T: 'static>() -> usize {
    let mut digest = Digest(0);
    TypeId::of::<T>().hash(&mut digest);
    digest.0 as usize
}

/// Part of a type's identity: it is a hash already.
struct Digest(u64);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, part: u64) {
        self.0 ^= part;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
