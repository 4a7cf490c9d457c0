//! Hostile operations, as bytes, on reactors, pools and Deferreds together: whatever they are, each promise is kept.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/codec/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other programs need other parts of it")]
mod codec;
#[path = "../../proptests/deferred_script/mod.rs"]
mod deferred_script;
#[path = "../../proptests/platform.rs"]
mod platform;
#[path = "../../proptests/pool_script/mod.rs"]
mod pool_script;
#[path = "../../proptests/reactor_script/mod.rs"]
mod reactor_script;
#[path = "../../proptests/system_script/mod.rs"]
#[allow(dead_code, unused_imports, reason = "programs on threads are not for a fuzzer: they do not repeat")]
mod system_script;

use system_script::program::Program;

// Checks: B5, B6, B28, B35, B38, B40, P78
fuzz_target!(|bytes: &[u8]| {
    let program: Program = codec::decode(bytes);
    if let Err(fault) = system_script::check_in_steps(&program) {
        panic!("{program}\n{fault}");
    }
    assert_eq!(codec::decode::<Program>(&codec::encode(&program)), program);
});
