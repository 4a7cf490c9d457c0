//! What must hold at a program's end, in whatever order its threads ran.

use std::fmt::Write;

use super::{Answer, Fate, Home, Kept, Kind, Record, Told};
use crate::platform::api::pool::PoolStats;
use crate::platform::api::report::Incident;

/// More faults than this say no more.
const SHOWN: usize = 8;

impl Record {
    /// When nothing is left of the program.
    ///
    /// # Errors
    /// What should not have happened.
    pub fn verdict(&self) -> Result<(), String> {
        let mut kept = self.kept();
        for number in 0..kept.fates.len() {
            kept.check_fate(number);
        }
        kept.check_order();
        kept.check_reports();
        if kept.faults.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for fault in kept.faults.iter().take(SHOWN) {
            let _ = writeln!(text, "{fault}");
        }
        Err(text)
    }

    /// A pool that has stopped: all its counts are those of what was handed to it. `in_order` says that it never had
    /// more than one worker, and `loses` that a job may have been cancelled or failed.
    pub fn check_pool(&self, pool: usize, stats: &PoolStats, in_order: bool, loses: bool) {
        let mut kept = self.kept();
        let home = Home::Pool(pool);
        let jobs: Vec<&Fate> = kept.fates.iter().filter(|fate| fate.home == home).collect();
        let count = |which: &dyn Fn(&Fate) -> bool| jobs.iter().filter(|fate| which(fate)).count() as u64;
        let (not_asked, ran) =
            (count(&|fate| fate.answer == Some(Answer::NotAsked)), count(&|fate| fate.ran.is_some()));
        let all = jobs.len() as u64 - not_asked;
        let refused = count(&|fate| fate.answer == Some(Answer::Refused) || fate.told == Some(Told::Refused));
        let unclear = count(&|fate| fate.answer == Some(Answer::Maybe) && fate.told == Some(Told::Other));
        let panicked = count(&|fate| fate.panicked);
        let accepted = stats.started + stats.cancelled + stats.failed;
        let at_rest = (stats.live, stats.idle, stats.busy, stats.blocked, stats.queued, stats.waiting);
        let mut wrong = Vec::new();
        let mut require = |rightly: bool, what: &str| {
            if !rightly {
                wrong.push(format!("pool {pool}: {what}; handed over {all}, refused {refused}, ran {ran}: {stats:?}"));
            }
        };
        require(at_rest == (0, 0, 0, 0, 0, 0), "something is left");
        let counted = accepted + stats.rejected;
        require((all - unclear..=all).contains(&counted), "what was started, lost and rejected is not all");
        require((refused..=refused + unclear).contains(&stats.rejected), "rejections are counted otherwise");
        require(stats.started - stats.expired == ran, "what started did not run");
        require(stats.completed == stats.started, "what started was not completed");
        require(stats.panicked == panicked, "panics are counted otherwise");
        require(loses || stats.cancelled + stats.failed == 0, "a job is lost");
        kept.faults.append(&mut wrong);
        if in_order {
            kept.check_queue(home);
        }
    }
}

impl Kept {
    fn check_fate(&mut self, number: usize) {
        let Fate { kind, answer, told, ran, panicked, dropped, .. } = self.fates[number];
        let has_run = ran.is_some();
        let mut wrong = |what: &str| {
            let text = format!("{kind:?} {number}: {what}; {answer:?}, {told:?}, ran: {has_run}, panicked: {panicked}");
            self.faults.push(text);
        };
        if dropped != 1 {
            wrong(&format!("it was dropped {dropped} times"));
        }
        // What a pool loses is counted by the pool.
        let must_run = answer == Some(Answer::Accepted) && !matches!(kind, Kind::Job | Kind::ToldJob | Kind::Value);
        if must_run && !has_run {
            wrong("it never ran");
        }
        if has_run && matches!(answer, Some(Answer::Refused | Answer::NotAsked | Answer::NeverRuns)) {
            wrong("it ran");
        }
        let rightly = match told {
            Some(Told::Value) => has_run && !panicked,
            Some(Told::Panicked) => has_run && panicked,
            Some(Told::NeverRan | Told::Refused) => !has_run,
            Some(Told::Other) => true,
            // Who hands over a job is told of each that is accepted.
            None => !matches!((kind, answer), (Kind::ToldJob | Kind::Question, Some(Answer::Accepted))),
        };
        if !rightly {
            wrong("what was told of it is wrong");
        }
    }

    /// Calls run in the order in which they were accepted.
    fn check_order(&mut self) {
        for reactor in 0..self.reactors.len() {
            self.check_queue(Home::Reactor(reactor));
        }
    }

    /// What was accepted before another was handed over runs before it.
    fn check_queue(&mut self, home: Home) {
        let is_queued = |fate: &Fate| {
            fate.home == home && matches!(fate.kind, Kind::Call | Kind::Question | Kind::Job | Kind::ToldJob)
        };
        let mut queued: Vec<(usize, &Fate)> =
            self.fates.iter().enumerate().filter(|(_, fate)| is_queued(fate) && fate.ran.is_some()).collect();
        queued.sort_by_key(|(_, fate)| fate.ran);
        // From the last backwards: the earliest answer of those that ran later.
        let mut earliest: Option<(usize, usize)> = None;
        let mut wrong = Vec::new();
        for (number, fate) in queued.into_iter().rev() {
            if let Some((other, answered)) = earliest
                && answered < fate.began
            {
                wrong.push(format!("{other} was accepted by {home:?} before {number} and ran after it"));
            }
            if earliest.is_none_or(|(_, answered)| fate.answered < answered) {
                earliest = Some((number, fate.answered));
            }
        }
        self.faults.append(&mut wrong);
    }

    /// Each panic of what nobody is told of is reported, once, as what it is; and nothing that cannot be.
    fn check_reports(&mut self) {
        let count = |incident| self.reports.iter().filter(|report| **report == incident).count();
        let panicked =
            |kinds: &[Kind]| self.fates.iter().filter(|fate| fate.panicked && kinds.contains(&fate.kind)).count();
        let drops = self.fates.iter().filter(|fate| fate.drop_panicked).count();
        // Who was to be told may have given up; then it is reported.
        let given_up = |kind: Kind| {
            let untold = |fate: &&Fate| fate.kind == kind && fate.panicked && fate.told != Some(Told::Panicked);
            self.fates.iter().filter(untold).count()
        };
        let mut wrong = Vec::new();
        for (incident, kinds, given_up) in [
            (Incident::Call, &[Kind::Call, Kind::WhenRunning, Kind::ValueCall][..], given_up(Kind::Question)),
            (Incident::Timer, &[Kind::Timer], 0),
            (Incident::Trigger, &[Kind::Trigger], 0),
            (Incident::OnResult, &[Kind::JobCallback], 0),
            (Incident::Canceller, &[Kind::Canceller], 0),
        ] {
            let (reported, panicked) = (count(incident), panicked(kinds));
            // It may have dropped something uncalled.
            if reported < panicked || reported > panicked + given_up + drops {
                wrong.push(format!("{panicked} of {kinds:?} panicked, and {reported} were reported"));
            }
        }
        // A job that its pool cancels or cannot run is reported too, if nobody else is told of it.
        let lost = self.fates.iter().filter(|fate| fate.kind == Kind::Job && fate.ran.is_none()).count();
        let (jobs, panicked) = (count(Incident::Job), panicked(&[Kind::Job]));
        if jobs < panicked || jobs > panicked + given_up(Kind::ToldJob) + lost + drops {
            wrong.push(format!("{panicked} jobs panicked, {lost} were lost, and {jobs} were reported"));
        }
        for never in [Incident::Logged, Incident::Hook, Incident::OnCancel, Incident::Waker, Incident::OnWake] {
            if count(never) > 0 {
                wrong.push(format!("{never:?} is reported"));
            }
        }
        self.faults.append(&mut wrong);
    }
}
