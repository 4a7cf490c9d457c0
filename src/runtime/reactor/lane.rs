//! A lane: the calls of one type, one behind the other, by value.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use super::super::report::{Incident, Reporter, drop_contained};
use super::Reactor;

/// The calls of one type, which only those know who post it.
pub(super) struct Lane {
    /// What the calls are. Beside them, so that who looks for the lane of a type looks into no other.
    of: TypeId,
    calls: Box<dyn AnyCalls>,
}

/// Calls of a type that is not known any more. As many are asked for as are there, and they come in their order.
trait AnyCalls: Any + Send {
    fn run(&mut self, calls: u16, reactor: &Reactor, reporter: &Reporter);
    fn drop_unrun(&mut self, calls: u16);
}

impl<F: FnOnce(&Reactor) + Send + 'static> AnyCalls for VecDeque<F> {
    fn run(&mut self, calls: u16, reactor: &Reactor, reporter: &Reporter) {
        for _ in 0..calls {
            if let Some(call) = self.pop_front() {
                reporter.contain(Incident::Call, || call(reactor));
            }
        }
        if self.is_empty() {
            // Back to the beginning of its room, for that is what lies in the caches.
            self.clear();
        }
    }

    fn drop_unrun(&mut self, calls: u16) {
        for _ in 0..calls {
            drop_contained(self.pop_front());
        }
    }
}

impl Lane {
    /// An empty one, for calls of the type `F`.
    pub(super) fn new<F: FnOnce(&Reactor) + Send + 'static>() -> Self {
        Self { of: TypeId::of::<F>(), calls: Box::new(VecDeque::<F>::new()) }
    }

    /// Where calls of the type `F` go, if this is the lane for them.
    #[inline]
    pub(super) fn calls<F: 'static>(&mut self) -> Option<&mut VecDeque<F>> {
        if self.of == TypeId::of::<F>() { (&mut *self.calls as &mut dyn Any).downcast_mut() } else { None }
    }

    /// Runs the first so many. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, calls: u16, reactor: &Reactor, reporter: &Reporter) {
        self.calls.run(calls, reactor, reporter);
    }

    /// Drops the first so many, each contained.
    pub(super) fn drop_unrun(&mut self, calls: u16) {
        self.calls.drop_unrun(calls);
    }
}

/// A number that follows from the type. Others may have the same.
#[inline]
pub(super) fn digest<F: 'static>() -> usize {
    let mut digest = Digest(0);
    TypeId::of::<F>().hash(&mut digest);
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
