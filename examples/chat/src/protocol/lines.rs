//! Cuts what arrives into lines. A line may arrive in any pieces; one that is too long is skipped, and never kept.

use std::mem;

/// The line that has arrived in part. Empty, it owns no memory.
#[derive(Debug, Default)]
pub struct Lines {
    part: Vec<u8>,
    /// The line was too long: its rest is skipped.
    skipping: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Without its end.
    Whole(&'a [u8]),
    /// Said as soon as the limit is passed, once.
    TooLong,
}

impl Lines {
    /// Takes what has arrived, and calls `each` with every line that it ends. A line has at most `limit` bytes.
    pub fn take(&mut self, mut bytes: &[u8], limit: usize, mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = bytes.split_at(end);
            bytes = &tail[1..];
            if mem::take(&mut self.skipping) {
                continue;
            }
            if self.part.len() + head.len() > limit {
                self.part = Vec::new();
                each(Line::TooLong);
            } else if self.part.is_empty() {
                each(Line::Whole(head));
            } else {
                self.part.extend_from_slice(head);
                each(Line::Whole(&mem::take(&mut self.part)));
            }
        }
        if self.skipping {
            return;
        }
        if self.part.len() + bytes.len() > limit {
            *self = Self { part: Vec::new(), skipping: true };
            each(Line::TooLong);
        } else {
            self.part.extend_from_slice(bytes);
        }
    }

    /// Whether there is a part of a line that has not ended.
    pub fn is_cut_off(&self) -> bool {
        !self.part.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    fn taken<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> (Vec<Option<Vec<u8>>>, bool) {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.take(piece, limit, |line| {
                found.push(match line {
                    Line::Whole(line) => Some(line.to_vec()),
                    Line::TooLong => None,
                });
            });
            assert!(lines.part.len() <= limit, "no more is kept than a line may have");
        }
        (found, lines.is_cut_off())
    }

    /// Every text of ten bytes, x or newline, in every way of cutting it into pieces that a mask can name.
    #[test]
    fn lines_are_the_same_in_whatever_pieces_they_arrive() {
        const LIMIT: usize = 3;
        const BYTES: usize = 8;
        for text in 0..1_u32 << BYTES {
            let bytes: Vec<u8> = (0..BYTES).map(|place| if text >> place & 1 == 0 { b'x' } else { b'\n' }).collect();
            let mut expected: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
            let part = expected.pop().unwrap();
            let fits = |line: &&[u8]| line.len() <= LIMIT;
            let mut lines: Vec<_> = expected.iter().map(|line| Some(line.to_vec()).filter(|_| fits(line))).collect();
            if !fits(&part) {
                lines.push(None);
            }
            let is_cut_off = !part.is_empty() && fits(&part);
            for cuts in 0..1_u32 << (BYTES - 1) {
                let mut pieces: Vec<&[u8]> = Vec::new();
                let mut start = 0;
                for end in 1..=BYTES {
                    if end == BYTES || cuts >> (end - 1) & 1 == 1 {
                        pieces.push(&bytes[start..end]);
                        start = end;
                    }
                }
                assert_eq!(taken(pieces, LIMIT), (lines.clone(), is_cut_off), "{text:b} {cuts:b}");
            }
        }
    }

    #[test]
    fn a_line_that_never_ends_is_not_kept() {
        let (found, is_cut_off) = taken((0..1000).map(|_| &[b'x'; 1000][..]), 4096);
        assert_eq!((found, is_cut_off), (vec![None], false));
    }
}
