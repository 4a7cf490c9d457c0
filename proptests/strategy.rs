//! How programs are drawn at random, and by that how they shrink.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::script::program::{Deed, Delay, Ending, Nth, Occasion, Op, Program, Verdict, When, Work};

/// Any program.
pub fn program() -> impl Strategy<Value = Program> {
    // A script is mostly things made and turns that run them.
    let step = prop_oneof![4 => op(), 2 => Just(Op::Turn), 1 => delay().prop_map(Op::Advance)];
    let ending = prop_oneof![Just(Ending::Drop), Just(Ending::TurnOut), Just(Ending::Run)];
    (vec(step, 0..16), ending).prop_map(|(script, ending)| Program { script, ending })
}

fn op() -> impl Strategy<Value = Op> {
    simple().prop_recursive(3, 16, 4, |inner| {
        let deed = || deed(inner.clone());
        prop_oneof![
            4 => deed().prop_map(Op::Post),
            4 => (delay(), deed()).prop_map(|(delay, deed)| Op::Later(delay, deed)),
            1 => deed().prop_map(Op::WhenRunning),
            1 => vec(inner.clone(), 0..3).prop_map(Op::Own),
            1 => (nth(), deed()).prop_map(|(nth, deed)| Op::Visit(nth, deed)),
            2 => (nth(), deed()).prop_map(|(nth, deed)| Op::Call(nth, deed)),
            3 => (when(), occasion(), deed(), verdict())
                .prop_map(|(when, occasion, deed, verdict)| Op::On(when, occasion, deed, verdict)),
            2 => (work(), vec(inner, 0..4)).prop_map(|(work, body)| Op::Defer(work, body)),
        ]
    })
}

fn simple() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => delay().prop_map(|delay| Op::Later(delay, Deed::default())),
        2 => Just(Op::Post(Deed::default())),
        2 => nth().prop_map(Op::Cancel),
        2 => (nth(), delay()).prop_map(|(nth, delay)| Op::Reset(nth, delay)),
        2 => (nth(), delay()).prop_map(|(nth, delay)| Op::Postpone(nth, delay)),
        1 => delay().prop_map(Op::Advance),
        2 => Just(Op::Own(Vec::new())),
        1 => nth().prop_map(Op::Disown),
        1 => nth().prop_map(Op::Leave),
        1 => nth().prop_map(Op::TakeBack),
        1 => nth().prop_map(Op::Release),
        1 => nth().prop_map(Op::Remove),
        1 => Just(Op::Fire),
        2 => (nth(), any::<bool>()).prop_map(|(nth, well)| Op::Resolve(nth, well)),
        1 => nth().prop_map(Op::Abandon),
        1 => Just(Op::Turn),
        1 => Just(Op::Stop),
        1 => Just(Op::AskStop),
        1 => (0u8..8).prop_map(Op::Suggest),
        2 => Just(Op::Look),
        2 => work().prop_map(|work| Op::Defer(work, Vec::new())),
        3 => nth().prop_map(Op::LetGo),
        1 => nth().prop_map(Op::CancelJob),
        1 => Just(Op::Panic),
    ]
}

fn deed(inner: impl Strategy<Value = Op> + Clone) -> impl Strategy<Value = Deed> {
    let words = prop_oneof![4 => Just(Vec::new()), 1 => vec(inner.clone(), 1..3)];
    (vec(inner, 0..4), words).prop_map(|(body, words)| Deed { body, words })
}

/// Small, so that programs often name what is there; the greatest counts from the other end.
fn nth() -> impl Strategy<Value = Nth> {
    (0u8..6).prop_map(Nth)
}

/// Few, so that deadlines often are equal.
fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![6 => (0u8..4).prop_map(Delay), 1 => Just(Delay(10)), 1 => Just(Delay(u8::MAX))]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::Before), Just(When::During), Just(When::After)]
}

fn occasion() -> impl Strategy<Value = Occasion> {
    prop_oneof![2 => Just(Occasion::Alarm), 1 => Just(Occasion::Shutdown), 1 => Just(Occasion::Startup)]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![2 => Just(Verdict::Fine), 1 => Just(Verdict::Refuse), 2 => Just(Verdict::Wait)]
}

fn work() -> impl Strategy<Value = Work> {
    prop_oneof![2 => Just(Work::Fine), 1 => Just(Work::Refuse), 1 => Just(Work::Panic)]
}
