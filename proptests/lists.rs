//! Lists and races under every option and order of results, against a naive list.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{
    Deferred, Failure, Reactor, Resolver,
    deferred::DeferredList,
    error::{Cancelled, FailureGroup, FirstError},
    report::Incident,
};

use crate::regressions;

/// The error of the member with this number.
#[derive(Debug)]
struct Fails(usize);

impl std::error::Error for Fails {}

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error of {}", self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    All,
    OneErrback,
    OneCallback,
    One,
}

#[derive(Debug, Clone, Copy)]
struct Options {
    mode: Mode,
    consume: bool,
    cancel_rest: bool,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Has its result when the list is made.
    early: Option<bool>,
    /// Its canceller fires it with a value.
    fires_when_cancelled: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A member without a result gets a value, or an error.
    Fire(usize, bool),
    Cancel,
}

fn options() -> impl Strategy<Value = Options> {
    let mode = prop_oneof![Just(Mode::All), Just(Mode::OneErrback), Just(Mode::OneCallback), Just(Mode::One)];
    (mode, any::<bool>(), any::<bool>()).prop_map(|(mode, consume, cancel_rest)| Options { mode, consume, cancel_rest })
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let early = prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)];
    vec((early, any::<bool>()).prop_map(|(early, fires_when_cancelled)| Member { early, fires_when_cancelled }), 0..6)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        prop_oneof![8 => (0usize..6, any::<bool>()).prop_map(|(at, ok)| Step::Fire(at, ok)), 1 => Just(Step::Cancel)];
    vec(step, 0..12)
}

/// The result of a member, as text.
fn outcome(number: usize, ok: bool) -> Result<String, String> {
    if ok { Ok(format!("value of {number}")) } else { Err(Fails(number).to_string()) }
}

/// The naive list: results in a vector, and the rules of each option.
struct NaiveList {
    options: Options,
    members: Vec<Member>,
    results: Vec<Option<Result<String, String>>>,
    /// The list itself has cancelled these.
    cancelled: Vec<bool>,
    decided: bool,
    trace: Vec<String>,
}

impl NaiveList {
    fn new(options: Options, members: Vec<Member>) -> Self {
        let (results, cancelled) = (vec![None; members.len()], vec![false; members.len()]);
        Self { options, members, results, cancelled, decided: false, trace: Vec::new() }
    }

    fn make(&mut self) {
        // Early results are there before the list is made, so those members cannot be cancelled.
        let early: Vec<_> = (0..self.members.len()).filter_map(|at| Some((at, self.members[at].early?))).collect();
        if self.members.is_empty() {
            self.decided = true;
            let empty = if matches!(self.options.mode, Mode::All | Mode::OneErrback) { "[]" } else { "none of []" };
            self.trace.push(format!("fires: {empty}"));
        }
        for (at, ok) in early {
            self.arrived(at, outcome(at, ok));
        }
        // The list's own callback is added last, after all reports of early results.
        if let Some(at) = self.trace.iter().position(|what| what.starts_with("fires")) {
            let fires = self.trace.remove(at);
            self.trace.push(fires);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Fire(at, ok) if at < self.members.len() && !self.has_result(at) => self.arrived(at, outcome(at, ok)),
            Step::Cancel if !self.decided => self.cancel(),
            Step::Fire(..) | Step::Cancel => {}
        }
    }

    fn has_result(&self, at: usize) -> bool {
        self.results[at].is_some() || self.members[at].early.is_some() || self.cancelled[at]
    }

    fn arrived(&mut self, at: usize, result: Result<String, String>) {
        self.results[at] = Some(result.clone());
        if self.decided {
            if !self.cancelled[at] {
                self.report(&result);
            }
            return;
        }
        let decides = match self.options.mode {
            Mode::All => false,
            Mode::OneErrback => result.is_err(),
            Mode::OneCallback => result.is_ok(),
            Mode::One => true,
        };
        if decides {
            self.decided = true;
            let others: Vec<_> = (0..self.results.len()).filter(|other| *other != at).collect();
            for other in others {
                let kept = self.results[other].clone();
                kept.iter().for_each(|kept| self.report(kept));
            }
            if self.options.cancel_rest {
                self.cancel();
            }
            self.trace.push(match result {
                Ok(value) => format!("fires: {at}, {value}"),
                Err(error) => format!("fires: first {at}, {error}"),
            });
        } else if self.results.iter().all(Option::is_some) {
            self.decided = true;
            let all: Vec<_> = self.results.iter().flatten().collect();
            let text = match self.options.mode {
                Mode::All => format!("{all:?}"),
                Mode::OneErrback => format!("{:?}", all.into_iter().flatten().collect::<Vec<_>>()),
                Mode::OneCallback | Mode::One => {
                    format!(
                        "none of {:?}",
                        all.into_iter().map(|result| result.clone().unwrap_err()).collect::<Vec<_>>()
                    )
                }
            };
            self.trace.push(format!("fires: {text}"));
        }
    }

    fn report(&mut self, result: &Result<String, String>) {
        if let Err(error) = result
            && !self.options.consume
        {
            self.trace.push(format!("unhandled: {error}"));
        }
    }

    fn cancel(&mut self) {
        let waiting: Vec<_> = (0..self.members.len()).filter(|at| !self.has_result(*at)).collect();
        waiting.iter().for_each(|at| self.cancelled[*at] = true);
        for at in waiting {
            self.trace.push(format!("cancels {at}"));
            let result =
                if self.members[at].fires_when_cancelled { outcome(at, true) } else { Err(Cancelled.to_string()) };
            self.arrived(at, result);
        }
    }
}

type Trace = Arc<Mutex<Vec<String>>>;

fn note(trace: &Trace, what: String) {
    trace.lock().unwrap().push(what);
}

/// What the list fires with, as text; of every mode the same.
type Fired = Deferred<String>;

fn text(failure: Failure) -> String {
    if let Some(first) = failure.downcast_ref::<FirstError>() {
        return format!("first {}, {}", first.index, first.error);
    }
    let group = failure.downcast::<FailureGroup>().unwrap();
    format!("none of {:?}", group.failures.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn make(options: Options, members: Vec<Deferred<String>>) -> Fired {
    let mut list = DeferredList::new(members);
    if options.consume {
        list = list.consume_errors();
    }
    if options.cancel_rest {
        list = list.cancel_rest();
    }
    let pair = |(at, value): (usize, String)| format!("{at}, {value}");
    let fired = match options.mode {
        Mode::All => list.all().map(|results| {
            let results: Vec<_> = results.into_iter().map(|result| result.map_err(|error| error.to_string())).collect();
            format!("{results:?}")
        }),
        Mode::OneErrback => list.fire_on_one_errback().map(|values| format!("{values:?}")),
        Mode::OneCallback => list.fire_on_one_callback().map(pair),
        Mode::One => list.fire_on_one().map(pair),
    };
    fired.add_errback(text)
}

/// Runs the steps on a real list.
fn run_list(options: Options, members: Vec<Member>, steps: Vec<Step>, trace: &Trace) {
    let firing: Rc<RefCell<Vec<Option<Resolver<String>>>>> = Rc::default();
    let mut deferreds = Vec::new();
    for (at, member) in members.into_iter().enumerate() {
        let (fire, trace) = (Rc::clone(&firing), trace.clone());
        let cancelled = move || {
            note(&trace, format!("cancels {at}"));
            let resolver = fire.borrow_mut()[at].take();
            match resolver {
                Some(resolver) if member.fires_when_cancelled => {
                    resolver.resolve(outcome(at, true).map_err(Failure::msg))
                }
                resolver => fire.borrow_mut()[at] = resolver,
            }
        };
        let (deferred, resolver) = Deferred::with_canceller(cancelled);
        firing.borrow_mut().push(Some(resolver));
        if let Some(ok) = member.early {
            fire_member(&firing, at, ok);
        }
        deferreds.push(deferred);
    }
    let notes = trace.clone();
    let list = make(options, deferreds).map(move |fired| note(&notes, format!("fires: {fired}")));
    for step in steps {
        match step {
            Step::Fire(at, ok) => fire_member(&firing, at, ok),
            Step::Cancel => list.cancel(),
        }
    }
    // What happens when the unfired members are dropped is not part of the test.
    let seen = trace.lock().unwrap().clone();
    drop((list, firing));
    *trace.lock().unwrap() = seen;
}

fn fire_member(firing: &RefCell<Vec<Option<Resolver<String>>>>, at: usize, ok: bool) {
    let resolver = firing.borrow_mut().get_mut(at).and_then(Option::take);
    if let Some(resolver) = resolver.filter(|resolver| !resolver.is_cancelled()) {
        match ok {
            true => resolver.callback(format!("value of {at}")),
            false => resolver.errback(Fails(at)),
        }
    }
}

proptest! {
    #![proptest_config(regressions::config("lists", 1000))]

    // Checks: B60, B61, B62, P30
    #[test]
    fn a_list_agrees_with_a_naive_one(options in options(), members in members(), steps in steps()) {
        let mut naive = NaiveList::new(options, members.clone());
        naive.make();
        steps.iter().for_each(|step| naive.step(*step));

        let trace = Trace::default();
        let sink = trace.clone();
        let reactor = Reactor::builder()
            .on_report(move |report| {
                let what = if report.incident == Incident::Unhandled { "unhandled" } else { "failed" };
                note(&sink, format!("{what}: {}", report.error));
            })
            .build()
            .unwrap();
        let notes = trace.clone();
        let _ = reactor.call_later(std::time::Duration::ZERO, move |_| run_list(options, members, steps, &notes));
        reactor.turn().unwrap();
        prop_assert_eq!(&*trace.lock().unwrap(), &naive.trace);
    }
}
