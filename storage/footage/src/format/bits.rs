//! Numbers in as few bits as they need: a bit stream, and Rice codes on it (R. F. Rice, JPL 79-22).
//!
//! A Rice code with parameter `k` takes a number's low `k` bits as they are and the rest in unary: about `log2(scale) + 1.5`
//! bits for numbers that are spread around a scale, and never more than [`MAX_UNARY`] + 64.

use super::cursor::Cursor;

/// Longest unary part; what would be longer stands in full behind it.
const MAX_UNARY: u32 = 20;

/// Appends bits to bytes, lowest bit first.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet; fewer than 8 between calls.
    pending: u128,
    count: u32,
}

impl BitWriter {
    /// The low `count` bits (at most 64) of `value`.
    pub(crate) fn put(&mut self, value: u64, count: u32) {
        let kept = if count >= 64 { value } else { value & ((1 << count) - 1) };
        self.pending |= u128::from(kept) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    pub(crate) fn put_rice(&mut self, value: u64, k: u32) {
        let high = value >> k;
        if high < u64::from(MAX_UNARY) {
            let high = u32::try_from(high).unwrap_or(MAX_UNARY);
            self.put((1 << high) - 1, high + 1);
            self.put(value, k);
        } else {
            self.put((1 << MAX_UNARY) - 1, MAX_UNARY);
            self.put(value, 64);
        }
    }

    /// The bytes, the last one padded with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.bytes
    }
}

/// Reads bits back; every read answers `None` when too few are left.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    rest: Cursor<'a>,
    pending: u128,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: Cursor::new(bytes), pending: 0, count: 0 }
    }

    /// Bits that are left, padding included.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.remaining().saturating_mul(8).saturating_add(usize::try_from(self.count).unwrap_or(0))
    }

    fn fill(&mut self, count: u32) -> Option<()> {
        while self.count < count {
            if let Some(word) = (self.count <= 64).then(|| self.rest.u64()).flatten() {
                self.pending |= u128::from(word) << self.count;
                self.count += 64;
            } else {
                self.pending |= u128::from(self.rest.u8()?) << self.count;
                self.count += 8;
            }
        }
        Some(())
    }

    /// The next `count` bits, at most 64.
    pub(crate) fn get(&mut self, count: u32) -> Option<u64> {
        self.fill(count)?;
        let low = u64::try_from(self.pending & u128::from(u64::MAX)).ok()?;
        self.pending >>= count;
        self.count -= count;
        Some(if count >= 64 { low } else { low & ((1 << count) - 1) })
    }

    pub(crate) fn get_rice(&mut self, k: u32) -> Option<u64> {
        let mut high = 0;
        while high < MAX_UNARY && self.get(1)? == 1 {
            high += 1;
        }
        if high == MAX_UNARY {
            return self.get(64);
        }
        let low = self.get(k)?;
        u64::from(high).checked_shl(k).map(|high| high | low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_and_codes_read_back(values in proptest::collection::vec((any::<u64>(), 0u32..64, 0u32..40), 0..60)) {
            let mut out = BitWriter::default();
            for (value, shift, k) in &values {
                out.put(value >> shift, 64 - shift);
                out.put_rice(value >> shift, *k);
            }
            let bytes = out.finish();
            let mut bits = BitReader::new(&bytes);
            for (value, shift, k) in &values {
                prop_assert_eq!(bits.get(64 - shift), Some(value >> shift));
                prop_assert_eq!(bits.get_rice(*k), Some(value >> shift));
            }
            prop_assert!(bits.remaining() < 8);
        }
    }
}
