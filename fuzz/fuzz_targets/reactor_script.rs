//! Hostile operations, as bytes, on the reactor's own thread: whatever they are, they come to what the reference says.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/script/mod.rs"]
#[allow(dead_code, unfulfilled_lint_expectations, reason = "a program over a reactor needs a part of it")]
mod script;

// Checks: B5, B6, B7, B8, B11, B13, B15, B16, B17, B18, B21, B22, B23, B24, B25, B46, B60
fuzz_target!(|bytes: &[u8]| {
    let program = script::bytes::decode(bytes);
    assert_eq!(script::bytes::decode(&script::bytes::encode(&program)), program);
    if let Err(difference) = script::check(&program) {
        panic!("{program:#?}\n{difference}");
    }
});
