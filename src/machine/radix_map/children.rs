//! What a node of the map has, by one digit of the key: named so that `proofs/` can put its own in its stead.

use super::key::Digit;

/// What a node has, by one digit of the key.
#[derive(Debug, Clone)]
pub(super) struct Children<C> {
    /// One bit for each that is present.
    pub(super) present: u64,
    /// Those behind the last that was ever present are left out. Never longer than its first capacity.
    pub(super) children: Vec<Option<C>>,
}

impl<C> Children<C> {
    pub(super) fn new(bits: u32) -> Self {
        Self { present: 0, children: Vec::with_capacity(1 << bits) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// The digit of the first child, if there is one.
    pub(super) fn first(&self) -> Digit {
        self.present.trailing_zeros() as usize
    }

    pub(super) fn get(&self, digit: Digit) -> Option<&C> {
        self.children.get(digit)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, digit: Digit) -> Option<&mut C> {
        self.children.get_mut(digit)?.as_mut()
    }

    /// Those that are present, with their digits.
    pub(super) fn present(&self) -> impl Iterator<Item = (Digit, &C)> {
        self.children.iter().enumerate().filter_map(|(digit, child)| Some((digit, child.as_ref()?)))
    }

    pub(super) fn put(&mut self, digit: Digit, child: C) {
        self.present |= 1 << digit;
        match self.children.get_mut(digit) {
            Some(place) => *place = Some(child),
            None => {
                // All that are absent, up to this one.
                self.children.resize_with(digit, || None);
                self.children.push(Some(child));
            }
        }
    }

    pub(super) fn take(&mut self, digit: Digit) -> Option<C> {
        self.present &= !(1 << digit);
        self.children.get_mut(digit)?.take()
    }
}
