//! The whole pool on one thread, one step of one worker at a time: the naive reference allows each step of every
//! program.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::codec::{Body, Nth, Small};
use crate::nested::nested;
use crate::pool_script::check;
use crate::pool_script::program::{Closure, Config, Op, Program, Sizes, Way};
use crate::regressions;
use crate::written::survives_being_written;

fn program() -> impl Strategy<Value = Program> {
    let config =
        (sizes(), prop_oneof![3 => Just(Small(0)), 1 => (1..Small::LIMIT).prop_map(Small)], small(), any::<bool>());
    let config =
        config.prop_map(|(sizes, bound, compensation, keeps_alive)| Config { sizes, bound, compensation, keeps_alive });
    // Most programs start their pool soon.
    let step = prop_oneof![6 => op(), 5 => Just(Op::Step), 1 => Just(Op::Start)];
    (config, any::<bool>(), vec(step, 0..40)).prop_map(|(config, starts, mut script)| {
        if starts {
            script.insert(0, Op::Start);
        }
        Program { config, script }
    })
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (small(), small()).prop_map(|(min, more)| Sizes { min, more })
}

fn op() -> BoxedStrategy<Op> {
    nested(simple().boxed(), |inner| {
        let closure = (vec(inner.clone(), 0..4), prop_oneof![3 => Just(Vec::new()), 1 => vec(inner.clone(), 1..3)]);
        let closure = closure.prop_map(|(body, on_drop)| Closure { body, on_drop });
        prop_oneof![
            4 => (way(), closure).prop_map(|(way, closure)| Op::Submit(way, closure)),
            1 => vec(inner, 0..4).prop_map(|body| Op::Block(Body(body))),
        ]
        .boxed()
    })
}

fn simple() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => way().prop_map(|way| Op::Submit(way, Closure::default())),
        6 => Just(Op::Step),
        3 => nth().prop_map(Op::StepWorker),
        3 => nth().prop_map(Op::Cancel),
        2 => sizes().prop_map(Op::Resize),
        2 => Just(Op::Expire),
        1 => small().prop_map(Op::FailStarts),
        1 => any::<bool>().prop_map(Op::Stop),
        1 => Just(Op::Start),
        1 => Just(Op::WakeSpuriously),
        1 => Just(Op::Panic),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![3 => Just(Way::Plain), 2 => Just(Way::WithCallback), 3 => Just(Way::Ticketed), 1 => Just(Way::Waiting)]
}

fn small() -> impl Strategy<Value = Small> {
    (0..Small::LIMIT).prop_map(Small)
}

fn nth() -> impl Strategy<Value = Nth> {
    (0u8..6).prop_map(Nth)
}

proptest! {
    #![proptest_config(regressions::config("single_step", 2_000))]

    // Checks: B28, B29, B30, B31, B33, B34, B35, B36, B37, B38, B40, B41, B43, B44, B45, B69, P2, P71
    #[test]
    fn every_step_of_every_program_is_one_that_the_reference_allows(program in program()) {
        check(&program).and_then(|()| survives_being_written(&program)).map_err(TestCaseError::fail)?;
    }
}
