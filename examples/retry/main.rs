//! Reads a file that another program has yet to write: tries again and again, with longer and longer waits between.
//!
//! `tests/examples/retry.rs` tests `retry` completely: without threads, without waiting, in a thousand orders.

mod retry;

use std::time::Duration;
use std::{env, fs, io, process};

use selvedge::{Failure, Reactor};

use crate::retry::{Backoff, retry};

fn main() -> Result<(), Failure> {
    let path = env::temp_dir().join(format!("selvedge-retry-{}", process::id()));
    let reactor = Reactor::new();

    // The other program: it writes aside first, so that nobody reads half a file.
    let (written, aside) = (path.clone(), path.with_extension("new"));
    reactor.call_later(Duration::from_millis(50), move |_| {
        let done = fs::write(&aside, "written at last").and_then(|()| fs::rename(&aside, &written));
        if let Err(error) = done {
            eprintln!("{error}");
        }
    });

    let backoff =
        Backoff { attempts: 20, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(100) };
    let (local, wanted) = (reactor.local(), path.clone());
    let read = move || fs::read_to_string(&wanted);
    let text = reactor.block_on(retry(local, backoff, is_missing, read))?;
    println!("{text}");
    fs::remove_file(path)?;
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
