//! Is it video at all? A look at lengths and NAL unit types before a decoder sees the bytes.

use sightline_model::media::Codec;

/// Bytes of the length in front of each NAL unit.
const LENGTH_BYTES: usize = 4;

/// What is wrong with a key frame or its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("the decoder configuration is no configuration record ({0} bytes)")]
    Config(usize),
    #[error(
        "the decoder configuration announces lengths of {0} bytes in front of NAL units, they have {LENGTH_BYTES}"
    )]
    LengthSize(u8),
    #[error("the NAL unit at byte {at} would be {length} bytes long, {left} are left")]
    Length { at: usize, length: usize, left: usize },
    #[error("there is no picture slice in it")]
    NoSlice,
}

/// Walks the NAL units of `unit`.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(codec: Codec, config: &[u8], unit: &[u8]) -> Result<(), Wrong> {
    // Least length, and place of lengthSizeMinusOne: ISO/IEC 14496-15 sections 5.3.3.1.2 and 8.3.3.1.2.
    let (least, at) = match codec {
        Codec::H264 => (7, 4),
        Codec::H265 => (23, 21),
    };
    match config.get(at) {
        Some(byte) if config.len() >= least && config.first() == Some(&1) => {
            let size = (byte & 3) + 1;
            if usize::from(size) != LENGTH_BYTES {
                return Err(Wrong::LengthSize(size));
            }
        }
        _ => return Err(Wrong::Config(config.len())),
    }
    let (mut rest, mut slices) = (unit, 0);
    while !rest.is_empty() {
        let at = unit.len() - rest.len();
        let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(Wrong::Length {
            at,
            length: LENGTH_BYTES,
            left: rest.len(),
        })?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let too_long = Wrong::Length { at, length, left: after.len() };
        let (nal, after) = after.split_at_checked(length).ok_or(too_long)?;
        slices += usize::from(nal.first().is_some_and(|head| is_slice(codec, *head)));
        rest = after;
    }
    if slices == 0 { Err(Wrong::NoSlice) } else { Ok(()) }
}

/// Coded slices: types 1 to 5 of H.264 (table 7-1), 0 to 31 of H.265 (table 7-1).
fn is_slice(codec: Codec, head: u8) -> bool {
    match codec {
        Codec::H264 => (1..=5).contains(&(head & 0x1f)),
        Codec::H265 => (head >> 1) & 0x3f < 32,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const AVCC: [u8; 7] = [1, 100, 0, 30, 0xff, 0xe0, 0];

    #[test]
    fn whole_units_pass_and_torn_ones_are_named() {
        let check = |unit: &[u8]| check(Codec::H264, &AVCC, unit);
        assert_eq!(check(&[0, 0, 0, 2, 6, 1, 0, 0, 0, 2, 0x65, 0x88]), Ok(()));
        assert_eq!(check(&[0, 0, 0, 2, 6, 1]), Err(Wrong::NoSlice));
        assert_eq!(check(&[]), Err(Wrong::NoSlice));
        assert_eq!(check(&[0, 0, 0, 9, 0x65]), Err(Wrong::Length { at: 0, length: 9, left: 1 }));
        assert_eq!(check(&[0, 0, 0, 1, 0x65, 0, 0]), Err(Wrong::Length { at: 5, length: 4, left: 2 }));
    }

    #[test]
    fn configurations_must_be_records_with_long_lengths() {
        let unit = [0, 0, 0, 1, 0x65];
        assert_eq!(check(Codec::H264, &[], &unit), Err(Wrong::Config(0)));
        assert_eq!(check(Codec::H265, &AVCC, &unit), Err(Wrong::Config(7)));
        assert_eq!(check(Codec::H264, &[1, 100, 0, 30, 0xfc, 0xe0, 0], &unit), Err(Wrong::LengthSize(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(config in vec(any::<u8>(), 0..40), unit in vec(any::<u8>(), 0..80)) {
            let _ = (check(Codec::H264, &config, &unit), check(Codec::H265, &config, &unit));
        }
    }
}
