//! What a stranger's code does: the deeds, each done plainly and while its thread is unwinding.

use std::num::NonZeroUsize;
use std::panic::panic_any;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::error::{AdvanceError, BlockingCallError, NeverRan, Reentered, Rejected};
use selvedge::pool::{StopPolicy, WhenFull};
use selvedge::{Deferred, Handle, Job, Reactor, ThreadPool, threads};

use super::act::{Act, Did, Hostile, HostilePayload};

/// The bound of the inbox in cells of [`Deed::FillsTheInbox`]. Others have none.
pub const INBOX_BOUND: NonZeroUsize = NonZeroUsize::new(4).unwrap();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Returns,
    Panics,
    PanicsWithAHostilePayload,
    Fails,
    BlocksOnTheLoop,
    BlocksOnAnotherLoop,
    WaitsForASlotOfTheInbox,
    WaitsForASlotOfThePool,
    WaitsForAJob,
    Posts,
    FillsTheInbox,
    Submits,
    SubmitsWhereNoThreadStarts,
    SubmitsToAStoppedPool,
    Reenters,
    DropsTheLastHandle,
    CancelsItself,
    StopsTheReactor,
    StopsThePool,
    AsksThePoolToStop,
    FailsADeferred,
    RunsAnotherReactor,
    NeverReturns,
}

/// All deeds, with the words for the table.
pub const DEEDS: &[(Deed, &str)] = &[
    (Deed::Returns, "returns"),
    (Deed::Panics, "panics"),
    (Deed::PanicsWithAHostilePayload, "panics with a payload whose drop panics"),
    (Deed::Fails, "fails with an error whose `Display`, `Debug` and `source` panic"),
    (Deed::BlocksOnTheLoop, "makes a blocking call to the loop"),
    (Deed::BlocksOnAnotherLoop, "makes a blocking call to the loop of another reactor"),
    (Deed::WaitsForASlotOfTheInbox, "posts, and would wait for a slot"),
    (Deed::WaitsForASlotOfThePool, "submits, and would wait for a slot"),
    (Deed::WaitsForAJob, "waits for a job of the reactor's pool"),
    (Deed::Posts, "posts a call"),
    (Deed::FillsTheInbox, "posts calls until the bounded inbox is full"),
    (Deed::Submits, "submits a job"),
    (Deed::SubmitsWhereNoThreadStarts, "submits a job to a pool whose threads cannot be started"),
    (Deed::SubmitsToAStoppedPool, "submits a job to a pool that was stopped"),
    (Deed::Reenters, "calls each method of the object it belongs to, of the reactor and of the pool"),
    (Deed::DropsTheLastHandle, "drops the last handle of the object it belongs to"),
    (Deed::CancelsItself, "cancels what it belongs to"),
    (Deed::StopsTheReactor, "stops the reactor"),
    (Deed::StopsThePool, "stops the pool, and would wait for it"),
    (Deed::AsksThePoolToStop, "asks the pool to stop, and cancels what is queued"),
    (Deed::FailsADeferred, "drops a Deferred that has failed"),
    (Deed::RunsAnotherReactor, "makes another reactor on its thread, and runs it to its end"),
    (Deed::NeverReturns, "never returns"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    pub deed: Deed,
    /// The code panics, and the deed is done by the drop of a value on its stack.
    pub unwinding: bool,
}

impl Behaviour {
    pub fn all() -> impl Iterator<Item = Self> {
        let deeds = || DEEDS.iter().map(|(deed, _)| *deed);
        [false, true].into_iter().flat_map(move |unwinding| deeds().map(move |deed| Self { deed, unwinding }))
    }

    pub fn perform(self, act: &Act) {
        struct WhileUnwinding<'a>(&'a Act, Deed);

        impl Drop for WhileUnwinding<'_> {
            fn drop(&mut self) {
                self.1.do_it(self.0);
            }
        }

        if self.unwinding {
            let _deed = WhileUnwinding(act, self.deed);
            panic!("this unwinds");
        }
        self.deed.do_it(act);
    }
}

impl Deed {
    fn do_it(self, act: &Act) {
        match self {
            Self::Panics | Self::PanicsWithAHostilePayload | Self::NeverReturns => act.did(Did::Left),
            _ => {}
        }
        let did = match self {
            Self::Returns | Self::Fails => Did::Done,
            Self::Panics => panic!("the code of a stranger panics"),
            Self::PanicsWithAHostilePayload => panic_any(HostilePayload),
            Self::BlocksOnTheLoop => blocking_call(&act.handle()),
            Self::BlocksOnAnotherLoop => on_another_loop(blocking_call),
            Self::WaitsForASlotOfTheInbox => {
                let ran = act.owes();
                let posted = act.handle().call_from_thread_waiting(None, |_| ran());
                accepted(act, posted.map_err(|rejected| handed_back(&rejected)))
            }
            Self::WaitsForASlotOfThePool => {
                let ran = act.owes();
                let submitted = act.handle().thread_pool().call_in_thread(Job::new(ran).when_full(WhenFull::Wait));
                accepted(act, submitted.map_err(|rejected| handed_back(&rejected)))
            }
            Self::WaitsForAJob => wait_for_a_job(act.handle().thread_pool()),
            Self::Posts => {
                let ran = act.owes();
                accepted(act, act.handle().call_from_thread(|_| ran()).map_err(|rejected| handed_back(&rejected)))
            }
            Self::FillsTheInbox => fill_the_inbox(act),
            Self::Submits => {
                let ran = act.owes();
                accepted(act, act.handle().call_in_thread(ran).map_err(|rejected| handed_back(&rejected)))
            }
            Self::SubmitsWhereNoThreadStarts => submit_where_no_thread_starts(),
            Self::SubmitsToAStoppedPool => {
                let pool = ThreadPool::new(0, 1).unwrap();
                pool.ask_to_stop(StopPolicy::Drain);
                refused(pool.call_in_thread(|| ()).map_err(|rejected| handed_back(&rejected)))
            }
            Self::Reenters => {
                let own = act.reenter().unwrap_or(Did::Done);
                let others = [act.local().map_or(Did::Done, |local| enter_reactor(&local)), enter_pool(&act.handle())];
                others.into_iter().chain([own]).find(|did| *did != Did::Done).unwrap_or(Did::Done)
            }
            Self::DropsTheLastHandle => {
                if act.drop_last() {
                    Did::Done
                } else {
                    Did::Wrong("there is no handle".to_owned())
                }
            }
            Self::CancelsItself => act.cancel().unwrap_or_else(|| Did::Wrong("there is no cancel".to_owned())),
            Self::StopsTheReactor => {
                act.handle().stop();
                Did::Done
            }
            Self::StopsThePool => refused(act.handle().thread_pool().stop().map_err(|error| format!("{error:?}"))),
            Self::AsksThePoolToStop => {
                act.handle().thread_pool().ask_to_stop(StopPolicy::CancelQueued);
                Did::Done
            }
            Self::FailsADeferred => {
                drop(Deferred::<()>::fail(Hostile));
                Did::Done
            }
            Self::RunsAnotherReactor => run_another_reactor(),
            Self::NeverReturns => loop {
                thread::park();
            },
        };
        act.did(did);
    }
}

fn handed_back<J>(rejected: &Rejected<J>) -> String {
    format!("{:?}", rejected.reason)
}

fn refused(result: Result<(), String>) -> Did {
    result.map_or_else(Did::Refused, |()| Did::Done)
}

/// What was handed back need not run.
fn accepted(act: &Act, result: Result<(), String>) -> Did {
    if result.is_err() {
        act.owes_not();
    }
    refused(result)
}

fn blocking_call(handle: &Handle) -> Did {
    match threads::blocking_call_from_thread(handle, |_| 7_u32) {
        Ok(7) => Did::Done,
        Ok(other) => Did::Wrong(format!("the answer was {other}")),
        Err(BlockingCallError::WouldDeadlock) => Did::Refused("WouldDeadlock".to_owned()),
        Err(BlockingCallError::ReactorStopped) => Did::Refused("ReactorStopped".to_owned()),
        Err(error) => Did::Wrong(error.to_string()),
    }
}

/// Calls `body` with a reactor that runs on a thread of its own.
fn on_another_loop(body: fn(&Handle) -> Did) -> Did {
    let (tell, told) = mpsc::channel();
    let other = thread::spawn(move || {
        let reactor = Reactor::new();
        tell.send(reactor.handle()).unwrap();
        reactor.run();
    });
    let handle = told.recv().unwrap();
    let did = body(&handle);
    handle.stop();
    other.join().unwrap();
    did
}

/// It runs a job, and stops when the result has come.
fn run_another_reactor() -> Did {
    let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
    let (handle, (tell, told)) = (reactor.handle(), mpsc::channel());
    let answer = threads::defer_to_thread(&reactor, || 7_u32);
    drop(answer.add_both(move |answer| {
        handle.stop();
        tell.send(answer.ok()).unwrap();
    }));
    reactor.run();
    Did::all(&[("its job was answered", told.recv() == Ok(Some(7)))])
}

fn wait_for_a_job(pool: &ThreadPool) -> Did {
    let (tell, told) = mpsc::channel();
    if let Err(rejected) = pool.call_in_thread(move || tell.send(()).unwrap()) {
        return Did::Refused(handed_back(&rejected));
    }
    match threads::blocked(|| told.recv()) {
        Ok(()) => Did::Done,
        Err(error) => Did::Wrong(format!("the job was dropped: {error}")),
    }
}

/// The loop does not take calls meanwhile: it runs this code, or it waits for it.
fn fill_the_inbox(act: &Act) -> Did {
    let handle = act.handle();
    let (go_on, wait) = mpsc::channel::<()>();
    if !handle.is_in_reactor_thread() {
        let (begin, begun) = mpsc::channel();
        let posted = handle.call_from_thread(move |_| {
            begin.send(()).unwrap();
            let _ = wait.recv();
        });
        match posted {
            Ok(()) => begun.recv().unwrap(),
            Err(rejected) => return Did::Refused(handed_back(&rejected)),
        }
    }
    let full = std::iter::repeat_with(|| {
        let ran = act.owes();
        accepted(act, handle.call_from_thread(|_| ran()).map_err(|rejected| handed_back(&rejected)))
    });
    let found = full.take(2 * INBOX_BOUND.get()).find(|did| *did != Did::Done);
    drop(go_on);
    found.unwrap_or_else(|| Did::Wrong("the inbox was never full".to_owned()))
}

fn submit_where_no_thread_starts() -> Did {
    let (tell, told) = mpsc::channel();
    let pool = ThreadPool::builder().size(0, 1).on_report(|_| ()).build().unwrap();
    pool.start().unwrap();
    pool.fail_starts(usize::MAX);
    let submitted = pool.call_in_thread_with_callback(
        move |result| {
            let never_ran = result.err().and_then(|failure| failure.downcast::<NeverRan>().ok());
            tell.send(matches!(never_ran, Some(NeverRan::ThreadStart(_)))).unwrap();
        },
        || (),
    );
    if let Err(rejected) = submitted {
        return Did::Wrong(handed_back(&rejected));
    }
    let did = match told.recv() {
        Ok(true) => Did::Refused("ThreadStart".to_owned()),
        other => Did::Wrong(format!("the job was told {other:?}")),
    };
    pool.ask_to_stop(StopPolicy::Drain);
    did
}

/// Each method of a reactor, on its own thread.
fn enter_reactor(local: &selvedge::LocalHandle) -> Did {
    let entered = local.with(|reactor| {
        if !matches!(reactor.turn(), Err(Reentered { .. })) {
            return Did::Wrong("a turn inside a turn".to_owned());
        }
        if !matches!(reactor.advance(Duration::ZERO), Err(AdvanceError::RealClock)) {
            return Did::Wrong("the real clock was advanced".to_owned());
        }
        let later = reactor.call_later(Duration::from_secs(3600), |_| ());
        later.cancel().unwrap_or_default();
        drop(reactor.own(1_u32));
        let trigger = reactor.add_event_trigger(selvedge::reactor::Phase::Before, "never", |_| ());
        reactor.remove_event_trigger(trigger).unwrap_or_default();
        drop(reactor.spawn(async {}));
        let _ = (reactor.now(), reactor.is_running(), reactor.delayed_calls(), reactor.pool("reactor").is_ok());
        drop((reactor.handle(), reactor.local(), format!("{reactor:?}")));
        Did::Done
    });
    entered.unwrap_or(Did::Done)
}

/// Each method of a pool that changes nothing for good.
fn enter_pool(handle: &Handle) -> Did {
    let pool = handle.thread_pool();
    let _ = (
        pool.start(),
        pool.adjust_pool_size(0, 0),
        pool.adjust_pool_size(0, 4),
        pool.stats(),
        pool.times(),
        pool.has_stopped(),
    );
    handle.suggest_thread_pool_size(4);
    drop((pool.clone(), pool.name().to_owned(), format!("{pool:?} {handle:?}")));
    Did::Done
}
