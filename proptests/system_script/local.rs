//! What a program has made on a reactor's thread.

use std::cell::RefCell;
use std::rc::Rc;

use super::perform::Traced;
use crate::platform::api::{Deferred, DelayedCall, LocalHandle, Owned, Reactor, Resolver};

/// What a Deferred of a program fires with.
pub type Value = u32;

/// At most so many things of a kind are kept: the oldest goes first.
const KEPT: usize = 8;

/// What belongs to one reactor. Nothing is borrowed while anything runs.
pub struct Local {
    pub handle: LocalHandle,
    pub timers: Vec<(usize, Rc<DelayedCall>)>,
    pub deferreds: Vec<Deferred<Value>>,
    pub resolvers: Vec<Resolver<Value>>,
    pub owners: Vec<Owned<Traced>>,
}

crate::platform::thread_local! {
    /// Of the reactors that live on this thread, by their numbers.
    static LOCALS: RefCell<[Option<Local>; 2]> = const { RefCell::new([None, None]) };
}

pub fn with_all<T>(f: impl FnOnce(&mut [Option<Local>; 2]) -> T) -> T {
    LOCALS.with(|locals| f(&mut locals.borrow_mut()))
}

/// What this reactor has, unless it has ended.
pub fn with<T>(reactor: usize, f: impl FnOnce(&mut Local) -> T) -> Option<T> {
    with_all(|locals| locals[reactor].as_mut().map(f))
}

/// Keeps a thing; the oldest one, if there are too many, is dropped here.
pub fn keep<T>(reactor: usize, thing: T, list: impl FnOnce(&mut Local) -> &mut Vec<T>) {
    let mut thing = Some(thing);
    let oldest = with(reactor, |local| {
        let list = list(local);
        let oldest = (list.len() == KEPT).then(|| list.remove(0));
        list.extend(thing.take());
        oldest
    });
    drop((oldest, thing));
}

/// Takes the nth thing of a list.
pub fn take<T>(reactor: usize, nth: crate::codec::Nth, list: impl FnOnce(&mut Local) -> &mut Vec<T>) -> Option<T> {
    with(reactor, |local| {
        let list = list(local);
        nth.of(list.len()).map(|nth| list.remove(nth))
    })
    .flatten()
}

impl Local {
    pub fn new(reactor: &Reactor) -> Self {
        Self {
            handle: reactor.local(),
            timers: Vec::new(),
            deferreds: Vec::new(),
            resolvers: Vec::new(),
            owners: Vec::new(),
        }
    }
}
