//! `examples/hash_tree` on real trees, held against the real `sha256sum`.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};

use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, Signal};

use crate::example;
use crate::terminal::Terminal;
use crate::tree::Tree;

const INTERRUPTED: i32 = 130;

/// More than any machine hashes before the watchdog ends the test, and no block of it is on the disk.
const HUGE: u64 = 1 << 40;

// ---- the two programs

/// Run inside the tree, as a user would.
pub(crate) fn hash_tree<A: AsRef<OsStr>>(tree: &Tree, arguments: impl IntoIterator<Item = A>) -> Output {
    example::run(command().args(arguments).current_dir(tree.root()))
}

fn command() -> Command {
    Command::new(example::path("hash_tree"))
}

/// The independent opinion: what find, sort and sha256sum say of the same paths.
fn sha256sum(tree: &Tree, paths: &str) -> Vec<u8> {
    let script = format!("find {paths} -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum --");
    let output = example::run(Command::new("sh").args(["-c", &script]).current_dir(tree.root()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Both texts as lists of lines, so that a difference can be read.
#[track_caller]
pub(crate) fn assert_same_lines(ours: &[u8], theirs: &[u8]) {
    let lines = |bytes: &[u8]| bytes.split(|&byte| byte == b'\n').map(|line| line.escape_ascii().to_string()).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = (lines(ours), lines(theirs));
    assert_eq!(ours, theirs);
}

#[track_caller]
pub(crate) fn assert_clean(output: &Output) {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

// ---- the lines

// Checks: P13
#[test]
fn it_prints_what_sha256sum_prints_byte_for_byte() {
    let tree = Tree::new();
    tree.awkward_names();
    let output = hash_tree(&tree, ["."]);
    assert_clean(&output);
    assert_same_lines(&output.stdout, &sha256sum(&tree, "."));
}

// Checks: P13
#[test]
fn sha256sum_accepts_every_line() {
    let tree = Tree::new();
    tree.awkward_names();
    let lines = tempfile::NamedTempFile::new().unwrap();
    fs::write(lines.path(), hash_tree(&tree, ["."]).stdout).unwrap();
    let mut check = Command::new("sha256sum");
    let verdict =
        example::run(check.args(["--check", "--strict", "--quiet"]).arg(lines.path()).current_dir(tree.root()));
    assert_clean(&verdict);
}

// Checks: P13
#[test]
fn without_a_path_it_hashes_the_current_directory() {
    let tree = Tree::new();
    tree.file("some/file");
    let output = hash_tree(&tree, [""; 0]);
    assert_clean(&output);
    assert!(text(&output.stdout).ends_with("  ./some/file\n"));
}

// Checks: P13
#[test]
fn lines_begin_with_the_path_as_it_was_given() {
    let tree = Tree::new();
    tree.awkward_names();
    for path in ["deep", "deep/", "./deep//er", "deep/../deep", "plain", "./plain", "'line\nbreak'", "'\\'"] {
        let output = hash_tree(&tree, [path.trim_matches('\'')]);
        assert_clean(&output);
        assert_same_lines(&output.stdout, &sha256sum(&tree, path));
    }
    let absolute = hash_tree(&tree, [tree.path("deep")]);
    assert_same_lines(&absolute.stdout, &sha256sum(&tree, tree.path("deep").to_str().unwrap()));
}

// Checks: P13
#[test]
fn a_file_named_like_standard_input_is_still_a_file() {
    let tree = Tree::new();
    tree.file("-");
    let output = hash_tree(&tree, ["-"]);
    assert_clean(&output);
    assert_same_lines(&output.stdout, &sha256sum(&tree, "./-"));
}

// Checks: P13
#[test]
fn an_empty_tree_has_no_lines() {
    let tree = Tree::new();
    fs::create_dir_all(tree.path("nothing/in/here")).unwrap();
    let output = hash_tree(&tree, ["."]);
    assert_clean(&output);
    assert_eq!(text(&output.stdout), "");
}

// Checks: P13
#[test]
fn the_number_of_threads_changes_nothing() {
    let tree = Tree::new();
    tree.files(3_000);
    let expected = sha256sum(&tree, ".");
    for threads in ["1", "2", "16"] {
        let output = hash_tree(&tree, ["--threads", threads]);
        assert_clean(&output);
        assert_same_lines(&output.stdout, &expected);
    }
}

// ---- what is in a tree besides files

// Checks: P13
#[test]
fn symlinks_are_not_followed() {
    let tree = Tree::new();
    let file = tree.file("directory/file");
    symlink(&file, tree.path("to a file")).unwrap();
    symlink(tree.path("directory"), tree.path("to a directory")).unwrap();
    symlink("nowhere", tree.path("to nothing")).unwrap();
    symlink("..", tree.path("directory/to the parent")).unwrap();
    symlink("to itself", tree.path("to itself")).unwrap();
    let output = hash_tree(&tree, ["."]);
    assert_clean(&output);
    assert_same_lines(&output.stdout, &sha256sum(&tree, "./directory/file"));
}

// Checks: P13
#[test]
fn a_path_that_is_itself_a_symlink_is_meant_to_be_followed() {
    let tree = Tree::new();
    tree.file("directory/file");
    symlink("directory", tree.path("link")).unwrap();
    let output = hash_tree(&tree, ["link"]);
    assert_clean(&output);
    assert!(text(&output.stdout).ends_with("  link/file\n"));
}

// Checks: P13
#[test]
fn special_files_are_skipped() {
    let tree = Tree::new();
    tree.file("file");
    // Opening the fifo would block for ever.
    rustix::fs::mknodat(CWD, tree.path("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = UnixListener::bind(tree.path("socket")).unwrap();
    let output = hash_tree(&tree, ["."]);
    assert_clean(&output);
    assert_same_lines(&output.stdout, &sha256sum(&tree, "./file"));
}

// ---- what goes wrong

// Checks: P13
#[test]
fn a_path_that_is_not_there_is_one_clear_line() {
    let tree = Tree::new();
    let output = hash_tree(&tree, ["no such\nplace"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "hash_tree: \"no such\\nplace\": No such file or directory (os error 2)\n");
}

// Checks: P13
#[test]
fn a_path_that_is_neither_file_nor_directory_is_one_clear_line() {
    let output = hash_tree(&Tree::new(), ["/dev/null"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "hash_tree: \"/dev/null\": neither a file nor a directory\n");
}

// Checks: P13
#[test]
fn arguments_that_make_no_sense_are_refused() {
    for arguments in [&["--threads", "0"][..], &["--threads", "-1"], &["--threads", "513"], &["--threads"], &["a", "b"]]
    {
        let output = hash_tree(&Tree::new(), arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{arguments:?}");
    }
}

// Checks: P13
#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let tree = Tree::new();
    tree.files(500);
    let unreadable = tree.file("unreadable\nfile");
    let closed = tree.path("closed directory");
    tree.file("closed directory/file");
    let expected = sha256sum(&tree, "./dir*");
    fs::set_permissions(&unreadable, Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();

    let output = run_unprivileged(&tree);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert_same_lines(&output.stdout, &expected);
    let stderr = text(&output.stderr);
    let mut complaints: Vec<&str> = stderr.lines().collect();
    complaints.sort_unstable();
    assert_eq!(
        complaints,
        [
            "hash_tree: \"./closed directory\": Permission denied (os error 13)",
            "hash_tree: \"./unreadable\\nfile\": Permission denied (os error 13)",
        ]
    );
}

/// Nothing is unreadable to root. If that is who runs the tests, somebody else runs the program: from
/// a place where others may read it.
fn run_unprivileged(tree: &Tree) -> Output {
    if !rustix::process::geteuid().is_root() {
        return hash_tree(tree, ["."]);
    }
    let public = Permissions::from_mode(0o755);
    let place = Tree::new();
    let program = place.path("hash_tree");
    fs::copy(example::path("hash_tree"), &program).unwrap();
    for path in [place.root(), tree.root(), &program] {
        fs::set_permissions(path, public.clone()).unwrap();
    }
    const NOBODY: u32 = 65534;
    example::run(Command::new(program).uid(NOBODY).gid(NOBODY).arg(".").current_dir(tree.root()))
}

// Checks: P13
#[test]
fn a_file_that_fails_while_it_is_read_is_named() {
    // Opens, is a regular file, and fails at its first byte: even for root.
    let output = hash_tree(&Tree::new(), ["/proc/self/mem"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert_eq!(text(&output.stderr), "hash_tree: \"/proc/self/mem\": Input/output error (os error 5)\n");
}

// Checks: P13
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let tree = Tree::new();
    tree.files(2_000);
    let mut child = spawn(&tree, Stdio::piped(), Stdio::piped());
    drop(child.stdout.take());
    let status = example::wait(&mut child);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((status.code(), stderr), (Some(0), String::new()));
}

// Checks: P13
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let tree = Tree::new();
    tree.file("file");
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let output = spawn(&tree, full(), Stdio::piped()).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "hash_tree: standard output: No space left on device (os error 28)\n");
    // There is nowhere left to complain; that is no reason to panic.
    assert_eq!(example::wait(&mut spawn(&tree, full(), full())).code(), Some(1));
}

// ---- how much it takes

// Checks: P13
#[test]
fn memory_does_not_grow_with_a_file() {
    let tree = Tree::new();
    tree.sparse_file("huge", 1 << 29);
    tree.files(2_000);
    // All of the address space, threads' stacks and program included, is half of the file.
    let script = "ulimit -v 262144 && exec \"$0\" --threads 2";
    let mut shell = Command::new("sh");
    let output = example::run(shell.args(["-c", script]).arg(example::path("hash_tree")).current_dir(tree.root()));
    assert_clean(&output);
    assert_same_lines(&output.stdout, &sha256sum(&tree, "."));
}

// ---- the terminal, and Ctrl-C

// Checks: P13
#[test]
fn a_terminal_sees_a_progress_bar() {
    let tree = Tree::new();
    tree.sparse_file("huge", HUGE);
    let mut terminal = Terminal::new();
    let mut child = spawn(&tree, Stdio::null(), terminal.stdio());
    // The total is known before the file is read, and the bar moves in the middle of it.
    terminal.wait_for("/1.00 TiB");
    terminal.wait_for("iB/1.00 TiB");
    terminal.wait_for("/s, ");
    terminal.wait_for(" left  0 files");
    interrupt(&child);
    assert_eq!(example::wait(&mut child).code(), Some(INTERRUPTED));
}

// Checks: P13
#[test]
fn ctrl_c_ends_it_in_the_middle_of_a_huge_file() {
    let tree = Tree::new();
    tree.sparse_file("huge", HUGE);
    tree.sparse_file("as huge", HUGE);
    tree.files(100);
    let mut terminal = Terminal::new();
    let mut child = spawn(&tree, Stdio::piped(), terminal.stdio());
    terminal.wait_for("100 files");

    interrupted(&mut child);
    terminal.wait_for("hash_tree: interrupted: hashed 100 of the 102 files found so far, ");
    // Nothing was left behind: the threads themselves saw it.
    terminal.wait_for(" read\r\n");
    // Half a list would look like a whole one.
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), "");
}

// Checks: P13
#[test]
fn ctrl_c_ends_it_when_nobody_reads_its_output() {
    let tree = Tree::new();
    tree.files(2_000);
    let mut child = spawn(&tree, Stdio::piped(), Stdio::piped());
    // The first line is out, and a pipe does not hold all the others: it is stuck in a write.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 64]).unwrap();

    interrupted(&mut child);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.starts_with("hash_tree: interrupted: hashed 2,000 of the 2,000 files"), "{stderr}");
    assert!(stderr.ends_with("; a read or write that does not return was left behind\n"), "{stderr}");
}

/// Sends Ctrl-C and waits for the exit. Only Ctrl-C can end the program; the watchdog fails the test if it hangs.
fn interrupted(child: &mut Child) {
    interrupt(child);
    assert_eq!(example::wait(child).code(), Some(INTERRUPTED));
}

fn spawn(tree: &Tree, stdout: Stdio, stderr: Stdio) -> Child {
    command().arg("--threads=3").current_dir(tree.root()).stdout(stdout).stderr(stderr).spawn().unwrap()
}

/// What the terminal sends for Ctrl-C.
fn interrupt(child: &Child) {
    rustix::process::kill_process(Pid::from_child(child), Signal::INT).unwrap();
}
