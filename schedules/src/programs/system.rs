//! Random programs over the whole system, in the language of the properties and the fuzzer.

use crate::explorer::mix;
use crate::system_script::check_on_threads;
use crate::system_script::program::Program;
use crate::{codec, decisions};

/// Bytes of a program, at most.
const LENGTH: u64 = 160;

/// The program that this seed's bytes are; in half of the cases all its threads start.
pub fn any_program(seed: u64) {
    let mut number = seed;
    let mut next = || {
        number = mix(number);
        number
    };
    if next() % 2 == 0 {
        decisions::all_threads_start();
    }
    let length = 16 + next() % LENGTH;
    let bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
    let program: Program = codec::decode(&bytes);
    if let Err(fault) = check_on_threads(&program) {
        panic!("{fault}{program}");
    }
}
