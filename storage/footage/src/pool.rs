//! Memory for reading: taken, filled from disk, and given back when nobody holds the footage any more. A fresh buffer
//! of half a megabyte costs more than reading into an old one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;

/// Lengths are rounded up to multiples of this, so that buffers of like lengths are interchangeable.
const STEP_BYTES: usize = 64 << 10;
/// Unused memory that is kept.
const KEPT_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
struct Free {
    by_length: BTreeMap<usize, Vec<Vec<u8>>>,
    bytes: usize,
}

/// See the module's words.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<Free>,
}

/// Memory of the pool; `length` bytes of it count.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    home: Weak<Pool>,
}

impl Pool {
    /// A buffer of `length` bytes, whatever they are.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer {
        let rounded = length.next_multiple_of(STEP_BYTES);
        let mut free = self.free.lock();
        let found = free.by_length.get_mut(&rounded).and_then(Vec::pop);
        if found.is_some() {
            free.bytes -= rounded;
        }
        drop(free);
        let bytes = found.unwrap_or_else(|| vec![0; rounded]);
        Buffer { bytes, length, home: Arc::downgrade(self) }
    }

    fn give_back(&self, bytes: Vec<u8>) {
        let mut free = self.free.lock();
        if free.bytes + bytes.len() <= KEPT_BYTES {
            free.bytes += bytes.len();
            free.by_length.entry(bytes.len()).or_default().push(bytes);
        }
    }
}

impl Buffer {
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Shared from now on; the memory goes back when the last part of it is dropped.
    pub(crate) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_part_is_dropped_and_only_so_much_is_kept() {
        let pool = Arc::new(Pool::default());
        let mut buffer = pool.take(100_000);
        buffer.as_mut().fill(7);
        buffer.truncate(90_000);
        let shared = buffer.share();
        let part = shared.slice(10..20);
        drop(shared);
        assert_eq!((part.as_ref(), pool.free.lock().bytes), ([7; 10].as_slice(), 0));
        drop(part);
        assert_eq!(pool.free.lock().bytes, 2 * STEP_BYTES);
        assert_eq!(pool.take(100).as_ref().len(), 100, "another length is another buffer");
        let many: Vec<_> = (0..20).map(|_| pool.take(1 << 20)).collect();
        drop(many);
        assert!(pool.free.lock().bytes <= KEPT_BYTES);
    }
}
