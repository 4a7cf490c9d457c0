//! Hostile operations, as bytes, on a pool whose workers have no threads: whatever they are, each step is one that the
//! reference allows.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/codec/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other programs need other parts of it")]
mod codec;
#[path = "../../proptests/pool_script/mod.rs"]
mod pool_script;

use pool_script::program::Program;

// Checks: B28, B29, B30, B31, B33, B34, B35, B37, B38, B40, B41, B43, B44, B45, B69, P2, P71
fuzz_target!(|bytes: &[u8]| {
    let program: Program = codec::decode(bytes);
    assert_eq!(codec::decode::<Program>(&codec::encode(&program)), program);
    if let Err(difference) = pool_script::check(&program) {
        panic!("{program}\n{difference}");
    }
});
