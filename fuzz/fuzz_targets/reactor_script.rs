//! Hostile operations, as bytes, on the reactor's own thread: whatever they are, they come to what the reference says.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proptests/codec/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other programs need other parts of it")]
mod codec;
#[path = "../../proptests/reactor_script/mod.rs"]
mod reactor_script;

use reactor_script::program::Program;

// Checks: B5, B6, B7, B8, B11, B13, B15, B16, B17, B18, B21, B22, B23, B24, B25, B46, B60
fuzz_target!(|bytes: &[u8]| {
    let program: Program = codec::decode(bytes);
    assert_eq!(codec::decode::<Program>(&codec::encode(&program)), program);
    if let Err(difference) = reactor_script::check(&program) {
        panic!("{program}\n{difference}");
    }
});
