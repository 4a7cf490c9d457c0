//! The main job: hash every file of a tree on all cores, and print what `sha256sum` prints, sorted.
//!
//! All files are in the page cache. Who hashes in this process has no process to start, and `xargs` has.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use selvedge::{Reactor, deferred::gather_results, threads};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::measure::{Comparison, Contender};

pub fn comparison() -> Comparison {
    Comparison::new(
        "Hash a tree of small files",
        1_000,
        const {
            &[
                Contender::new("selvedge", |_, files| measure(files, selvedge)),
                Contender::new("rayon", |_, files| measure(files, rayon)),
                Contender::new("tokio", |_, files| measure(files, tokio)),
                Contender::new("xargs", |_, files| measure(files, xargs)),
            ]
        },
    )
}

/// Files in a directory, and the bytes of the largest one.
const IN_DIRECTORY: u64 = 50;
const LARGEST: usize = 64 << 10;

fn tree(files: u64) -> TempDir {
    let (root, mut random) = (tempfile::tempdir().expect("a directory can be made"), fastrand::Rng::with_seed(1));
    let content: Vec<u8> = (0..LARGEST).map(|_| random.u8(..)).collect();
    for number in 0..files {
        let directory = root.path().join(format!("{:03}", number / IN_DIRECTORY));
        fs::create_dir_all(&directory).expect("a directory can be made");
        let content = &content[random.usize(..LARGEST)..];
        fs::write(directory.join(format!("{number}")), content).expect("a file can be written");
    }
    root
}

fn measure(files: u64, hash_tree: fn(&Path) -> String) -> Duration {
    let root = tree(files);
    let start = Instant::now();
    let lines = hash_tree(root.path());
    let elapsed = start.elapsed();
    assert_eq!(lines.lines().count() as u64, files);
    elapsed
}

fn walk(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = WalkDir::new(root).into_iter().map(|entry| entry.expect("the tree can be read"));
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path)
}

fn hash(path: &Path) -> String {
    let digest = Sha256::digest(fs::read(path).expect("the file can be read"));
    let mut line = String::with_capacity(2 * digest.len() + 2 + path.as_os_str().len());
    digest.iter().for_each(|byte| write!(line, "{byte:02x}").expect("a string takes all"));
    write!(line, "  {}", path.display()).expect("a string takes all");
    line
}

/// Sorted by path, which begins after the digest.
fn sorted(mut lines: Vec<String>) -> String {
    lines.sort_by(|one, other| one[66..].cmp(&other[66..]));
    lines.join("\n")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn selvedge(root: &Path) -> String {
    let reactor = Reactor::builder().pool_size(cores(), cores()).build().expect("the sizes are valid");
    let files = walk(root).map(|path| threads::defer_to_thread(&reactor, move || hash(&path)));
    let lines = gather_results(files);
    sorted(reactor.block_on(lines).expect("no job panics"))
}

fn rayon(root: &Path) -> String {
    sorted(walk(root).par_bridge().map(|path| hash(&path)).collect())
}

fn tokio(root: &Path) -> String {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(cores()).build().expect("a runtime starts");
    let jobs: Vec<_> = walk(root).map(|path| runtime.spawn_blocking(move || hash(&path))).collect();
    sorted(jobs.into_iter().map(|job| runtime.block_on(job).expect("no job panics")).collect())
}

fn xargs(root: &Path) -> String {
    let pipe = format!("find \"$0\" -type f -print0 | xargs -0 -n 50 -P {} sha256sum | sort -k 2", cores());
    let output = Command::new("sh").arg("-c").arg(pipe).arg(root).output().expect("there is a shell");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("sha256sum prints text")
}
