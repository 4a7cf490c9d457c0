//! The timers' queue: values by deadline, equal deadlines in the order of adding, taken in passes.
//!
//! A pass takes what is due when it begins. What is scheduled during a pass belongs to the next, even if its deadline
//! has passed already: otherwise a timer that schedules another without a delay would never let the pass end. Such
//! values are *put off*: they wait in a heap of their own, so that the pass need not search past them.
//!
//! Every operation takes O(log n) in the worst case. Memory follows the number of values.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::heap::{Heap, Item};

/// The deadline of what never comes. Sums of times stop here.
pub(crate) const NEVER: Duration = Duration::MAX;

/// The last moment of any clock. It is before [`NEVER`].
pub(crate) const END_OF_TIME: Duration = Duration::new(u64::MAX, 999_999_998);

/// A value with a deadline, which is in a queue or was. The queue and whoever cancels it share it.
#[derive(Debug)]
pub(crate) struct Timer<V: ?Sized> {
    at: Cell<Duration>,
    /// Where it is in the queue. `None` if it is not.
    place: Cell<Option<Place>>,
    /// Its position there.
    position: Cell<usize>,
    pub(crate) value: V,
}

/// Which heap a value is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Scheduled,
    /// It was put off, by an even or odd pass.
    PutOff(Parity),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parity {
    Even,
    Odd,
}

impl Parity {
    fn other(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
        }
    }
}

impl<V> Timer<V> {
    pub(crate) fn new(at: Duration, value: V) -> Self {
        Self { at: Cell::new(at), place: Cell::new(None), position: Cell::new(0), value }
    }
}

impl<V: ?Sized> Timer<V> {
    /// Its deadline, or what that was.
    pub(crate) fn at(&self) -> Duration {
        self.at.get()
    }
}

/// A timer in a heap, with what orders it.
#[derive(Debug)]
struct Entry<V: ?Sized> {
    /// Its deadline in nanoseconds, which are quicker to compare. `u64::MAX` stands for all that are later.
    nanos: u64,
    /// Counts every scheduling: orders equal deadlines.
    number: u64,
    timer: Rc<Timer<V>>,
}

impl<V: ?Sized> Item for Entry<V> {
    #[inline]
    fn is_before(&self, other: &Self) -> bool {
        if self.nanos != other.nanos {
            return self.nanos < other.nanos;
        }
        (self.timer.at(), self.number) < (other.timer.at(), other.number)
    }

    fn moved_to(&self, position: usize) {
        self.timer.position.set(position);
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct TimerQueue<V: ?Sized> {
    scheduled: Heap<Entry<V>>,
    /// What was put off by even passes and by odd ones. A pass takes what the pass before it put off, so between passes
    /// only one of the two has values.
    put_off_even: Heap<Entry<V>>,
    put_off_odd: Heap<Entry<V>>,
    /// The parity of the present pass, or of the next.
    parity: Parity,
    /// The time at which the present pass began.
    pass: Option<Duration>,
    next_number: u64,
}

impl<V: ?Sized> Default for TimerQueue<V> {
    fn default() -> Self {
        Self {
            scheduled: Heap::default(),
            put_off_even: Heap::default(),
            put_off_odd: Heap::default(),
            parity: Parity::Even,
            pass: None,
            next_number: 0,
        }
    }
}

impl<V: ?Sized> TimerQueue<V> {
    /// Adds a timer, or moves one that is in the queue. Among equal deadlines it comes last.
    pub(crate) fn schedule(&mut self, timer: &Rc<Timer<V>>, at: Duration) {
        let number = self.next_number;
        self.next_number += 1;
        let is_late = self.pass.is_some_and(|now| at <= now);
        let place = if is_late { Place::PutOff(self.parity) } else { Place::Scheduled };
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let entry = Entry { nanos, number, timer: Rc::clone(timer) };
        if timer.place.get() == Some(place) {
            timer.at.set(at);
            self.heap(place).replace(timer.position.get(), entry);
        } else {
            self.remove(timer);
            timer.at.set(at);
            timer.place.set(Some(place));
            self.heap(place).insert(entry);
        }
    }

    /// Takes a timer out, if it is in the queue.
    pub(crate) fn remove(&mut self, timer: &Timer<V>) -> Option<Rc<Timer<V>>> {
        let place = timer.place.take()?;
        self.heap(place).remove(timer.position.get()).map(|entry| entry.timer)
    }

    /// Begins a pass over what is due at `now`.
    pub(crate) fn begin_pass(&mut self, now: Duration) {
        self.pass = Some(now.min(END_OF_TIME));
    }

    /// Takes out the next timer of the pass. `None` ends the pass.
    pub(crate) fn next_due(&mut self) -> Option<Rc<Timer<V>>> {
        let now = self.pass?;
        let put_off = match self.parity {
            Parity::Even => &self.put_off_odd,
            Parity::Odd => &self.put_off_even,
        };
        match first([put_off, &self.scheduled]) {
            Some(first) if first.timer.at() <= now => {
                let first = Rc::clone(&first.timer);
                self.remove(&first)
            }
            Some(_) | None => {
                self.pass = None;
                self.parity = self.parity.other();
                None
            }
        }
    }

    /// Takes out the first timer, due or not.
    pub(crate) fn pop_first(&mut self) -> Option<Rc<Timer<V>>> {
        let first = Rc::clone(&first(self.heaps())?.timer);
        self.remove(&first)
    }

    /// When the next timer is due. `None` if none ever is.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let at = first(self.heaps())?.timer.at();
        (at < NEVER).then_some(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.heaps().map(Heap::len).iter().sum()
    }

    fn heaps(&self) -> [&Heap<Entry<V>>; 3] {
        [&self.put_off_even, &self.put_off_odd, &self.scheduled]
    }

    fn heap(&mut self, place: Place) -> &mut Heap<Entry<V>> {
        match place {
            Place::Scheduled => &mut self.scheduled,
            Place::PutOff(Parity::Even) => &mut self.put_off_even,
            Place::PutOff(Parity::Odd) => &mut self.put_off_odd,
        }
    }
}

/// The first entry of all in these heaps.
fn first<V: ?Sized, const N: usize>(heaps: [&Heap<Entry<V>>; N]) -> Option<&Entry<V>> {
    let firsts = heaps.into_iter().filter_map(Heap::first);
    firsts.reduce(|first, other| if other.is_before(first) { other } else { first })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use super::{END_OF_TIME, NEVER, Timer, TimerQueue};

    /// The same queue as a list that is searched from end to end.
    #[derive(Default)]
    struct Naive {
        /// Deadline, number, value, and whether it belongs to the next pass.
        entries: Vec<(Duration, u64, u32, bool)>,
        scheduled: u64,
        pass: Option<Duration>,
    }

    impl Naive {
        fn insert(&mut self, at: Duration, value: u32) {
            self.entries.push((at, self.scheduled, value, self.pass.is_some()));
            self.scheduled += 1;
        }

        fn remove(&mut self, value: u32) -> Option<u32> {
            let index = self.entries.iter().position(|entry| entry.2 == value)?;
            Some(self.entries.remove(index).2)
        }

        fn next_due(&mut self) -> Option<(Duration, u32)> {
            let now = self.pass?;
            let due = self.entries.iter().filter(|entry| entry.0 <= now && entry.0 < NEVER && !entry.3).min();
            let Some(&(at, _, value, _)) = due else {
                self.pass = None;
                self.entries.iter_mut().for_each(|entry| entry.3 = false);
                return None;
            };
            self.remove(value);
            Some((at, value))
        }
    }

    /// A generator of numbers that need not be good (xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    // Checks: B18, B21, P85
    #[test]
    fn a_timer_queue_does_what_a_list_does_that_is_searched_from_end_to_end() {
        for seed in 1..500 {
            let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
            let (mut queue, mut naive) = (TimerQueue::default(), Naive::default());
            let mut timers: Vec<Rc<Timer<u32>>> = Vec::new();
            let mut now = Duration::ZERO;
            for value in 0..300 {
                let at = match numbers.below(9) {
                    8 => NEVER,
                    seconds => now.saturating_sub(Duration::from_secs(3)) + Duration::from_secs(seconds),
                };
                match numbers.below(8) {
                    0..=2 => {
                        naive.insert(at, value);
                        timers.push(Rc::new(Timer::new(at, value)));
                        queue.schedule(&timers[timers.len() - 1], at);
                    }
                    3 if !timers.is_empty() => {
                        let index = numbers.below(timers.len() as u64) as usize;
                        let taken = naive.remove(timers[index].value);
                        if numbers.below(2) == 0 {
                            // It is put off, or on; or it was taken, and comes again.
                            naive.insert(at, timers[index].value);
                            queue.schedule(&timers[index], at);
                        } else {
                            let timer = timers.swap_remove(index);
                            assert_eq!(queue.remove(&timer).map(|timer| timer.value), taken, "seed {seed}");
                            assert!(queue.remove(&timer).is_none());
                        }
                    }
                    4 if naive.pass.is_none() => {
                        now += Duration::from_secs(numbers.below(3));
                        queue.begin_pass(now);
                        naive.pass = Some(now);
                    }
                    _ => {
                        let due = queue.next_due().map(|timer| (timer.at(), timer.value));
                        assert_eq!(due, naive.next_due(), "seed {seed}");
                    }
                }
                assert_eq!(queue.len(), naive.entries.len());
                let first = naive.entries.iter().map(|entry| entry.0).min().filter(|&at| at < NEVER);
                assert_eq!(queue.next_deadline(), first, "seed {seed}");
            }
        }
    }

    // Checks: P86
    #[test]
    fn what_is_never_due_is_not_due_at_the_end_of_time_either() {
        let mut queue = TimerQueue::default();
        queue.schedule(&Rc::new(Timer::new(NEVER, "never")), NEVER);
        queue.schedule(&Rc::new(Timer::new(END_OF_TIME, "at the end")), END_OF_TIME);
        queue.begin_pass(NEVER);
        assert_eq!(queue.next_due().map(|timer| timer.value), Some("at the end"));
        assert!(queue.next_due().is_none());
        assert_eq!((queue.next_deadline(), queue.len()), (None, 1));
        assert_eq!(END_OF_TIME + Duration::from_nanos(1), NEVER);
        assert_eq!(queue.pop_first().map(|timer| timer.at()), Some(NEVER));
    }
}
