//! The fuzz targets' corpora, run again without a fuzzer.

use std::fs;
use std::path::Path;

use crate::script::{self, deferreds};

fn each_input(target: &str, check: impl Fn(&[u8]) -> Result<(), String>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus is committed") {
        let path = entry.expect("readable").path();
        if let Err(difference) = check(&fs::read(&path).expect("readable")) {
            panic!("{}\n{difference}", path.display());
        }
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", corpus.display());
}

// Checks: B5, B6, B7, B8, B13, B15, B17, B18, B21, B22, B23, B24, B25, B46
#[test]
fn the_fuzz_corpus_comes_to_what_the_reference_says() {
    each_input("reactor_script", |bytes| {
        let program = script::bytes::decode(bytes);
        script::check(&program).map_err(|difference| format!("{program:#?}\n{difference}"))
    });
}

// Checks: B49, B50, B51, B52, B54, B56, B57, B58, B60, B63
#[test]
fn the_fuzz_corpus_of_deferreds_comes_to_what_the_rules_say() {
    each_input("deferred_script", |bytes| {
        let program = deferreds::bytes::decode(bytes);
        deferreds::check(&program).map_err(|difference| format!("{program}\n{difference}"))
    });
}
