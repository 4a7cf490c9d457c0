//! The digest of one file, read in chunks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use clap::ValueEnum;
use sha2::{Digest as _, Sha256, Sha512};

use crate::progress::Progress;

/// A digest as bytes, which is half the size of the text.
pub type Digest = Box<[u8]>;

/// The path that a list has for standard input. A tree has none such: its paths begin with that of its root.
pub const STDIN: &str = "-";

/// How much of a file is in memory at a time. Large enough that system calls cost nothing beside the hashing, small
/// enough that every thread looks for an interrupt thousands of times a second.
const CHUNK: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    Sha256,
    Sha512,
    Blake3,
}

impl Algorithm {
    /// The bytes of a digest.
    pub fn len(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
        }
    }

    /// How a line with a tag (`SHA256 (path) = digest`) begins.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Blake3 => "BLAKE3",
        }
    }
}

/// Blocks until the file has been read to its end; `None` if Ctrl-C came first.
pub fn of_file(path: &Path, algorithm: Algorithm, progress: &Progress) -> io::Result<Option<Digest>> {
    let file: Box<dyn Read> =
        if path == Path::new(STDIN) { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    match algorithm {
        Algorithm::Sha256 => {
            let mut hasher = Sha256::new();
            let read = read(file, progress, |chunk| hasher.update(chunk))?;
            Ok(read.map(|()| hasher.finalize().as_slice().into()))
        }
        Algorithm::Sha512 => {
            let mut hasher = Sha512::new();
            let read = read(file, progress, |chunk| hasher.update(chunk))?;
            Ok(read.map(|()| hasher.finalize().as_slice().into()))
        }
        Algorithm::Blake3 => {
            let mut hasher = blake3::Hasher::new();
            let read = read(file, progress, |chunk| _ = hasher.update(chunk))?;
            Ok(read.map(|()| hasher.finalize().as_bytes().as_slice().into()))
        }
    }
}

/// Passes each chunk on, to the end of the file; `None` if Ctrl-C came first.
fn read(file: impl Read, progress: &Progress, mut update: impl FnMut(&[u8])) -> io::Result<Option<()>> {
    let mut file = BufReader::with_capacity(CHUNK, file);
    while !progress.is_interrupted() {
        match file.fill_buf() {
            Ok([]) => return Ok(Some(())),
            Ok(chunk) => {
                let count = chunk.len();
                update(chunk);
                file.consume(count);
                progress.hashed_bytes(count);
            }
            // A signal interrupted the read: read again.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
