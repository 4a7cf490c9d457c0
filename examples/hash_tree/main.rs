//! Hashes every regular file below a path, in threads, and prints what `sha256sum` would print, sorted by path; or
//! compares files with such a list.
//!
//! ```text
//! cargo run --release --example hash_tree -- [PATH] [OPTION]... | sha256sum -c
//! cargo run --release --example hash_tree -- --check FILE [OPTION]...
//! ```
//!
//! Options: `--algorithm sha256|sha512|blake3`, `--threads N`, `--trace FILE`.
//!
//! Three kinds of thread work together, without a lock in this program:
//!
//! - **pool threads** do what blocks: they read the directories (`walk`) and the files (`digest`);
//! - the **reactor's thread** does everything else: it decides what is read next, collects the results (`collector`)
//!   and draws the progress bar from a timer (`progress`);
//! - the **signal's thread** does one thing on Ctrl-C: it calls the reactor's handle (`interrupt`).
//!
//! How the work is bounded: a fixed number of jobs is in flight, each holds one chunk of one file, and the walk goes
//! on only while few files wait. What grows with the tree is the result, because sorting needs all of it: for each file
//! one box that holds digest and path; and with `--check` the list, and a byte for each of its lines. With two threads,
//! 100,000 small files took 13 MB of memory at most, and so did one sparse file of 20 GB.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | every file was hashed; with `--check`: and has the digest that the list says |
//! | 1 | something could not be read or written, and was named on stderr; the rest was hashed. With `--check`, as for `sha256sum -c`: also if a file has another digest, or no line of the list is one of `sha256sum` |
//! | 2 | the path is not there or is no file or directory, or the arguments are wrong |
//! | 130 | Ctrl-C; stderr says how much was done, and nothing was printed |

mod arguments;
mod collector;
mod digest;
mod interrupt;
mod line;
mod list;
mod progress;
#[path = "../recorder/recorder/mod.rs"]
#[allow(dead_code, reason = "what this program does not use of it")]
mod recorder;
mod results;
mod walk;

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use selvedge::Reactor;

use crate::arguments::Arguments;
use crate::collector::Collector;
use crate::digest::Algorithm;
use crate::list::List;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::results::{Results, Verdict};
use crate::walk::Walk;

/// Something was named on stderr, the rest was hashed. Or a list is not what it should be.
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
    match arguments.check() {
        None => {
            let root = arguments.root();
            let metadata = fs::metadata(root).map_err(|error| format!("{root:?}: {error}"))?;
            if !metadata.is_file() && !metadata.is_dir() {
                return Err(format!("{root:?}: neither a file nor a directory").into());
            }
            Ok(run(arguments, progress, (Walk::of_tree(root), Results::lines()))?.0)
        }
        Some(file) => check(arguments, progress, file),
    }
}

/// Verifies a list, with the exit codes of `sha256sum -c`.
fn check(arguments: &Arguments, progress: &Arc<Progress>, file: &Path) -> Result<u8, Box<dyn Error>> {
    let list = match List::read(file, arguments.algorithm()) {
        Ok(list) => Arc::new(list),
        Err(error) => {
            progress.say(format_args!("{file:?}: {error}"));
            return Ok(INCOMPLETE);
        }
    };
    if list.entries.is_empty() {
        progress.say(format_args!("{file:?}: no line is one of {}", list_format(arguments.algorithm())));
        return Ok(INCOMPLETE);
    }
    let files = (Walk::of_list(Arc::clone(&list)), Results::verdicts(Arc::clone(&list)));
    let (code, results) = run(arguments, progress, files)?;
    if code == INTERRUPTED {
        return Ok(code);
    }
    let (unreadable, different) = (results.count(Verdict::Unreadable), results.count(Verdict::Differs));
    let format = list_format(arguments.algorithm());
    let say = |count: usize, what: &str| {
        if count > 0 {
            progress.say(format_args!("{file:?}: {what}: {count}"));
        }
    };
    say(list.malformed, &format!("lines that are not {format}"));
    say(unreadable, "files that could not be read");
    say(different, "files with another digest");
    Ok(if different > 0 { INCOMPLETE } else { code })
}

/// What a line of a list looks like, in words.
fn list_format(algorithm: Algorithm) -> String {
    format!("{} hexadecimal digits and a path", 2 * algorithm.len())
}

/// Hashes the files, prints the results, and says with which code to exit.
fn run(
    arguments: &Arguments,
    progress: &Arc<Progress>,
    files: (Walk, Results),
) -> Result<(u8, Results), Box<dyn Error>> {
    let threads = arguments.threads();
    let reports = Arc::clone(progress);
    let recorder = arguments.trace().map(|_| Recorder::new());
    let mut builder = Reactor::builder().pool_size(threads, threads).on_report(move |report| reports.say(report));
    if let Some(recorder) = &recorder {
        builder = recorder.record(builder);
    }
    let reactor = builder.build()?;
    interrupt::on_ctrl_c(reactor.handle(), Arc::clone(progress))?;
    progress::draw(Arc::clone(progress), &reactor);
    let collector = Collector::start(&reactor, files, arguments, Arc::clone(progress));
    match &recorder {
        Some(recorder) => recorder.run(reactor),
        None => reactor.run(),
    };

    progress.clear();
    let mut traced = Ok(());
    if let (Some(recorder), Some(file)) = (recorder, arguments.trace()) {
        traced = recorder.recording().write(file).inspect_err(|error| progress.say(format_args!("{file:?}: {error}")));
    }
    let (mut results, complete) = collector.take_results();
    if progress.is_interrupted() {
        progress.say(progress.summary());
        return Ok((INTERRUPTED, results));
    }
    let written = print(&mut results, arguments.algorithm());
    if let Err(error) = &written {
        progress.say(format_args!("standard output: {error}"));
    }
    Ok((if complete && written.is_ok() && traced.is_ok() { 0 } else { INCOMPLETE }, results))
}

fn print(results: &mut Results, algorithm: Algorithm) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match results.print(algorithm, &mut out).and_then(|()| out.flush()) {
        // The reader has closed the pipe (`| head`), which is not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
