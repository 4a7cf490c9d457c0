//! A process on some host: what it prints is kept, and can be waited for.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

/// Many times what anything here needs. What hangs fails its test instead of hanging it. Looks are counted, and not
/// time: a machine that stands still for minutes proves nothing.
const LOOKS: u32 = 12_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

pub struct Program {
    process: Child,
    out: Kept,
    said: Kept,
}

/// What a pipe has brought so far, and whether it has ended.
type Kept = Arc<Mutex<(Vec<u8>, bool)>>;

/// Waits until `is_so`; says what it waits for if that never comes.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    panic!("it does not come to this: {what}");
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, said) = (keep(process.stdout.take().unwrap()), keep(process.stderr.take().unwrap()));
        Program { process, out, said }
    }

    /// Everything that it has written to stderr.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap().0).into_owned()
    }

    /// Waits until it has said this, so often.
    #[track_caller]
    pub fn says(&self, text: &str, times: usize) {
        wait_until(&format!("{text:?}, {times} times, in {:?}", self.said()), || {
            self.said().matches(text).count() >= times
        });
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("sh").args(["-c", "kill -s $0 $1", name, &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Its end: exit status, stdout, stderr.
    #[track_caller]
    pub fn ends(mut self) -> (ExitStatus, Vec<u8>, String) {
        let mut status = None;
        wait_until("the process ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        wait_until("its pipes end", || self.out.lock().unwrap().1 && self.said.lock().unwrap().1);
        let out = self.out.lock().unwrap().0.clone();
        (status.unwrap(), out, self.said())
    }

    /// The same, with the exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> (Vec<u8>, String) {
        let (status, out, said) = self.ends();
        assert_eq!(status.code(), Some(code), "{said}");
        (out, said)
    }
}

impl Drop for Program {
    /// It does not outlive its test.
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn keep(mut pipe: impl io::Read + Send + 'static) -> Kept {
    let kept = Kept::default();
    let keeps = Arc::clone(&kept);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            keeps.lock().unwrap().0.extend_from_slice(&buffer[..count]);
        }
        keeps.lock().unwrap().1 = true;
    });
    kept
}
