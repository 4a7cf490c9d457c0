//! Random programs over the whole system, in the language of the properties and the fuzzer.

use crate::explorer::mix;
use crate::system_script::check_on_threads;
use crate::system_script::program::Program;
use crate::{codec, decisions};

/// Bytes of a program, at most.
const LENGTH: u64 = 160;

/// Half of the bytes are some of these: calls, jobs, cancels, stops, where an operation begins.
const FREQUENT: [u8; 12] = [1, 32, 63, 94, 2, 33, 64, 95, 24, 55, 26, 35];

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
    let byte = |number: u64| {
        if number & 0x100 == 0 { number as u8 } else { FREQUENT[(number >> 9) as usize % FREQUENT.len()] }
    };
    let bytes: Vec<u8> = (0..length).map(|_| byte(next())).collect();
    let program: Program = codec::decode(&bytes);
    // A program may have no thread beside its first, which the explorer rejects.
    let other = shuttle::thread::spawn(shuttle::thread::yield_now);
    if let Err(fault) = check_on_threads(&program) {
        panic!("{fault}{program}");
    }
    other.join().unwrap();
}
