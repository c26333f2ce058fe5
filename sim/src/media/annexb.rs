//! Annex B byte streams (ITU-T H.264 and H.265, annex B): into NAL units, and those into pictures.

use memchr::memmem;
use sightline_model::media::Codec;

/// The NAL units of one coded picture (an access unit), in stream order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Whether decoding can start here.
    pub key: bool,
    /// Its NAL units, without start codes.
    pub nals: Vec<&'a [u8]>,
}

/// Splits a byte stream into NAL units, without start codes and without the zero bytes around them.
#[must_use]
pub fn nals(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memmem::find_iter(stream, &[0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let units = starts.iter().zip(ends).filter_map(|(start, end)| stream.get(start + 3..end));
    units.map(without_trailing_zeros).filter(|nal| nal.len() >= 2).collect()
}

/// A NAL unit ends in a stop bit, so zero bytes behind it belong to the byte stream (`trailing_zero_8bits`).
fn without_trailing_zeros(nal: &[u8]) -> &[u8] {
    let end = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    nal.get(..end).unwrap_or_default()
}

/// Splits a byte stream into pictures (H.264 section 7.4.1.2.3, H.265 section 7.4.2.4.4).
#[must_use]
pub fn pictures(codec: Codec, stream: &[u8]) -> Vec<Picture<'_>> {
    let mut pictures = Vec::new();
    let mut current = Picture { key: false, nals: Vec::new() };
    let mut has_slice = false;
    for nal in nals(stream) {
        let role = role(codec, nal);
        let begins = matches!(role, Role::Leading | Role::Slice { first: true, .. });
        if begins && has_slice {
            pictures.push(std::mem::replace(&mut current, Picture { key: false, nals: Vec::new() }));
            has_slice = false;
        }
        if let Role::Slice { key, .. } = role {
            has_slice = true;
            current.key |= key;
        }
        current.nals.push(nal);
    }
    if has_slice {
        pictures.push(current);
    }
    pictures
}

/// What a NAL unit means for the borders between pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Can only stand before the first slice of a picture.
    Leading,
    /// A slice; `first` of its picture or a further one.
    Slice { first: bool, key: bool },
    /// Stays with the picture before it.
    Trailing,
}

fn role(codec: Codec, nal: &[u8]) -> Role {
    let byte = |index: usize| nal.get(index).copied().unwrap_or(0);
    match codec {
        Codec::H264 => match h264_type(nal) {
            // first_mb_in_slice is Exp-Golomb coded: zero is a single set bit.
            kind @ 1..=5 => Role::Slice { first: byte(1) & 0x80 != 0, key: kind == 5 },
            6..=9 | 14..=18 => Role::Leading,
            _ => Role::Trailing,
        },
        Codec::H265 => match h265_type(nal) {
            kind @ 0..=31 => Role::Slice { first: byte(2) & 0x80 != 0, key: (16..=23).contains(&kind) },
            32..=35 | 39 | 41..=44 | 48..=55 => Role::Leading,
            _ => Role::Trailing,
        },
    }
}

/// `nal_unit_type` of H.264.
pub(crate) fn h264_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |byte| byte & 0x1F)
}

/// `nal_unit_type` of H.265.
pub(crate) fn h265_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |byte| (byte >> 1) & 0x3F)
}

/// Whether a NAL unit is a parameter set.
pub(crate) fn is_parameter_set(codec: Codec, nal: &[u8]) -> bool {
    match codec {
        Codec::H264 => matches!(h264_type(nal), 7 | 8),
        Codec::H265 => matches!(h265_type(nal), 32..=34),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_start_codes_and_trailing_zeros_are_left_out() {
        let stream = [0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0, 0, 1, 0x65, 0x80, 0x11, 0, 0];
        assert_eq!(nals(&stream), [&[0x67, 0x42][..], &[0x68, 0xCE], &[0x65, 0x80, 0x11]]);
        assert!(nals(&[]).is_empty() && nals(&[0, 0, 1]).is_empty() && nals(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn a_picture_of_two_slices_stays_whole() {
        let slice = |kind: u8, first: bool| vec![0, 0, 1, kind, if first { 0x88 } else { 0x44 }, 0xFF];
        let units =
            [slice(5, true), slice(5, false), vec![0, 0, 1, 6, 5, 0x80], slice(1, true), slice(1, false)];
        let stream = units.concat();
        let pictures = pictures(Codec::H264, &stream);
        let shape: Vec<(bool, usize)> = pictures.iter().map(|p| (p.key, p.nals.len())).collect();
        assert_eq!(shape, [(true, 2), (false, 3)]);
    }

    #[test]
    fn an_access_unit_delimiter_begins_a_picture() {
        let stream = [0, 0, 1, 0x26, 1, 0xAF, 0, 0, 1, 0x46, 1, 0x50, 0, 0, 1, 0x02, 1, 0xD0];
        let pictures = pictures(Codec::H265, &stream);
        let shape: Vec<(bool, usize)> = pictures.iter().map(|p| (p.key, p.nals.len())).collect();
        assert_eq!(shape, [(true, 1), (false, 2)]);
    }
}
