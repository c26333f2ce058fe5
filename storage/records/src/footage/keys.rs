//! The compact list of the keys that a segment's rows have in `footage_parts`.
//!
//! Rows are ordered by stream; each is the stream's number against the one before with the far bit below (varint), and the
//! start against the one before (zigzag varint).

/// The key of a row, its segment aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) stream: i64,
    pub(super) far: bool,
    pub(super) start: i64,
}

/// The list as it is stored.
pub(super) fn encode(keys: &mut [RowKey]) -> Vec<u8> {
    keys.sort_unstable();
    let mut out = Vec::with_capacity(keys.len() * 6);
    let (mut stream, mut start) = (0, 0);
    for key in keys {
        put_varint(&mut out, (key.stream.wrapping_sub(stream).cast_unsigned() << 1) | u64::from(key.far));
        let step = key.start.wrapping_sub(start);
        put_varint(&mut out, ((step << 1) ^ (step >> 63)).cast_unsigned());
        (stream, start) = (key.stream, key.start);
    }
    out
}

/// Reads the list back; `None` when the bytes are none.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<RowKey>> {
    let mut keys = Vec::with_capacity(bytes.len() / 4);
    let (mut stream, mut start) = (0i64, 0i64);
    while !bytes.is_empty() {
        let step = take_varint(&mut bytes)?;
        stream = stream.wrapping_add((step >> 1).cast_signed());
        let moved = take_varint(&mut bytes)?;
        start = start.wrapping_add((moved >> 1).cast_signed() ^ -(moved & 1).cast_signed());
        keys.push(RowKey { stream, far: step & 1 == 1, start });
    }
    Some(keys)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_read_back_and_any_bytes_are_a_list_or_refused(
            keys in proptest::collection::vec((0i64..1 << 40, any::<bool>(), -(1i64 << 61)..1 << 61), 0..40),
            noise in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut keys: Vec<_> =
                keys.into_iter().map(|(stream, far, start)| RowKey { stream, far, start }).collect();
            let bytes = encode(&mut keys);
            prop_assert_eq!(decode(&bytes), Some(keys));
            let _ = decode(&noise);
        }
    }

    #[test]
    fn neighbours_take_six_bytes() {
        let key = |number: i64| RowKey {
            stream: number,
            far: false,
            start: 1_795_000_000_000_000 + number * 700_000,
        };
        let bytes = encode(&mut (1..=1000).map(key).collect::<Vec<_>>());
        assert!(bytes.len() <= 6 * 1000, "{}", bytes.len());
    }
}
