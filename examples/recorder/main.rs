//! Records a small program, watches it for what takes too long, and writes what ran as a trace and as a page.
//!
//! ```text
//! cargo run --example recorder -- [FILE]...
//! ```
//!
//! A FILE that ends in `.html` is a page that any browser shows; any other is in the format of `chrome://tracing` and
//! ui.perfetto.dev. The recorder is the folder `recorder/`, to be copied: it needs nothing but this crate and std.

#[allow(dead_code, reason = "what this program does not use of it")]
mod recorder;

use std::path::Path;
use std::time::Duration;
use std::{env, process, thread};

use selvedge::{Failure, Job, LocalHandle, Reactor, threads};

use self::recorder::Recorder;

const LIMIT: Duration = Duration::from_millis(20);

/// Reads pages, a few at a time; one of them hangs for longer than it should.
async fn read_pages(local: LocalHandle) -> Result<usize, Failure> {
    let pages = [("home", 12), ("about", 8), ("news", 15), ("search", 45), ("contact", 14), ("help", 10)];
    let pages = pages.map(|(page, time)| {
        let time = Duration::from_millis(time);
        let read = move || {
            thread::sleep(time);
            page.len()
        };
        local.defer_to_thread(Job::new(read).named(page))
    });
    let mut letters = 0;
    for page in pages {
        letters += page.await?;
    }
    Ok(letters)
}

fn main() -> Result<(), Failure> {
    let files: Vec<String> = env::args().skip(1).collect();
    if let Some(option) = files.iter().find(|file| file.starts_with('-')) {
        eprintln!("usage: recorder [FILE]...\n{option} is no option");
        process::exit(2);
    }
    let recorder = Recorder::new();
    let watch = recorder.watch(LIMIT, |stuck| println!("{stuck}"))?;
    let reactor = recorder.record(Reactor::builder().pool_size(0, 2)).build()?;

    // Another thread posts, and blocks the loop once.
    let (handle, posts) = (reactor.handle(), recorder.clone());
    let poster = thread::Builder::new().name("poster".to_owned()).spawn(move || {
        for _ in 0..5 {
            // An error means that the reactor has stopped, and then nobody needs the call.
            posts.post(&handle, "a quick call", |_| ()).ok();
            thread::sleep(Duration::from_millis(3));
        }
        posts.post(&handle, "a call that blocks", |_| thread::sleep(2 * LIMIT)).ok();
        threads::blocking_call_from_thread(&handle, Reactor::delayed_calls).ok();
    })?;

    let handle = reactor.handle();
    reactor.spawn(read_pages(reactor.local())).add_both(move |letters| {
        println!("read: {letters:?}");
        handle.stop();
    });
    recorder.run(reactor);
    drop(watch);
    drop(poster.join());

    let recording = recorder.recording();
    println!("{} spans of {} threads", recording.spans.len(), recording.threads.len());
    for file in files {
        recording.write(Path::new(&file))?;
        println!("wrote {file}");
    }
    Ok(())
}
