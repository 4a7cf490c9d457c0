//! Spans of the crate `tracing` follow a request through posts, jobs and callbacks.

use std::sync::Arc;

use selvedge::threads::defer_to_thread;
use selvedge::{Deferred, Reactor};
use tracing::{Span, info, info_span};

/// Serves a request, in its span. The job is in it too; the callback, a closure, takes it along.
fn serve(reactor: &Reactor) -> Deferred<()> {
    info!("post");
    let span = Span::current();
    let rows = defer_to_thread(reactor, || info_span!("query").in_scope(|| info!("job")));
    rows.add_callback(move |()| span.in_scope(|| info!("callback")))
}

// Checks: B39
#[test]
fn spans_of_tracing_follow_requests() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // The only subscriber of this program's tests.
    let lines = tracing_subscriber::fmt().with_writer(Arc::new(file.reopen().unwrap())).with_ansi(false);
    lines.without_time().with_level(false).with_target(false).init();

    // One worker: the last job would be in the span of another, were that not left.
    let builder = Reactor::builder().configure_pool(|pool| pool.size(1, 1).context(Span::current, Span::entered));
    let reactor = builder.build().unwrap();
    let (handle, local) = (reactor.handle(), reactor.local());
    let request = move |id: u32| {
        let span = info_span!("request", id);
        handle.ask(move |reactor| span.in_scope(|| serve(reactor)))
    };
    let [first, second] = std::thread::spawn(move || [1, 2].map(request)).join().unwrap();
    let served = async move {
        first.await.and(second.await)?;
        local.defer_to_thread(|| info!("in no span")).await
    };
    reactor.block_on(served).unwrap();

    let text = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!((text.lines().count(), text.lines().last()), (7, Some("in no span")), "{text}");
    for id in [1, 2] {
        let span = format!("request{{id={id}}}");
        let own: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(&span)).collect();
        assert_eq!(own, [": post", ":query: job", ": callback"], "{text}");
    }
}
