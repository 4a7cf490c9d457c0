//! crossbeam-channel as the oracle of the inbox: calls run in the order in which a channel delivers messages.

use std::panic::resume_unwind;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;
use selvedge::{Handle, Reactor, report::Incident};

use crate::regressions;

/// A message: its poster, and its number among the poster's.
type Message = (usize, u32);

/// What a poster does before it posts, to vary how the threads overlap.
#[derive(Debug, Clone, Copy)]
enum Timing {
    AtOnce,
    Yield,
    /// Long enough for the loop to fall asleep.
    Sleep,
}

fn timing() -> impl Strategy<Value = Timing> {
    prop_oneof![20 => Just(Timing::AtOnce), 4 => Just(Timing::Yield), 1 => Just(Timing::Sleep)]
}

/// One function for each of these loads.
macro_rules! of_each {
    ($function:ident: $($load:literal)*) => { [$($function::<$load>),*] };
}

/// Posts a call that records its message; each function posts a type of its own. False if the reactor rejected it.
type Shape = fn(&Handle, Arc<Mutex<Vec<Message>>>, Message) -> bool;

/// The reactor stores the calls of each type together, and boxes large ones and those of too many types. Neither may be
/// visible: so these are more types than it stores apart, and some are large.
const SHAPES: [Shape; 48] = of_each![shape:
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38
    39 40 41 42 43 44 200 500 1000
];

fn shape<const LOAD: usize>(handle: &Handle, arrived: Arc<Mutex<Vec<Message>>>, message: Message) -> bool {
    let load = [message.1 as u8; LOAD];
    let call = move |_: &Reactor| {
        assert_eq!(load, [message.1 as u8; LOAD]);
        arrived.lock().unwrap().push(message);
    };
    handle.call_from_thread(call).is_ok()
}

impl Timing {
    fn keep(self) {
        match self {
            Self::AtOnce => {}
            Self::Yield => thread::yield_now(),
            Self::Sleep => thread::sleep(std::time::Duration::from_micros(200)),
        }
    }
}

/// A reactor and a channel, and the messages that have arrived.
#[derive(Clone)]
struct Both {
    handle: Handle,
    arrived: Arc<Mutex<Vec<Message>>>,
    channel: Sender<Message>,
}

impl Both {
    fn new(reactor: &Reactor) -> (Self, Receiver<Message>) {
        let (channel, out) = unbounded();
        (Self { handle: reactor.handle(), arrived: Arc::default(), channel }, out)
    }

    /// Posts one message through each. If the reactor rejects it (false), the channel does not get it either.
    fn post(&self, message: Message, shape: Shape) -> bool {
        let posted = shape(&self.handle, Arc::clone(&self.arrived), message);
        if posted {
            self.channel.send(message).unwrap();
        }
        posted
    }

    fn arrived(&self) -> Vec<Message> {
        self.arrived.lock().unwrap().clone()
    }
}

/// Each poster's messages, in the order they are in.
fn by_poster(messages: &[Message], posters: usize) -> Vec<Vec<u32>> {
    let mut each = vec![Vec::new(); posters];
    for &(poster, number) in messages {
        each[poster].push(number);
    }
    each
}

/// How many types are posted: more than the reactor stores apart, or so few that they come again within a batch.
fn types() -> impl Strategy<Value = usize> {
    prop_oneof![Just(SHAPES.len()), 2..5usize]
}

/// Posts from one thread for each list of timings; `stop` says who stops the reactor, and after how many of its
/// messages. If there is a `lock`, each message is posted under it.
fn post_all(both: &Both, paces: &[Vec<Timing>], types: usize, stop: Option<(usize, usize)>, lock: bool) {
    let start = Barrier::new(paces.len());
    let one_at_a_time = Mutex::new(());
    thread::scope(|scope| {
        for (poster, paces) in paces.iter().enumerate() {
            let (start, one_at_a_time) = (&start, &one_at_a_time);
            scope.spawn(move || {
                start.wait();
                for (number, timing) in (0..).zip(paces) {
                    if stop.is_some_and(|(who, when)| who == poster && when == number as usize) {
                        both.handle.stop();
                    }
                    timing.keep();
                    let _guard = lock.then(|| one_at_a_time.lock().unwrap());
                    // The same type several times, then the next.
                    both.post((poster, number), SHAPES[(poster + number as usize / 5) % types]);
                }
            });
        }
    });
    both.handle.stop();
}

proptest! {
    #![proptest_config(regressions::config("inbox", 150))]

    // Checks: B6
    #[test]
    fn each_poster_is_first_in_first_out_and_nothing_is_lost_or_doubled(
        paces in vec(vec(timing(), 0..200), 1..5),
        types in types(),
    ) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, types, None, false));
            reactor.run();
        });
        let sent: Vec<Message> = channel.try_iter().collect();
        prop_assert_eq!(by_poster(&both.arrived(), paces.len()), by_poster(&sent, paces.len()));
        prop_assert_eq!(sent.len(), paces.iter().map(Vec::len).sum::<usize>());
    }

    // Checks: B6
    #[test]
    fn posts_that_do_not_overlap_come_in_one_total_order(
        paces in vec(vec(timing(), 0..100), 1..5),
        types in types(),
    ) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, types, None, true));
            reactor.run();
        });
        prop_assert_eq!(both.arrived(), channel.try_iter().collect::<Vec<_>>());
    }

    // Checks: B3, B6, B13
    #[test]
    fn around_the_end_a_call_either_runs_or_comes_back(
        paces in vec(vec(timing(), 1..200), 1..4),
        types in types(),
        who in any::<sample::Index>(),
        when in any::<sample::Index>(),
    ) {
        let who = who.index(paces.len());
        let when = when.index(paces[who].len());
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, types, Some((who, when)), false));
            reactor.run();
        });
        // Exactly what was accepted has run; before the stop, everything was accepted.
        let accepted: Vec<Message> = channel.try_iter().collect();
        let arrived = by_poster(&both.arrived(), paces.len());
        prop_assert_eq!(&arrived, &by_poster(&accepted, paces.len()));
        prop_assert!(arrived[who].len() >= when);
        for numbers in arrived {
            let in_order = numbers.iter().copied().eq(0..numbers.len() as u32);
            prop_assert!(in_order, "a call was rejected, and a later one was not");
        }
    }

    // Checks: B6, B7
    #[test]
    fn on_one_thread_the_order_is_that_of_a_channel_whenever_it_is_turned(
        bursts in vec(
            (
                prop_oneof![5 => 0u32..8, 1 => 1000u32..3000],
                // How many types are used in turn, and the first of them.
                prop_oneof![2 => Just(1), 1 => 1..=SHAPES.len()],
                0..SHAPES.len(),
                any::<bool>(),
            ),
            0..30,
        ),
    ) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        let mut sent = Vec::new();
        for (burst, (length, types, first, turn)) in bursts.into_iter().enumerate() {
            for number in 0..length {
                prop_assert!(both.post((burst, number), SHAPES[(first + number as usize % types) % SHAPES.len()]));
            }
            if turn {
                prop_assert!(reactor.turn().is_ok());
                sent.extend(channel.try_iter());
                prop_assert_eq!(&both.arrived(), &sent);
            }
        }
    }

    // Checks: B6, B8, P2, P5, P7
    #[test]
    fn each_call_is_over_before_the_next_begins_whatever_comes_of_it(
        posts in vec((sample::select(&FATED), fate(), prop::bool::weighted(0.02)), 0..200),
        times in prop_oneof![3 => Just(1), 1 => 1u32..30],
    ) {
        let incidents = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&incidents);
        let builder = Reactor::builder().on_report(move |report| sink.lock().unwrap().push(report.incident));
        let reactor = builder.build().unwrap();
        let (handle, trace) = (reactor.handle(), Arc::default());
        let (mut expected, mut reports, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (shape, fate, turn)) in (0..times).flat_map(|_| &posts).enumerate() {
            shape(&handle, Captured { number, fate: *fate, trace: Arc::clone(&trace) });
            waiting.push((number, *fate));
            if *turn {
                prop_assert!(reactor.turn().is_ok());
                for (number, fate) in waiting.drain(..) {
                    expected.extend([Event::Ran(number), Event::Gone(number)]);
                    reports.extend((fate != Fate::Return).then_some(Incident::Call));
                }
            }
        }
        // What has not run by now never runs.
        drop(reactor);
        for (number, fate) in waiting {
            expected.push(Event::Gone(number));
            reports.extend((fate == Fate::PanicInDrop).then_some(Incident::Drop));
        }
        prop_assert_eq!(&*trace.lock().unwrap(), &expected);
        prop_assert_eq!(&*incidents.lock().unwrap(), &reports);
    }
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Return,
    Panic,
    PanicInDrop,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Return), 1 => Just(Fate::Panic), 1 => Just(Fate::PanicInDrop)]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Ran(usize),
    Gone(usize),
}

/// Captured by a call: records its drop.
struct Captured {
    number: usize,
    fate: Fate,
    trace: Arc<Mutex<Vec<Event>>>,
}

impl Captured {
    fn note(&self, event: fn(usize) -> Event) {
        self.trace.lock().unwrap().push(event(self.number));
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.note(Event::Gone);
        if self.fate == Fate::PanicInDrop {
            resume_unwind(Box::new("planned"));
        }
    }
}

/// As [`SHAPES`], for calls with an end.
const FATED: [fn(&Handle, Captured); 40] = of_each![fated:
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37
    200 1000
];

fn fated<const LOAD: usize>(handle: &Handle, captured: Captured) {
    let load = [captured.number as u8; LOAD];
    let call = move |_: &Reactor| {
        assert_eq!(load, [captured.number as u8; LOAD]);
        captured.note(Event::Ran);
        if captured.fate == Fate::Panic {
            resume_unwind(Box::new("planned"));
        }
    };
    handle.call_from_thread(call).unwrap();
}
