//! Hooks that may panic: they nest around each job, and each job runs once.

use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{ThreadPool, pool::PoolBuilder, report::Incident};

use crate::regressions;

/// A hook around jobs, or a context, and where it panics.
#[derive(Debug, Clone, Copy)]
struct Hook {
    context: bool,
    capture_panics: bool,
    enter_panics: bool,
    leave_panics: bool,
}

fn hook() -> impl Strategy<Value = Hook> {
    let panics = prop::bool::weighted(0.2);
    (any::<bool>(), panics, panics, panics).prop_map(|(context, capture_panics, enter_panics, leave_panics)| Hook {
        context,
        capture_panics: context && capture_panics,
        enter_panics,
        leave_panics,
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Start(usize),
    Enter(usize),
    Job(usize),
    Leave(usize),
    Stop(usize),
    Reported(Incident),
}

/// All events, from all threads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn note_and(&self, event: Event, panics: bool) {
        self.note(event);
        assert!(!panics, "as planned");
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Guard {
    log: Log,
    hook: usize,
    panics: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.log.note_and(Event::Leave(self.hook), self.panics);
    }
}

impl Hook {
    fn add_to(self, builder: PoolBuilder, number: usize, log: &Log) -> PoolBuilder {
        let log = log.clone();
        let enter = move || {
            log.note_and(Event::Enter(number), self.enter_panics);
            Guard { log: log.clone(), hook: number, panics: self.leave_panics }
        };
        if self.context {
            // The number stands for a captured value: each context must get its own.
            builder.context(
                move || {
                    assert!(!self.capture_panics, "as planned");
                    number
                },
                move |own| {
                    assert_eq!(own, number);
                    enter()
                },
            )
        } else {
            builder.around_jobs(move |_| enter())
        }
    }
}

/// The expected events of one job within these hooks. The last hook is the innermost.
fn bracket(hooks: &[(usize, Hook)], job_runs: bool, body: &[Event], seen: &mut Vec<Event>) {
    let Some(((number, hook), inner)) = hooks.split_first() else { return seen.extend(body) };
    let enters = if hook.context { !hook.capture_panics } else { job_runs };
    if enters {
        seen.push(Event::Enter(*number));
        seen.extend(hook.enter_panics.then_some(Event::Reported(Incident::Hook)));
    }
    bracket(inner, job_runs, body, seen);
    if enters && !hook.enter_panics {
        seen.push(Event::Leave(*number));
        seen.extend(hook.leave_panics.then_some(Event::Reported(Incident::Hook)));
    }
}

fn builder(hooks: &[(usize, Hook)], log: &Log) -> PoolBuilder {
    let reports = log.clone();
    let builder =
        ThreadPool::builder().size(1, 1).on_report(move |report| reports.note(Event::Reported(report.incident)));
    hooks.iter().fold(builder, |builder, (number, hook)| hook.add_to(builder, *number, log))
}

/// The expected reports while a job is submitted.
fn captured(hooks: &[(usize, Hook)]) -> Vec<Event> {
    hooks.iter().filter(|(_, hook)| hook.capture_panics).map(|_| Event::Reported(Incident::Hook)).collect()
}

proptest! {
    #![proptest_config(regressions::config("hooks", 300))]

    // Checks: B38, B39, P62
    #[test]
    fn hooks_nest_around_each_job_and_each_job_runs_once_whatever_panics(
        hooks in vec(hook(), 0..6),
        jobs in vec(any::<bool>(), 0..5),
        workers in vec(prop::bool::weighted(0.3), 0..4),
    ) {
        let hooks: Vec<_> = hooks.into_iter().enumerate().collect();
        let log = Log::default();
        let mut builder = builder(&hooks, &log);
        for (number, &panics) in workers.iter().enumerate() {
            let (starts, stops) = (log.clone(), log.clone());
            builder = builder
                .on_worker_start(move |_| starts.note_and(Event::Start(number), panics))
                .on_worker_stop(move |_| stops.note_and(Event::Stop(number), panics));
        }
        let pool = builder.build().unwrap();
        for (number, &panics) in jobs.iter().enumerate() {
            let log = log.clone();
            pool.call_in_thread(move || log.note_and(Event::Job(number), panics)).unwrap();
        }
        let submitting: Vec<_> = jobs.iter().flat_map(|_| captured(&hooks)).collect();
        prop_assert_eq!(log.take(), submitting);
        pool.start().unwrap();
        pool.stop().unwrap();

        let mut expected = Vec::new();
        let worker = |event: fn(usize) -> Event, number: usize, seen: &mut Vec<Event>| {
            seen.push(event(number));
            seen.extend(workers[number].then_some(Event::Reported(Incident::Hook)));
        };
        for number in 0..workers.len() {
            worker(Event::Start, number, &mut expected);
        }
        for (number, &panics) in jobs.iter().enumerate() {
            let body = [Event::Job(number), Event::Reported(Incident::Job)];
            bracket(&hooks, true, if panics { &body } else { &body[..1] }, &mut expected);
        }
        for number in (0..workers.len()).rev() {
            worker(Event::Stop, number, &mut expected);
        }
        prop_assert_eq!(log.take(), expected);
        let panicked = jobs.iter().filter(|panics| **panics).count() as u64;
        prop_assert_eq!((pool.stats().completed, pool.stats().panicked), (jobs.len() as u64, panicked));
    }

    // Checks: B39, P62
    #[test]
    fn a_refused_job_is_told_so_within_its_contexts_alone(hooks in vec(hook(), 0..6)) {
        let hooks: Vec<_> = hooks.into_iter().enumerate().collect();
        let log = Log::default();
        let pool = builder(&hooks, &log).build().unwrap();
        let told = log.clone();
        pool.call_in_thread_with_callback(move |_| told.note(Event::Job(0)), || ()).unwrap();
        prop_assert_eq!(log.take(), captured(&hooks));
        pool.stop().unwrap();
        let mut expected = Vec::new();
        bracket(&hooks, false, &[Event::Job(0)], &mut expected);
        prop_assert_eq!(log.take(), expected);
    }
}
