//! A FIFO queue in chunks: no operation copies what waits, and the room of a burst is given back as it is taken.

use std::collections::{LinkedList, VecDeque};

/// Values in a chunk. The last chunk grows up to this, so a short queue is small.
const CHUNK: usize = 64;

/// The queue. Each operation takes constant time, and at most one allocation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChunkedQueue<T> {
    /// All but the last are full or partly taken. None is empty, unless it is the only one.
    chunks: LinkedList<VecDeque<T>>,
    len: usize,
}

impl<T> ChunkedQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: LinkedList::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push_back(&mut self, value: T) {
        self.len += 1;
        match self.chunks.back_mut() {
            Some(last) if last.len() < CHUNK => last.push_back(value),
            Some(_) | None => self.chunks.push_back(VecDeque::from([value])),
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let first = self.chunks.front_mut()?;
        let value = first.pop_front()?;
        self.len -= 1;
        if first.is_empty() && self.len > 0 {
            self.chunks.pop_front();
        }
        Some(value)
    }

    /// The first value of a queue that exists only while something waits. If there is none, nothing is left of it.
    pub(crate) fn pop_or_close(queue: &mut Option<Self>) -> Option<T> {
        let first = queue.as_mut()?.pop_front();
        if first.is_none() {
            *queue = None;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, ChunkedQueue};

    // Checks: P93, B64
    #[test]
    fn values_come_out_in_their_order_whatever_is_taken_in_between() {
        let mut queue = ChunkedQueue::new();
        let (mut put, mut taken) = (0, 0);
        for round in 0..200_usize {
            for _ in 0..round % 97 {
                queue.push_back(put);
                put += 1;
            }
            for _ in 0..round % 89 {
                let value = queue.pop_front();
                assert_eq!(value, (taken < put).then_some(taken));
                taken += usize::from(value.is_some());
            }
            assert_eq!(queue.len(), put - taken);
            assert!(queue.chunks.len() <= queue.len() / CHUNK + 2);
            assert!(queue.chunks.iter().all(|chunk| chunk.len() <= CHUNK), "a chunk grows no further");
            assert_eq!(queue.chunks.is_empty(), put == 0, "the last chunk is kept for what comes next");
        }
    }

    // Checks: P93, B64
    #[test]
    fn a_queue_is_closed_by_the_look_that_finds_nothing_in_it() {
        let mut queue = Some(ChunkedQueue::new());
        queue.as_mut().unwrap().push_back(1);
        assert_eq!((ChunkedQueue::pop_or_close(&mut queue), queue.is_some()), (Some(1), true));
        assert_eq!((ChunkedQueue::pop_or_close(&mut queue), queue.is_some()), (None, false));
        assert_eq!(ChunkedQueue::<u8>::pop_or_close(&mut None), None);
    }
}
