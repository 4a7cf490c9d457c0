//! A tree with whatever a tree may have.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// So many plain files of a kilobyte below `tree`, and a few odd ones.
pub fn make(parent: &Path, files: usize) {
    let tree = parent.join("tree");
    fs::create_dir_all(tree.join("deep/er")).unwrap();
    for n in 0..files {
        let directory = ["", "deep", "deep/er"][n % 3];
        fs::write(tree.join(directory).join(format!("file {n}")), format!("{n:0>1000}")).unwrap();
    }
    for name in [&b"line\nbreak"[..], b"back\\slash", b"\xff\xfe", b"-dash", b"empty"] {
        fs::write(tree.join(OsStr::from_bytes(name)), if name == b"empty" { b"" } else { name }).unwrap();
    }
    // Neither is hashed.
    symlink("file 0", tree.join("link")).unwrap();
    assert!(Command::new("mkfifo").arg(tree.join("pipe")).status().unwrap().success());
}
