//! Hashes every regular file below a path, in threads, and prints what `sha256sum` would print, sorted by path.
//!
//! ```text
//! cargo run --release --example hash_tree -- [PATH] [--threads N] | sha256sum -c
//! ```
//!
//! Three kinds of thread work together, without a lock in this program:
//!
//! - **pool threads** do what blocks: they read the directories (`walk`) and the files (`digest`);
//! - the **reactor's thread** does everything else: it decides what is read next, collects the results (`collector`)
//!   and draws the progress bar from a timer (`progress`);
//! - the **signal's thread** does one thing on Ctrl-C: it calls the reactor's handle (`interrupt`).
//!
//! How the work is bounded: a fixed number of jobs is in flight, each holds one chunk of one file, and the walk goes
//! on only while few files wait. What grows with the tree is the result, because sorting needs all of it: a path in a
//! box of its exact size and 32 bytes of digest for each file.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | every file was hashed |
//! | 1 | something could not be read or written, and was named on stderr; the rest was hashed |
//! | 2 | the path is not there or is no file or directory, or the arguments are wrong |
//! | 130 | Ctrl-C; stderr says how much was done, and nothing was printed |

mod arguments;
mod collector;
mod digest;
mod interrupt;
mod line;
mod progress;
mod walk;

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use selvedge::Reactor;

use crate::arguments::Arguments;
use crate::collector::{Collector, Hashed};
use crate::progress::Progress;
use crate::walk::Walk;

/// Something was named on stderr, the rest was hashed.
const INCOMPLETE: u8 = 1;
/// There is nothing to hash: the arguments are wrong.
const UNUSABLE: u8 = 2;
/// What a shell expects of a program that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = Arc::new(Progress::new());
    let code = hash_tree(&arguments, &progress).unwrap_or_else(|error| {
        progress.say(error);
        UNUSABLE
    });
    ExitCode::from(code)
}

fn hash_tree(arguments: &Arguments, progress: &Arc<Progress>) -> Result<u8, Box<dyn Error>> {
    let root = arguments.root();
    let metadata = fs::metadata(root).map_err(|error| format!("{root:?}: {error}"))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(format!("{root:?}: neither a file nor a directory").into());
    }

    let threads = arguments.threads();
    let reports = Arc::clone(progress);
    let reactor =
        Reactor::builder().pool_size(threads, threads).on_report(move |report| reports.say(report)).build()?;
    interrupt::on_ctrl_c(reactor.handle(), Arc::clone(progress))?;
    progress::draw(Arc::clone(progress), &reactor);
    let collector = Collector::start(&reactor, Walk::new(root), threads, Arc::clone(progress));
    reactor.run();

    progress.clear();
    if progress.is_interrupted() {
        progress.say(progress.summary());
        return Ok(INTERRUPTED);
    }
    let (mut hashed, complete) = collector.take_result();
    // By the bytes of the whole path, as `LC_ALL=C sort` does, and not part by part: "a.b" comes before "a/b".
    hashed.sort_unstable_by(|a, b| line::bytes(&a.path).cmp(line::bytes(&b.path)));
    let written = print(&hashed);
    if let Err(error) = &written {
        progress.say(format_args!("standard output: {error}"));
    }
    Ok(if complete && written.is_ok() { 0 } else { INCOMPLETE })
}

fn print(hashed: &[Hashed]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written =
        hashed.iter().try_for_each(|file| line::write(&mut out, &file.digest, &file.path)).and_then(|()| out.flush());
    match written {
        // The reader has closed the pipe (`| head`), which is not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
