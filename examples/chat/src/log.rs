//! The log: what has not been written yet. At most one job writes at a time, so that lines stay in their order; what
//! comes meanwhile is the next batch.

use std::fmt::{self, Write};
use std::fs::File;
use std::mem;
use std::sync::Arc;

/// Nothing is read from clients while so many bytes wait for the disk.
const LIMIT: usize = 16 << 20;

#[derive(Debug, Default)]
pub struct Log {
    file: Option<Arc<File>>,
    unwritten: String,
    is_writing: bool,
}

/// What a thread has to write.
pub struct Batch {
    pub file: Arc<File>,
    pub lines: String,
}

impl Log {
    /// Without a file, no log is kept.
    pub fn new(file: Option<File>) -> Self {
        Self { file: file.map(Arc::new), ..Self::default() }
    }

    pub fn add(&mut self, line: impl fmt::Display) {
        if self.file.is_some() {
            writeln!(self.unwritten, "{line}").expect("a string takes all");
        }
    }

    /// The next batch, unless one is being written.
    pub fn take_batch(&mut self) -> Option<Batch> {
        let file = self.file.as_ref().filter(|_| !self.is_writing && !self.unwritten.is_empty())?;
        self.is_writing = true;
        Some(Batch { file: Arc::clone(file), lines: mem::take(&mut self.unwritten) })
    }

    /// The batch has been written.
    pub fn written(&mut self) {
        self.is_writing = false;
    }

    /// It cannot be written: it takes nothing more.
    pub fn fail(&mut self) {
        *self = Self::default();
    }

    pub fn is_full(&self) -> bool {
        self.unwritten.len() > LIMIT
    }

    pub fn is_written(&self) -> bool {
        !self.is_writing && self.unwritten.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Log};

    #[test]
    fn one_batch_is_written_at_a_time_and_holds_all_since_the_last() {
        let mut log = Log::new(Some(tempfile::tempfile().unwrap()));
        assert!(log.is_written() && log.take_batch().is_none());
        log.add(1);
        assert_eq!(log.take_batch().unwrap().lines, "1\n");
        log.add(2);
        log.add("x".repeat(LIMIT));
        assert!(log.take_batch().is_none() && !log.is_written() && log.is_full());
        log.written();
        assert!(log.take_batch().unwrap().lines.starts_with("2\nx"));
        assert!(!log.is_written() && !log.is_full());
        log.written();
        assert!(log.is_written());
    }

    #[test]
    fn without_a_file_nothing_is_kept() {
        let mut log = Log::default();
        log.add("line");
        assert!(log.is_written() && log.take_batch().is_none());
    }
}
