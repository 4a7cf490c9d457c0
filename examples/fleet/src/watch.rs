//! Prints how far an offer is, whenever that has changed, until it is over.

use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use selvedge::{Failure, LocalHandle, Reactor, ThreadPool};

use crate::arguments::Fleet;
use crate::link::{self, Link};
use crate::say::say;
use crate::signals;

/// How often Redis is asked.
const INTERVAL: Duration = Duration::from_millis(500);

/// Returns the exit code.
pub fn watch(fleet: &Fleet) -> Result<u8, Failure> {
    let store = Arc::new(fleet.store()?);
    let reactor = Reactor::builder()
        .add_pool(link::POOL, ThreadPool::builder().size(0, 1))
        .on_report(|report| say(report))
        .build()?;
    signals::stop_on_signal(reactor.handle())?;
    let link = Link::new("progress", &reactor, &store)?;
    let watching = follow(reactor.local(), link);
    match reactor.block_on(watching) {
        Err(failure) if failure.is::<selvedge::error::ReactorStopped>() => Ok(crate::INTERRUPTED),
        other => other.map(|()| 0),
    }
}

async fn follow(local: LocalHandle, link: Rc<Link>) -> Result<(), Failure> {
    let mut shown = String::new();
    loop {
        let status = link.insist(|store, connection| store.status(connection)).await?;
        let line = status.to_string();
        if line != shown {
            writeln!(io::stdout(), "{line}")?;
            shown = line;
        }
        if status.is_over() {
            return Ok(());
        }
        local.sleep(INTERVAL).await?;
    }
}
