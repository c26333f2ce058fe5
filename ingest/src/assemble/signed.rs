//! Video that its camera signs: nothing that a validator needs is left out, and nothing changes place.

use std::time::Duration;

use sightline_model::signature::UUIDS;

use super::*;

const WALL: Timestamp = Timestamp(1_795_000_000_000_000);
const FRAME: u32 = 3_600;

fn framed(nals: &[Vec<u8>]) -> Bytes {
    let mut out = Vec::new();
    for nal in nals {
        out.extend_from_slice(&u32::try_from(nal.len()).unwrap().to_be_bytes());
        out.extend_from_slice(nal);
    }
    Bytes::from(out)
}

/// An SEI unit with a signature that is like no other.
fn signature(codec: Codec, uuid: usize, number: u8) -> Vec<u8> {
    let header: &[u8] = match codec {
        Codec::H264 => &[0x06],
        Codec::H265 if number.is_multiple_of(2) => &[39 << 1, 1],
        Codec::H265 => &[40 << 1, 1],
    };
    [header, &[5, 20], &UUIDS[uuid], &[number, 0xA5, 0xA5, number, 0x80]].concat()
}

fn slice(codec: Codec, key: bool, number: u8) -> Vec<u8> {
    match codec {
        Codec::H264 => vec![if key { 0x65 } else { 0x41 }, number, 7, 7],
        Codec::H265 => vec![if key { 19 << 1 } else { 1 << 1 }, 1, number, 7],
    }
}

/// Feeds units at a frame's distance (`true`: at the time of the one before) and gives what is passed on.
fn assembled(codec: Codec, policy: Policy, units: &[(bool, bool, Bytes)]) -> Vec<AccessUnit> {
    let mut assembler = Assembler::new(PartLimits { length_90k: 8 * 90_000, bytes: 1 << 20 }, policy);
    let rfc6381 = "avc1.64001E".to_owned();
    let decoder_config = Bytes::from_static(b"config");
    assembler.set_params(ParameterSets { codec, width: 640, height: 480, rfc6381, decoder_config });
    let (start, mut frame, mut kept) = (Instant::now(), 0, Vec::new());
    for (same_time, key, data) in units {
        frame += u32::from(!same_time);
        let passed = Duration::from_millis(40) * frame;
        let arrival = Arrival::new(frame * FRAME, start + passed, WALL + passed, *key, false);
        let mut out = |item| {
            if let TailItem::Unit(unit) = item {
                kept.push(unit);
            }
        };
        assembler.push(arrival, || data.clone(), &mut out);
    }
    kept
}

#[test]
fn signatures_of_every_form_stay_byte_exact_and_in_order() {
    for codec in [Codec::H264, Codec::H265] {
        let (sign, slice) = (|n| signature(codec, usize::from(n % 2), n), |key, n| slice(codec, key, n));
        let other = vec![if codec == Codec::H264 { 6 } else { 39 << 1 }, 1, 4, 1, 9, 0x80];
        let units = [
            (false, true, framed(&[sign(0), slice(true, 0), sign(1)])),
            (true, false, framed(&[sign(2)])),
            (false, false, framed(&[slice(false, 1), slice(false, 2)])),
            (false, false, framed(&[other, sign(4), sign(3), slice(false, 3), sign(5)])),
            (true, false, framed(&[sign(6)])),
            (false, true, framed(&[sign(7), slice(true, 4)])),
        ];
        let all: Vec<Bytes> = units.iter().map(|unit| unit.2.clone()).collect();
        let full = assembled(codec, Policy::Full, &units);
        assert_eq!(full.iter().map(|unit| unit.data.clone()).collect::<Vec<_>>(), all);

        let keyframes = assembled(codec, Policy::Keyframes, &units);
        let expected = [
            all[0].clone(),
            all[1].clone(),
            framed(&[sign(4), sign(3), sign(5)]),
            framed(&[sign(6)]),
            all[5].clone(),
        ];
        let kept: Vec<_> = keyframes.iter().map(|unit| unit.data.clone()).collect();
        assert_eq!(kept, expected, "{codec:?}");
        let times: Vec<_> = keyframes.iter().map(|unit| unit.pts_90k).collect();
        assert_eq!(times, [0, 0, 7200, 7200, 0]);
        assert_eq!(keyframes.iter().filter(|unit| unit.key).count(), 2);
    }
}
