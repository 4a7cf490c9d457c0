//! One line of output, byte for byte as `sha256sum` of GNU coreutils 9 writes it.

use std::io::{self, Write};
use std::path::Path;

/// The bytes of a path as they are on disk: a name on Unix is bytes, not text, and need not be UTF-8.
pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Writes `digest  path` and a newline.
///
/// A name may hold whatever would end or garble the line. Then the name is escaped, and a backslash **before the
/// digest** says so; all other names, spaces and invalid UTF-8 included, are written as they are.
pub fn write(out: &mut impl Write, digest: &[u8], name: &[u8]) -> io::Result<()> {
    let escaped = name.iter().any(|&byte| escape(byte).is_some());
    if escaped {
        out.write_all(b"\\")?;
    }
    for byte in digest {
        write!(out, "{byte:02x}")?;
    }
    out.write_all(b"  ")?;
    write_name(out, name, escaped)?;
    out.write_all(b"\n")
}

/// Writes `path: verdict` and a newline, as `sha256sum -c` does: here only a name that would break the line is escaped.
pub fn write_verdict(out: &mut impl Write, name: &[u8], verdict: &str) -> io::Result<()> {
    let escaped = name.contains(&b'\n');
    if escaped {
        out.write_all(b"\\")?;
    }
    write_name(out, name, escaped)?;
    writeln!(out, ": {verdict}")
}

fn write_name(out: &mut impl Write, name: &[u8], escaped: bool) -> io::Result<()> {
    if !escaped {
        return out.write_all(name);
    }
    name.iter().try_for_each(|byte| out.write_all(escape(*byte).unwrap_or(std::slice::from_ref(byte))))
}

/// What stands for a byte that a line cannot hold as it is.
fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'\\' => Some(br"\\"),
        b'\n' => Some(br"\n"),
        b'\r' => Some(br"\r"),
        _ => None,
    }
}
