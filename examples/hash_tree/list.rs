//! A list of digests, as `sha256sum` prints and `sha256sum -c` reads it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest::{Algorithm, Digest, STDIN};

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
        if file != Path::new(STDIN) {
            return Ok(Self::parse(&fs::read(file)?, algorithm, false));
        }
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text)?;
        Ok(Self::parse(&text, algorithm, true))
    }

    /// Empty lines and comments (`#`) are left out; blanks before and a carriage return behind a line are ignored.
    fn parse(text: &[u8], algorithm: Algorithm, is_stdin: bool) -> List {
        let mut list = List { entries: Vec::new(), malformed: 0 };
        let mut separator = None;
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            // Standard input cannot be both the list and a file that it names.
            match entry(line, algorithm, &mut separator).filter(|entry| !(is_stdin && entry.is_stdin())) {
                Some(entry) => list.entries.push(entry),
                None => list.malformed += 1,
            }
        }
        list
    }
}

impl Entry {
    fn is_stdin(&self) -> bool {
        *self.path == *STDIN
    }
}

/// What stands between digest and path. A list has lines of one kind: a path may begin with a space itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// A blank.
    One,
    /// A blank, and then a space or a star.
    Two,
}

/// `digest  path`, `digest *path`, `digest path` or `SHA256 (path) = digest`, each after a backslash if the path is
/// escaped.
fn entry(line: &[u8], algorithm: Algorithm, separator: &mut Option<Separator>) -> Option<Entry> {
    let line = trim_blanks(line);
    let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (name, digest) = match line.strip_prefix(algorithm.tag().as_bytes()) {
        Some(rest) => tagged(rest)?,
        None => plain(line, algorithm, separator)?,
    };
    let digest = from_hex(digest).filter(|digest| digest.len() == algorithm.len())?;
    let name = if escaped { unescape(name)? } else { name.to_vec() };
    // No file has such a name.
    if name.contains(&0) {
        return None;
    }
    Some(Entry { path: path(name)?.into_boxed_path(), digest })
}

fn plain<'a>(line: &'a [u8], algorithm: Algorithm, separator: &mut Option<Separator>) -> Option<(&'a [u8], &'a [u8])> {
    let (digest, rest) = line.split_at_checked(2 * algorithm.len())?;
    let rest = after_blank(rest).filter(|rest| !rest.is_empty())?;
    if !digest.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let looks = if rest.len() > 1 && matches!(rest, [b' ' | b'*', ..]) { Separator::Two } else { Separator::One };
    match (*separator.get_or_insert(looks), looks) {
        (Separator::One, _) => Some((rest, digest)),
        (Separator::Two, Separator::Two) => Some((rest.get(1..)?, digest)),
        (Separator::Two, Separator::One) => None,
    }
}

/// What follows the algorithm's name: ` (path) = digest`, of which every blank may be left out.
fn tagged(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"(")?;
    let end = rest.iter().rposition(|byte| *byte == b')')?;
    let (name, rest) = rest.split_at_checked(end)?;
    let digest = trim_blanks(trim_blanks(rest.get(1..)?).strip_prefix(b"=")?);
    Some((name, digest))
}

fn after_blank(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b" ").or_else(|| text.strip_prefix(b"\t"))
}

fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = after_blank(text) {
        text = rest;
    }
    text
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
