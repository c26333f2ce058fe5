//! The receiving side of both payload formats, written from the RFCs and only for tests: what was cut must come back.

use proptest::prelude::*;
use sightline_model::media::Codec;

use super::packetise;

/// Puts payloads of one access unit back together. Panics on what a receiver would refuse.
fn depacketise(codec: Codec, payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut nals = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let header_bytes = if codec == Codec::H264 { 1 } else { 2 };
    for payload in payloads {
        let kind = if codec == Codec::H264 { payload[0] & 0x1F } else { (payload[0] >> 1) & 0x3F };
        let is_fragment = matches!((codec, kind), (Codec::H264, 28) | (Codec::H265, 49));
        assert!(is_fragment || open.is_none(), "a fragmented unit is left open");
        match (codec, kind) {
            (Codec::H264, 24) | (Codec::H265, 48) => {
                let mut rest = &payload[header_bytes..];
                let mut count = 0;
                while !rest.is_empty() {
                    let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                    nals.push(rest[2..2 + length].to_vec());
                    rest = &rest[2 + length..];
                    count += 1;
                }
                assert!(count >= 2, "an aggregation packet holds at least two units");
            }
            _ if is_fragment => {
                let fu = payload[header_bytes];
                assert_ne!(fu & 0xC0, 0xC0, "start and end in one fragment");
                if fu & 0x80 != 0 {
                    assert!(open.is_none());
                    open = Some(match codec {
                        Codec::H264 => vec![(payload[0] & 0xE0) | (fu & 0x1F)],
                        Codec::H265 => vec![(payload[0] & 0x81) | ((fu & 0x3F) << 1), payload[1]],
                    });
                }
                open.as_mut().unwrap().extend_from_slice(&payload[header_bytes + 1..]);
                if fu & 0x40 != 0 {
                    nals.push(open.take().unwrap());
                }
            }
            _ => nals.push(payload.clone()),
        }
    }
    assert!(open.is_none(), "the last fragment is missing");
    nals
}

fn nal(codec: Codec) -> impl Strategy<Value = Vec<u8>> {
    let header = match codec {
        Codec::H264 => (1_u8..=23, 0_u8..4).prop_map(|(kind, nri)| vec![kind | (nri << 5)]).boxed(),
        Codec::H265 => (0_u8..=47, 1_u8..8).prop_map(|(kind, tid)| vec![kind << 1, tid]).boxed(),
    };
    let length = prop_oneof![1_usize..40, 60_usize..140, 1_usize..5000];
    (header, length, any::<u8>()).prop_map(|(mut nal, length, seed)| {
        nal.extend((0..length).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)));
        nal
    })
}

fn check(codec: Codec, nals: &[Vec<u8>], max_bytes: usize) -> Result<(), TestCaseError> {
    let parts: Vec<&[u8]> = nals.iter().map(Vec::as_slice).collect();
    let payloads = packetise(codec, &parts, max_bytes);
    prop_assert!(payloads.iter().all(|payload| !payload.is_empty() && payload.len() <= max_bytes));
    prop_assert_eq!(depacketise(codec, &payloads), nals);
    Ok(())
}

proptest! {
    #[test]
    fn h264_comes_back_whole(
        nals in prop::collection::vec(nal(Codec::H264), 1..12), max_bytes in 100_usize..1500,
    ) {
        check(Codec::H264, &nals, max_bytes)?;
    }

    #[test]
    fn h265_comes_back_whole(
        nals in prop::collection::vec(nal(Codec::H265), 1..12), max_bytes in 100_usize..1500,
    ) {
        check(Codec::H265, &nals, max_bytes)?;
    }
}

#[test]
fn every_picture_of_every_clip_comes_back_whole() {
    let clips: [(Codec, &[u8]); 4] = [
        (Codec::H264, include_bytes!("../../media/street.h264")),
        (Codec::H264, include_bytes!("../../media/street-sub.h264")),
        (Codec::H265, include_bytes!("../../media/street.h265")),
        (Codec::H265, include_bytes!("../../media/street-sub.h265")),
    ];
    for (codec, stream) in clips {
        for picture in crate::media::pictures(codec, stream) {
            let payloads = packetise(codec, &picture.nals, super::MAX_PAYLOAD_BYTES);
            assert_eq!(depacketise(codec, &payloads), picture.nals);
        }
    }
}
