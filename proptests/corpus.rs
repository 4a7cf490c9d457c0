//! Runs the fuzz targets' corpora without a fuzzer; converts them to the directories that cargo-fuzz wants, and back.
//!
//! `fuzz/corpus/TARGET.txt` has one program a line, as text, in alphabetical order. The directories are beside it, or
//! where `SELVEDGE_CORPUS` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::codec::{Code, decode, encode, read};
use crate::{deferred_script, pool_script, reactor_script, system_script};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

/// Where cargo-fuzz has a target's programs, a file for each.
fn directory(target: &str) -> PathBuf {
    std::env::var_os("SELVEDGE_CORPUS").map_or_else(corpora, PathBuf::from).join(target)
}

fn programs(target: &str) -> BTreeSet<String> {
    let file = corpora().join(target).with_extension("txt");
    let programs: BTreeSet<String> = fs::read_to_string(&file).expect("readable").lines().map(str::to_owned).collect();
    assert!(!programs.is_empty(), "{} is empty", file.display());
    programs
}

fn each_program<P: Code>(target: &str, check: impl Fn(&P) -> Result<(), String>) {
    for text in programs(target) {
        if let Err(difference) = check(&read(&text)) {
            panic!("{text}\n{difference}");
        }
    }
}

// Checks: B5, B6, B7, B8, B13, B15, B17, B18, B21, B22, B23, B24, B25, B46
#[test]
fn the_fuzz_corpus_comes_to_what_the_reference_says() {
    each_program("reactor_script", reactor_script::check);
}

// Checks: B49, B50, B51, B52, B54, B56, B57, B58, B60, B63
#[test]
fn the_fuzz_corpus_of_deferreds_comes_to_what_the_rules_say() {
    each_program("deferred_script", deferred_script::check);
}

// Checks: B69, P71
#[test]
fn the_fuzz_corpus_of_pools_is_what_the_reference_allows() {
    each_program("pool_script", pool_script::check);
}

// Checks: B5, B6, B28, B35, B38, B40, P78
#[test]
fn the_fuzz_corpus_of_the_whole_system_keeps_each_promise() {
    each_program("system_script", system_script::check_in_steps);
}

// Checks: P12
#[test]
fn every_program_of_a_corpus_survives_being_written_as_bytes_and_as_text() {
    fn each<P: Code>(target: &str) {
        for text in programs(target) {
            let program: P = decode(&encode(&read::<P>(&text)));
            assert_eq!(program.to_string(), text, "{target}");
        }
    }
    each::<reactor_script::program::Program>("reactor_script");
    each::<deferred_script::program::Program>("deferred_script");
    each::<pool_script::program::Program>("pool_script");
    each::<system_script::program::Program>("system_script");
}

/// `fuzz/unfold`: a file of bytes for each program, as cargo-fuzz wants them.
// Checks: P12
#[test]
#[ignore = "writes fuzz/corpus"]
fn unfold() {
    fn each<P: Code>(target: &str) {
        let directory = directory(target);
        fs::create_dir_all(&directory).expect("writable");
        for (number, text) in programs(target).iter().enumerate() {
            fs::write(directory.join(format!("{number:05}")), encode(&read::<P>(text))).expect("writable");
        }
    }
    each::<reactor_script::program::Program>("reactor_script");
    each::<deferred_script::program::Program>("deferred_script");
    each::<pool_script::program::Program>("pool_script");
    each::<system_script::program::Program>("system_script");
}

/// `fuzz/fold`: adds what the fuzzer has found to the corpora.
// Checks: P12
#[test]
#[ignore = "writes fuzz/corpus"]
fn fold() {
    fn each<P: Code>(target: &str) {
        let Ok(inputs) = fs::read_dir(directory(target)) else { return };
        let inputs = inputs.map(|input| fs::read(input.expect("readable").path()).expect("readable"));
        let mut texts: BTreeSet<String> = inputs.map(|bytes| decode::<P>(&bytes).to_string()).collect();
        let file = corpora().join(target).with_extension("txt");
        if file.exists() {
            texts.append(&mut programs(target));
        }
        let lines: Vec<String> = texts.into_iter().map(|text| text + "\n").collect();
        fs::write(file, lines.concat()).expect("writable");
    }
    each::<reactor_script::program::Program>("reactor_script");
    each::<deferred_script::program::Program>("deferred_script");
    each::<pool_script::program::Program>("pool_script");
    each::<system_script::program::Program>("system_script");
}
