//! What is to be proved, one claim for each line that is printed.

use crate::symbol::Model;

/// A claim: what its program proves holds on each of its paths.
pub struct Claim {
    /// Of which machine.
    pub machine: &'static str,
    pub name: String,
    pub program: Box<dyn Fn() -> Option<Change>>,
}

impl Claim {
    pub fn title(&self) -> String {
        format!("{}: {}", self.machine, self.name)
    }
}

/// What a path did.
pub struct Change {
    pub before: Box<dyn Describe>,
    pub after: Box<dyn Describe>,
}

/// A state that can be shown.
pub trait Describe {
    /// Each of its parts: a name, and the value with these values of the unknowns.
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)>;
}
