//! How random programs are generated, and thereby how they shrink.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::codec::{Body, Delay, Nth, OnDrop};
use crate::nested::nested;
use crate::reactor_script::program::{
    Closure, Ending, EventName, JobEnd, Op, Program, Trigger, TriggerPhase, TriggerResult,
};

/// Any program.
pub fn program() -> impl Strategy<Value = Program> {
    // Scripts mostly make things, and run turns.
    let step = prop_oneof![4 => op(), 2 => Just(Op::Turn), 1 => delay().prop_map(Op::Advance)];
    let ending = prop_oneof![Just(Ending::Drop), Just(Ending::TurnOut), Just(Ending::Run)];
    (vec(step, 0..16), ending).prop_map(|(script, ending)| Program { script, ending })
}

fn op() -> BoxedStrategy<Op> {
    nested(simple().boxed(), |inner| {
        let closure = || closure(inner.clone());
        prop_oneof![
            4 => closure().prop_map(Op::Post),
            4 => (delay(), closure()).prop_map(|(delay, closure)| Op::Later(delay, closure)),
            1 => closure().prop_map(Op::WhenRunning),
            1 => vec(inner.clone(), 0..3).prop_map(|on_drop| Op::Own(OnDrop(on_drop))),
            1 => (nth(), closure()).prop_map(|(nth, closure)| Op::With(nth, closure)),
            2 => (nth(), closure()).prop_map(|(nth, closure)| Op::Call(nth, closure)),
            3 => (phase(), event(), closure(), result())
                .prop_map(|(phase, event, closure, result)| Op::AddTrigger(Trigger { phase, event, result }, closure)),
            2 => (end(), vec(inner, 0..4)).prop_map(|(end, body)| Op::Defer(end, Body(body))),
        ]
        .boxed()
    })
}

fn simple() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => delay().prop_map(|delay| Op::Later(delay, Closure::default())),
        2 => Just(Op::Post(Closure::default())),
        2 => nth().prop_map(Op::Cancel),
        2 => (nth(), delay()).prop_map(|(nth, delay)| Op::Reset(nth, delay)),
        2 => (nth(), delay()).prop_map(|(nth, delay)| Op::Postpone(nth, delay)),
        1 => delay().prop_map(Op::Advance),
        2 => Just(Op::Own(OnDrop(Vec::new()))),
        1 => nth().prop_map(Op::DropOwner),
        1 => nth().prop_map(Op::Leave),
        1 => nth().prop_map(Op::IntoInner),
        1 => nth().prop_map(Op::Release),
        1 => nth().prop_map(Op::RemoveTrigger),
        1 => Just(Op::FireEvent),
        2 => (nth(), any::<bool>()).prop_map(|(nth, well)| Op::Resolve(nth, well)),
        1 => nth().prop_map(Op::Abandon),
        1 => Just(Op::Turn),
        1 => Just(Op::Stop),
        1 => Just(Op::HandleStop),
        1 => (0u8..8).prop_map(Op::Suggest),
        2 => Just(Op::Inspect),
        2 => end().prop_map(|end| Op::Defer(end, Body(Vec::new()))),
        3 => nth().prop_map(Op::FinishJob),
        1 => nth().prop_map(Op::CancelJob),
        1 => Just(Op::Panic),
    ]
}

fn closure(inner: impl Strategy<Value = Op> + Clone) -> impl Strategy<Value = Closure> {
    let on_drop = prop_oneof![4 => Just(Vec::new()), 1 => vec(inner.clone(), 1..3)];
    (vec(inner, 0..4), on_drop).prop_map(|(body, on_drop)| Closure { body, on_drop })
}

/// Small, so that programs often name things that exist.
fn nth() -> impl Strategy<Value = Nth> {
    (0u8..6).prop_map(Nth)
}

/// Few, so that deadlines are often equal.
fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![6 => (0u8..4).prop_map(Delay), 1 => Just(Delay(10)), 1 => Just(Delay(u8::MAX))]
}

fn phase() -> impl Strategy<Value = TriggerPhase> {
    prop_oneof![Just(TriggerPhase::Before), Just(TriggerPhase::During), Just(TriggerPhase::After)]
}

fn event() -> impl Strategy<Value = EventName> {
    prop_oneof![2 => Just(EventName::Alarm), 1 => Just(EventName::Shutdown), 1 => Just(EventName::Startup)]
}

fn result() -> impl Strategy<Value = TriggerResult> {
    prop_oneof![2 => Just(TriggerResult::Fine), 1 => Just(TriggerResult::Refuse), 2 => Just(TriggerResult::Wait)]
}

fn end() -> impl Strategy<Value = JobEnd> {
    prop_oneof![2 => Just(JobEnd::Fine), 1 => Just(JobEnd::Refuse), 1 => Just(JobEnd::Panic)]
}
