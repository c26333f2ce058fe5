//! Memory that a batch of records is made in: aligned to pages, and used again and again.

/// Pages of memory and of disks.
const PAGE: usize = 4096;

/// Bytes that begin at a page in memory.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Where in `bytes` the first page begins.
    start: usize,
}

impl Buffer {
    /// Empties it, and makes room for `capacity` bytes, so that none of them moves.
    pub(crate) fn reset(&mut self, capacity: usize) {
        self.bytes.clear();
        self.bytes.reserve(capacity.next_multiple_of(PAGE) + 2 * PAGE);
        self.start = self.bytes.as_ptr().align_offset(PAGE).min(PAGE);
        self.bytes.resize(self.start, 0);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// The vector behind it, for encoders that append.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// What stands from `at` on.
    pub(crate) fn behind_mut(&mut self, at: usize) -> &mut [u8] {
        self.bytes.get_mut(self.start + at..).unwrap_or_default()
    }

    pub(crate) fn behind(&self, at: usize) -> &[u8] {
        self.bytes().get(at..).unwrap_or_default()
    }

    /// Pads with zeros to a multiple of `to`.
    pub(crate) fn pad(&mut self, to: usize) {
        let length = self.len().next_multiple_of(to);
        self.bytes.resize(self.start + length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_a_page_and_stays_there_while_it_fills() {
        let mut buffer = Buffer::default();
        for capacity in [1, 4096, 100_000, 10] {
            buffer.reset(capacity);
            assert_eq!(buffer.len(), 0);
            let end = buffer.start + capacity;
            buffer.out().resize(end, 7);
            buffer.pad(PAGE);
            assert_eq!(buffer.bytes().as_ptr().addr() % PAGE, 0);
            assert_eq!(buffer.len() % PAGE, 0);
            assert_eq!(buffer.bytes()[..capacity], vec![7; capacity]);
        }
    }
}
