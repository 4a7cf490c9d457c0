//! A list of digests, as `sha256sum` prints and `sha256sum -c` reads it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest::{Algorithm, Digest};

/// One line: a file, and the digest that it should have.
pub struct Entry {
    pub path: Box<Path>,
    pub digest: Digest,
}

pub struct List {
    /// In the order of the lines.
    pub entries: Vec<Entry>,
    /// How many lines have another format.
    pub malformed: usize,
}

impl List {
    /// Reads a list to its end; that of `-` from standard input.
    pub fn read(file: &Path, algorithm: Algorithm) -> io::Result<List> {
        let text = if file == Path::new("-") {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text)?;
            text
        } else {
            fs::read(file)?
        };
        Ok(Self::parse(&text, algorithm))
    }

    /// Empty lines and comments (`#`) are left out; spaces before and a carriage return behind a line are ignored.
    pub fn parse(text: &[u8], algorithm: Algorithm) -> List {
        let mut list = List { entries: Vec::new(), malformed: 0 };
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match entry(line, algorithm) {
                Some(entry) => list.entries.push(entry),
                None => list.malformed += 1,
            }
        }
        list
    }
}

/// `digest  path`, `digest *path` or `SHA256 (path) = digest`, each after a backslash if the path is escaped.
fn entry(line: &[u8], algorithm: Algorithm) -> Option<Entry> {
    let line = line.trim_ascii_start();
    let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (name, digest) = tagged(line, algorithm).or_else(|| plain(line, algorithm))?;
    let digest = from_hex(digest).filter(|digest| digest.len() == algorithm.len())?;
    let name = if escaped { unescape(name)? } else { name.to_vec() };
    // No file has such a name.
    if name.is_empty() || name.contains(&0) {
        return None;
    }
    Some(Entry { path: path(name)?.into_boxed_path(), digest })
}

fn plain(line: &[u8], algorithm: Algorithm) -> Option<(&[u8], &[u8])> {
    let (digest, rest) = line.split_at_checked(2 * algorithm.len())?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    Some((name, digest))
}

fn tagged(line: &[u8], algorithm: Algorithm) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(algorithm.tag().as_bytes())?.strip_prefix(b" (")?;
    let (rest, digest) = rest.split_at_checked(rest.len().checked_sub(2 * algorithm.len())?)?;
    Some((rest.strip_suffix(b") = ")?, digest))
}

fn from_hex(text: &[u8]) -> Option<Digest> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

/// `None` if a backslash stands before anything else than what is written so.
fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            byte => *byte,
        });
    }
    Some(plain)
}

#[cfg(unix)]
fn path(name: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(name).into())
}

/// Elsewhere a name is text.
#[cfg(not(unix))]
fn path(name: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(name).ok().map(PathBuf::from)
}
