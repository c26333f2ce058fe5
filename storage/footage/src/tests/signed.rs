//! Video that its camera signs, through the store: ring, open segment, sealed segment, recovered segment.

use bytes::Bytes;
use sightline_model::{
    media::{AccessUnit, Codec, Gop, ParameterSets, Policy},
    signature::UUIDS,
};

use super::read_all;
use crate::{
    disk::sim::SimDisk,
    testkit::{config, gop, key, open, params, push, recorded},
};

fn framed(nals: &[Vec<u8>]) -> Bytes {
    let mut out = Vec::new();
    for nal in nals {
        out.extend_from_slice(&u32::try_from(nal.len()).unwrap().to_be_bytes());
        out.extend_from_slice(nal);
    }
    Bytes::from(out)
}

/// An SEI unit with a signature: prefix or suffix, Axis or ONVIF, with bytes that had to be guarded.
fn signature(codec: Codec, number: u8) -> Vec<u8> {
    let header: &[u8] = match codec {
        Codec::H264 => &[0x06],
        Codec::H265 if number.is_multiple_of(2) => &[39 << 1, 1],
        Codec::H265 => &[40 << 1, 1],
    };
    let uuid = &UUIDS[usize::from(number / 2 % 2)];
    [header, &[5, 22], uuid, &[number, 0xA5, 0, 0, 3, 0, number, 0x80]].concat()
}

fn slice(codec: Codec, key: bool, number: u8) -> Vec<u8> {
    match codec {
        Codec::H264 => vec![if key { 0x65 } else { 0x41 }, number, 7, 7],
        Codec::H265 => vec![if key { 19 << 1 } else { 1 << 1 }, 1, number, 7],
    }
}

/// A GOP with signatures before and behind slices and alone, with the key frame and with later frames.
fn signed_gop(codec: Codec, policy: Policy, number: u32) -> Gop {
    let mut signed = gop(i64::from(number) * 1000, number, 0);
    signed.start.policy = policy;
    signed.start.params =
        ParameterSets { codec, ..ParameterSets::clone(&params(u8::from(codec == Codec::H265))) }.into();
    let (sign, slice) = (|n| signature(codec, n), |key, n| slice(codec, key, n));
    let unit = |pts_90k, key, nals: &[Vec<u8>]| AccessUnit { pts_90k, key, data: framed(nals) };
    signed.units = vec![
        unit(0, true, &[sign(0), slice(true, 0), sign(1)]),
        unit(0, true, &[slice(true, 1)]),
        unit(0, false, &[sign(2)]),
        unit(9000, false, &[slice(false, 2)]),
        unit(18_000, false, &[sign(4), sign(3), slice(false, 3), sign(5)]),
        unit(27_000, false, &[sign(6)]),
    ];
    signed
}

/// The same as it has to be kept when only key frames are.
fn reduced(mut gop: Gop, codec: Codec) -> Gop {
    gop.units.remove(3);
    gop.units[3].data = framed(&[signature(codec, 4), signature(codec, 3), signature(codec, 5)]);
    gop
}

#[tokio::test]
async fn signatures_stay_byte_exact_and_in_order_wherever_the_footage_is() {
    for codec in [Codec::H264, Codec::H265] {
        for policy in [Policy::Full, Policy::Keyframes] {
            let disk = SimDisk::with_seed(3);
            let footage = open(&disk, config());
            let mut writer = recorded(&footage, key("a"));
            let gops: Vec<_> = (0..4).map(|number| signed_gop(codec, policy, number)).collect();
            let expected: Vec<_> = match policy {
                Policy::Full => gops.clone(),
                Policy::Keyframes => gops.iter().cloned().map(|gop| reduced(gop, codec)).collect(),
            };
            gops.iter().for_each(|gop| push(&mut writer, gop));
            assert_eq!(read_all(&footage, key("a")).await, expected, "{codec:?}, {policy:?}: in the ring");
            footage.flush().await.unwrap();
            assert_eq!(
                read_all(&footage, key("a")).await,
                expected,
                "{codec:?}, {policy:?}: in an open segment"
            );
            let recovered = open(&disk.crash(1), config());
            assert_eq!(
                read_all(&recovered, key("a")).await,
                expected,
                "{codec:?}, {policy:?}: after a crash"
            );
            drop(writer);
            footage.shutdown().await.unwrap();
            let sealed = open(&disk, config());
            assert_eq!(
                read_all(&sealed, key("a")).await,
                expected,
                "{codec:?}, {policy:?}: in a sealed segment"
            );
        }
    }
}

#[tokio::test]
async fn a_long_signed_gop_in_parts_keeps_every_signature() {
    let disk = SimDisk::default();
    let config = crate::Config { commit_interval: std::time::Duration::from_millis(100), ..config() };
    for codec in [Codec::H264, Codec::H265] {
        let footage = open(&disk, config.clone());
        let stream = key(if codec == Codec::H264 { "a" } else { "b" });
        let mut writer = recorded(&footage, stream);
        let gop = signed_gop(codec, Policy::Full, 0);
        push(&mut writer, &gop);
        footage.flush().await.unwrap();
        assert_eq!(read_all(&footage, stream).await, [gop]);
        drop(writer);
        footage.shutdown().await.unwrap();
    }
}
