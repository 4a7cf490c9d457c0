//! Hostile operations, as bytes, on Deferreds: whatever they are, they come to what the rules say.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/codec/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other programs need other parts of it")]
mod codec;
#[path = "../../proptests/deferred_script/mod.rs"]
mod deferred_script;

use deferred_script::program::Program;

// Checks: B49, B50, B51, B52, B54, B56, B57, B58, B60, B61, B62, B63, P9
fuzz_target!(|bytes: &[u8]| {
    let program: Program = codec::decode(bytes);
    assert_eq!(codec::decode::<Program>(&codec::encode(&program)), program);
    if let Err(difference) = deferred_script::check(&program) {
        panic!("{program}\n{difference}");
    }
});
