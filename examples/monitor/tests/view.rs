//! What the view draws of what was measured, and that a program has it on a real terminal.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use selvedge::pool::PoolTimes;
use selvedge::{Failure, Job, Reactor};
use selvedge_monitor::{Monitor, SlowJob, Snapshot, Threads, draw};

/// The lines of a terminal of this size.
fn drawn(snapshot: &Snapshot, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, snapshot)).unwrap();
    let cells = terminal.backend().buffer().content();
    cells.chunks(usize::from(width)).map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
}

const MILLISECOND: Duration = Duration::from_millis(1);

fn a_snapshot() -> Snapshot {
    let slow = |name: &str, longest, count, running| SlowJob {
        name: name.to_owned(),
        count,
        longest,
        total: longest,
        running,
    };
    let threads =
        Threads { min: 1, max: 4, live: 3, busy: 2, idle: 1, queued: 7, completed: 120, ..Threads::default() };
    Snapshot {
        lag: vec![2 * MILLISECOND, 81 * MILLISECOND, Duration::from_micros(40)],
        turns: vec![900, 1200],
        threads,
        turn: [Duration::from_micros(4); 9].into_iter().chain([80 * MILLISECOND]).collect(),
        wait: [3 * MILLISECOND].into_iter().collect(),
        run: [Duration::from_secs(3)].into_iter().collect(),
        slowest: vec![slow("backup", Duration::from_secs(3), 1, 1), slow("thumbnail", 4 * MILLISECOND, 2, 0)],
    }
}

#[test]
fn all_of_a_snapshot_is_drawn() {
    let lines = drawn(&a_snapshot(), 100, 30);
    let has = |words: &[&str]| {
        let found = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "{words:?} in no line of\n{}", lines.join("\n"));
    };
    has(&["loop lag 40 µs, at most 81.0 ms", "1200 turns/s, at most 1200"]);
    has(&["3 threads of 1 to 4: 2 busy, 1 idle, 0 blocked"]);
    has(&["7 jobs wait, 120 completed, 0 panicked, 0 cancelled"]);
    has(&["turns took", "jobs waited", "jobs ran"]);
    // Nine turns of ten are below ten microseconds, one below 100 milliseconds; one job waited, and ran longest.
    has(&["< 10 µs      9 ████"]);
    has(&["< 100 ms      1 █"]);
    has(&["< 10 ms      1 ███"]);
    has(&["longer      1 ███"]);
    has(&["backup", "3.0 s", " 1", " 1"]);
    has(&["thumbnail", "4.0 ms", "2.0 ms", " 2", " 0"]);
}

#[test]
fn a_small_terminal_is_no_reason_to_fail() {
    for (width, height) in [(80, 24), (40, 12), (10, 3), (1, 1)] {
        let lines = drawn(&a_snapshot(), width, height);
        assert_eq!(lines.len(), usize::from(height));
        if width == 80 {
            assert!(lines.iter().any(|line| line.contains("thumbnail")), "{}", lines.join("\n"));
        }
    }
}

#[test]
fn what_ran_is_measured() {
    let monitor = Monitor::new();
    let reactor = monitor.attach(Reactor::builder().pool_size(0, 1)).build().unwrap();
    let (local, pool) = (reactor.local(), reactor.thread_pool().clone());
    assert!(monitor.probe(&reactor.handle()));
    let handle = reactor.handle();
    reactor
        .block_on(async move {
            for _ in 0..3 {
                local.defer_to_thread(Job::new(|| ()).named("quick")).await?;
            }
            Ok::<_, Failure>(())
        })
        .unwrap();
    // All threads of the pool have ended, so everything is counted.
    let times: PoolTimes = pool.times().unwrap();
    let snapshot = monitor.snapshot(&times);
    assert_eq!(snapshot.lag.len(), 1);
    assert!(snapshot.turn.count() > 0);
    assert_eq!((snapshot.wait.count(), snapshot.run.count(), snapshot.threads.completed), (3, 3, 3));
    let [quick] = &snapshot.slowest[..] else { panic!("{snapshot:?}") };
    assert_eq!((quick.name.as_str(), quick.count, quick.running), ("quick", 3, 0));
    assert!(quick.mean() <= quick.longest && quick.longest <= quick.total);
    assert!(!monitor.probe(&handle), "it has stopped");
}
