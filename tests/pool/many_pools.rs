//! Many pools: several of one reactor's own, by name, and one that several reactors share.

use std::error::Error;
use std::sync::mpsc;
use std::thread;

use selvedge::{
    Failure, Reactor, ThreadPool,
    error::{BuildError, ReactorStopped, Rejection},
    pool::StopPolicy,
    report::Incident,
    threads,
};

use crate::support::{Gate, Log, wait_until, with_watchdog};

fn few() -> selvedge::pool::PoolBuilder {
    ThreadPool::builder().size(0, 1)
}

// Checks: P60
#[test]
fn slow_jobs_in_one_pool_do_not_delay_quick_ones_in_another() {
    with_watchdog(|| {
        let reactor = Reactor::builder().pool_size(0, 1).add_pool("slow", few()).build().unwrap();
        let (gate, log) = (Gate::new(), Log::new());
        for _ in 0..10 {
            let gate = gate.clone();
            reactor.pool("slow").unwrap().call_in_thread(move || gate.pass()).unwrap();
        }
        let (quick, handle) = (log.clone(), reactor.handle());
        let quick_job = move || {
            quick.note("quick");
            gate.open();
            handle.stop();
        };
        reactor.call_in_thread(quick_job).unwrap();
        let slow = reactor.pool("slow").unwrap().clone();
        reactor.run();
        assert_eq!(log, ["quick"]);
        assert_eq!(slow.stats().completed, 10, "wound down, not cut off");
    });
}

// Checks: P60
#[test]
fn a_reactors_pools_are_found_by_name_from_any_thread_its_own_one_among_them() {
    let reactor = Reactor::builder().pool_name("main").add_pool("disk", few()).build().unwrap();
    let handle = reactor.handle();
    let found = thread::spawn(move || {
        let names = ["main", "disk"].map(|name| handle.pool(name).unwrap().name().to_owned());
        (names, handle.thread_pool().name().to_owned())
    });
    assert_eq!(found.join().unwrap(), (["main".to_owned(), "disk".to_owned()], "main".to_owned()));
    assert_eq!(Reactor::new().pool("reactor").unwrap().name(), "reactor");
}

// Checks: P60
#[test]
fn an_unknown_name_is_an_error_that_says_which_there_are() {
    let reactor = Reactor::builder().add_pool("disk", few()).build().unwrap();
    let error = reactor.pool("dusk").unwrap_err();
    assert_eq!((error.name.as_str(), &*error.known), ("dusk", &["reactor".to_owned(), "disk".to_owned()][..]));
    assert_eq!(error.to_string(), r#"the reactor has no pool named "dusk"; it has ["reactor", "disk"]"#);
    assert_eq!(reactor.handle().pool("").unwrap_err().name, "");
}

// Checks: P60
#[test]
fn two_pools_of_one_name_are_refused_whichever_two_they_are() {
    let lone = ThreadPool::new(0, 1).unwrap();
    let builders = [
        Reactor::builder().add_pool("disk", few()).add_pool("disk", few()),
        Reactor::builder().add_pool("disk", few()).share_pool("disk", &lone),
        Reactor::builder().share_pool("disk", &lone).share_pool("disk", &lone),
        Reactor::builder().pool_name("disk").add_pool("disk", few()),
        // The order in which it is said changes nothing.
        Reactor::builder().add_pool("disk", few()).pool_name("disk"),
    ];
    for builder in builders {
        let error = builder.build().unwrap_err();
        assert_eq!(error, BuildError::DuplicatePool { name: "disk".to_owned() });
        assert!(error.to_string().contains(r#"two pools named "disk""#));
    }
}

// Checks: B28, P60
#[test]
fn impossible_sizes_of_any_pool_are_refused_with_its_name() {
    let error = Reactor::builder().add_pool("disk", ThreadPool::builder().size(2, 1)).build().unwrap_err();
    assert!(error.to_string().contains(r#""disk""#), "{error}");
    assert_eq!(error.source().unwrap().to_string(), "the minimum of 2 threads is above the maximum of 1");
}

// Checks: P60, B27
#[test]
fn a_named_pool_starts_with_the_reactor_has_no_thread_before_its_first_job_and_is_joined_at_the_end() {
    with_watchdog(|| {
        let reactor = Reactor::builder().add_pool("disk", ThreadPool::builder().size(2, 3)).build().unwrap();
        let disk = reactor.pool("disk").unwrap().clone();
        let log = Log::new();
        let ran = log.clone();
        disk.call_in_thread(move || ran.note(thread::current().name().unwrap().to_owned())).unwrap();
        assert_eq!((disk.stats().live, disk.stats().queued), (0, 1), "jobs wait for the reactor");
        let others = disk.clone();
        reactor.call_when_running(move |reactor| {
            wait_until(|| others.stats().completed == 1);
            reactor.stop().unwrap();
        });
        reactor.run();
        assert!(log.entries()[0].starts_with("disk-"), "{log:?}");
        assert_eq!(disk.stats().live, 0);
        assert_eq!(disk.call_in_thread(|| ()).unwrap_err().reason, Rejection::PoolStopped);
    });
}

// Checks: P60, R29
#[test]
fn jobs_of_every_pool_that_wait_for_the_loop_are_served_while_it_winds_down() {
    with_watchdog(|| {
        let names = ["one", "two", "three"];
        let builder = names.iter().fold(Reactor::builder(), |builder, name| builder.add_pool(*name, few()));
        let reactor = builder.build().unwrap();
        let (stopping, log) = (Gate::new(), Log::new());
        for name in names {
            let (handle, stopping, log) = (reactor.handle(), stopping.clone(), log.clone());
            let job = move || {
                stopping.pass();
                log.note(threads::blocking_call_from_thread(&handle, |_| Ok::<_, Failure>(())).is_ok());
            };
            reactor.pool(name).unwrap().call_in_thread(job).unwrap();
        }
        let _ = reactor.add_event_trigger(
            selvedge::reactor::Phase::During,
            selvedge::reactor::Event::SHUTDOWN,
            move |_| stopping.open(),
        );
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, [true; 3]);
    });
}

// Checks: P60, P7
#[test]
fn a_reactor_that_is_dropped_unrun_tells_all_its_own_pools_to_stop_and_no_other() {
    with_watchdog(|| {
        let lone = ThreadPool::new(0, 1).unwrap();
        let reactor = Reactor::builder().add_pool("disk", few()).share_pool("lone", &lone).build().unwrap();
        let disk = reactor.pool("disk").unwrap().clone();
        drop(reactor);
        assert!(disk.start().is_err());
        assert!(lone.start().is_ok());
        lone.stop().unwrap();
    });
}

// Checks: P60, B8
#[test]
fn a_named_pool_reports_to_the_reactors_sink_unless_it_has_its_own() {
    with_watchdog(|| {
        let (reactors, own) = (Log::<Incident>::new(), Log::<Incident>::new());
        let reactor = Reactor::builder()
            .on_report(reactors.sink())
            .add_pool("plain", few())
            .add_pool("apart", few().on_report(own.sink()))
            .build()
            .unwrap();
        for name in ["plain", "apart"] {
            reactor.pool(name).unwrap().call_in_thread(|| panic!("a job's panic")).unwrap();
        }
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!((reactors.len(), own.len()), (1, 1));
    });
}

// Checks: P60
#[test]
fn the_reactors_own_pool_can_be_described_as_any_other() {
    with_watchdog(|| {
        let log = Log::new();
        let seen = log.clone();
        let reactor = Reactor::builder()
            .pool_size(0, 1)
            .configure_pool(|pool| {
                pool.context(
                    || 42,
                    move |number| {
                        seen.note(number);
                    },
                )
            })
            .build()
            .unwrap();
        let handle = reactor.handle();
        reactor.call_in_thread(move || handle.stop()).unwrap();
        assert_eq!((reactor.thread_pool().stats().max, reactor.thread_pool().name()), (1, "reactor"));
        reactor.run();
        assert_eq!(log, [42]);
    });
}

/// A reactor on a thread of its own, that uses the shared pool `jobs` times at once and stops when it has all results.
fn user_of(pool: &ThreadPool, jobs: u64) -> thread::JoinHandle<u64> {
    let pool = pool.clone();
    thread::spawn(move || {
        let reactor = Reactor::builder().share_pool("shared", &pool).build().unwrap();
        let (sender, receiver) = mpsc::channel();
        for number in 1..=jobs {
            let (sender, local) = (sender.clone(), reactor.local());
            let shared = reactor.pool("shared").unwrap();
            let result = threads::defer_to_thread_pool(&reactor, shared, move || number);
            let _ = result.add_callback(move |number| {
                sender.send(number).unwrap();
                if number == jobs {
                    local.with(Reactor::stop).unwrap().unwrap();
                }
            });
        }
        reactor.run();
        receiver.try_iter().sum()
    })
}

// Checks: P61, B46
#[test]
fn reactors_that_share_a_pool_each_get_their_own_results_whichever_stops_first() {
    with_watchdog(|| {
        // With one worker results come in the order of the jobs, so the last one is the last.
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let users: Vec<_> = (1..=4).map(|user| (user * 25, user_of(&pool, user * 25))).collect();
        for (jobs, user) in users {
            assert_eq!(user.join().unwrap(), jobs * (jobs + 1) / 2);
        }
        // The last result may be here before its job is counted.
        wait_until(|| pool.stats().completed == 250);
        assert_eq!(pool.stats().live, 1, "nobody has stopped it");
        pool.stop().unwrap();
    });
}

// Checks: P61, B46
#[test]
fn a_result_for_a_reactor_that_ended_goes_nowhere_and_the_next_reactors_still_comes() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (gate, log) = (Gate::new(), Log::new());
        let first = Reactor::builder().share_pool("shared", &pool).build().unwrap();
        let late = gate.clone();
        let told = log.clone();
        let result = threads::defer_to_thread_pool(&first, &pool, move || late.pass());
        let _ = result.add_both(move |result: Result<(), Failure>| {
            told.note(result.is_err_and(|failure| failure.is::<ReactorStopped>()));
        });
        first.call_when_running(|reactor| reactor.stop().unwrap());
        first.run();
        assert_eq!(log, [true], "it did not wait for a pool that is not its own");
        gate.open();
        assert_eq!(user_of(&pool, 3).join().unwrap(), 6);
        pool.stop().unwrap();
    });
}

// Checks: P61, B46
#[test]
fn a_shared_pool_that_is_stopped_under_its_reactors_fails_their_jobs_and_no_reactor() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        let reactor = Reactor::builder().share_pool("shared", &pool).build().unwrap();
        pool.ask_to_stop(StopPolicy::Drain);
        let (log, local) = (Log::new(), reactor.local());
        let told = log.clone();
        let result = threads::defer_to_thread_pool(&reactor, reactor.pool("shared").unwrap(), || ());
        let _ = result.add_both(move |result: Result<(), Failure>| {
            told.note(result.unwrap_err().to_string());
            local.with(Reactor::stop).ok();
        });
        reactor.call_when_running(|reactor| {
            let _ = reactor.stop();
        });
        reactor.run();
        assert_eq!(log.len(), 1);
        assert!(log.entries()[0].contains("stopped"), "{log:?}");
    });
}

// Checks: P61, P6
#[test]
fn a_shared_pool_lives_as_long_as_any_reactor_can_still_reach_it() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        let reactor = Reactor::builder().share_pool("shared", &pool).build().unwrap();
        drop(pool);
        let (log, handle) = (Log::new(), reactor.handle());
        let ran = log.clone();
        let job = move || {
            ran.note("ran");
            handle.stop();
        };
        reactor.pool("shared").unwrap().call_in_thread(job).unwrap();
        reactor.run();
        assert_eq!(log, ["ran"]);
    });
}
