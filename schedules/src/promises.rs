//! What was promised to each function that a program hands over, and what became of it.
//!
//! The locks here are std's and add no step to a schedule: no thread is scheduled while one is held.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shuttle::thread::{ThreadId, current, yield_now};

/// What a program has handed over, in the order in which it was made.
#[derive(Clone, Default)]
pub struct Promises(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    functions: Vec<Fate>,
    /// Moments, to tell what came before what.
    now: u64,
}

struct Fate {
    what: &'static str,
    answer: Answer,
    /// It was handed over between these moments.
    began: u64,
    answered: u64,
    /// When it ran.
    ran: Vec<u64>,
    dropped: u64,
    /// It may run only there.
    thread: Option<ThreadId>,
    /// Functions of one queue run in its order.
    queue: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    None,
    /// It runs.
    Accepted,
    /// It runs, unless its pool gets no thread or cancels what waits.
    AcceptedForNow,
    /// It does not run.
    Refused,
}

/// A function that was handed over, for the one who hands it over.
pub struct Promise {
    promises: Promises,
    number: usize,
}

/// The same function, for those who run or drop it.
pub struct Function {
    promises: Promises,
    number: usize,
}

impl Promises {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A function that is about to be handed over.
    pub fn function(&self, what: &'static str) -> (Promise, Function) {
        let mut kept = self.kept();
        kept.now += 1;
        let (number, began) = (kept.functions.len(), kept.now);
        let answer = Answer::None;
        let fate = Fate { what, answer, began, answered: 0, ran: vec![], dropped: 0, thread: None, queue: None };
        kept.functions.push(fate);
        let of = || self.clone();
        (Promise { promises: of(), number }, Function { promises: of(), number })
    }

    /// Until nothing is left of what was handed over.
    pub fn wait_until_dropped(&self) {
        while self.kept().functions.iter().any(|fate| fate.dropped == 0) {
            yield_now();
        }
    }

    /// When nothing runs any more: everything was run, dropped or handed back as promised.
    pub fn check(&self) {
        let kept = self.kept();
        for (number, fate) in kept.functions.iter().enumerate() {
            let Fate { what, answer, ran, dropped, .. } = fate;
            let ran = ran.len();
            let as_promised = match answer {
                Answer::Accepted => ran == 1,
                Answer::AcceptedForNow => ran <= 1,
                Answer::Refused | Answer::None => ran == 0,
            };
            assert!(as_promised, "{what} {number}: {answer:?}, and ran {ran} times");
            assert_eq!(*dropped, 1, "{what} {number}: it was dropped so often");
        }
        for (number, first) in kept.functions.iter().enumerate() {
            let (Some(queue), [ran]) = (first.queue, &first.ran[..]) else { continue };
            for (other, second) in kept.functions.iter().enumerate() {
                if second.queue == Some(queue) && first.answered < second.began {
                    let later = second.ran.iter().all(|second| ran < second);
                    assert!(
                        later,
                        "{} {number} was accepted before {} {other} and ran after it",
                        first.what, second.what
                    );
                }
            }
        }
    }
}

impl Promise {
    /// It may run only on this thread.
    pub fn on(self, thread: ThreadId) -> Self {
        self.promises.kept().functions[self.number].thread = Some(thread);
        self
    }

    /// It runs in the order of this queue.
    pub fn of_queue(self, queue: usize) -> Self {
        self.promises.kept().functions[self.number].queue = Some(queue);
        self
    }

    fn answer(&self, answer: Answer) {
        let mut kept = self.promises.kept();
        kept.now += 1;
        let now = kept.now;
        let fate = &mut kept.functions[self.number];
        fate.answer = answer;
        fate.answered = now;
    }

    /// It was accepted, and may depend on its pool; or not.
    pub fn accepted(&self, surely: bool) {
        self.answer(if surely { Answer::Accepted } else { Answer::AcceptedForNow });
    }

    /// It was refused, or was cancelled before it ran.
    pub fn never_runs(&self) {
        self.answer(Answer::Refused);
    }

    /// As the answer says.
    pub fn answered<T, E>(&self, answer: &Result<T, E>, surely: bool) {
        match answer {
            Ok(_) => self.accepted(surely),
            Err(_) => self.never_runs(),
        }
    }

    pub fn has_run(&self) -> bool {
        !self.promises.kept().functions[self.number].ran.is_empty()
    }
}

impl Function {
    pub fn run(&self) {
        let mut kept = self.promises.kept();
        kept.now += 1;
        let now = kept.now;
        let fate = &mut kept.functions[self.number];
        fate.ran.push(now);
        if let Some(thread) = fate.thread {
            assert_eq!(thread, current().id(), "{} {} runs on another thread", fate.what, self.number);
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.promises.kept().functions[self.number].dropped += 1;
    }
}
