//! The walk through the tree, a batch of files at a time.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::progress::Progress;

/// Directory entries read in one step. The step ends there even if it found no file, so that no job runs long.
const ENTRIES: usize = 256;

/// A walk that reads only in [`next_step`](Walk::next_step).
///
/// It is a value, not a thread: it is sent to the pool for more files and comes back with them. So nothing has to block
/// while the walk is ahead of the hashing, and no queue can fill.
pub struct Walk {
    entries: walkdir::IntoIter,
}

/// What one step found, in the order of the directory: regular files, and in one line each what could not be read. Then
/// the rest of the walk, unless it is over.
pub type Step = (Vec<Result<PathBuf, String>>, Option<Walk>);

impl Walk {
    /// `root` may be a file: it is then the only one found. If it is a symlink it is followed; no other is.
    pub fn new(root: &Path) -> Walk {
        Walk { entries: WalkDir::new(root).into_iter() }
    }

    /// Blocks while it reads the directories.
    pub fn next_step(mut self, progress: &Progress) -> Step {
        let mut batch = Vec::new();
        for _ in 0..ENTRIES {
            if progress.is_interrupted() {
                break;
            }
            match self.entries.next() {
                // The type is the entry's own and not its target's: a symlink is no file.
                Some(Ok(entry)) if entry.file_type().is_file() => {
                    // The size serves the progress bar alone. Without it, opening the file says why.
                    progress.found(entry.metadata().map_or(0, |metadata| metadata.len()));
                    batch.push(Ok(entry.into_path()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => batch.push(Err(describe(error))),
                None => {
                    progress.found_all();
                    return (batch, None);
                }
            }
        }
        (batch, Some(self))
    }
}

/// walkdir's own message holds the path as it is, line breaks included; this is one line.
fn describe(error: walkdir::Error) -> String {
    let path = error.path().unwrap_or(Path::new("")).to_owned();
    match error.into_io_error() {
        Some(error) => format!("{path:?}: {error}"),
        None => format!("{path:?}: a symlink leads back to a directory above it"),
    }
}
