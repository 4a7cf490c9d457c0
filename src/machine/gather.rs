//! The state machine of a list of Deferreds: how many of its members have no result yet, and whether the list has its
//! own.
//!
//! ```text
//!   Open{missing} ──a result that decides, the last one, or a cancel in vain──▶ Decided{missing} ──…──▶ Decided{0}
//! ```

use super::count::Count;

/// Which results decide the list before every member has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DecidedBy {
    /// The first value does.
    pub(crate) value: bool,
    /// The first error does.
    pub(crate) error: bool,
}

/// How many results are missing, and whether the list is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GatherState {
    by: DecidedBy,
    missing: Count,
    decided: bool,
}

/// What to do with a member's result.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Arrival {
    /// Store it: the list is not decided.
    Store,
    /// Fire the list with it. The stored results do not belong to the list's result.
    Decides,
    /// Store it, and fire the list with all that is stored: it is the last.
    Completes,
    /// The list is decided already: the result does not belong to the list's.
    Late,
}

impl GatherState {
    /// A list of so many members, none of which has a result. The flag is true if there are no members: fire at once.
    pub(crate) fn new(by: DecidedBy, members: Count) -> (Self, bool) {
        let decided = members == 0;
        (Self { by, missing: members, decided }, decided)
    }

    /// A member has its result.
    pub(crate) fn arrived(&mut self, is_value: bool) -> Arrival {
        self.missing = self.missing.saturating_sub(1);
        if self.decided {
            return Arrival::Late;
        }
        let decides = if is_value { self.by.value } else { self.by.error };
        self.decided = decides || self.missing == 0;
        match (decides, self.decided) {
            (true, _) => Arrival::Decides,
            (false, true) => Arrival::Completes,
            (false, false) => Arrival::Store,
        }
    }

    /// The list was cancelled, and has no result even then: it fails, and no result of a member belongs to its own.
    pub(crate) fn give_up(&mut self) {
        self.decided = true;
    }

    #[cfg(test)]
    pub(crate) fn is_decided(&self) -> bool {
        self.decided
    }
}
