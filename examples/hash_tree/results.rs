//! What becomes of the digests: lines to print, or verdicts on a list.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::digest::Algorithm;
use crate::line;
use crate::list::List;

pub enum Results {
    Lines(Vec<Hashed>),
    Verdicts {
        list: Arc<List>,
        /// One for each entry of the list.
        verdicts: Vec<Verdict>,
    },
}

/// One file of a tree: its digest and then its path, in one box of their exact size, as there may be millions.
pub struct Hashed(Box<[u8]>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Matches,
    Differs,
    /// As long as it has no digest.
    Unreadable,
}

impl Results {
    pub fn lines() -> Results {
        Results::Lines(Vec::new())
    }

    pub fn verdicts(list: Arc<List>) -> Results {
        let verdicts = vec![Verdict::Unreadable; list.entries.len()];
        Results::Verdicts { list, verdicts }
    }

    /// The file of this number (in the order in which files were found) has this digest.
    pub fn add(&mut self, number: usize, path: &Path, digest: &[u8]) {
        match self {
            Results::Lines(lines) => lines.push(Hashed([digest, line::bytes(path)].concat().into_boxed_slice())),
            Results::Verdicts { list, verdicts } => {
                if let (Some(entry), Some(verdict)) = (list.entries.get(number), verdicts.get_mut(number)) {
                    *verdict = if *entry.digest == *digest { Verdict::Matches } else { Verdict::Differs };
                }
            }
        }
    }

    /// Lines by the bytes of the whole path, as `LC_ALL=C sort` does, and not part by part: "a.b" comes before "a/b".
    /// Verdicts in the order of the list.
    pub fn print(&mut self, algorithm: Algorithm, out: &mut impl Write) -> io::Result<()> {
        match self {
            Results::Lines(lines) => {
                lines.sort_unstable_by(|a, b| a.name(algorithm).cmp(b.name(algorithm)));
                lines.iter().try_for_each(|file| line::write(out, file.digest(algorithm), file.name(algorithm)))
            }
            Results::Verdicts { list, verdicts } => {
                (list.entries.iter().zip(verdicts)).try_for_each(|(entry, verdict)| {
                    let verdict = match verdict {
                        Verdict::Matches => "OK",
                        Verdict::Differs => "FAILED",
                        Verdict::Unreadable => "FAILED open or read",
                    };
                    line::write_verdict(out, line::bytes(&entry.path), verdict)
                })
            }
        }
    }

    /// How many files of a list have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        match self {
            Results::Lines(_) => 0,
            Results::Verdicts { verdicts, .. } => verdicts.iter().filter(|one| **one == verdict).count(),
        }
    }
}

impl Hashed {
    fn digest(&self, algorithm: Algorithm) -> &[u8] {
        self.0.get(..algorithm.len()).unwrap_or_default()
    }

    fn name(&self, algorithm: Algorithm) -> &[u8] {
        self.0.get(algorithm.len()..).unwrap_or_default()
    }
}
