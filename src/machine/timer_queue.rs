//! The timers' queue: values by deadline, equal deadlines in the order of adding, taken in passes.
//!
//! A pass takes what is due when it begins. What is scheduled during a pass belongs to the next, even if its deadline
//! has passed already: otherwise a timer that schedules another without a delay would never let the pass end. Such
//! values are *put off*: they wait in a map of their own, so that the pass need not search past them.
//!
//! Every operation takes O(log n) in the worst case. Memory follows the number of values.

use std::collections::BTreeMap;
use std::time::Duration;

/// The deadline of what never comes. Sums of times stop here.
pub(crate) const NEVER: Duration = Duration::MAX;

/// The last moment of any clock. It is before [`NEVER`].
pub(crate) const END_OF_TIME: Duration = Duration::new(u64::MAX, 999_999_998);

/// Where a value is in the queue, and what orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Its deadline.
    pub(crate) at: Duration,
    /// Counts every scheduling: orders equal deadlines.
    number: u64,
    place: Place,
}

/// Which map a value is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Scheduled,
    /// It was put off, by an even or odd pass.
    PutOff(Parity),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// The values of one map, by deadline and number.
type Map<V> = BTreeMap<(Duration, u64), V>;

/// The queue.
#[derive(Debug)]
pub(crate) struct TimerQueue<V> {
    scheduled: Map<V>,
    /// What was put off by even passes and by odd ones. A pass takes what the pass before it put off, so between passes
    /// only one of the two has values.
    put_off_even: Map<V>,
    put_off_odd: Map<V>,
    /// The parity of the present pass, or of the next.
    parity: Parity,
    /// The time at which the present pass began.
    pass: Option<Duration>,
    next_number: u64,
}

impl<V> Default for TimerQueue<V> {
    fn default() -> Self {
        Self {
            scheduled: Map::new(),
            put_off_even: Map::new(),
            put_off_odd: Map::new(),
            parity: Parity::Even,
            pass: None,
            next_number: 0,
        }
    }
}

impl<V> TimerQueue<V> {
    /// Adds a value. Among equal deadlines it comes last.
    pub(crate) fn insert(&mut self, at: Duration, value: V) -> Key {
        let number = self.next_number;
        self.next_number += 1;
        let is_late = self.pass.is_some_and(|now| at <= now);
        let place = if is_late { Place::PutOff(self.parity) } else { Place::Scheduled };
        self.map(place).insert((at, number), value);
        Key { at, number, place }
    }

    /// Takes a value out. `None` if it was taken before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<V> {
        self.map(key.place).remove(&(key.at, key.number))
    }

    /// Begins a pass over what is due at `now`.
    pub(crate) fn begin_pass(&mut self, now: Duration) {
        self.pass = Some(now.min(END_OF_TIME));
    }

    /// Takes out the next value of the pass, with its deadline. `None` ends the pass.
    pub(crate) fn next_due(&mut self) -> Option<(Duration, V)> {
        let now = self.pass?;
        let put_off = Place::PutOff(self.parity.other());
        let places = [put_off, Place::Scheduled];
        let first = places.into_iter().filter_map(|place| Some((first(self.map(place))?, place))).min_by_key(|f| f.0);
        match first {
            Some(((at, _), place)) if at <= now => self.map(place).pop_first().map(|(_, value)| (at, value)),
            Some(_) | None => {
                self.pass = None;
                self.parity = self.parity.other();
                None
            }
        }
    }

    /// Takes out the first value, with its deadline, due or not.
    pub(crate) fn pop_first(&mut self) -> Option<(Duration, V)> {
        let maps = [&mut self.put_off_even, &mut self.put_off_odd, &mut self.scheduled];
        let (_, map) = maps.into_iter().filter_map(|map| Some((first(map)?, map))).min_by_key(|first| first.0)?;
        map.pop_first().map(|((at, _), value)| (at, value))
    }

    /// When the next value is due, between passes. `None` if none ever is.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let maps = [&self.put_off_even, &self.put_off_odd, &self.scheduled];
        let (at, _) = maps.into_iter().filter_map(first).min()?;
        (at < NEVER).then_some(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.scheduled.len() + self.put_off_even.len() + self.put_off_odd.len()
    }

    fn map(&mut self, place: Place) -> &mut Map<V> {
        match place {
            Place::Scheduled => &mut self.scheduled,
            Place::PutOff(Parity::Even) => &mut self.put_off_even,
            Place::PutOff(Parity::Odd) => &mut self.put_off_odd,
        }
    }
}

fn first<V>(map: &Map<V>) -> Option<(Duration, u64)> {
    map.first_key_value().map(|(&key, _)| key)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{END_OF_TIME, Key, NEVER, TimerQueue};

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
            let mut keys: Vec<(u32, Key)> = Vec::new();
            let mut now = Duration::ZERO;
            for value in 0..300 {
                let at = match numbers.below(9) {
                    8 => NEVER,
                    seconds => now.saturating_sub(Duration::from_secs(3)) + Duration::from_secs(seconds),
                };
                match numbers.below(8) {
                    0..=2 => {
                        naive.insert(at, value);
                        keys.push((value, queue.insert(at, value)));
                    }
                    3 if !keys.is_empty() => {
                        let (value, key) = keys.swap_remove(numbers.below(keys.len() as u64) as usize);
                        assert_eq!(queue.remove(key), naive.remove(value), "seed {seed}");
                        if numbers.below(2) == 0 {
                            // It is put off, or on.
                            naive.insert(at, value);
                            keys.push((value, queue.insert(at, value)));
                        }
                    }
                    4 if naive.pass.is_none() => {
                        now += Duration::from_secs(numbers.below(3));
                        queue.begin_pass(now);
                        naive.pass = Some(now);
                    }
                    _ => {
                        let due = queue.next_due();
                        assert_eq!(due, naive.next_due(), "seed {seed}");
                        keys.retain(|&(value, _)| due.is_none_or(|due| due.1 != value));
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
        queue.insert(NEVER, "never");
        queue.insert(END_OF_TIME, "at the end");
        queue.begin_pass(NEVER);
        assert_eq!(queue.next_due(), Some((END_OF_TIME, "at the end")));
        assert_eq!((queue.next_due(), queue.next_deadline(), queue.len()), (None, None, 1));
        assert_eq!(END_OF_TIME + Duration::from_nanos(1), NEVER);
        assert_eq!(queue.pop_first(), Some((NEVER, "never")));
    }
}
