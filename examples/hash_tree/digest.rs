//! The SHA-256 of one file, read in chunks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::progress::Progress;

/// SHA-256 as bytes, which is half the size of the text.
pub type Digest = [u8; 32];

/// How much of a file is in memory at a time. Large enough that system calls cost nothing beside the hashing, small
/// enough that every thread looks for an interrupt thousands of times a second.
const CHUNK: usize = 64 * 1024;

/// Blocks until the file has been read to its end; `None` if Ctrl-C came first.
pub fn of_file(path: &Path, progress: &Progress) -> io::Result<Option<Digest>> {
    let mut file = BufReader::with_capacity(CHUNK, File::open(path)?);
    let mut hasher = Sha256::new();
    while !progress.is_interrupted() {
        match file.fill_buf() {
            Ok([]) => return Ok(Some(hasher.finalize().into())),
            Ok(chunk) => {
                let count = chunk.len();
                hasher.update(chunk);
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
