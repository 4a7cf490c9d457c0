//! What a part of a program is, and the table that describes one.

use std::fmt::Display;

use super::text::line;
use super::{Decoder, Encoder, Text};

/// The program that these bytes are.
pub fn decode<P: Code>(bytes: &[u8]) -> P {
    P::decode(&mut Decoder::new(bytes))
}

/// The bytes of a program. What is too deep or too long to be written is left out.
pub fn encode(program: &impl Code) -> Vec<u8> {
    let mut bytes = Encoder::default();
    program.encode(&mut bytes);
    bytes.bytes
}

/// The program that this text is.
///
/// # Panics
/// It is none.
pub fn read<P: Code>(text: &str) -> P {
    line(text, P::read)
}

/// A part of a program. It is printed as text by its `Display`.
pub trait Code: Display + Sized {
    /// Any bytes are a part: where they end, zeros follow.
    fn decode(bytes: &mut Decoder<'_>) -> Self;

    /// Bytes that decode to this. What is too deep or too long to be written is left out.
    fn encode(&self, bytes: &mut Encoder);

    /// Reads what `Display` has printed. None, if the text does not begin with that.
    fn read(text: &mut Text<'_>) -> Option<Self>;
}

/// Implements `Code` for an enum by a table with one row for each form that a value may have: the byte that it begins
/// with, the word that its text begins with, its parts in the order in which they are written, and the value. `$row`
/// says which row any first byte means.
///
/// Where two rows have the same word, the one with more parts comes last: it is taken if its parts are there.
macro_rules! code {
    ($type:ty, $row:expr, {
        $($byte:literal $word:literal ($($($between:literal)? $part:ident: $part_type:ty),*) = [$($value:tt)+],)+
    }) => {
        impl $crate::codec::Code for $type {
            fn decode(bytes: &mut $crate::codec::Decoder<'_>) -> Self {
                let row: fn(u8) -> u8 = $row;
                match row(bytes.byte()) {
                    $($byte => {
                        $(let $part = <$part_type as $crate::codec::Code>::decode(bytes);)*
                        $($value)+
                    })+
                    other => unreachable!("there is no row {other}"),
                }
            }

            fn encode(&self, bytes: &mut $crate::codec::Encoder) {
                match self {
                    $($($value)+ => {
                        bytes.put($byte);
                        $($crate::codec::Code::encode($part, bytes);)*
                    })+
                }
            }

            fn read(text: &mut $crate::codec::Text<'_>) -> Option<Self> {
                let word = text.word()?;
                let mut found = None;
                $(if word == $word {
                    let mut rest = *text;
                    let read = |_rest: &mut $crate::codec::Text<'_>| {
                        $(
                            $(_rest.expect($between)?;)?
                            let $part = <$part_type as $crate::codec::Code>::read(_rest)?;
                        )*
                        Some($($value)+)
                    };
                    found = read(&mut rest).map(|value| (value, rest)).or(found);
                })+
                let (value, rest) = found?;
                *text = rest;
                Some(value)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($($value)+ => {
                        f.write_str($word)?;
                        $(
                            $(write!(f, " {}", $between)?;)?
                            // A list may be empty.
                            let part = $part.to_string();
                            f.write_str(if part.is_empty() { "" } else { " " })?;
                            f.write_str(&part)?;
                        )*
                        Ok(())
                    })+
                }
            }
        }
    };
}

pub(crate) use code;
