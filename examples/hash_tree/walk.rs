//! The files to hash, a batch at a time: those of a tree, or those of a list.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::list::List;
use crate::progress::Progress;

/// Entries looked at in one step. The step ends there even if it found no file, so that no job runs long.
const ENTRIES: usize = 256;

/// A walk that reads only in [`next_step`](Walk::next_step).
///
/// It is a value, not a thread: it is sent to the pool for more files and comes back with them. So nothing has to block
/// while the walk is ahead of the hashing, and no queue can fill.
pub struct Walk {
    entries: Box<dyn Iterator<Item = Entry> + Send>,
    /// How many files were found.
    found: usize,
}

enum Entry {
    /// With its size, which serves the progress bar alone.
    File(PathBuf, u64),
    NoFile,
    /// In one line, why.
    Unreadable(String),
}

/// A file, and how many were found before it.
pub struct Found {
    pub number: usize,
    pub path: PathBuf,
}

/// What one step found, in order: files, and in one line each what could not be read. Then the rest of the walk, unless
/// it is over.
pub type Step = (Vec<Result<Found, String>>, Option<Walk>);

impl Walk {
    /// The regular files below `root`. `root` may be a file: it is then the only one found. If it is a symlink it is
    /// followed; no other is.
    pub fn of_tree(root: &Path) -> Walk {
        let entries = WalkDir::new(root).into_iter().map(|entry| match entry {
            // The type is the entry's own and not its target's: a symlink is no file.
            Ok(entry) if entry.file_type().is_file() => {
                // Without a size, opening the file says why.
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                Entry::File(entry.into_path(), size)
            }
            Ok(_) => Entry::NoFile,
            Err(error) => Entry::Unreadable(describe(error)),
        });
        Walk { entries: Box::new(entries), found: 0 }
    }

    /// The files of a list, whatever they are.
    pub fn of_list(list: Arc<List>) -> Walk {
        let paths =
            (0..list.entries.len()).filter_map(move |n| list.entries.get(n).map(|entry| entry.path.to_path_buf()));
        let entries = paths.map(|path| {
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            Entry::File(path, size)
        });
        Walk { entries: Box::new(entries), found: 0 }
    }

    /// Blocks while it reads the directories.
    pub fn next_step(mut self, progress: &Progress) -> Step {
        let mut batch = Vec::new();
        for _ in 0..ENTRIES {
            if progress.is_interrupted() {
                break;
            }
            match self.entries.next() {
                Some(Entry::File(path, size)) => {
                    progress.found(size);
                    batch.push(Ok(Found { number: self.found, path }));
                    self.found += 1;
                }
                Some(Entry::NoFile) => {}
                Some(Entry::Unreadable(why)) => batch.push(Err(why)),
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
