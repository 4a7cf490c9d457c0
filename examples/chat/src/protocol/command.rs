//! What a line of a client asks for, and what is wrong with one that asks for nothing.

use std::fmt;
use std::str;

/// The longest name of a room, in bytes.
pub const ROOM_NAME: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Says something to the room.
    Say(&'a str),
    /// Enters a room, and leaves the one before.
    Join(&'a str),
    /// Asks for an answer. It comes when all that the client sent before has been done.
    Ping(&'a str),
    /// Leaves.
    Quit,
    /// An empty line: the client only shows that it is there.
    Nothing,
}

#[derive(Debug, PartialEq, Eq)]
pub enum BadLine<'a> {
    TooLong { limit: usize },
    NotUtf8,
    ControlCharacter(char),
    NoSuchCommand(&'a str),
    BadRoom,
    NotInARoom,
    CutOff,
}

impl<'a> Command<'a> {
    /// Reads a line, without its end. It may have the carriage return that telnet sends.
    ///
    /// # Errors
    ///
    /// What is wrong with the line; `TooLong`, `NotInARoom` and `CutOff` are not seen here.
    pub fn parse(line: &'a [u8]) -> Result<Self, BadLine<'a>> {
        let text = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| BadLine::NotUtf8)?;
        if let Some(character) = text.chars().find(|character| character.is_control() && *character != '\t') {
            return Err(BadLine::ControlCharacter(character));
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "" if text.is_empty() => Ok(Self::Nothing),
            "/join" if rest.is_empty() || rest.len() > ROOM_NAME => Err(BadLine::BadRoom),
            "/join" => Ok(Self::Join(rest)),
            "/ping" => Ok(Self::Ping(rest)),
            "/quit" => Ok(Self::Quit),
            _ if word.starts_with('/') => Err(BadLine::NoSuchCommand(word)),
            _ => Ok(Self::Say(text)),
        }
    }
}

impl fmt::Display for BadLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "a line may have {limit} bytes; this one is ignored"),
            Self::NotUtf8 => f.write_str("this line is not UTF-8; it is ignored"),
            Self::ControlCharacter(character) => {
                write!(f, "this line has the control character U+{:04X}; it is ignored", u32::from(*character))
            }
            Self::NoSuchCommand(word) => write!(f, "there is no {word}; there are /join ROOM, /ping TEXT and /quit"),
            Self::BadRoom => write!(f, "/join wants the name of a room, of at most {ROOM_NAME} bytes"),
            Self::NotInARoom => f.write_str("nobody hears you; enter a room with /join ROOM"),
            Self::CutOff => f.write_str("the last line has no end; it is ignored"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadLine, Command, ROOM_NAME};

    #[test]
    fn each_line_is_a_command_or_says_what_is_wrong() {
        let long = format!("/join {}", "x".repeat(ROOM_NAME + 1));
        for (line, command) in [
            (&b"hello"[..], Ok(Command::Say("hello"))),
            (b"hello, you\r", Ok(Command::Say("hello, you"))),
            (b" /quit", Ok(Command::Say(" /quit"))),
            (b"a\tb", Ok(Command::Say("a\tb"))),
            (b"", Ok(Command::Nothing)),
            (b"\r", Ok(Command::Nothing)),
            (b"/join a room", Ok(Command::Join("a room"))),
            (b"/join", Err(BadLine::BadRoom)),
            (b"/join ", Err(BadLine::BadRoom)),
            (long.as_bytes(), Err(BadLine::BadRoom)),
            (&long.as_bytes()[..long.len() - 1], Ok(Command::Join(&long[6..long.len() - 1]))),
            (b"/ping", Ok(Command::Ping(""))),
            (b"/ping 1 2", Ok(Command::Ping("1 2"))),
            (b"/quit now", Ok(Command::Quit)),
            (b"/", Err(BadLine::NoSuchCommand("/"))),
            (b"/joins x", Err(BadLine::NoSuchCommand("/joins"))),
            (b"\xff", Err(BadLine::NotUtf8)),
            (b"a\0b", Err(BadLine::ControlCharacter('\0'))),
            (b"a\rb", Err(BadLine::ControlCharacter('\r'))),
            ("\u{85}".as_bytes(), Err(BadLine::ControlCharacter('\u{85}'))),
        ] {
            assert_eq!(Command::parse(line), command, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn no_complaint_is_longer_than_a_line_or_has_two() {
        for bad in [BadLine::TooLong { limit: 9 }, BadLine::NoSuchCommand("/x"), BadLine::ControlCharacter('\n')] {
            assert!(bad.to_string().chars().all(|character| !character.is_control()), "{bad}");
        }
    }
}
