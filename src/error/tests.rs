//! What every error says, and what it names as its source.

use std::error::Error;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::failure::Failure;
use crate::pool::StopWithinError;

/// The sources with messages. Whatever the macro is given there must be said by a sample.
const SOURCES: [&str; 5] = [
    include_str!("coordination.rs"),
    include_str!("deferred.rs"),
    include_str!("pool.rs"),
    include_str!("reactor.rs"),
    include_str!("rejection.rs"),
];

struct Sample {
    error: Box<dyn Error>,
    /// The error's own values, which its message has.
    values: &'static [&'static str],
    source: Option<&'static str>,
}

fn sample(error: impl Error + 'static, values: &'static [&'static str], source: Option<&'static str>) -> Sample {
    Sample { error: Box::new(error), values, source }
}

const AFTER: Duration = Duration::from_secs(3);

/// A failure with a source.
fn failure() -> Failure {
    Failure::new(NeverRan::ThreadStart(Arc::new(io::Error::other("no threads"))))
}

fn panicked() -> Panic {
    Panic::new(Box::new("out of cheese"))
}

fn of_coordination() -> Vec<Sample> {
    vec![
        sample(OverRelease, &[], None),
        sample(PutRejection::Full, &[], None),
        sample(PutRejection::Closed, &[], None),
        sample(PutError::new(7, PutRejection::Full), &["the queue is full"], None),
        sample(QueueClosed, &[], None),
        sample(QueueUnderflow, &[], None),
        sample(LoopingCallError::AlreadyRunning, &[], None),
        sample(LoopingCallError::NotRunning, &[], None),
        sample(TaskFinished::Done, &[], None),
        sample(TaskFinished::Stopped, &[], None),
        sample(TaskFinished::Failed, &[], None),
        sample(TaskFinished::SchedulerStopped, &[], None),
    ]
}

fn of_deferreds() -> Vec<Sample> {
    vec![
        sample(Cancelled, &[], None),
        sample(Abandoned, &[], None),
        sample(WaitsForItself, &[], None),
        sample(NotPaused, &[], None),
        sample(TimedOut { after: AFTER, started: None }, &["3s"], None),
        sample(TimedOut { after: AFTER, started: Some(true) }, &["3s"], None),
        sample(TimedOut { after: AFTER, started: Some(false) }, &["3s"], None),
        sample(FirstError { index: 4, error: failure() }, &["index 4"], Some("could not start one")),
        sample(FailureGroup { failures: vec![failure()] }, &["none of 1 Deferreds", "could not start one"], None),
        sample(FailureGroup::<Failure> { failures: vec![] }, &["there were no Deferreds"], None),
        sample(failure().into_error(), &["could not start one"], Some("no threads")),
        sample(SharedFailure::new(failure()), &["a shared Deferred has failed"], Some("could not start one")),
        sample(panicked(), &["panicked: out of cheese"], None),
    ]
}

fn of_pools() -> Vec<Sample> {
    vec![
        sample(SizeError { min: 3, max: 2 }, &["minimum of 3", "maximum of 2"], None),
        sample(PoolStopped, &[], None),
        sample(Saturated, &[], None),
        sample(WouldDeadlock, &[], None),
        sample(NeverRan::PoolStopped, &[], None),
        sample(NeverRan::CancelledByStop, &[], None),
        sample(NeverRan::Cancelled, &[], None),
        sample(NeverRan::TimedOut(AFTER), &["3s"], None),
        sample(NeverRan::ThreadStart(Arc::new(io::Error::other("no threads"))), &[], Some("no threads")),
        sample(StopWithinError::WouldDeadlock, &["the pool may wait for this thread"], None),
        sample(
            StopWithinError::Unfinished { stragglers: vec![], queued: 2 },
            &["0 workers are late", "2 jobs wait"],
            None,
        ),
        sample(Rejection::ReactorStopped, &[], None),
        sample(Rejection::PoolStopped, &[], None),
        sample(Rejection::QueueFull, &[], None),
        sample(Rejection::InboxFull, &[], None),
        sample(Rejection::TimedOut, &[], None),
        sample(Rejection::WouldDeadlock, &[], None),
        sample(Rejected::new((), Rejection::InboxFull), &["inbox is full"], None),
    ]
}

fn of_reactors() -> Vec<Sample> {
    let size = || SizeError { min: 3, max: 2 };
    let pool = || BuildError::Size { pool: "lookups".to_owned(), error: size() };
    let owned = OwnedError { reason: Unavailable::Gone, type_name: "Cache", owned_at: Location::caller() };
    vec![
        sample(pool(), &["\"lookups\"", "minimum of 3", "maximum of 2"], Some("minimum of 3")),
        sample(BuildError::DuplicatePool { name: "lookups".to_owned() }, &["\"lookups\""], None),
        sample(SpawnError::Build(pool()), &["\"lookups\""], Some("minimum of 3")),
        sample(SpawnError::Thread(io::Error::other("no threads")), &[], Some("no threads")),
        sample(SpawnError::Panicked(panicked()), &["panicked: out of cheese"], None),
        sample(SpawnError::WouldDeadlock, &[], None),
        sample(JoinError::WouldDeadlock, &[], None),
        sample(JoinError::AlreadyJoined, &[], None),
        sample(
            UnknownPool { name: "lokups".to_owned(), known: vec!["lookups".to_owned()] },
            &["\"lokups\"", "[\"lookups\"]"],
            None,
        ),
        sample(Reentered, &[], None),
        sample(StopError::NotRunning, &[], None),
        sample(StopError::AlreadyStopping, &[], None),
        sample(ReactorStopped, &[], None),
        sample(UnknownTrigger, &[], None),
        sample(FireEventError::BuiltIn, &[], None),
        sample(FireEventError::ReactorStopped, &[], None),
        sample(DelayedCallError::AlreadyCancelled, &[], None),
        sample(DelayedCallError::AlreadyCalled, &[], None),
        sample(owned, &["is gone", "`Cache`", "error/tests.rs"], None),
        sample(Unavailable::Gone, &[], None),
        sample(Unavailable::InUse, &[], None),
        sample(Unavailable::OtherReactor, &[], None),
        sample(AdvanceError::RealClock, &[], None),
        sample(AdvanceError::Reentered, &[], None),
        sample(BlockingCallError::Failed(failure()), &["could not start one"], Some("no threads")),
        sample(BlockingCallError::Panicked(panicked()), &["panicked: out of cheese"], None),
        sample(BlockingCallError::WouldDeadlock, &[], None),
        sample(BlockingCallError::ReactorStopped, &[], None),
        sample(BlockingCallError::TimedOut(AFTER), &["3s"], None),
    ]
}

fn samples() -> Vec<Sample> {
    [of_coordination(), of_deferreds(), of_pools(), of_reactors()].into_iter().flatten().collect()
}

/// The messages that the macro is given in a source: the texts after `=>`, with their line breaks joined.
fn messages(source: &str) -> Vec<String> {
    let given = source.split_once("\nmessages! {").map_or("", |(_, given)| given);
    let given = given.split_once("\n}").map_or(given, |(given, _)| given);
    let texts = given.split("=>").skip(1).filter_map(|after| after.trim_start().strip_prefix('"'));
    let text = |after: &str| after.split_once('"').map_or(after, |(text, _)| text).to_owned();
    let join = |text: String| text.split("\\\n").map(str::trim_start).collect::<String>();
    texts.map(|after| join(text(after))).collect()
}

/// Whether a text is a message whose `{parts}` were filled in.
fn is(text: &str, message: &str) -> bool {
    let mut left = text;
    let mut parts = message.split('{').enumerate().map(|(at, part)| match (at, part.split_once('}')) {
        (0, _) | (_, None) => part,
        (_, Some((_, fixed))) => fixed,
    });
    let starts = parts.next().is_some_and(|first| {
        left = left.strip_prefix(first).unwrap_or_default();
        text.starts_with(first)
    });
    starts
        && parts.all(|part| left.split_once(part).map(|(_, rest)| left = rest).is_some())
        && (left.is_empty() || message.ends_with('}'))
}

// Checks: P105
#[test]
fn every_error_says_what_its_message_says_with_its_own_values() {
    for Sample { error, values, .. } in samples() {
        let text = error.to_string();
        assert!(!text.is_empty() && values.iter().all(|part| text.contains(part)), "{error:?}: {text}");
    }
}

// Checks: P105
#[test]
fn every_error_names_its_source_and_only_that() {
    for Sample { error, source, .. } in samples() {
        let named = error.source().map(ToString::to_string);
        let same = match (&named, source) {
            (Some(named), Some(source)) => named.contains(source),
            (None, None) => true,
            _ => false,
        };
        assert!(same, "{error:?}: {named:?}, and not {source:?}");
        assert!(
            named.is_none_or(|named| named != error.to_string()),
            "{error:?} is printed twice in a chain of causes"
        );
    }
}

// Checks: P105
#[test]
fn every_message_is_that_of_one_sample() {
    let texts: Vec<String> = samples().iter().map(|sample| sample.error.to_string()).collect();
    let all: Vec<String> = SOURCES.into_iter().flat_map(messages).collect();
    assert!(all.len() > 50, "{all:?}");
    for message in all {
        // A message of parts alone is that of another error.
        assert!(texts.iter().any(|text| is(text, &message)), "no sample says: {message}");
    }
}
