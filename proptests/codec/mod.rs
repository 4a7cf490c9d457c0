//! How programs are written: as bytes for the fuzzer, as text for people. Each part of a program is described once, for
//! both.

mod bytes;
mod code;
mod compare;
mod parts;
mod text;

pub use bytes::{Decoder, Encoder};
pub(crate) use code::code;
pub use code::{Code, decode, encode, read};
pub use compare::compare;
pub use parts::{Body, Closure, Delay, Members, Nth, OnDrop, Operation, Program, Small, Steps, script};
pub use text::Text;
