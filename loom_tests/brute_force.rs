//! All two-thread programs of a few operations on the inbox and the one-shot channel: loom's outcomes beside those of
//! every interleaving of a naive reference, by brute force. The two sets must be equal.
//!
//! So a search that overlooks an interleaving is seen, and so is an operation that is not atomic.
//!
//! Checks: P13, P10

#![allow(clippy::indexing_slicing, reason = "there are two threads")]

use std::collections::BTreeSet;
use std::sync::{Arc as StdArc, Mutex as StdMutex};

use loom::sync::Arc;
use loom::thread;
use selvedge::loom::shells::{Inbox, RecvError, Sender, TimeoutTrigger, channel};

use crate::explore::litmus;

/// What the operations of both threads returned, in the order of each thread.
type Outcome = [Vec<String>; 2];

/// The outcomes of a program in a search by loom.
fn searched(program: impl Fn() -> Outcome + Send + Sync + 'static) -> BTreeSet<Outcome> {
    let seen = StdArc::new(StdMutex::new(BTreeSet::new()));
    let outcomes = StdArc::clone(&seen);
    litmus(move || {
        let outcome = program();
        outcomes.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// A reference: an operation's result, or nothing while it has to wait.
trait Reference: Clone {
    type Operation: Copy;

    fn perform(&mut self, operation: Self::Operation) -> Option<String>;
}

/// The outcomes of all interleavings; nothing if one of them ends with both threads waiting.
#[allow(clippy::indexing_slicing, reason = "a thread is 0 or 1")]
fn brute_force<R: Reference>(state: &R, left: [&[R::Operation]; 2], done: &Outcome) -> Option<BTreeSet<Outcome>> {
    if left.iter().all(|operations| operations.is_empty()) {
        return Some(BTreeSet::from([done.clone()]));
    }
    let mut all = BTreeSet::new();
    let mut moved = false;
    for thread in [0, 1] {
        let [first, rest @ ..] = left[thread] else { continue };
        let mut state = state.clone();
        let Some(result) = state.perform(*first) else { continue };
        moved = true;
        let (mut left, mut done) = (left, done.clone());
        left[thread] = rest;
        done[thread].push(result);
        all.extend(brute_force(&state, left, &done)?);
    }
    moved.then_some(all)
}

/// All sequences of so many of the operations.
fn sequences<T: Copy>(operations: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![vec![]], |shorter, _| {
        let longer = |one: &Vec<T>| operations.iter().map(|next| [&one[..], &[*next]].concat()).collect::<Vec<_>>();
        shorter.iter().flat_map(longer).collect()
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum InboxOperation {
    Post(u8),
    /// The loop's.
    Take,
    /// The loop's: until there is a call, or none can come.
    Wait,
    /// The loop's.
    Close,
}

#[derive(Clone, Default)]
struct NaiveInbox {
    calls: Vec<u8>,
    closed: bool,
}

impl Reference for NaiveInbox {
    type Operation = InboxOperation;

    fn perform(&mut self, operation: InboxOperation) -> Option<String> {
        match operation {
            InboxOperation::Post(call) if self.closed => Some(format!("{:?}", Err::<(), _>(call))),
            InboxOperation::Post(call) => {
                self.calls.push(call);
                Some(format!("{:?}", Ok::<_, u8>(())))
            }
            InboxOperation::Take => Some(format!("{:?}", std::mem::take(&mut self.calls))),
            InboxOperation::Wait => (self.closed || !self.calls.is_empty()).then(String::new),
            InboxOperation::Close => {
                self.closed = true;
                Some(format!("{:?}", std::mem::take(&mut self.calls)))
            }
        }
    }
}

fn perform_on_inbox(inbox: &Inbox<Vec<u8>>, operation: InboxOperation) -> String {
    match operation {
        InboxOperation::Post(call) => format!("{:?}", inbox.post(call)),
        InboxOperation::Take => {
            let mut batch = Vec::new();
            inbox.take(&mut batch);
            format!("{batch:?}")
        }
        InboxOperation::Wait => {
            inbox.wait(None);
            String::new()
        }
        InboxOperation::Close => format!("{:?}", inbox.close()),
    }
}

#[test]
fn loom_sees_the_outcomes_of_every_interleaving_of_two_threads_at_an_inbox() {
    use InboxOperation::{Close, Post, Take, Wait};
    let (mut tried, mut of_many) = (0, 0);
    for of_loop in sequences(&[Post(1), Take, Wait, Close], 3) {
        for of_poster in [&[Post(2)][..], &[Post(2), Post(3)]] {
            let Some(expected) = brute_force(&NaiveInbox::default(), [&of_loop, of_poster], &Outcome::default()) else {
                continue;
            };
            let (first, second) = (of_loop.clone(), of_poster.to_vec());
            let found = searched(move || {
                let inbox = Arc::new(Inbox::new());
                let (other, second) = (Arc::clone(&inbox), second.clone());
                let posting = thread::spawn(move || {
                    let results = second.iter().map(|operation| perform_on_inbox(&other, *operation)).collect();
                    (results, other)
                });
                let results = first.iter().map(|operation| perform_on_inbox(&inbox, *operation)).collect();
                [results, posting.join().unwrap().0]
            });
            assert_eq!(found, expected, "{of_loop:?} beside {of_poster:?}");
            tried += 1;
            of_many += usize::from(expected.len() > 1);
        }
    }
    println!("{tried} programs, {of_many} of them with several outcomes");
    assert!(tried > 0 && of_many > 0);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum OneshotOperation {
    /// The sender's.
    StartWork(u8),
    /// The sender's.
    IsWanted,
    /// The sender's last.
    Send,
    /// The sender's last.
    DropSender,
    /// Either thread's, once.
    TimeOut,
    /// The receiver's last.
    Receive,
}

/// The first of these has decided.
#[derive(Clone, Copy, PartialEq)]
enum Decided {
    Sent,
    Disconnected,
    TimedOut,
}

#[derive(Clone, Default)]
struct NaiveOneshot {
    decided: Option<Decided>,
    work: Option<u8>,
    received: bool,
}

impl Reference for NaiveOneshot {
    type Operation = OneshotOperation;

    fn perform(&mut self, operation: OneshotOperation) -> Option<String> {
        let undecided = self.decided.is_none();
        Some(match operation {
            OneshotOperation::StartWork(work) => {
                if undecided {
                    self.work = Some(work);
                }
                format!("{undecided:?}")
            }
            OneshotOperation::IsWanted => format!("{undecided:?}"),
            OneshotOperation::Send => {
                self.decided.get_or_insert(Decided::Sent);
                format!("{:?}", if undecided { Ok(()) } else { Err(7) })
            }
            OneshotOperation::DropSender => {
                self.decided.get_or_insert(Decided::Disconnected);
                String::new()
            }
            OneshotOperation::TimeOut => {
                self.decided.get_or_insert(Decided::TimedOut);
                String::new()
            }
            OneshotOperation::Receive => {
                let received = match self.decided? {
                    Decided::Sent => Ok(7),
                    Decided::Disconnected => Err(RecvError::Disconnected),
                    Decided::TimedOut => Err(RecvError::TimedOut(self.work)),
                };
                self.received = true;
                format!("{received:?}")
            }
        })
    }
}

/// What a thread holds of a channel.
#[derive(Default)]
struct Ends {
    sender: Option<Sender<i32, u8>>,
    timeout: Option<TimeoutTrigger<i32, u8>>,
}

impl Ends {
    fn perform(&mut self, operation: OneshotOperation) -> String {
        let sender = self.sender.as_ref();
        match operation {
            OneshotOperation::StartWork(work) => format!("{:?}", sender.unwrap().start_work(work)),
            OneshotOperation::IsWanted => format!("{:?}", sender.unwrap().is_wanted()),
            OneshotOperation::Send => format!("{:?}", self.sender.take().unwrap().send(7)),
            OneshotOperation::DropSender => {
                drop(self.sender.take());
                String::new()
            }
            OneshotOperation::TimeOut => {
                self.timeout.take().unwrap().fire();
                String::new()
            }
            OneshotOperation::Receive => unreachable!("the receiver's own"),
        }
    }
}

#[test]
fn loom_sees_the_outcomes_of_every_interleaving_of_two_threads_at_a_one_shot() {
    use OneshotOperation::{DropSender, IsWanted, Receive, Send, StartWork, TimeOut};
    let (mut tried, mut of_many) = (0, 0);
    let sender_begins = [vec![], vec![StartWork(1)], vec![IsWanted], vec![StartWork(1), IsWanted], vec![TimeOut]];
    for begin in &sender_begins {
        for last in [Send, DropSender] {
            for receiver in [&[Receive][..], &[TimeOut, Receive]] {
                if begin.contains(&TimeOut) && receiver.contains(&TimeOut) {
                    continue;
                }
                let sender = [&begin[..], &[last]].concat();
                let expected = brute_force(&NaiveOneshot::default(), [receiver, &sender], &Outcome::default()).unwrap();
                let (first, second) = (receiver.to_vec(), sender.clone());
                let found = searched(move || {
                    let (sender, receiver) = channel();
                    let mut timeout = Some(receiver.timeout_trigger());
                    let sender_has_it = second.contains(&TimeOut);
                    let mut of_sender = Ends { sender: Some(sender), timeout: timeout.take_if(|_| sender_has_it) };
                    let second = second.clone();
                    let sending = thread::spawn(move || {
                        let results = second.iter().map(|operation| of_sender.perform(*operation)).collect();
                        (results, of_sender)
                    });
                    let mut of_receiver = Ends { sender: None, timeout };
                    let (begin, _) = first.split_at(first.len() - 1);
                    let mut results: Vec<_> = begin.iter().map(|operation| of_receiver.perform(*operation)).collect();
                    results.push(format!("{:?}", receiver.recv(None)));
                    [results, sending.join().unwrap().0]
                });
                assert_eq!(found, expected, "{receiver:?} beside {sender:?}");
                tried += 1;
                of_many += usize::from(expected.len() > 1);
            }
        }
    }
    println!("{tried} programs, {of_many} of them with several outcomes");
    assert!(tried > 0 && of_many > 0);
}
