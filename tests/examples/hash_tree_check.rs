//! `examples/hash_tree` with `--check` and `--algorithm`, held against coreutils.

use std::fs;
use std::process::{Command, Output};

use crate::example;
use crate::hash_tree::{assert_clean, assert_same_lines, hash_tree, text};
use crate::tree::Tree;

/// A list, and a tree of the files that it names.
struct Case {
    tree: Tree,
    list: tempfile::NamedTempFile,
}

impl Case {
    fn new(tree: Tree, list: impl AsRef<[u8]>) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), list).unwrap();
        Self { tree, list: file }
    }

    fn check(&self, algorithm: &str) -> Output {
        let list = self.list.path().to_str().unwrap();
        hash_tree(&self.tree, ["--check", list, "--algorithm", algorithm, "--threads=3"])
    }

    /// The same verdicts in the same order, and the same exit code.
    #[track_caller]
    fn assert_as(&self, algorithm: &str, of: &str) -> Output {
        let mut theirs = Command::new(of);
        theirs.arg("--check").arg(self.list.path()).current_dir(self.tree.root()).env("LC_ALL", "C");
        let (ours, theirs) = (self.check(algorithm), example::run(&mut theirs));
        assert_same_lines(&ours.stdout, &theirs.stdout);
        assert_eq!(ours.status.code(), theirs.status.code());
        ours
    }
}

// Checks: P13
#[test]
fn a_list_is_verified_as_sha256sum_verifies_it() {
    let tree = Tree::new();
    tree.awkward_names();
    let list = hash_tree(&tree, ["."]).stdout;
    let output = Case::new(tree, list).assert_as("sha256", "sha256sum");
    assert_clean(&output);
}

// Checks: P13
#[test]
fn what_has_changed_or_is_gone_is_named_and_counted() {
    let tree = Tree::new();
    tree.files(600);
    let list = hash_tree(&tree, ["."]).stdout;
    fs::write(tree.path("directory 3/file 3"), "changed").unwrap();
    fs::remove_file(tree.path("directory 4/file 4")).unwrap();
    let case = Case::new(tree, list);
    let output = case.assert_as("sha256", "sha256sum");
    assert_eq!(output.status.code(), Some(1));
    let list = case.list.path();
    assert_eq!(
        text(&output.stderr),
        format!(
            "hash_tree: \"./directory 4/file 4\": No such file or directory (os error 2)\n\
             hash_tree: {list:?}: files that could not be read: 1\n\
             hash_tree: {list:?}: files with another digest: 1\n"
        )
    );
}

// Checks: P13
#[test]
fn lines_of_every_format_are_read_as_sha256sum_reads_them() {
    let tree = Tree::new();
    fs::write(tree.path("a"), "abc").unwrap();
    fs::write(tree.path("b c"), "abc").unwrap();
    fs::write(tree.path("line\nbreak"), "abc").unwrap();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let upper = digest.to_uppercase();
    let list = [
        &format!("{digest}  a"),
        "",
        "# comment",
        "no line of a list",
        &format!("{digest}  a\r"),
        &format!("SHA256 (b c) = {digest}"),
        &format!("\\SHA256 (line\\nbreak) = {digest}"),
        &format!("{upper}  a"),
        &format!("{digest} a"),
        &format!("  \t{digest}  b c"),
        &format!("{digest} *a"),
        &format!("0{digest}  a"),
        &format!("{digest}0  a"),
        &format!("\\{digest}  line\\nbreak"),
        &format!("\\{digest}  a\\q"),
        &format!("\\{digest}  a\\"),
        &format!("SHA512 (a) = {digest}"),
        &format!("{}  a", &digest[1..]),
        &format!("{digest}  "),
        digest,
        &format!("{digest}  ."),
        &format!("{digest}  gone"),
    ]
    .join("\n");
    let case = Case::new(tree, list);
    let output = case.assert_as("sha256", "sha256sum");
    assert!(text(&output.stderr).contains(": lines that are not 64 hexadecimal digits and a path: 10\n"), "{output:?}");
}

/// A list has one blank between digest and path in all lines, or a blank and a space or star: the first line decides.
// Checks: P13
#[test]
fn blanks_of_a_line_are_taken_as_sha256sum_takes_them() {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for list in [
        "D a\nD b c\n",
        "D a\nD  a\nD *a\n",
        "D  a\nD a\nD\ta\n",
        "D\ta\n",
        "D\t a\n",
        "D\t*a\n",
        "D \ta\n",
        "D   lead\n",
        "D \n",
        "D  \n",
        "x D a\nD  a\n",
        "\\D a\\q\nD  a\n",
        "\x0cD  a\n",
        "\x0bD  a\n",
        " # comment\nD  a\n",
        "SHA256(a)= D\n",
        "SHA256 (a)=D\n",
        "SHA256 (a)  =\t D\n",
        "SHA256  (a) = D\n",
        "SHA256 (a) = D \n",
        "SHA256 (a) = D)\n",
        "SHA256 (a) D\n",
        "SHA256 (a\n",
        "SHA256 () = D\n",
        "SHA256 (a)b) = D\n",
        "\\SHA256 (a\\q) = D\n",
    ] {
        let tree = Tree::new();
        for name in ["a", "b c", " lead", "a)b"] {
            fs::write(tree.path(name), "abc").unwrap();
        }
        Case::new(tree, list.replace('D', digest)).assert_as("sha256", "sha256sum");
    }
}

/// A list may have the digest of standard input, unless it comes from there itself.
// Checks: P13
#[test]
fn a_line_with_a_dash_is_of_standard_input() {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let case = Case::new(Tree::new(), format!("{digest}  -\n"));
    let script = "printf abc | \"$0\" --check \"$1\"; echo $?; \"$0\" --check - < \"$1\"; echo $?";
    let run = |program: &std::path::Path| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(program).arg(case.list.path()).current_dir(case.tree.root());
        example::run(&mut shell)
    };
    let (ours, theirs) = (run(&example::path("hash_tree")), run("sha256sum".as_ref()));
    assert_same_lines(&ours.stdout, &theirs.stdout);
    assert_eq!(text(&ours.stdout), "-: OK\n0\n1\n");
    assert_eq!(text(&ours.stderr), "hash_tree: \"-\": no line is one of 64 hexadecimal digits and a path\n");
}

// Checks: P13
#[test]
fn a_list_with_nothing_but_malformed_lines_is_verified_as_sha256sum_does() {
    for list in ["", "nothing of the kind\n", "\n\n# only comments\n"] {
        let output = Case::new(Tree::new(), list).assert_as("sha256", "sha256sum");
        assert!(text(&output.stderr).ends_with(": no line is one of 64 hexadecimal digits and a path\n"), "{output:?}");
    }
}

// Checks: P13
#[test]
fn a_list_that_is_not_there_is_one_clear_line() {
    let output = hash_tree(&Tree::new(), ["--check", "no such\nlist"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert_eq!(text(&output.stderr), "hash_tree: \"no such\\nlist\": No such file or directory (os error 2)\n");
}

// Checks: P13
#[test]
fn a_list_is_read_from_standard_input() {
    let tree = Tree::new();
    tree.awkward_names();
    let script = "\"$0\" --algorithm sha512 | \"$0\" --algorithm sha512 --check -";
    let mut shell = Command::new("sh");
    let output = example::run(shell.args(["-c", script]).arg(example::path("hash_tree")).current_dir(tree.root()));
    assert_clean(&output);
    assert!(text(&output.stdout).contains("./two words: OK\n"));
}

// Checks: P13
#[test]
fn sha512_is_that_of_sha512sum() {
    let tree = Tree::new();
    tree.awkward_names();
    let script = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha512sum --";
    let theirs = example::run(Command::new("sh").args(["-c", script]).current_dir(tree.root()));
    let ours = hash_tree(&tree, ["--algorithm", "sha512"]);
    assert_clean(&ours);
    assert_same_lines(&ours.stdout, &theirs.stdout);
    Case::new(tree, ours.stdout).assert_as("sha512", "sha512sum");
}

/// The digest of `abc` is that of its authors' other programs.
// Checks: P13
#[test]
fn blake3_is_blake3_and_can_be_checked() {
    let tree = Tree::new();
    fs::write(tree.path("abc"), "abc").unwrap();
    let ours = hash_tree(&tree, ["abc", "--algorithm", "blake3"]);
    assert_clean(&ours);
    let line = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85  abc\n";
    assert_eq!(text(&ours.stdout), line);
    let checked = Case::new(tree, line).check("blake3");
    assert_clean(&checked);
    assert_eq!(text(&checked.stdout), "abc: OK\n");
}

// Checks: P13
#[test]
fn a_list_of_another_algorithm_has_no_line_of_this_one() {
    let tree = Tree::new();
    tree.file("file");
    let list = hash_tree(&tree, ["--algorithm", "sha512"]).stdout;
    let output = Case::new(tree, list).check("sha256");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
}

// Checks: P13
#[test]
fn a_trace_names_each_file_and_changes_nothing_else() {
    let tree = Tree::new();
    tree.files(100);
    let plain = hash_tree(&tree, ["--threads=2"]);
    let place = tempfile::tempdir().unwrap();
    for name in ["trace.json", "trace.html"] {
        let file = place.path().join(name);
        let traced = hash_tree(&tree, ["--threads=2", "--trace", file.to_str().unwrap()]);
        assert_clean(&traced);
        assert_same_lines(&traced.stdout, &plain.stdout);
        let trace = fs::read_to_string(file).unwrap();
        for number in 0..100 {
            assert!(trace.contains(&format!("/file {number}, made at ")), "{name}: {number}");
        }
    }
}

// Checks: P13
#[test]
fn a_trace_that_cannot_be_written_is_one_clear_line_and_the_rest_is_done() {
    let tree = Tree::new();
    tree.file("file");
    let output = hash_tree(&tree, ["--trace", "no such/place"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "hash_tree: \"no such/place\": No such file or directory (os error 2)\n");
    assert!(text(&output.stdout).ends_with("  ./file\n"));
}

// Checks: P13
#[test]
fn arguments_of_a_check_that_make_no_sense_are_refused() {
    for arguments in [&["--check"][..], &["--check", "list", "path"], &["--algorithm", "md5"], &["--algorithm"]] {
        let output = hash_tree(&Tree::new(), arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{arguments:?}");
    }
}
