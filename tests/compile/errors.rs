//! Every public error goes through `?` into a `Failure`, a `Box<dyn Error + Send + Sync>` and an `anyhow::Error`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use selvedge::error::{
    Abandoned, AdvanceError, BlockingCallError, BuildError, Cancelled, DelayedCallError, FailureError, FailureGroup,
    FireEventError, FirstError, JoinError, LoopingCallError, NeverRan, NotPaused, OverRelease, OwnedError, Panic,
    PoolStopped, PutError, PutRejection, QueueClosed, QueueUnderflow, ReactorStopped, Reentered, Rejected, Rejection,
    Saturated, SharedFailure, SizeError, SpawnError, StopError, TaskFinished, TimedOut, Unavailable, UnknownPool,
    UnknownTrigger, WaitsForItself, WouldDeadlock,
};
use selvedge::pool::StopWithinError;
use selvedge::reactor::Call;
use selvedge::{Failure, Job};

/// Each conversion compiles for all of them; the name of each type is kept for the comparison with the sources.
macro_rules! passed_on {
    ($($error:ty,)+) => {{
        // Each body is a function of its own, because the error's type has to be the declared one.
        $({
            fn into_failure(result: Result<(), $error>) -> Result<(), Failure> {
                Ok(result?)
            }
            fn into_box(result: Result<(), $error>) -> Result<(), Box<dyn Error + Send + Sync>> {
                Ok(result?)
            }
            fn into_anyhow(result: Result<(), $error>) -> anyhow::Result<()> {
                Ok(result?)
            }
            assert!(into_failure(Ok(())).is_ok() && into_box(Ok(())).is_ok() && into_anyhow(Ok(())).is_ok());
        })+
        [$(stringify!($error)),+]
    }};
}

/// The public types of the sources that implement `Error`: by the macro of messages, or by hand.
fn declared() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")) {
        let source = fs::read_to_string(&file).unwrap();
        let mut in_messages = false;
        for line in source.lines() {
            in_messages = line.starts_with("messages! {") || in_messages && line != "}";
            let by_macro = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {"));
            let by_hand = line.split_once("Error for ").filter(|(before, _)| before.starts_with("impl"));
            let name = match (by_macro.filter(|_| in_messages), by_hand) {
                (Some(name), _) => name,
                (None, Some((_, name))) => name.split(['<', ' ']).next().unwrap(),
                (None, None) => continue,
            };
            let is_public = [format!("pub struct {name}"), format!("pub enum {name}")];
            if source.lines().any(|line| {
                is_public.iter().any(|start| {
                    line.strip_prefix(start.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
                })
            }) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

// Checks: P105
#[test]
fn every_public_error_is_passed_on_by_a_question_mark() {
    let listed = passed_on![
        Abandoned,
        AdvanceError,
        BlockingCallError,
        BuildError,
        Cancelled,
        DelayedCallError,
        FailureError,
        FailureGroup,
        FireEventError,
        FirstError,
        JoinError,
        LoopingCallError,
        NeverRan,
        NotPaused,
        OverRelease,
        OwnedError,
        Panic,
        PoolStopped,
        PutError<u32>,
        PutRejection,
        QueueClosed,
        QueueUnderflow,
        ReactorStopped,
        Reentered,
        Rejected<Call>,
        Rejected<Job>,
        Rejection,
        Saturated,
        SharedFailure,
        SizeError,
        SpawnError,
        StopError,
        StopWithinError,
        TaskFinished,
        TimedOut,
        Unavailable,
        UnknownPool,
        UnknownTrigger,
        WaitsForItself,
        WouldDeadlock,
    ];
    let listed: BTreeSet<_> = listed.iter().map(|name| name.split('<').next().unwrap().to_owned()).collect();
    let declared = declared();
    assert!(declared.len() > 30, "{declared:?}");
    assert_eq!(listed, declared);
}

// Checks: P105
#[test]
fn an_error_is_found_again_by_its_type_wherever_it_was_passed_on_to() {
    fn failed() -> Result<(), Failure> {
        Ok(String::from_utf8(vec![0xff]).map(drop)?)
    }
    fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(failed()?)
    }
    fn boxed_for_this_thread() -> Result<(), Box<dyn Error>> {
        Ok(failed()?)
    }
    fn with_anyhow() -> anyhow::Result<()> {
        Ok(failed().map_err(Failure::into_error)?)
    }
    fn back() -> Result<(), Failure> {
        with_anyhow().map_err(Failure::from_boxed)
    }
    assert!(failed().unwrap_err().is::<std::string::FromUtf8Error>());
    assert!(boxed().unwrap_err().is::<std::string::FromUtf8Error>());
    assert!(boxed_for_this_thread().unwrap_err().is::<std::string::FromUtf8Error>());
    assert!(
        with_anyhow()
            .unwrap_err()
            .downcast::<FailureError>()
            .unwrap()
            .into_failure()
            .is::<std::string::FromUtf8Error>()
    );
    assert!(back().unwrap_err().to_string().starts_with("invalid utf-8"));
}

// Checks: P105
#[test]
fn what_is_handed_back_inside_an_error_that_was_passed_on_still_runs() {
    fn post(handle: &selvedge::Handle, mut sum: impl FnMut() + Send + 'static) -> Result<(), Failure> {
        Ok(handle.call_from_thread(move |_| sum())?)
    }
    let reactor = selvedge::Reactor::new();
    let handle = reactor.handle();
    drop(reactor);
    let (sender, receiver) = std::sync::mpsc::channel();
    let failure = post(&handle, move || sender.send(7).unwrap()).unwrap_err();
    let rejected = failure.downcast::<Rejected<Call>>().unwrap();
    assert_eq!(rejected.reason, Rejection::ReactorStopped);
    rejected.job.call(&selvedge::Reactor::new());
    assert_eq!(receiver.try_recv(), Ok(7));
}
