//! Wakers whose clone, wake and drop run code of the program, which uses the future, its Deferred and the reactor.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use cooked_waker::{IntoWaker, Wake, WakeRef};
use selvedge::{Deferred, Failure, Handle, Reactor, Resolver, error::ReactorStopped, testing::Injected};

use crate::support::{reporting, with_watchdog};

type Answer = Pin<Box<dyn Future<Output = Result<u32, Failure>>>>;

/// When a waker does its deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Cloned,
    Woken,
    Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Lets the result come.
    Fires,
    PollsTheFuture,
    DropsTheFuture,
    Posts,
    DropsTheLastHandle,
}

const ALL: [(When, Deed); 15] = {
    use Deed::{DropsTheFuture, DropsTheLastHandle, Fires, PollsTheFuture, Posts};
    use When::{Cloned, Dropped, Woken};
    [
        (Cloned, Fires),
        (Cloned, PollsTheFuture),
        (Cloned, DropsTheFuture),
        (Cloned, Posts),
        (Cloned, DropsTheLastHandle),
        (Woken, Fires),
        (Woken, PollsTheFuture),
        (Woken, DropsTheFuture),
        (Woken, Posts),
        (Woken, DropsTheLastHandle),
        (Dropped, Fires),
        (Dropped, PollsTheFuture),
        (Dropped, DropsTheFuture),
        (Dropped, Posts),
        (Dropped, DropsTheLastHandle),
    ]
};

/// What the wakers of this thread reach.
struct World {
    future: RefCell<Option<Answer>>,
    fire: Box<dyn Fn()>,
    handle: RefCell<Option<Handle>>,
    /// What the future was ready with.
    result: RefCell<Option<Result<u32, Failure>>>,
    does: (When, Deed),
    /// How often the deed is not done before it is.
    skips: Cell<u32>,
    done: Cell<u32>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

impl World {
    /// Polls the future, unless it is gone or is being polled.
    fn poll(&self, waker: &Waker) {
        let Some(mut future) = self.future.borrow_mut().take() else { return };
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Pending => drop(self.future.replace(Some(future))),
            Poll::Ready(result) => drop(self.result.replace(Some(result))),
        }
    }

    fn at(&self, when: When) {
        if self.does.0 != when {
            return;
        }
        if self.skips.get() > 0 {
            return self.skips.set(self.skips.get() - 1);
        }
        self.done.set(self.done.get() + 1);
        match self.does.1 {
            Deed::Fires => (self.fire)(),
            Deed::PollsTheFuture => self.poll(Waker::noop()),
            Deed::DropsTheFuture => drop(self.future.take()),
            Deed::Posts => drop(self.handle.borrow().as_ref().map(|handle| handle.call_from_thread(|_| ()))),
            Deed::DropsTheLastHandle => drop(self.handle.take()),
        }
    }
}

/// A waker that does the deed of its thread's world.
struct Hostile;

impl Hostile {
    fn at(when: When) {
        if let Some(world) = WORLD.with_borrow(Clone::clone) {
            world.at(when);
        }
    }
}

impl Clone for Hostile {
    fn clone(&self) -> Self {
        Self::at(When::Cloned);
        Self
    }
}

impl WakeRef for Hostile {
    fn wake_by_ref(&self) {
        Self::at(When::Woken);
    }
}

impl Wake for Hostile {}

impl Drop for Hostile {
    fn drop(&mut self) {
        Self::at(When::Dropped);
    }
}

/// A future, and what lets its result come.
type Made = (Answer, Box<dyn Fn()>);

/// The futures of this crate that keep a waker, and how each gets its result.
const FUTURES: [(&str, fn(Reactor) -> Made); 6] = [
    ("of a Deferred", |_reactor| {
        let (deferred, fire) = fired_by_hand();
        (Box::pin(deferred.into_future()), fire)
    }),
    ("of a Deferred that is paused when it fires", |_reactor| {
        let (deferred, fire) = fired_by_hand();
        let pause = deferred.pause_handle();
        pause.pause();
        let ends_pause = move || {
            fire();
            _ = pause.unpause();
        };
        (Box::pin(deferred.into_future()), Box::new(ends_pause))
    }),
    ("that is Send", |reactor| {
        let (deferred, fire) = fired_by_hand();
        let future = deferred.into_send_future(&reactor);
        (Box::pin(future), keeping(reactor, move |_| fire()))
    }),
    ("that is Send, whose reactor goes", |reactor| {
        let (deferred, resolver) = Deferred::new();
        let future = deferred.into_send_future(&reactor);
        let held = Cell::new(Some((reactor, resolver)));
        // In this order: the Deferred is not abandoned.
        let goes = move || {
            let held: Option<(Reactor, Resolver<u32>)> = held.take();
            drop(held.map(|(reactor, resolver)| (drop(reactor), resolver)));
        };
        (Box::pin(future), Box::new(goes))
    }),
    ("of a question", |reactor| {
        let future = reactor.handle().ask(|_| 7);
        (Box::pin(future), keeping(reactor, |reactor| _ = reactor.turn()))
    }),
    ("of a question that is answered by a Deferred", |reactor| {
        let (deferred, resolver) = Deferred::new();
        let mut resolver = Some(resolver);
        let asked = reactor.local();
        let deferred = Cell::new(Some(deferred));
        WAITING.set(Some(Box::new(move || deferred.take().unwrap())));
        let future = reactor.handle().ask(|_| WAITING.take().unwrap()());
        asked.with(|reactor| _ = reactor.turn().unwrap()).unwrap();
        let resolver = Cell::new(resolver.take());
        (Box::pin(future), keeping(reactor, move |_| _ = resolver.take().map(|resolver| resolver.callback(7))))
    }),
];

thread_local! {
    /// The Deferred that answers the question.
    static WAITING: Cell<Option<Box<dyn FnOnce() -> Deferred<u32>>>> = const { Cell::new(None) };
}

fn fired_by_hand() -> (Deferred<u32>, Box<dyn Fn()>) {
    let (deferred, resolver) = Deferred::new();
    let resolver = Cell::new(Some(resolver));
    (deferred, Box::new(move || _ = resolver.take().map(|resolver| resolver.callback(7))))
}

fn keeping(reactor: Reactor, fire: impl Fn(&Reactor) + 'static) -> Box<dyn Fn()> {
    Box::new(move || fire(&reactor))
}

// Checks: P9, P20, P25, P110
#[test]
fn a_waker_may_use_its_future_and_let_its_result_come_when_it_is_cloned_woken_or_dropped() {
    for (name, make) in FUTURES {
        for does in ALL {
            for (skips, gives_up) in [(0, false), (1, false), (0, true), (1, true)] {
                with_watchdog(move || run(name, make, does, skips, gives_up));
            }
        }
    }
}

fn run(name: &str, make: fn(Reactor) -> Made, does: (When, Deed), skips: u32, gives_up: bool) {
    let (reactor, reports) = reporting();
    let handle = reactor.handle();
    let (future, fire) = make(reactor);
    let world = Rc::new(World {
        future: RefCell::new(Some(future)),
        fire,
        handle: RefCell::new(Some(handle)),
        result: RefCell::new(None),
        does,
        skips: Cell::new(skips),
        done: Cell::new(0),
    });
    WORLD.set(Some(Rc::clone(&world)));
    let wakers = [(); 2].map(|()| Box::new(Hostile).into_waker());
    // The second takes the place of the first, which is dropped in the poll.
    wakers.iter().for_each(|waker| world.poll(waker));
    if gives_up {
        drop(world.future.take());
    }
    (world.fire)();
    world.poll(Waker::noop());
    let (when, deed) = does;
    assert!(world.done.get() > 0 || skips > 0 || gives_up && when == When::Woken, "{name}: {does:?} has not happened");
    match world.result.take() {
        Some(Ok(7)) => {}
        Some(Err(failure)) if name.ends_with("reactor goes") => assert!(failure.is::<ReactorStopped>()),
        None if gives_up || deed == Deed::DropsTheFuture => {}
        result => panic!("{name}: {does:?}: {result:?}"),
    }
    WORLD.set(None);
    assert_eq!(reports, [], "{name}: {does:?}");
}

// Checks: P20, P25, P110
#[test]
fn the_result_is_there_when_its_waker_is_woken() {
    for (name, make) in FUTURES {
        with_watchdog(move || {
            let (reactor, _) = reporting();
            let (future, fire) = make(reactor);
            let world = Rc::new(World {
                future: RefCell::new(Some(future)),
                fire,
                handle: RefCell::new(None),
                result: RefCell::new(None),
                does: (When::Woken, Deed::PollsTheFuture),
                skips: Cell::new(0),
                done: Cell::new(0),
            });
            WORLD.set(Some(Rc::clone(&world)));
            world.poll(&Box::new(Hostile).into_waker());
            (world.fire)();
            assert!(world.result.borrow().is_some(), "{name}");
            WORLD.set(None);
        });
    }
}

/// A waker whose clone panics.
struct PanicsWhenCloned;

impl Clone for PanicsWhenCloned {
    fn clone(&self) -> Self {
        panic_any(Injected)
    }
}

impl WakeRef for PanicsWhenCloned {
    fn wake_by_ref(&self) {}
}

impl Wake for PanicsWhenCloned {}

/// Polls a future with such a waker: the panic goes to who polls.
fn poll_panics(future: &mut (impl Future + Unpin)) {
    let waker = Box::new(PanicsWhenCloned).into_waker();
    let mut poll = || _ = Pin::new(&mut *future).poll(&mut Context::from_waker(&waker));
    assert!(catch_unwind(AssertUnwindSafe(&mut poll)).unwrap_err().is::<Injected>());
}

// Checks: P20, P25, P110
#[test]
fn a_future_whose_waker_panics_when_it_is_cloned_has_its_result_all_the_same() {
    for (name, make) in FUTURES {
        with_watchdog(move || {
            let (reactor, reports) = reporting();
            let (mut future, fire) = make(reactor);
            poll_panics(&mut future);
            fire();
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(7)) => {}
                Poll::Ready(Err(failure)) if name.ends_with("reactor goes") => assert!(failure.is::<ReactorStopped>()),
                result => panic!("{name}: {result:?}"),
            }
            assert_eq!(reports, [], "{name}");
        });
    }
}

// Checks: P20, P80
#[test]
fn a_future_whose_waker_panics_when_it_is_cloned_cancels_its_deferred_when_it_is_dropped() {
    let (deferred, resolver) = Deferred::<u32>::new();
    let mut future = deferred.into_future();
    poll_panics(&mut future);
    assert!(!resolver.is_cancelled());
    drop(future);
    assert!(resolver.is_cancelled());
}
