//! Bytes that are decoded, and bytes that are written.

use super::Code;

/// Bytes of which a program is decoded.
pub struct Decoder<'a> {
    rest: &'a [u8],
    /// How many closures are around what comes next.
    pub(super) depth: usize,
}

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, depth: 0 }
    }

    /// The next byte; zero behind the end.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// The bytes of a program so far.
#[derive(Default)]
pub struct Encoder {
    pub bytes: Vec<u8>,
    /// How many closures are around what comes next.
    pub(super) depth: usize,
}

impl Encoder {
    pub fn put(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
}

impl Code for u8 {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        bytes.byte()
    }

    fn encode(&self, bytes: &mut Encoder) {
        bytes.put(*self);
    }

    fn read(text: &mut super::Text<'_>) -> Option<Self> {
        text.word()?.parse().ok()
    }
}

impl Code for bool {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        bytes.byte() % 2 == 1
    }

    fn encode(&self, bytes: &mut Encoder) {
        bytes.put(u8::from(*self));
    }

    fn read(text: &mut super::Text<'_>) -> Option<Self> {
        text.word()?.parse().ok()
    }
}
