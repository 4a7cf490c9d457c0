//! What is said of failures: texts that are cut, outputs that fail, errors that only say that something has ended.

use std::error::Error;
use std::fmt::{self, Write};

use selvedge::{
    Deferred, Failure, Handle, Reactor,
    deferred::race,
    error::{Cancelled, FailureError, Panic, PutError, ReactorStopped, Rejected, Rejection, SharedFailure},
    report::Incident,
};

use crate::support::deferred::error;
use crate::support::{Log, OnDrop, reporting};

/// An error that was caused by a failure.
#[derive(Debug)]
struct CausedBy(FailureError);

impl Error for CausedBy {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for CausedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("caused")
    }
}

fn caused_by(failure: Failure) -> CausedBy {
    CausedBy(failure.into_error())
}

// Checks: P75
#[test]
fn a_long_message_is_cut_between_two_characters() {
    const MAX: usize = 64 * 1024;
    for (first, kept) in [("", MAX), ("a", MAX - 1), ("ab", MAX)] {
        let log = Log::new();
        let told = log.clone();
        let sink = move |report: &selvedge::report::Report<'_>| told.note(report.to_string());
        let reactor = Reactor::builder().on_report(sink).build().unwrap();
        drop(Deferred::<()>::fail(Failure::msg(format!("{first}{}", "é".repeat(MAX)))));
        let text = log.entries().swap_remove(0);
        let message = text.strip_prefix("unhandled failure in a Deferred: ").unwrap();
        let message = message.split_once('…').unwrap().0;
        assert_eq!(message.len(), kept, "as much as fits");
        drop(reactor);
    }
}

/// Fails at one write, and takes all others.
struct FailsAt {
    write: usize,
    taken: String,
}

impl Write for FailsAt {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.write = self.write.wrapping_sub(1);
        if self.write == usize::MAX {
            return Err(fmt::Error);
        }
        self.taken.push_str(part);
        Ok(())
    }
}

// Checks: P75
#[test]
fn where_an_output_fails_the_error_is_not_blamed() {
    let mut output = FailsAt { write: 0, taken: String::new() };
    assert!(write!(output, "{}", Failure::new(Cancelled)).is_err());
    assert_eq!(output.taken, "");
}

/// Does not stop writing where it is told to.
#[derive(Debug)]
struct Stubborn;

impl Error for Stubborn {}

impl fmt::Display for Stubborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f.write_str(&"a".repeat(100_000));
        let _ = f.write_str("more");
        Ok(())
    }
}

// Checks: P75
#[test]
fn nothing_is_written_behind_the_place_where_a_message_was_cut() {
    assert!(format!("{:1}", Failure::new(Stubborn)).ends_with("aaa…"));
}

// Checks: P75
#[test]
fn a_group_of_groups_says_what_failed_in_each() {
    let failed = |failures: Vec<Failure>| error(race(failures.into_iter().map(Deferred::<()>::fail)));
    let inner = failed(vec![Failure::msg("one"), Failure::msg("two")]);
    let outer = failed(vec![inner, Failure::msg("three")]).to_string();
    assert_eq!(outer, "none of 2 Deferreds succeeded: none of 2 Deferreds succeeded: one; two; three");
}

// Checks: P105
#[test]
fn a_failure_becomes_a_box_with_its_own_error() {
    assert!(Box::<dyn Error + Send + Sync>::from(Failure::new(Cancelled)).is::<Cancelled>());
    assert!(Box::<dyn Error + Send>::from(Failure::new(Cancelled)).is::<Cancelled>());
    assert!(Box::<dyn Error>::from(Failure::new(Cancelled)).is::<Cancelled>());
}

// Checks: P105, P28
#[test]
fn errors_can_be_printed_for_whoever_looks_for_a_bug() {
    let failure = || Failure::new(Panic::new(Box::new("out of cheese")));
    assert_eq!(format!("{:?}", Panic::new(Box::new("out of cheese"))), "Panic(\"out of cheese\")");
    assert_eq!(format!("{:?}", failure().into_error()), format!("{:?}", failure()));
    assert!(format!("{:?}", failure()).contains("out of cheese"));
    assert_eq!(failure().into_error().to_string(), "panicked: out of cheese");
    let shared = Deferred::<()>::from(Err(failure())).shared();
    let shared: SharedFailure = error(shared.get()).downcast().unwrap();
    assert_eq!(shared.to_string(), "a shared Deferred has failed");
    let shown = format!("{shared:?}");
    assert!(shown.starts_with("SharedFailure(") && shown.contains("out of cheese"), "{shown}");
    let queue = selvedge::coordination::DeferredQueue::with_limits(0, None);
    let full: PutError<u32> = queue.put(1).unwrap_err();
    assert_eq!(format!("{full:?}"), "PutError { reason: Full, .. }");
    assert!(full.to_string().contains("is full"));
    let rejected = closed().call_from_thread(|_| ()).unwrap_err();
    assert_eq!(format!("{rejected:?}"), "Rejected { reason: ReactorStopped, .. }");
    assert_eq!(rejected.to_string(), Rejection::ReactorStopped.to_string());
}

/// The handle of a reactor that has ended.
fn closed() -> Handle {
    reporting().0.handle()
}

// Checks: B44, P105
#[test]
fn the_reason_of_a_refusal_is_found_in_a_failure() {
    let refused = |reason: fn() -> Failure| Rejection::of(&reason());
    assert_eq!(refused(|| Failure::new(Cancelled)), None);
    let pool = selvedge::ThreadPool::new(0, 1).unwrap();
    pool.ask_to_stop(selvedge::pool::StopPolicy::Drain);
    let (reactor, _) = reporting();
    let failure = error(selvedge::threads::defer_to_thread_pool(&reactor, &pool, || ()));
    assert_eq!(Rejection::of(&failure), Some(Rejection::PoolStopped));
    assert!(failure.is::<Rejected<()>>());
}

/// Does this while a reactor ends, when nobody is told that it has stopped.
fn as_it_ends(reactor: Reactor, deed: impl FnOnce() + 'static) {
    let _kept = reactor.own(OnDrop::new(deed)).detach();
    drop(reactor);
}

// Checks: P80, P106
#[test]
fn a_cancellation_and_a_stop_are_known_inside_other_errors_and_nothing_else_is() {
    let ends: [(fn() -> Failure, bool, bool); 4] = [
        (|| Failure::new(Cancelled), true, false),
        (|| Failure::new(ReactorStopped), true, true),
        (|| Failure::new(caused_by(Failure::new(ReactorStopped))), true, true),
        (|| Failure::new(caused_by(Failure::msg("no"))), false, false),
    ];
    for (number, (fail, is_cancellation, is_stop)) in ends.into_iter().enumerate() {
        let (reactor, reports) = reporting();
        // A future that is dropped reports all but its own cancellation.
        drop(Deferred::<()>::fail(fail()).into_send_future(&reactor));
        assert_eq!(reports.len(), usize::from(!is_cancellation), "{number}");
        as_it_ends(reactor, move || drop(Deferred::<()>::fail(fail())));
        assert_eq!(reports.len(), usize::from(!is_cancellation) + usize::from(!is_stop), "{number}");
    }
}

// Checks: P106
#[test]
fn a_group_without_members_says_no_stop() {
    let (reactor, reports) = reporting();
    as_it_ends(reactor, || drop(race::<u32, Failure>([])));
    assert_eq!(reports, [Incident::Unhandled]);
}
