//! crossbeam-channel as the oracle of the inbox: what is posted to a reactor comes out as what is sent through a channel.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;
use selvedge::{Handle, Reactor};

use crate::regressions;

/// A message: who posted it, and as which of theirs.
type Message = (usize, u32);

/// What a poster does before it posts: how the threads come to lie with respect to each other.
#[derive(Debug, Clone, Copy)]
enum Pace {
    AtOnce,
    Yield,
    /// Long enough for the loop to fall asleep.
    Sleep,
}

fn pace() -> impl Strategy<Value = Pace> {
    prop_oneof![20 => Just(Pace::AtOnce), 4 => Just(Pace::Yield), 1 => Just(Pace::Sleep)]
}

/// The reactor keeps calls of one type together, and huge ones apart; that must show in nothing.
#[derive(Debug, Clone, Copy)]
enum Shape {
    One,
    Another,
    Huge,
}

const SHAPES: [Shape; 3] = [Shape::One, Shape::Another, Shape::Huge];

impl Pace {
    fn keep(self) {
        match self {
            Self::AtOnce => {}
            Self::Yield => thread::yield_now(),
            Self::Sleep => thread::sleep(std::time::Duration::from_micros(200)),
        }
    }
}

/// One queue of each kind, and where their messages come out.
#[derive(Clone)]
struct Both {
    handle: Handle,
    came: Arc<Mutex<Vec<Message>>>,
    channel: Sender<Message>,
}

impl Both {
    fn new(reactor: &Reactor) -> (Self, Receiver<Message>) {
        let (channel, out) = unbounded();
        (Self { handle: reactor.handle(), came: Arc::default(), channel }, out)
    }

    /// Posts one message through each. False if the reactor handed it back: then the channel is not given it either.
    fn post(&self, message: Message, shape: Shape) -> bool {
        let came = Arc::clone(&self.came);
        let posted = match shape {
            Shape::One => self.handle.call_from_thread(move |_| came.lock().unwrap().push(message)).is_ok(),
            Shape::Another => self.handle.call_from_thread(move |_| came.lock().unwrap().extend([message])).is_ok(),
            Shape::Huge => {
                let huge = [message; 64];
                self.handle.call_from_thread(move |_| came.lock().unwrap().push(huge[63])).is_ok()
            }
        };
        if posted {
            self.channel.send(message).unwrap();
        }
        posted
    }

    fn came(&self) -> Vec<Message> {
        self.came.lock().unwrap().clone()
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

/// Posts from as many threads as there are paces; `stop` says who asks the reactor to stop, and after how many of its messages.
/// All that a poster does at one message is done under `lock`, where there is one.
fn post_all(both: &Both, paces: &[Vec<Pace>], stop: Option<(usize, usize)>, lock: bool) {
    let start = Barrier::new(paces.len());
    let one_at_a_time = Mutex::new(());
    thread::scope(|scope| {
        for (poster, paces) in paces.iter().enumerate() {
            let (start, one_at_a_time) = (&start, &one_at_a_time);
            scope.spawn(move || {
                start.wait();
                for (number, pace) in (0..).zip(paces) {
                    if stop.is_some_and(|(who, when)| who == poster && when == number as usize) {
                        both.handle.stop();
                    }
                    pace.keep();
                    let _guard = lock.then(|| one_at_a_time.lock().unwrap());
                    // The same shape some times on end, then the next.
                    both.post((poster, number), SHAPES[(poster + number as usize / 5) % SHAPES.len()]);
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
        paces in vec(vec(pace(), 0..200), 1..5),
    ) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, None, false));
            reactor.run();
        });
        let sent: Vec<Message> = channel.try_iter().collect();
        prop_assert_eq!(by_poster(&both.came(), paces.len()), by_poster(&sent, paces.len()));
        prop_assert_eq!(sent.len(), paces.iter().map(Vec::len).sum::<usize>());
    }

    // Checks: B6
    #[test]
    fn posts_that_do_not_overlap_come_in_one_total_order(paces in vec(vec(pace(), 0..100), 1..5)) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, None, true));
            reactor.run();
        });
        prop_assert_eq!(both.came(), channel.try_iter().collect::<Vec<_>>());
    }

    // Checks: B3, B6, B13
    #[test]
    fn around_the_end_a_call_either_runs_or_comes_back(
        paces in vec(vec(pace(), 1..200), 1..4),
        who in any::<sample::Index>(),
        when in any::<sample::Index>(),
    ) {
        let who = who.index(paces.len());
        let when = when.index(paces[who].len());
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        thread::scope(|scope| {
            scope.spawn(|| post_all(&both, &paces, Some((who, when)), false));
            reactor.run();
        });
        // What was accepted, exactly: and before the stop, everything was.
        let accepted: Vec<Message> = channel.try_iter().collect();
        let came = by_poster(&both.came(), paces.len());
        prop_assert_eq!(&came, &by_poster(&accepted, paces.len()));
        prop_assert!(came[who].len() >= when);
        for numbers in came {
            prop_assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "a call was handed back, and a later one was not");
        }
    }

    // Checks: B6, B7
    #[test]
    fn on_one_thread_the_order_is_that_of_a_channel_whenever_it_is_turned(
        bursts in vec((prop_oneof![5 => 0u32..8, 1 => 1000u32..3000], sample::select(&SHAPES), any::<bool>()), 0..30),
    ) {
        let reactor = Reactor::new();
        let (both, channel) = Both::new(&reactor);
        let mut sent = Vec::new();
        for (burst, (length, shape, turn)) in bursts.into_iter().enumerate() {
            for number in 0..length {
                prop_assert!(both.post((burst, number), shape));
            }
            if turn {
                prop_assert!(reactor.turn().is_ok());
                sent.extend(channel.try_iter());
                prop_assert_eq!(&both.came(), &sent);
            }
        }
    }
}
