//! Hooks around what the loop does: code of the program before and after each turn, each posted call and each timer.

use std::any::type_name;
use std::cell::Cell;
use std::fmt;
use std::mem;

use super::super::report::{Incident, Reporter, drop_contained};
use super::Reactor;

/// What the loop of a reactor is about to do, as a hook of
/// [`ReactorBuilder::around_turns`](crate::reactor::ReactorBuilder::around_turns) is given it. It displays as "a turn",
/// or as the kind and the function's name.
///
/// A function's name is that of its type, as [`type_name`](std::any::type_name) writes it: a closure's begins with the
/// path of the function in which it stands. What the crate posts itself names the type of what it carries: the value of
/// a job, or of a task that is polled; not the function or future that makes it. A call of one of very many kinds that
/// wait at the same time has the name of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoopActivity {
    /// A turn: all that follows, until it ends, and event triggers.
    Turn,
    /// A posted call.
    Call(&'static str),
    /// A timer.
    Timer(&'static str),
}

impl fmt::Display for LoopActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn => f.write_str("a turn"),
            Self::Call(function) => write!(f, "call of {function}"),
            Self::Timer(function) => write!(f, "timer of {function}"),
        }
    }
}

impl LoopActivity {
    pub(super) fn call<F>() -> Self {
        Self::Call(type_name::<F>())
    }
}

/// A timer's function, of any type, until it has run or is dropped.
pub(super) trait TimerFn {
    fn run(&self, reactor: &Reactor);

    fn discard(&self);

    fn activity(&self) -> LoopActivity;
}

impl<F: FnOnce(&Reactor)> TimerFn for Cell<Option<F>> {
    fn run(&self, reactor: &Reactor) {
        if let Some(function) = self.take() {
            function(reactor);
        }
    }

    fn discard(&self) {
        drop_contained(self.take());
    }

    fn activity(&self) -> LoopActivity {
        LoopActivity::Timer(type_name::<F>())
    }
}

/// The hooks of one reactor, in the order in which they were added.
#[derive(Default)]
pub(super) struct TurnHooks(Vec<Box<dyn Enter>>);

impl TurnHooks {
    pub(super) fn add<G>(&mut self, enter: impl Fn(&Reactor, LoopActivity) -> G + Send + 'static) {
        self.0.push(Box::new(enter));
    }

    #[inline]
    pub(super) fn are_set(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Runs the body once, within all hooks: the one added first is entered first and left last. The body must not
    /// panic.
    #[cold]
    pub(super) fn run_around(
        &self,
        activity: LoopActivity,
        reactor: &Reactor,
        reporter: &Reporter,
        body: impl FnOnce(),
    ) {
        let mut body = Some(body);
        let mut once = || {
            if let Some(body) = body.take() {
                body();
            }
        };
        nest(&self.0, activity, reactor, reporter, &mut once);
    }

    /// Drops what each hook captured.
    pub(super) fn clear(&mut self) {
        mem::take(&mut self.0).into_iter().for_each(drop_contained);
    }
}

impl Drop for TurnHooks {
    fn drop(&mut self) {
        self.clear();
    }
}

fn nest(
    hooks: &[Box<dyn Enter>],
    activity: LoopActivity,
    reactor: &Reactor,
    reporter: &Reporter,
    body: &mut dyn FnMut(),
) {
    let Some((outer, inner)) = hooks.split_first() else { return body() };
    let mut rest = || nest(inner, activity, reactor, reporter, body);
    outer.enter(activity, reactor, reporter, &mut rest);
}

/// A function that returns a guard, of any type. The guard stays on the stack.
trait Enter: Send {
    fn enter(&self, activity: LoopActivity, reactor: &Reactor, reporter: &Reporter, body: &mut dyn FnMut());
}

impl<G, F: Fn(&Reactor, LoopActivity) -> G + Send> Enter for F {
    fn enter(&self, activity: LoopActivity, reactor: &Reactor, reporter: &Reporter, body: &mut dyn FnMut()) {
        let guard = reporter.contain(Incident::TurnHook, || self(reactor, activity));
        body();
        reporter.contain(Incident::TurnHook, || drop(guard));
    }
}
