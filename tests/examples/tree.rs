//! Trees of files for a program under test to walk through.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory with files in it, gone when it is dropped.
pub struct Tree(TempDir);

impl Tree {
    pub fn new() -> Tree {
        Tree(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.root().join(name.as_ref())
    }

    /// A file, in directories made as needed; its content differs from that of its neighbours.
    pub fn file(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let path = self.path(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, [b"content of ", name.as_ref().as_bytes()].concat()).unwrap();
        path
    }

    pub fn sparse_file(&self, name: &str, size: u64) {
        File::create(self.path(name)).unwrap().set_len(size).unwrap();
    }

    /// So many small files, in ten directories.
    pub fn files(&self, count: usize) {
        for number in 0..count {
            self.file(format!("directory {}/file {number}", number % 10));
        }
    }

    /// Every kind of name that a line of text has trouble with.
    pub fn awkward_names(&self) {
        for name in [
            "plain",
            "two words",
            " leads",
            "trails ",
            "-",
            "-c",
            "--help",
            "*star",
            "#hash",
            "\u{e9}t\u{e9}",
            "\t",
            "line\nbreak",
            "\n",
            "\n\n",
            "carriage\rreturn",
            "crlf\r\n",
            "back\\slash",
            "\\",
            "\\\\",
            "\\n",
            "\\\n",
            "a/b",
            "a.b",
            "a b",
            "a",
            "deep/er/and/deeper",
            "directory\nwith a break/file",
            "directory\\/file",
        ] {
            // "a" is a directory already.
            if !self.path(name).is_dir() {
                self.file(name);
            }
        }
        for bytes in [&b"\xff"[..], b"not \xc3( UTF-8", b"\xff\n\xfe\\", b"\x01\x7f\x1b[31m"] {
            self.file(OsString::from_vec(bytes.to_vec()));
        }
        fs::write(self.path("empty"), "").unwrap();
    }
}
