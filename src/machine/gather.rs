//! The machine of a list of Deferreds: how many of its members have a result, and whether the whole has one.
//!
//! ```text
//!   Open{missing} ──a result that decides, or the last one──▶ Decided{missing} ──…──▶ Decided{0}
//! ```

/// What decides the matter before every member has its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    /// The first value does.
    pub(crate) value: bool,
    /// The first error does.
    pub(crate) error: bool,
}

/// How many results are missing, and whether those that come still matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GatherState {
    rule: Rule,
    missing: usize,
    decided: bool,
}

/// What is to be done with a result.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Came {
    /// Keep it: it is part of what will come.
    Keep,
    /// It decides, alone: fire with it. What was kept has no place any more.
    Decides,
    /// Keep it, and fire with all that was kept.
    Completes,
    /// It comes too late to have a place.
    Late,
}

impl GatherState {
    /// None of so many members has a result. With no members at all there is nothing to wait for: `true` says fire at once.
    pub(crate) fn new(rule: Rule, members: usize) -> (Self, bool) {
        let decided = members == 0;
        (Self { rule, missing: members, decided }, decided)
    }

    /// A member has its result.
    pub(crate) fn came(&mut self, is_value: bool) -> Came {
        self.missing = self.missing.saturating_sub(1);
        if self.decided {
            return Came::Late;
        }
        let decides = if is_value { self.rule.value } else { self.rule.error };
        self.decided = decides || self.missing == 0;
        match (decides, self.decided) {
            (true, _) => Came::Decides,
            (false, true) => Came::Completes,
            (false, false) => Came::Keep,
        }
    }

    /// Whether the whole has its result.
    #[cfg(test)]
    pub(crate) fn is_decided(&self) -> bool {
        self.decided
    }
}
