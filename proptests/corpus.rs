//! The fuzz target's corpus, run again without a fuzzer.

use std::fs;
use std::path::Path;

use crate::script::bytes::decode;
use crate::script::check;

// Checks: B5, B6, B7, B8, B13, B15, B17, B18, B21, B22, B23, B24, B25, B46
#[test]
fn the_fuzz_corpus_comes_to_what_the_reference_says() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/reactor_script");
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus is committed") {
        let path = entry.expect("readable").path();
        let program = decode(&fs::read(&path).expect("readable"));
        if let Err(difference) = check(&program) {
            panic!("{}\n{program:#?}\n{difference}", path.display());
        }
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", corpus.display());
}
