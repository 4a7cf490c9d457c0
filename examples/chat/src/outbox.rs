//! What has not been sent yet: whole lines, of which the first may have been sent in part.

use std::io::{self, ErrorKind, Write};

/// Owns no memory while it is empty.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// So many of them have been sent.
    sent: usize,
}

impl Outbox {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends lines, each with its end.
    pub fn push(&mut self, lines: &[u8]) {
        self.bytes.extend_from_slice(lines);
    }

    /// Forgets all that waits, but for the rest of a line that has been sent in part.
    pub fn cut(&mut self) {
        let (sent, waits) = self.bytes.split_at(self.sent);
        let rest = match sent.last() {
            None | Some(b'\n') => 0,
            Some(_) => waits.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1),
        };
        self.bytes = waits[..rest].to_vec();
        self.sent = 0;
    }

    /// Sends what the socket takes. True if nothing is left.
    ///
    /// # Errors
    ///
    /// Those of the socket, but for `WouldBlock`.
    pub fn send(&mut self, socket: &mut impl Write) -> io::Result<bool> {
        while !self.is_empty() {
            match socket.write(&self.bytes[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // Moved at most as often as sent; the last byte sent is kept, because `cut` looks at it.
                    if self.sent > self.bytes.len() / 2 {
                        self.bytes.drain(..self.sent - 1);
                        self.sent = 1;
                    }
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        *self = Self::default();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, Outbox, Write, io};

    /// Takes so many bytes, and then no more.
    struct Takes(usize, Vec<u8>);

    impl Write for Takes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = bytes.len().min(self.0).min(3);
            if length == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.0 -= length;
            self.1.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn wherever_it_is_cut_whole_lines_arrive() {
        let lines = b"one\ntwo\nthree\n";
        for first in 0..=lines.len() {
            let (mut outbox, mut socket) = (Outbox::default(), Takes(first, Vec::new()));
            outbox.push(lines);
            assert_eq!(outbox.send(&mut socket).unwrap(), first == lines.len());
            assert_eq!(outbox.len(), lines.len() - first);
            outbox.cut();
            outbox.push(b"end\n");
            socket.0 = usize::MAX;
            assert!(outbox.send(&mut socket).unwrap());
            let heard = String::from_utf8(socket.1).unwrap();
            let whole = heard.strip_suffix("end\n").unwrap();
            assert!(whole.is_empty() || whole.ends_with('\n'), "{heard:?}");
            assert!(
                lines.starts_with(whole.as_bytes()) && whole.len() >= first && whole.len() < first + 6,
                "{heard:?}"
            );
            assert_eq!(outbox.bytes.capacity(), 0);
        }
    }
}
