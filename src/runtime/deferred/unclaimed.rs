//! An item that was delivered to a Deferred and that no code of the program has received: dropped, it goes back to
//! where it came from.

use std::rc::Weak;

use super::super::report::drop_contained;
use super::conversion::convert_own;
use crate::error::Abandoned;
use crate::failure::Failure;

/// Where items come from.
pub(crate) trait TakeBack<T> {
    /// An item comes back that nobody has received. `place` is what it was delivered with.
    fn take_back(&self, item: T, place: u64);
}

/// The right to give one item back.
pub(crate) enum Receipt<T> {
    /// To where it came from, and to this place there.
    Item(Weak<dyn TakeBack<T>>, u64),
    /// It is the result of a list: this takes it apart.
    List(Box<dyn FnOnce(T)>),
}

impl<T> Receipt<T> {
    /// Gives the item back. If what it came from is gone, it is dropped.
    pub(crate) fn give_back(self, item: T) {
        match self {
            Self::Item(from, place) => match from.upgrade() {
                Some(from) => from.take_back(item, place),
                None => drop_contained(item),
            },
            Self::List(take_apart) => take_apart(item),
        }
    }
}

/// An item on its way through a chain, until a callback, an awaiting future, or whoever takes the result receives it.
/// Boxed, so that a chain that carries none is not larger.
pub(crate) struct Unclaimed<T>(Box<Delivery<T>>);

struct Delivery<T> {
    /// `None` once it is claimed.
    item: Option<T>,
    receipt: Option<Receipt<T>>,
}

impl<T> Unclaimed<T> {
    pub(crate) fn new(item: T, receipt: Receipt<T>) -> Self {
        Self(Box::new(Delivery { item: Some(item), receipt: Some(receipt) }))
    }

    /// The program receives the item. (An item is claimed once, so there always is one.)
    pub(crate) fn claim<E: From<Failure>>(mut self) -> Result<T, E> {
        self.0.item.take().ok_or_else(|| convert_own(Abandoned))
    }

    /// The item, and the right to give it back, which the caller keeps until the item is received elsewhere.
    pub(crate) fn split<E: From<Failure>>(mut self) -> (Result<T, E>, Option<Receipt<T>>) {
        let receipt = self.0.receipt.take();
        (self.claim(), receipt)
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        if let (Some(item), Some(receipt)) = (self.item.take(), self.receipt.take()) {
            receipt.give_back(item);
        }
    }
}
