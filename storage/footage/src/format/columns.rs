//! A column of numbers that are alike: each as its distance from the column's middle, in Rice codes of the best width.

use super::{
    bits::{BitReader, BitWriter},
    cursor::{Cursor, put_varint},
};

/// Widest plain part of a code.
const MAX_K: u32 = 48;

/// How a column is written: its middle and the parameter of its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    middle: i64,
    k: u32,
}

impl Shape {
    /// The shape that suits `values`.
    pub(crate) fn of(values: &[i64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        // The median distance, so that one jump does not widen every code; for Rice codes k = log2 of it is near the best.
        let mut distances: Vec<u64> = values.iter().map(|value| fold(value.wrapping_sub(middle))).collect();
        distances.sort_unstable();
        let typical = distances.get(distances.len() / 2).copied().unwrap_or(0);
        let guess = 64 - typical.leading_zeros();
        let cost = |k: u32| distances.iter().map(|value| (value >> k).min(84) + u64::from(k)).sum::<u64>();
        let candidates = guess.saturating_sub(2)..=(guess + 1).min(MAX_K);
        Self { middle, k: candidates.min_by_key(|k| cost(*k)).unwrap_or(guess.min(MAX_K)) }
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        super::cursor::put_zigzag(out, self.middle);
        put_varint(out, u64::from(self.k));
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let middle = cursor.zigzag()?;
        let k = cursor.varint_u32().filter(|k| *k <= MAX_K)?;
        Some(Self { middle, k })
    }

    pub(crate) fn put(self, out: &mut BitWriter, value: i64) {
        out.put_rice(fold(value.wrapping_sub(self.middle)), self.k);
    }

    pub(crate) fn get(self, bits: &mut BitReader<'_>) -> Option<i64> {
        Some(unfold(bits.get_rice(self.k)?).wrapping_add(self.middle))
    }
}

/// Small magnitudes to small numbers.
fn fold(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_column_reads_back(values in proptest::collection::vec(any::<i64>(), 0..50), small in proptest::collection::vec(-9i64..9, 0..50)) {
            for values in [values, small] {
                let shape = Shape::of(&values);
                let mut head = Vec::new();
                shape.encode(&mut head);
                prop_assert_eq!(Shape::decode(&mut Cursor::new(&head)), Some(shape));
                let mut out = BitWriter::default();
                values.iter().for_each(|value| shape.put(&mut out, *value));
                let bytes = out.finish();
                let mut bits = BitReader::new(&bytes);
                for value in &values {
                    prop_assert_eq!(shape.get(&mut bits), Some(*value));
                }
            }
        }
    }

    #[test]
    fn alike_numbers_take_about_the_bits_of_their_spread() {
        let values: Vec<i64> = (0..100).map(|n| 500_000 + (n * 7919) % 4096).collect();
        let shape = Shape::of(&values);
        let mut out = BitWriter::default();
        values.iter().for_each(|value| shape.put(&mut out, *value));
        assert!(out.finish().len() < 100 * 14 / 8, "12 bits of spread");
    }
}
