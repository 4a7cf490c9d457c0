//! On which threads reactors live: such a thread must not wait for what its reactor may have to do.

use std::cell::Cell;

use super::sync::thread_local;

thread_local! {
    static REACTORS: Cell<usize> = Cell::new(0);
}

/// A reactor lives on this thread, for as long as this does. It stays on the thread, as the reactor does.
#[derive(Debug)]
pub(crate) struct Residence;

impl Residence {
    pub(crate) fn here() -> Self {
        let _ = REACTORS.try_with(|reactors| reactors.set(reactors.get() + 1));
        Self
    }
}

impl Drop for Residence {
    fn drop(&mut self) {
        let _ = REACTORS.try_with(|reactors| reactors.set(reactors.get().saturating_sub(1)));
    }
}

/// Whether any reactor lives on this thread.
pub(crate) fn reactor_lives_here() -> bool {
    REACTORS.try_with(|reactors| reactors.get() > 0).unwrap_or(false)
}
