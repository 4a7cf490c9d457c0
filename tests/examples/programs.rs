//! Programs as users write them print what they should, and end by themselves.

use std::process::Command;

use crate::example;

/// All of stdout and of stderr, of a program that succeeded.
fn printed_by(name: &str) -> (String, String) {
    let output = example::run(Command::new(example::path(name)).env("RUST_BACKTRACE", "0"));
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{name}: {}: {stderr}", output.status);
    (stdout, stderr)
}

// Checks: P110, P111
#[test]
fn actors_ask_each_other_and_one_is_made_anew() {
    let (stdout, stderr) = printed_by("actors");
    assert_eq!(
        stdout,
        "cake 1 for 4: 3 pieces each\n\
         no cake: panicked: attempt to divide by zero\n\
         cake 1 for 6: 2 pieces each\n\
         10 guests have paid, 1 restart\n"
    );
    // The message of the panic, and no report: not of it, which has an asker, nor from the end of three reactors.
    assert_eq!(stderr.matches("panicked at").count(), 1, "{stderr}");
    assert!(!stderr.contains("selvedge: "), "{stderr}");
}

// Checks: S2, S7
#[test]
fn a_poller_of_twisted_is_ported() {
    let (stdout, stderr) = printed_by("twisted_poller");
    assert_eq!(
        stdout,
        "reading line 1\n\
         read 1\n\
         reading line 2\n\
         not read: the line is busy\n\
         reading line 3\n\
         read 9\n"
    );
    assert_eq!(stderr, "");
}

// What it tells of depends on the machine's speed; that it ends, and writes both files, does not.
// Checks: B39, P100
#[test]
fn a_program_records_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(example::path("recorder"));
    let output = example::run(program.args(["trace.json", "page.html"]).current_dir(folder.path()));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("read: Ok(30)\n") && stdout.ends_with("wrote trace.json\nwrote page.html\n"), "{stdout}");
    assert!(folder.path().join("page.html").exists());

    let output = Command::new(example::path("recorder")).arg("--help").current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*stderr), (Some(2), "usage: recorder [FILE]...\n--help is no option\n"));
    assert!(!folder.path().join("--help").exists());
}

// Checks: S7
#[test]
fn a_file_that_is_written_later_is_read() {
    assert_eq!(printed_by("retry"), ("written at last\n".to_owned(), String::new()));
}
