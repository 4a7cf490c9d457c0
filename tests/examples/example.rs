//! Runs the programs of `examples/` for the tests that check what they print.

use std::env;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// No example needs a tenth of it. One that hangs fails its test instead of hanging it.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The program of that name. `cargo test` builds all examples before it runs a test, but tells nobody
/// where: beside the directory of the test's own program.
pub fn path(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let example = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        example.exists(),
        "{} is not there: plain `cargo test` builds it, before `cargo test --test …` run `cargo build --examples`",
        example.display()
    );
    example
}

/// Runs it to its end. What it prints goes through files, so that it never waits for a reader.
pub fn run(command: &mut Command) -> Output {
    let mut stdout = tempfile::tempfile().unwrap();
    let mut stderr = tempfile::tempfile().unwrap();
    command.stdin(Stdio::null());
    command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
    let status = wait(&mut spawn(command));
    Output { status, stdout: contents(&mut stdout), stderr: contents(&mut stderr) }
}

/// Starts a program. An executable that this process just copied can be briefly open for writing in a child that
/// another test has forked; then the system says "busy", and this tries again.
fn spawn(command: &mut Command) -> Child {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match command.spawn() {
            Err(busy) if busy.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                thread::yield_now()
            }
            spawned => return spawned.unwrap(),
        }
    }
}

/// Waits for a child, but not for ever.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("still running after {PATIENCE:?}");
}

fn contents(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
