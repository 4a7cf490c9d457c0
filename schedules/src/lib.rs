//! The crate over threads that an explorer schedules: the sources that ship, compiled with a `sync` of their own.
//!
//! The models of `loom_tests/` try every interleaving of small programs. Here programs have any size, waits may end for
//! no reason or by their timeout, and threads may fail to start.

// What only the std build and unit tests use is unused here.
#![allow(dead_code, unused_imports)]

#[path = "../../src/exclusive.rs"]
mod exclusive;
#[path = "../../src/histogram.rs"]
mod histogram;
#[path = "../../src/machine/mod.rs"]
mod machine;
#[path = "../../src/runtime/mod.rs"]
mod runtime;
#[path = "../../src/thread_value.rs"]
mod thread_value;

/// Files with modules beneath them: these are found from the folder of a module that is written inline.
#[path = "../../src"]
mod with_folders {
    pub mod error;
    pub(crate) mod failure;
}

/// The language of programs, which the properties and the fuzzer share.
#[path = "../../proptests/codec/mod.rs"]
mod codec;
#[path = "../../proptests/system_script/mod.rs"]
mod system_script;

/// Parts of that language.
#[path = "../../proptests/deferred_script"]
mod deferred_script {
    pub mod program;
}
#[path = "../../proptests/pool_script"]
mod pool_script {
    pub mod program;
}
#[path = "../../proptests/reactor_script"]
mod reactor_script {
    pub mod program;
}

pub mod decisions;
pub mod explorer;
pub mod locks;
mod platform;
pub mod programs;
pub mod promises;
mod sync;

pub use runtime::api::*;
pub use with_folders::error;
pub(crate) use with_folders::failure;
