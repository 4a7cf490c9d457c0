//! Which types may cross threads and which may not, and how large those are that a program keeps many of.
//!
//! All of it is decided when this compiles; the tests give each group of facts a name.

use std::error::Error;
use std::io;
use std::mem::size_of;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Address, Deferred, DelayedCall, Failure, Handle, Job, LocalHandle, Owned, Reactor, Resolver, ThreadPool,
    deferred::{DeferredFuture, PauseHandle, SendFuture, Settled},
    error::{
        Abandoned, BlockingCallError, BuildError, Cancelled, DelayedCallError, NeverRan, NotPaused, OwnedError, Panic,
        PoolStopped, ReactorStopped, Reentered, Rejected, Rejection, SizeError, StopError, TimedOut, UnknownPool,
        UnknownTrigger, WaitsForItself, WouldDeadlock,
    },
    pool::{Bucket, Histogram, JobLabel, PoolBuilder, PoolStats, PoolTimes, Worker},
    reactor::{Call, Event, Phase, ReactorBuilder, TriggerId, Turn},
    report::{Incident, Report},
    testing::VirtualClock,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

// Checks: S1
#[test]
fn what_belongs_to_the_reactors_thread_can_neither_be_sent_nor_shared() {
    assert_not_impl_any!(Reactor: Send, Sync);
    assert_not_impl_any!(LocalHandle: Send, Sync);
    assert_not_impl_any!(DelayedCall: Send, Sync);
    assert_not_impl_any!(Owned<u32>: Send, Sync);
    // Not even of values that could: its callbacks need not be `Send`.
    assert_not_impl_any!(Deferred<u32>: Send, Sync);
    assert_not_impl_any!(DeferredFuture<u32>: Send, Sync);
    assert_not_impl_any!(PauseHandle: Send, Sync);
    assert_not_impl_any!(Resolver<u32>: Send, Sync);
    assert_not_impl_any!(Settled<u32>: Send, Sync);
}

// Checks: S1, B12
#[test]
fn what_threads_hold_of_a_reactor_or_a_pool_can_be_sent_shared_and_cloned() {
    assert_impl_all!(Handle: Send, Sync, Clone);
    assert_impl_all!(ThreadPool: Send, Sync, Clone);
    assert_impl_all!(PoolBuilder: Send, Sync, Clone);
    assert_impl_all!(PoolStats: Send, Sync, Copy);
    assert_impl_all!(PoolTimes: Send, Sync, Clone);
    assert_impl_all!(Histogram: Send, Sync, Clone, Eq, Extend<Duration>, FromIterator<Duration>);
    assert_impl_all!(Bucket: Send, Sync, Copy);
    assert_impl_all!(JobLabel: Send, Sync, Clone, Eq);
    assert_impl_all!(Worker<'static>: Send, Sync, Copy);
    assert_impl_all!(TriggerId: Send, Sync, Clone);
    assert_impl_all!(Event: Send, Sync, Clone);
    assert_impl_all!(Phase: Send, Sync, Copy);
    assert_impl_all!(Turn: Send, Sync, Copy);
    assert_impl_all!(Incident: Send, Sync, Copy);
}

// Checks: P127
#[test]
fn a_reactor_is_described_on_one_thread_and_built_on_another() {
    assert_impl_all!(ReactorBuilder: Send);
    assert_impl_all!(VirtualClock: Send, Sync);
}

// Checks: P25, P20
#[test]
fn a_deferred_crosses_threads_as_a_future_of_its_result_only() {
    assert_impl_all!(SendFuture<u32>: Send, Sync, Unpin, Future<Output = Result<u32, Failure>>);
    assert_impl_all!(DeferredFuture<std::marker::PhantomPinned>: Unpin);
    assert_impl_all!(Deferred<u32>: IntoFuture<Output = Result<u32, Failure>>);
}

// Checks: S1
#[test]
fn the_address_of_a_value_crosses_threads_whatever_the_value_is() {
    assert_not_impl_any!(Rc<u32>: Send, Sync);
    assert_impl_all!(Address<Rc<u32>>: Send, Sync, Clone);
    assert_impl_all!(Address<Deferred<u32>>: Send, Sync, Clone);
}

// Checks: B6, B40
#[test]
fn what_was_not_accepted_is_handed_back_inside_an_error_that_can_be_passed_on() {
    assert_impl_all!(Call: Send, Sync);
    assert_impl_all!(Job: Send, Sync);
    assert_impl_all!(Rejected<Call>: Send, Sync, Error);
    assert_impl_all!(Rejected<Job>: Send, Sync, Error);
}

// Checks: S8, B48
#[test]
fn errors_cross_threads_and_can_be_boxed_as_any_error() {
    // It is made of any error, so it is none itself: it would be made of itself in two ways.
    assert_impl_all!(Failure: Send, Sync, From<Panic>, From<Cancelled>, From<io::Error>);
    assert_not_impl_any!(Failure: Error);
    assert_impl_all!(BlockingCallError: Send, Sync, Error);
    assert_impl_all!(Panic: Send, Sync, Error);
    assert_impl_all!(NeverRan: Send, Sync, Error, Clone);
    assert_impl_all!(Rejection: Send, Sync, Copy);
    assert_impl_all!(SizeError: Send, Sync, Error, Copy);
    assert_impl_all!(BuildError: Send, Sync, Error, Clone);
    assert_impl_all!(UnknownPool: Send, Sync, Error, Clone);
    assert_impl_all!(StopError: Send, Sync, Error, Copy);
    assert_impl_all!(DelayedCallError: Send, Sync, Error, Copy);
    assert_impl_all!(OwnedError: Send, Sync, Error, Copy);
    assert_impl_all!(PoolStopped: Send, Sync, Error, Copy);
    assert_impl_all!(WouldDeadlock: Send, Sync, Error, Copy);
    assert_impl_all!(Reentered: Send, Sync, Error, Copy);
    assert_impl_all!(UnknownTrigger: Send, Sync, Error, Copy);
    assert_impl_all!(Abandoned: Send, Sync, Error, Copy);
    assert_impl_all!(Cancelled: Send, Sync, Error, Copy);
    assert_impl_all!(ReactorStopped: Send, Sync, Error, Copy);
    assert_impl_all!(WaitsForItself: Send, Sync, Error, Copy);
    assert_impl_all!(NotPaused: Send, Sync, Error, Copy);
    assert_impl_all!(TimedOut: Send, Sync, Error, Copy);
}

// Checks: B8
#[test]
fn a_report_is_only_lent() {
    // The error in it may be of an error type that cannot be sent.
    assert_not_impl_any!(Report<'static>: Send, Sync);
}

// Checks: S1, B49
#[test]
fn what_can_be_used_once_or_owns_a_value_is_not_clone() {
    assert_not_impl_any!(Reactor: Clone);
    assert_not_impl_any!(Resolver<u32>: Clone);
    assert_not_impl_any!(Deferred<u32>: Clone);
    assert_not_impl_any!(Owned<u32>: Clone);
    assert_not_impl_any!(Call: Clone);
    assert_not_impl_any!(Job: Clone);
}

// Checks: B35, B46, P63, P64
#[test]
fn handles_are_as_small_as_what_they_lead_to_allows() {
    const POINTER: usize = size_of::<usize>();
    assert_eq!(size_of::<Reactor>(), POINTER);
    assert_eq!(size_of::<Handle>(), POINTER);
    assert_eq!(size_of::<ThreadPool>(), POINTER);
    assert_eq!(size_of::<LocalHandle>(), 2 * POINTER);
    // Its timer is of any type, in one allocation with the closure.
    assert_eq!(size_of::<DelayedCall>(), 3 * POINTER);
    assert_eq!(size_of::<Resolver<[u64; 8]>>(), 2 * POINTER);
    assert_eq!(size_of::<Deferred<[u64; 8]>>(), 4 * POINTER);
    // What a program is handed back (in the queue it takes less), and what a hook is lent.
    assert_eq!(size_of::<Job>(), 8 * POINTER);
    assert_eq!(size_of::<JobLabel>(), 3 * POINTER);
    // What is copied under a pool's locks: in itself, and beside its 4 kB.
    assert_eq!(size_of::<Histogram>(), size_of::<u128>() + 3 * size_of::<u64>() + size_of::<u64>());
    // One pointer, so that the `Result`s that a chain passes on are no larger than its values ask for.
    assert_eq!(size_of::<Failure>(), POINTER);
    assert_eq!(size_of::<Result<Box<u32>, Failure>>(), 2 * POINTER);
    assert!(size_of::<Failure>() <= size_of::<io::Error>());
}

// Checks: S1, P31, P33
#[test]
fn what_takes_turns_or_is_called_again_stays_on_its_thread_and_its_errors_travel() {
    use selvedge::task::{CooperativeTask, Cooperator, LoopingCall};
    use selvedge::{
        coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit},
        deferred::DeferredList,
        error::{
            AdvanceError, FailureGroup, FirstError, LoopingCallError, OverRelease, PutError, QueueUnderflow,
            TaskFinished,
        },
    };
    assert_not_impl_any!(DeferredList<u32>: Send, Sync);
    assert_not_impl_any!(DeferredLock: Send, Sync);
    assert_not_impl_any!(DeferredSemaphore: Send, Sync);
    assert_not_impl_any!(DeferredQueue<u32>: Send, Sync);
    assert_not_impl_any!(LoopingCall: Send, Sync);
    assert_not_impl_any!(Cooperator: Send, Sync);
    assert_not_impl_any!(CooperativeTask: Send, Sync);
    // A guard is one: what could be cloned could be given back twice.
    assert_not_impl_any!(Permit: Send, Sync, Clone);
    assert_impl_all!(FirstError: Error, Send, Sync, Into<Failure>);
    assert_impl_all!(FailureGroup: Error, Send, Sync, Into<Failure>);
    assert_impl_all!(PutError<u32>: Error, Send, Sync);
    assert_impl_all!(PutError<Rc<u32>>: Error);
    assert_impl_all!(OverRelease: Error, Send, Sync, Copy);
    assert_impl_all!(QueueUnderflow: Error, Send, Sync, Copy);
    assert_impl_all!(AdvanceError: Error, Send, Sync, Copy);
    assert_impl_all!(LoopingCallError: Error, Send, Sync, Copy);
    assert_impl_all!(TaskFinished: Error, Send, Sync, Copy);
}

// Checks: P108
#[test]
fn plain_values_of_std_come_back_from_a_function_as_they_are() {
    use selvedge::deferred::{Outcome, OutcomeOf};
    macro_rules! assert_plain {
        ($($plain:ty)+) => {$(
            assert_impl_all!($plain: Outcome<Failure, Value = $plain>, OutcomeOf<$plain, Failure>);
        )+};
    }
    assert_plain! {
        () bool u8 i128 f64 char String std::path::PathBuf std::ffi::OsString Duration std::time::Instant
        std::time::SystemTime std::cmp::Ordering std::net::IpAddr std::net::SocketAddr std::net::TcpStream
        std::fs::File std::fs::Metadata std::process::Child std::process::Output std::ops::Range<u32> Vec<Rc<u32>>
        Option<Box<dyn Fn()>> std::collections::BinaryHeap<u32> std::collections::HashMap<String, Vec<u8>>
        std::cell::RefCell<u32> (u32, String) [u8; 32] Address<Rc<u32>> Handle
    }
}

// Checks: P108
#[test]
fn the_type_of_a_plain_value_is_inferred_from_its_use_and_a_type_of_ones_own_is_plain_with_one_line() {
    struct Page(u8);
    impl selvedge::deferred::Plain for Page {}
    let reactor = Reactor::new();
    let local = reactor.local();
    let answer = reactor.block_on(async move {
        let six: u64 = local.defer_to_thread(|| 6).await?;
        let one = local.defer_to_thread(|| 2).await? - 1_u64;
        let more = local.ask(|_| 30).add_callback(|thirty| thirty + 2).await?;
        let page = local.defer_to_thread(|| Page(3)).add_callback(|page| Page(page.0)).await?;
        Ok::<u64, Failure>(six + one + more + u64::from(page.0))
    });
    assert_eq!(answer.unwrap(), 42);
}
