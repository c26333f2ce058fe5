//! NAL units that sign the video: SEI units that a camera puts into its stream so that anybody can prove it unaltered.
//!
//! Known are signatures that stand in a user_data_unregistered message (payload type 5 of ITU-T H.264 D.1.7 and H.265 D.2.7)
//! with one of [`UUIDS`]. They may stand in any access unit: a camera signs a GOP when it has the time to, and sends the
//! result with whichever frame comes next. Validators go by the order of NAL units.

use std::ops::Range;

use crate::media::Codec;

/// What the message of a signature begins with.
pub const UUIDS: [[u8; 16]; 2] = [
    // Axis: `Signed Video...0`, `kUuidSignedVideo` of the signed-video-framework.
    *b"Signed Video...0",
    // ONVIF Media Signing Specification: `kUuidMediaSigning` of the media-signing-framework.
    [0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f],
];

/// Payload type of user_data_unregistered.
const UNREGISTERED: u64 = 5;
/// Bytes of the length in front of each NAL unit.
const PREFIX_BYTES: usize = 4;

/// Where in an access unit the NAL units lie that sign the video, each with its length in front: put one behind the other,
/// they are an access unit again. A torn access unit ends the search.
pub fn signatures(codec: Codec, unit: &[u8]) -> impl Iterator<Item = Range<usize>> {
    nal_units(unit).filter(move |nal| {
        let bytes = nal.start + PREFIX_BYTES..nal.end;
        unit.get(bytes).is_some_and(|nal| signs(codec, nal))
    })
}

/// Where the NAL units of an access unit lie, each with its length in front.
fn nal_units(unit: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (length, rest) = unit.get(at..)?.split_first_chunk::<PREFIX_BYTES>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let end = rest.get(..length).map(|_| at + PREFIX_BYTES + length)?;
        Some(std::mem::replace(&mut at, end)..end)
    })
}

/// Whether a NAL unit (header first, without a length) is an SEI unit that signs the video.
fn signs(codec: Codec, nal: &[u8]) -> bool {
    let header = nal.first().copied().unwrap_or_default();
    let (is_sei, header_bytes) = match codec {
        // ITU-T H.264 table 7-1: 6 is SEI.
        Codec::H264 => (header & 0x1F == 6, 1),
        // ITU-T H.265 table 7-1: 39 and 40 are prefix and suffix SEI.
        Codec::H265 => (matches!((header >> 1) & 0x3F, 39 | 40), 2),
    };
    is_sei && nal.get(header_bytes..).is_some_and(|rest| messages_sign(&mut Rbsp::new(rest)).is_some())
}

/// Goes over the messages of an SEI unit; `Some` at the first that signs, `None` when there is none or it is torn.
fn messages_sign(bytes: &mut Rbsp<'_>) -> Option<()> {
    loop {
        let kind = ff_coded(bytes)?;
        let mut left = ff_coded(bytes)?;
        if kind == UNREGISTERED && left >= 16 {
            let mut uuid = [0; 16];
            for byte in &mut uuid {
                *byte = bytes.next()?;
            }
            if UUIDS.contains(&uuid) {
                return Some(());
            }
            left -= 16;
        }
        for _ in 0..left {
            bytes.next()?;
        }
    }
}

/// A number coded as bytes of 255 and one that is smaller, all added up (ITU-T H.264 7.3.2.3.1).
fn ff_coded(bytes: &mut Rbsp<'_>) -> Option<u64> {
    let mut sum = 0;
    loop {
        let byte = bytes.next()?;
        sum += u64::from(byte);
        if byte != 0xFF {
            return Some(sum);
        }
    }
}

/// The bytes of a NAL unit without those that only prevent a start code (ITU-T H.264 7.4.1).
struct Rbsp<'a> {
    rest: std::slice::Iter<'a, u8>,
    zeros: u32,
}

impl<'a> Rbsp<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.iter(), zeros: 0 }
    }
}

impl Iterator for Rbsp<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let mut byte = *self.rest.next()?;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.rest.next()?;
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An SEI message.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![kind];
        let mut left = body.len();
        while left >= 255 {
            out.push(255);
            left -= 255;
        }
        out.push(u8::try_from(left).unwrap());
        out.extend_from_slice(body);
        out
    }

    fn signature(uuid: usize, bytes: usize) -> Vec<u8> {
        let mut body = UUIDS[uuid].to_vec();
        body.resize(16 + bytes, 0xA5);
        message(5, &body)
    }

    fn nal(header: &[u8], messages: &[Vec<u8>]) -> Vec<u8> {
        [header.to_vec(), messages.concat(), vec![0x80]].concat()
    }

    fn unit(nals: &[Vec<u8>]) -> Vec<u8> {
        let framed = |nal: &Vec<u8>| [&u32::try_from(nal.len()).unwrap().to_be_bytes()[..], nal].concat();
        nals.iter().flat_map(framed).collect()
    }

    #[test]
    fn signatures_are_found_among_other_units_and_messages() {
        let other = message(5, b"x264 - core 164, not a signature");
        for uuid in 0..UUIDS.len() {
            for bytes in [0, 3, 238, 239, 240, 1000] {
                let signed = signature(uuid, bytes);
                let h264 = |messages: &[Vec<u8>]| nal(&[0x06], messages);
                for messages in
                    [vec![signed.clone()], vec![message(4, b"text"), other.clone(), signed.clone()]]
                {
                    let nals = [
                        vec![0x67, 1],
                        h264(&messages),
                        vec![0x65, 9, 9],
                        h264(std::slice::from_ref(&other)),
                    ];
                    let unit = unit(&nals);
                    let found: Vec<_> = signatures(Codec::H264, &unit).collect();
                    assert_eq!(found.len(), 1, "{bytes}");
                    assert_eq!(unit[found[0].start + 4..found[0].end], nals[1]);
                }
                for header in [39 << 1, 40 << 1] {
                    let sei = nal(&[header, 1], std::slice::from_ref(&signed));
                    let unit = unit(&[vec![1 << 1, 1, 7], sei.clone(), sei]);
                    assert_eq!(signatures(Codec::H265, &unit).count(), 2);
                    assert_eq!(signatures(Codec::H264, &unit).count(), 0);
                }
            }
        }
    }

    #[test]
    fn a_start_code_that_was_prevented_hides_nothing() {
        let mut body = message(5, &[UUIDS[1].to_vec(), vec![0; 4]].concat());
        body.splice(0..0, message(4, &[0, 0, 3, 1])); // 0 0 1 with its guard is four bytes and counts as three
        body[1] = 3;
        let sei = nal(&[0x06], &[body]);
        assert!(signs(Codec::H264, &sei), "{sei:?}");
    }

    #[test]
    fn torn_bytes_hold_no_signature_and_do_no_harm() {
        let whole = unit(&[nal(&[0x06], &[signature(0, 20)])]);
        assert_eq!(signatures(Codec::H264, &whole).count(), 1);
        for cut in 0..whole.len() {
            assert_eq!(signatures(Codec::H264, &whole[..cut]).count(), 0, "{cut}");
        }
        assert_eq!(signatures(Codec::H265, &[0xFF; 40]).count(), 0);
        assert!(!signs(Codec::H264, &[0x06, 0xFF, 0xFF]));
    }
}
