//! Hostile operations, as bytes, on a pool whose workers have no threads: whatever they are, each step is one that the reference allows.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/pool_script/mod.rs"]
mod pool_script;

// Checks: B28, B29, B30, B31, B33, B34, B35, B37, B38, B40, B41, B43, B44, B45, B69, P2, P71
fuzz_target!(|bytes: &[u8]| {
    let program = pool_script::bytes::decode(bytes);
    assert_eq!(pool_script::bytes::decode(&pool_script::bytes::encode(&program)), program);
    if let Err(fault) = pool_script::check(&program) {
        panic!("{program:#?}\n{fault}");
    }
});
