//! Functions under a lock, and the drops of items in a queue.

use selvedge::coordination::{DeferredLock, DeferredQueue};
use selvedge::report::Incident;

use super::super::act::OnDrop;
use super::{Goes, Install, ON_THE_LOOP, Site};

pub const SITES: &[Site] = &[
    Site {
        name: "a function of `DeferredLock::run`",
        error: Some(Goes::Told),
        install: Install::OnLoop(|_, act| {
            let (called, told) = (act.clone(), act.clone());
            drop(DeferredLock::new().run(move || called.result()).add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an item in a queue",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/coordination/queue drop"],
        install: Install::OnLoop(|_, act| {
            let queue = DeferredQueue::new();
            queue.put(OnDrop(act.clone())).unwrap_or_default();
            drop(queue);
        }),
        ..ON_THE_LOOP
    },
];
