//! What the command line says.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Parser;

use crate::digest::Algorithm;

/// Hash every regular file below PATH and print the lines of `sha256sum`, sorted by path.
///
/// Symlinks inside the tree are not followed, PATH itself may be one. Files that are not regular (fifos, sockets,
/// devices) are skipped. Lines begin with PATH as it was given, or with `./`, as `find` would print them.
#[derive(Parser)]
#[command(name = "hash_tree")]
pub struct Arguments {
    /// The directory, or the one file, to hash
    #[arg(default_value = ".")]
    path: PathBuf,

    /// Hash the files that are listed in FILE instead and compare, as `sha256sum -c` does. `-` is standard input, as
    /// FILE and in a line of it
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    check: Option<PathBuf>,

    /// What to hash with
    #[arg(long, value_enum, default_value_t = Algorithm::Sha256)]
    algorithm: Algorithm,

    /// Write what ran when into FILE: a page for a browser if it ends in `.html`, or else for ui.perfetto.dev
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// How many threads read and hash at a time [default: one per core]
    // Bounded, because every thread has files in flight: a slip of the keyboard must not ask for a million of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    threads: Option<u16>,
}

impl Arguments {
    /// Where the walk begins.
    pub fn root(&self) -> &Path {
        // A line that names the file `-` would make `sha256sum -c` read its standard input instead.
        if self.path == Path::new("-") { Path::new("./-") } else { &self.path }
    }

    /// The list to check, if there is one.
    pub fn check(&self) -> Option<&Path> {
        self.check.as_deref()
    }

    /// Where the trace is to be written, if anywhere.
    pub fn trace(&self) -> Option<&Path> {
        self.trace.as_deref()
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The size of the pool.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get), usize::from)
    }
}
