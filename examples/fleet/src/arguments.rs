//! What the command line says.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use selvedge::Failure;

use crate::store::Store;

/// Hash a tree of files on several hosts that share it, and print the lines of `sha256sum`, sorted by path.
#[derive(Parser)]
#[command(name = "fleet")]
pub struct Arguments {
    #[command(flatten)]
    pub fleet: Fleet,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args)]
pub struct Fleet {
    /// Where Redis is
    #[arg(long, global = true, value_name = "URL", default_value = "redis://127.0.0.1/")]
    redis: String,

    /// Keys in Redis begin with it; an offer and its workers have the same
    #[arg(long, global = true, value_name = "NAME", default_value = "fleet")]
    name: String,

    /// The files of a worker that is silent for so many milliseconds are taken over
    #[arg(long, global = true, value_name = "MS", default_value_t = 30_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(100..))]
    takeover: u32,
}

#[derive(Subcommand)]
pub enum Command {
    /// Offer the files below a path, wait for their digests, and print them as hash_tree does
    Offer(Offer),
    /// Hash files that are offered, until SIGTERM or Ctrl-C: what runs is finished, what waits is given back
    Work(Work),
    /// Print how far an offer is, over all workers, until it is over
    Watch,
}

#[derive(Args)]
pub struct Offer {
    /// The directory, or the one file, to hash: as the workers find it
    #[arg(default_value = ".")]
    path: PathBuf,

    /// At most so many files are offered and not done
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    ahead: u32,
}

#[derive(Args)]
pub struct Work {
    /// Where relative paths begin
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// How many threads read and hash at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    threads: Option<u16>,

    /// After so many tries without a digest a file is set aside
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,

    /// Hash at most so many bytes in a second, for each thread
    #[arg(long, value_name = "BYTES")]
    rate: Option<NonZeroU64>,

    /// Under which name this worker is known; no two may have the same [default: host and process]
    #[arg(long = "as", value_name = "NAME")]
    known_as: Option<String>,
}

impl Fleet {
    pub fn store(&self) -> Result<Store, Failure> {
        let takeover = Duration::from_millis(self.takeover.into());
        Store::new(&self.redis, &self.name, takeover)
            .map_err(|error| Failure::msg(format!("{:?}: {error}", self.redis)))
    }
}

impl Offer {
    /// Where the walk begins.
    pub fn root(&self) -> &Path {
        // A line that names the file `-` would make `sha256sum -c` read its standard input instead.
        if self.path == Path::new("-") { Path::new("./-") } else { &self.path }
    }

    pub fn ahead(&self) -> usize {
        self.ahead as usize
    }
}

impl Work {
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn threads(&self) -> usize {
        self.threads.map_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get), usize::from)
    }

    pub fn tries(&self) -> u32 {
        self.tries
    }

    pub fn rate(&self) -> Option<NonZeroU64> {
        self.rate
    }

    pub fn known_as(&self) -> Option<String> {
        self.known_as.clone()
    }
}
