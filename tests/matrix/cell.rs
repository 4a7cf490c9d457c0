//! One cell: a reactor with a site, what the stranger's code does there, and whether everything else works as before.

use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::error::BlockingCallError;
use selvedge::pool::{StopPolicy, StopWithinError};
use selvedge::{Handle, Reactor, threads};

use super::act::Act;
use super::behaviours::{Deed, INBOX_BOUND};
use super::outcomes::Cell;
use super::sites::{Install, Phase, Thread};

/// Runs a cell. Returns what is not as it should be.
pub fn run(cell: Cell) -> Result<(), String> {
    let act = Act::new(cell.behaviour);
    let (start, started) = mpsc::channel();
    let of_loop = act.clone();
    let loop_thread = thread::spawn(move || live(cell, of_loop, start));
    let Ok(handle) = started.recv() else { return Err("the reactor was not built".to_owned()) };
    let other = match cell.site.install {
        Install::Elsewhere(install) => {
            let act = act.clone();
            Some(thread::spawn(move || install(&act)))
        }
        Install::OnLoop(_) => None,
    };
    if cell.site.phase == Phase::Running {
        act.wait_until(|record| record.did.is_some());
    }
    still_works(cell, &handle)?;
    handle.stop();
    if cell.lasts() {
        act.wait_until(|record| record.did.is_some());
        return goes_on_beside(cell, &handle);
    }
    for thread in [Some(loop_thread), other].into_iter().flatten() {
        thread.join().map_err(|_| "a panic left the crate".to_owned())?;
    }
    let stats = handle.thread_pool().stats();
    if !handle.thread_pool().has_stopped() || stats.live > 0 {
        return Err(format!("the pool has not ended: {stats:?}"));
    }
    drop(handle);
    act.forget();
    everything_is_dropped(&act)?;
    as_expected(cell, &act)
}

/// The life of the reactor, on its own thread.
fn live(cell: Cell, act: Act, start: Sender<Handle>) {
    let sink = act.clone();
    let mut builder = Reactor::builder().pool_size(0, 4).on_report(move |report| sink.reported(report));
    if cell.behaviour.deed == Deed::FillsTheInbox {
        builder = builder.inbox_bound(INBOX_BOUND);
    }
    let reactor = (cell.site.configure)(builder, &act).build().unwrap();
    act.belongs_to(&reactor);
    if let Install::OnLoop(install) = cell.site.install {
        let act = act.clone();
        reactor.call_when_running(move |reactor| install(reactor, &act));
    }
    start.send(reactor.handle()).unwrap();
    reactor.run();
    act.forget();
    a_new_reactor_works();
}

/// A call is answered and a job runs, unless the code has stopped the one that would.
fn still_works(cell: Cell, handle: &Handle) -> Result<(), String> {
    let stops_itself = cell.site.name == "a trigger before shutdown";
    let stops_reactor = cell.behaviour.deed == Deed::StopsTheReactor || stops_itself;
    let stops_pool = matches!(cell.behaviour.deed, Deed::StopsThePool | Deed::AsksThePoolToStop);
    let has_run = cell.site.phase == Phase::Running;
    if cell.lasts() && cell.site.thread == Thread::Loop && has_run {
        match threads::blocking_call_from_thread_timeout(handle, Duration::from_millis(1), |_| ()) {
            Err(BlockingCallError::TimedOut(_)) => {}
            other => return Err(format!("a call with a deadline to a loop that is busy for ever: {other:?}")),
        }
    } else {
        match threads::blocking_call_from_thread(handle, |_| ()) {
            Ok(()) => {}
            Err(BlockingCallError::ReactorStopped) if stops_reactor && has_run => {}
            Err(error) => return Err(format!("a call is not answered: {error}")),
        }
    }
    let (tell, told) = mpsc::channel();
    match handle.call_in_thread(move || tell.send(()).unwrap()) {
        Ok(()) => told.recv().map_err(|error| format!("a job does not run: {error}")),
        Err(_) if (stops_reactor || stops_pool) && has_run => Ok(()),
        Err(rejected) => Err(format!("a job is not accepted: {rejected}")),
    }
}

/// The code lasts for ever: nobody else waits for it, except with a deadline.
fn goes_on_beside(cell: Cell, handle: &Handle) -> Result<(), String> {
    drop(handle.call_from_thread(|_| ()));
    drop(handle.call_in_thread(|| ()));
    drop((handle.thread_pool().stats(), format!("{handle:?}")));
    let stopped = handle.thread_pool().stop_within(StopPolicy::CancelQueued, Duration::from_millis(1));
    match stopped {
        Err(StopWithinError::Unfinished { stragglers, .. }) if !stragglers.is_empty() => Ok(()),
        other if cell.site.thread == Thread::Worker => {
            Err(format!("a stop with a deadline does not say who is late: {other:?}"))
        }
        _ => Ok(()),
    }
}

/// On the thread of a reactor that has ended.
fn a_new_reactor_works() {
    let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
    let (tell, told) = mpsc::channel();
    let answer = threads::defer_to_thread(&reactor, || 7_u32);
    let handle = reactor.handle();
    drop(answer.add_both(move |answer| {
        handle.stop();
        tell.send(answer.is_ok()).unwrap();
    }));
    reactor.run();
    assert_eq!(told.recv(), Ok(true), "a reactor on the same thread works");
}

/// A leak shows only after this time; what is not leaked is dropped at once.
const LEAKED: Duration = Duration::from_secs(300);

fn everything_is_dropped(act: &Act) -> Result<(), String> {
    let begun = Instant::now();
    while act.captures() > 0 {
        if begun.elapsed() > LEAKED {
            return Err(format!("{} captures were never dropped", act.captures()));
        }
        thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

fn as_expected(cell: Cell, act: &Act) -> Result<(), String> {
    let expected = cell.expected();
    let mut record = act.record().clone();
    let mut reports = expected.reports;
    record.reports.sort_by_key(|incident| format!("{incident:?}"));
    reports.sort_by_key(|incident| format!("{incident:?}"));
    if record.did.as_ref() != Some(&expected.did) {
        return Err(format!("the code saw {:?}, not {:?}", record.did, expected.did));
    }
    if record.reports != reports {
        return Err(format!("reported: {:?}, not {reports:?}", record.reports));
    }
    if record.told != expected.told {
        return Err(format!("told: {:?}, not {:?}", record.told, expected.told));
    }
    if record.owed != 0 {
        return Err(format!("{} accepted calls or jobs have not run", record.owed));
    }
    Ok(())
}
