//! Hostile operations, as bytes, on Deferreds: whatever they are, they come to what the rules say.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/script/mod.rs"]
#[allow(dead_code, unfulfilled_lint_expectations, reason = "a program over Deferreds needs a part of it")]
mod script;

use script::deferreds::{bytes, check};

// Checks: B49, B50, B51, B52, B54, B56, B57, B58, B60, B61, B62, B63, P9
fuzz_target!(|input: &[u8]| {
    let program = bytes::decode(input);
    assert_eq!(bytes::decode(&bytes::encode(&program)), program);
    if let Err(difference) = check(&program) {
        panic!("{program}\n{difference}");
    }
});
