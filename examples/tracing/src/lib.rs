//! What makes a span of `tracing` travel with jobs, posted calls and timers: a line for each. Tasks need none of this:
//! `reactor.spawn(future.in_current_span())`.

use selvedge::Reactor;
use selvedge::pool::PoolBuilder;
use tracing::Span;

/// Each job of the pool runs in the span that was current where it was submitted.
///
/// ```
/// let reactor = selvedge::Reactor::builder().configure_pool(selvedge_tracing::jobs_in_span).build()?;
/// # Ok::<(), selvedge::error::BuildError>(())
/// ```
pub fn jobs_in_span(pool: PoolBuilder) -> PoolBuilder {
    pool.context(Span::current, Span::entered)
}

/// The call, to be made in the span that is current here: for [`call_from_thread`](selvedge::Handle::call_from_thread),
/// [`call_later`](Reactor::call_later), and whatever else takes a function of the reactor. It is `Send` if the call is.
///
/// ```
/// # let (reactor, time) = (selvedge::Reactor::new(), std::time::Duration::ZERO);
/// reactor.call_later(time, selvedge_tracing::in_span(|_| tracing::info!("in the span of whoever set the timer")));
/// ```
pub fn in_span<T>(call: impl FnOnce(&Reactor) -> T) -> impl FnOnce(&Reactor) -> T {
    let span = Span::current();
    move |reactor: &Reactor| span.in_scope(|| call(reactor))
}
