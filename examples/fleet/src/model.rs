//! Ledger and claims against a Redis that restarts, forgets and doubles, and workers that die: each file is done once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use proptest::prelude::*;

use crate::claims::{self, Claims, Report};
use crate::entry::{Entry, Outcome, StreamId};
use crate::ledger::{self, Counts, Ledger};

const WORKERS: usize = 3;
const THREADS: usize = 2;
const AHEAD: usize = 7;
const TRIES: u32 = 4;

/// One thing that happens. Which action is carried out, or which worker is meant, is chosen by a number.
#[derive(Debug, Clone)]
enum Event {
    /// An action of the offer is carried out; its answer arrives, or is lost.
    Offer {
        which: usize,
        answered: bool,
    },
    /// The same of a worker.
    Work {
        worker: usize,
        which: usize,
        answered: bool,
    },
    /// A worker dies, and another begins in its place.
    Die {
        worker: usize,
    },
    /// Redis restarts, and has lost what it did last: some jobs, some results.
    Forget {
        jobs: usize,
        results: usize,
    },
    /// What everybody has in hand becomes free for others, as after a long silence.
    Silence,
    Renew {
        worker: usize,
    },
    Tick,
}

fn event() -> impl Strategy<Value = Event> {
    let answered = prop::bool::weighted(0.9);
    let worker = 0..WORKERS;
    prop_oneof![
        20 => (any::<usize>(), answered).prop_map(|(which, answered)| Event::Offer { which, answered }),
        40 => (worker.clone(), any::<usize>(), answered)
            .prop_map(|(worker, which, answered)| Event::Work { worker, which, answered }),
        1 => worker.clone().prop_map(|worker| Event::Die { worker }),
        1 => (0..5_usize, 0..5_usize).prop_map(|(jobs, results)| Event::Forget { jobs, results }),
        2 => Just(Event::Silence),
        2 => worker.prop_map(|worker| Event::Renew { worker }),
        1 => Just(Event::Tick),
    ]
}

/// What Redis has.
#[derive(Default)]
struct Broker {
    jobs: BTreeMap<u64, (u64, PathBuf, u32)>,
    /// Which worker has which entry, how often it was delivered, and whether it has been renewed lately.
    pending: BTreeMap<u64, (usize, u32, bool)>,
    results: BTreeMap<u64, Outcome>,
    last: u64,
}

impl Broker {
    fn add(&mut self, number: u64, path: PathBuf, tries: u32) {
        self.last += 1;
        self.jobs.insert(self.last, (number, path, tries));
    }

    fn add_result(&mut self, outcome: Outcome) {
        self.last += 1;
        self.results.insert(self.last, outcome);
    }

    fn take(&mut self, worker: usize, room: usize) -> Vec<Entry> {
        let mut silent: Vec<u64> = self.pending.iter().filter(|(_, held)| !held.2).map(|(id, _)| *id).collect();
        if silent.is_empty() {
            silent = self.jobs.keys().filter(|id| !self.pending.contains_key(id)).copied().collect();
        }
        silent.truncate(room);
        let deliver = |id: u64| {
            let delivered = self.pending.get(&id).map_or(0, |held| held.1);
            self.pending.insert(id, (worker, delivered + 1, true));
            let (number, path, tries) = self.jobs[&id].clone();
            Entry { id: place(id), run: String::new(), number, path, tries: tries + delivered }
        };
        silent.into_iter().map(deliver).collect()
    }

    fn report(&mut self, reports: &[Report]) {
        for report in reports {
            let entry = report.entry().clone();
            match report {
                Report::Done { digest, .. } => self.add_result(entry.outcome(Ok(digest.clone()))),
                Report::SetAside { error, .. } => self.add_result(entry.outcome(Err(error.clone()))),
                Report::Failed { .. } => {
                    self.pending.entry(number(entry.id)).and_modify(|held| held.2 = false);
                    continue;
                }
                Report::GivenBack { .. } => self.add(entry.number, entry.path.clone(), entry.tries),
            }
            self.jobs.remove(&number(entry.id));
            self.pending.remove(&number(entry.id));
        }
    }

    fn forget(&mut self, jobs: usize, results: usize) {
        for _ in 0..jobs {
            if let Some((id, _)) = self.jobs.pop_last() {
                self.pending.remove(&id);
            }
        }
        (0..results).for_each(|_| _ = self.results.pop_last());
    }
}

fn place(number: u64) -> StreamId {
    format!("{number}-0").parse().unwrap()
}

fn number(id: StreamId) -> u64 {
    id.to_string().split_once('-').unwrap().0.parse().unwrap()
}

/// The offer, its workers, Redis, and what all of them have begun.
struct World {
    files: VecDeque<PathBuf>,
    /// Such files cannot be read.
    broken: BTreeSet<PathBuf>,
    redis: Broker,
    ledger: Ledger,
    offering: Vec<ledger::Action>,
    workers: Vec<(Claims, Vec<claims::Action>)>,
    done: Vec<PathBuf>,
    finished: Option<Counts>,
}

impl World {
    fn new(files: usize, broken: &BTreeSet<usize>) -> World {
        let path = |n: usize| PathBuf::from(n.to_string());
        World {
            files: (0..files).map(path).collect(),
            broken: broken.iter().map(|n| path(*n)).collect(),
            redis: Broker::default(),
            ledger: Ledger::new(AHEAD),
            offering: Vec::new(),
            workers: (0..WORKERS).map(|_| (Claims::new(THREADS, TRIES), Vec::new())).collect(),
            done: Vec::new(),
            finished: None,
        }
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Offer { which, answered } => self.offer(which, answered),
            Event::Work { worker, which, answered } => self.work(worker, which, answered),
            Event::Die { worker } => self.workers[worker] = (Claims::new(THREADS, TRIES), Vec::new()),
            Event::Forget { jobs, results } => {
                self.redis.forget(jobs, results);
                // Connections were lost.
                self.ledger.doubt();
            }
            Event::Silence => self.redis.pending.values_mut().for_each(|held| held.2 = false),
            Event::Renew { worker } => self.workers[worker].0.renew(),
            Event::Tick => self.ledger.tick(),
        }
    }

    fn offer(&mut self, which: usize, answered: bool) {
        while let Some(action) = self.ledger.next_action() {
            self.offering.push(action);
        }
        if self.offering.is_empty() {
            return;
        }
        match self.offering.swap_remove(which % self.offering.len()) {
            ledger::Action::Walk => {
                let found: Vec<_> = self.files.drain(..self.files.len().min(3)).collect();
                self.ledger.walked(found, self.files.is_empty());
            }
            ledger::Action::Collect(cursor) => {
                let results: Vec<_> = self.redis.results.range(number(cursor) + 1..).take(2).collect();
                if !answered {
                    self.ledger.doubt();
                    return self.ledger.collected(None);
                }
                self.done.extend(results.iter().filter_map(|(_, outcome)| self.ledger.settle(outcome)));
                self.ledger.collected(results.last().map(|(id, _)| place(**id)));
            }
            ledger::Action::Offer(files) => {
                files.into_iter().for_each(|(number, path)| self.redis.add(number, path, 0));
                self.ledger.sent(answered);
            }
            ledger::Action::Audit => {
                let listed = self.redis.jobs.values().map(|(number, ..)| *number).collect();
                let last = self.redis.results.keys().next_back().map_or(StreamId::default(), |id| place(*id));
                if answered { self.ledger.audited(&listed, last) } else { self.ledger.sent(false) }
            }
            ledger::Action::Publish(_) => self.ledger.sent(answered),
            ledger::Action::Finish(counts) => {
                assert_eq!(self.finished.replace(counts), None, "finished twice");
            }
        }
    }

    fn work(&mut self, worker: usize, which: usize, answered: bool) {
        let (claims, begun) = &mut self.workers[worker];
        while let Some(action) = claims.next_action() {
            begun.push(action);
        }
        if begun.is_empty() {
            return;
        }
        let hashing = begun.iter().filter(|action| matches!(action, claims::Action::Hash(_))).count();
        assert!(hashing <= THREADS, "more files at a time than threads");
        match begun.swap_remove(which % begun.len()) {
            claims::Action::Hash(entry) => {
                let broken = self.broken.contains(&entry.path);
                claims.hashed(entry.id, if broken { Err("broken".to_owned()) } else { Ok(vec![1]) });
            }
            claims::Action::Take(room) => {
                let entries = self.redis.take(worker, room);
                claims.taken(if answered { entries } else { Vec::new() });
            }
            claims::Action::Report(reports) => {
                self.redis.report(&reports);
                claims.reported(answered);
            }
            claims::Action::Renew(held) => {
                let mine = |id: &StreamId| self.redis.pending.get(&number(*id)).is_some_and(|held| held.0 == worker);
                let mine: BTreeSet<_> = held.iter().filter(|id| mine(id)).copied().collect();
                for id in &mine {
                    self.redis.pending.entry(number(*id)).and_modify(|held| held.2 = true);
                }
                let lost = claims.renewed(&held, answered.then_some(&mine));
                // A cancelled job ends; its result is not reported.
                for id in lost {
                    begun.retain(|action| !matches!(action, claims::Action::Hash(entry) if entry.id == id));
                    claims.hashed(id, Err("cancelled".to_owned()));
                }
            }
            claims::Action::Stopped => unreachable!("nobody has stopped it"),
        }
    }

    /// From now on nothing fails, and everybody has a turn.
    fn run_to_the_end(&mut self) {
        for turn in 0..100_000 {
            if self.finished.is_some() {
                return;
            }
            if turn % 50 == 0 {
                self.happens(&Event::Silence);
            }
            self.offer(turn, true);
            (0..WORKERS).for_each(|worker| self.work(worker, turn, true));
        }
        panic!("it does not end: {:?}", self.ledger);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Files that can be read are done, or set aside if their workers died too often; the others are set aside. None is
    /// lost, and none is done twice.
    #[test]
    fn each_file_is_done_once(
        files in 0..30_usize,
        broken in prop::collection::btree_set(0..30_usize, 0..4),
        events in prop::collection::vec(event(), 0..300),
    ) {
        let mut world = World::new(files, &broken);
        for event in &events {
            world.happens(event);
            prop_assert!(world.redis.jobs.len() <= 8 * AHEAD, "the stream has no bound");
        }
        world.run_to_the_end();
        let counts = world.finished.unwrap();
        prop_assert_eq!(counts.done + counts.set_aside, files as u64);
        prop_assert_eq!(counts.found, files as u64);
        let aside: BTreeSet<_> = world.ledger.set_aside().map(|(path, _)| path.clone()).collect();
        let done: BTreeSet<_> = world.done.iter().cloned().collect();
        prop_assert_eq!(done.len(), world.done.len(), "a file was done twice");
        prop_assert_eq!(done.len() + aside.len(), files);
        prop_assert!(done.is_disjoint(&aside));
        prop_assert!(done.is_disjoint(&world.broken));
    }
}

#[test]
fn without_failures_every_readable_file_is_done_and_the_stream_is_bounded() {
    let mut world = World::new(100, &BTreeSet::from([3, 50]));
    world.run_to_the_end();
    assert_eq!(world.finished, Some(Counts { found: 100, all_found: true, done: 98, set_aside: 2 }));
}

#[test]
fn a_late_digest_counts_for_a_file_that_was_set_aside_and_a_second_one_does_not() {
    let mut ledger = Ledger::new(2);
    assert_eq!(ledger.next_action(), Some(ledger::Action::Walk));
    ledger.walked([PathBuf::from("a"), PathBuf::from("b")], true);
    while ledger.next_action().is_some() {
        ledger.sent(true);
    }
    let outcome = |result| Outcome { run: String::new(), number: 1, result };
    assert_eq!(ledger.settle(&outcome(Err("gone".to_owned()))), None);
    assert_eq!(ledger.counts().set_aside, 1);
    assert_eq!(ledger.settle(&outcome(Ok(vec![1]))), Some(PathBuf::from("b")));
    assert_eq!(ledger.settle(&outcome(Ok(vec![2]))), None);
    assert_eq!(ledger.settle(&outcome(Err("gone".to_owned()))), None);
    assert_eq!(ledger.settle(&Outcome { number: 9, ..outcome(Ok(vec![1])) }), None);
    assert_eq!((ledger.counts().set_aside, ledger.counts().done), (0, 1));
}

#[test]
fn a_worker_that_stops_finishes_what_runs_and_gives_back_the_rest() {
    let entry = |n| Entry { id: place(n), run: String::new(), number: n, path: "f".into(), tries: 0 };
    let mut claims = Claims::new(1, TRIES);
    assert_eq!(claims.next_action(), Some(claims::Action::Take(4)));
    claims.taken([entry(1), entry(2)]);
    assert_eq!(claims.next_action(), Some(claims::Action::Hash(entry(1))));
    claims.stop();
    let back = |n| Report::GivenBack { entry: entry(n) };
    assert_eq!(claims.next_action(), Some(claims::Action::Report(vec![back(2)])));
    assert_eq!(claims.next_action(), None, "one message at a time");
    claims.reported(false);
    assert_eq!(claims.next_action(), Some(claims::Action::Report(vec![back(2)])));
    claims.reported(true);
    assert_eq!(claims.next_action(), None, "a file is being hashed");
    claims.hashed(place(1), Ok(vec![7]));
    let done = Report::Done { entry: entry(1), digest: vec![7] };
    assert_eq!(claims.next_action(), Some(claims::Action::Report(vec![done])));
    claims.reported(true);
    assert_eq!(claims.next_action(), Some(claims::Action::Stopped));
    assert_eq!(claims.next_action(), None);
}

#[test]
fn a_file_whose_workers_die_is_set_aside_without_another_try() {
    let mut claims = Claims::new(1, 3);
    claims.next_action();
    let entry = Entry { id: place(1), run: String::new(), number: 1, path: "f".into(), tries: 3 };
    claims.taken([entry]);
    let Some(claims::Action::Report(reports)) = claims.next_action() else { panic!("it is reported") };
    assert!(matches!(&reports[..], [Report::SetAside { error, .. }] if error == "not done after 3 tries"));
}
