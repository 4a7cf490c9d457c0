//! Serves two requests at the same time, each in a span that every line of its log names, whichever thread writes it.
//!
//! ```text
//! cargo run --manifest-path examples/tracing/Cargo.toml
//! ```
//!
//! | What takes the span along | By |
//! |---|---|
//! | jobs of a pool | `.configure_pool(jobs_in_span)`, once |
//! | a posted call, a timer | `in_span(…)` around the call |
//! | a task | `.in_current_span()`, or `.instrument(span)` for a span of its own |

use std::thread;
use std::time::Duration;

use selvedge::{Failure, Handle, LocalHandle, Reactor, threads};
use selvedge_tracing::{in_span, jobs_in_span};
use tracing::{Instrument, info, info_span};

/// On a thread of its own: posts the request to the reactor.
fn request(handle: &Handle, id: u32) -> Result<(), Failure> {
    let _request = info_span!("request", id).entered();
    let answer = in_span(move |reactor| {
        info!("accepted");
        reactor.call_later(Duration::from_millis(1), in_span(|_| info!("still at it")));
        reactor.spawn(answer(reactor.local()).instrument(info_span!("answer")))
    });
    let length = threads::blocking_call_from_thread(handle, answer)?;
    info!(length, "done");
    Ok(())
}

/// A task on the reactor's thread. Its job runs in its span, and so does what the job posts.
async fn answer(local: LocalHandle) -> Result<usize, Failure> {
    local.sleep(Duration::from_millis(5)).await?;
    let handle = local.handle();
    let page = local.defer_to_thread(move || {
        let page = info_span!("read", file = "home").in_scope(|| {
            info!("reading");
            "<p>Welcome</p>"
        });
        handle.call_from_thread(in_span(|_| info!("half way")))?;
        Ok::<_, Failure>(page)
    });
    let page = page.await?;
    info!("answered");
    Ok(page.len())
}

fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_level(false)
        .with_target(false)
        .with_thread_names(true)
        .init();
    let reactor = Reactor::builder().pool_size(0, 2).configure_pool(jobs_in_span).build()?;
    let client = |id: u32| {
        let handle = reactor.handle();
        thread::Builder::new().name(format!("client-{id}")).spawn(move || request(&handle, id))
    };
    let clients = [client(1)?, client(2)?];
    let handle = reactor.handle();
    let last = thread::spawn(move || {
        let served = clients.map(thread::JoinHandle::join);
        // Not in a span: none is left behind on the reactor's thread.
        handle.call_from_thread(|reactor| {
            info!("all are served");
            reactor.stop().unwrap_or_default();
        })?;
        served.into_iter().try_for_each(|served| served.unwrap_or_else(|_| Err(Failure::msg("a client panicked"))))
    });
    reactor.run();
    last.join().unwrap_or_else(|_| Err(Failure::msg("it panicked")))
}
