//! The whole pool on one thread, one step of one worker at a time: whatever a program does, each step is one that the naive reference allows.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::pool_script::bytes::{SIZE, decode, encode};
use crate::pool_script::check;
use crate::pool_script::program::{Deed, Nth, Op, Program, Sizes, Terms, Way};
use crate::regressions;

fn program() -> impl Strategy<Value = Program> {
    let terms = (sizes(), prop_oneof![3 => Just(0), 1 => 1..SIZE], 0..SIZE, any::<bool>());
    let terms =
        terms.prop_map(|(sizes, bound, compensation, keeps_alive)| Terms { sizes, bound, compensation, keeps_alive });
    // Most programs start their pool soon.
    let step = prop_oneof![6 => op(), 5 => Just(Op::Step), 1 => Just(Op::Start)];
    (terms, any::<bool>(), vec(step, 0..40)).prop_map(|(terms, starts, mut script)| {
        if starts {
            script.insert(0, Op::Start);
        }
        Program { terms, script }
    })
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (0..SIZE, 0..SIZE).prop_map(|(min, more)| Sizes { min, more })
}

fn op() -> impl Strategy<Value = Op> {
    simple().prop_recursive(3, 16, 3, |inner| {
        let deed = (vec(inner.clone(), 0..4), prop_oneof![3 => Just(Vec::new()), 1 => vec(inner.clone(), 1..3)]);
        let deed = deed.prop_map(|(body, words)| Deed { body, words });
        prop_oneof![
            4 => (way(), deed).prop_map(|(way, deed)| Op::Submit(way, deed)),
            1 => vec(inner, 0..4).prop_map(Op::Block),
        ]
    })
}

fn simple() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => way().prop_map(|way| Op::Submit(way, Deed::default())),
        6 => Just(Op::Step),
        3 => nth().prop_map(Op::StepWorker),
        3 => nth().prop_map(Op::Cancel),
        2 => sizes().prop_map(Op::Resize),
        2 => Just(Op::Expire),
        1 => (0..SIZE).prop_map(Op::FailStarts),
        1 => any::<bool>().prop_map(Op::Stop),
        1 => Just(Op::Start),
        1 => Just(Op::Disturb),
        1 => Just(Op::Panic),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![3 => Just(Way::Plain), 2 => Just(Way::Told), 3 => Just(Way::Ticketed), 1 => Just(Way::Patient)]
}

fn nth() -> impl Strategy<Value = Nth> {
    (0u8..6).prop_map(Nth)
}

proptest! {
    #![proptest_config(regressions::config("single_step", 2_000))]

    // Checks: B28, B29, B30, B31, B33, B34, B35, B36, B37, B38, B40, B41, B43, B44, B45, B69, P2, P71
    #[test]
    fn every_step_of_every_program_is_one_that_the_reference_allows(program in program()) {
        check(&program).map_err(TestCaseError::fail)?;
    }

    // Checks: P71
    #[test]
    fn a_pools_program_survives_being_written_as_bytes(program in program()) {
        prop_assert_eq!(decode(&encode(&program)), program);
    }
}

// Checks: B69, P71
#[test]
fn the_pools_fuzz_corpus_is_what_the_reference_allows() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pool_script");
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus is committed") {
        let path = entry.expect("readable").path();
        let program = decode(&fs::read(&path).expect("readable"));
        if let Err(fault) = check(&program) {
            panic!("{}\n{program:#?}\n{fault}", path.display());
        }
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", corpus.display());
}
