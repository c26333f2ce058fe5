//! Real footage as GOPs: the clips of the simulated cameras, taken apart.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId},
    tail::TailItem,
};

/// Frames of one GOP of the clips, and their length: 10 frames a second.
pub(crate) const GOP_FRAMES: usize = 20;
pub(crate) const FRAME_90K: u32 = 9000;
pub(crate) const GOP_S: i64 = 2;

/// A clip: its parameters and its frames in decoding order.
pub(crate) struct Clip {
    pub(crate) params: Arc<ParameterSets>,
    frames: Vec<AccessUnit>,
}

impl Clip {
    /// 384x288, H.264.
    pub(crate) fn small() -> Self {
        Self::read("street-sub.h264", 384, 288)
    }

    /// 768x576, H.264.
    pub(crate) fn large() -> Self {
        Self::read("street.h264", 768, 576)
    }

    fn read(name: &str, width: u16, height: u16) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/media").join(name);
        let bytes = std::fs::read(path).unwrap();
        let (mut sps, mut pps, mut frames) = (&[][..], &[][..], Vec::new());
        for nal in nals(&bytes) {
            match nal[0] & 0x1f {
                7 => sps = nal,
                8 => pps = nal,
                kind @ (1 | 5) => {
                    let mut data = u32::try_from(nal.len()).unwrap().to_be_bytes().to_vec();
                    data.extend_from_slice(nal);
                    frames.push(AccessUnit { pts_90k: 0, key: kind == 5, data: Bytes::from(data) });
                }
                _ => {}
            }
        }
        let mut config = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
        config.extend_from_slice(&u16::try_from(sps.len()).unwrap().to_be_bytes());
        config.extend_from_slice(sps);
        config.push(1);
        config.extend_from_slice(&u16::try_from(pps.len()).unwrap().to_be_bytes());
        config.extend_from_slice(pps);
        if sps[1] == 100 {
            config.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]); // 4:2:0, 8 bits
        }
        let params = ParameterSets {
            codec: Codec::H264,
            width,
            height,
            rfc6381: format!("avc1.{:02X}{:02X}{:02X}", sps[1], sps[2], sps[3]),
            decoder_config: config.into(),
        };
        assert_eq!(frames.iter().position(|frame| frame.key), Some(0));
        Self { params: Arc::new(params), frames }
    }

    /// `count` GOPs of one run from `at` on, the `first`th of the clip first.
    pub(crate) fn gops(&self, run: u64, at: Timestamp, first: usize, count: usize) -> Vec<TailItem> {
        let mut items = Vec::new();
        for (gop, number) in (first..first + count).zip(0_u32..) {
            let media_90k = i64::from(number) * i64::from(FRAME_90K) * GOP_FRAMES as i64;
            items.push(TailItem::Begin(GopStart {
                run: RunId(run),
                number,
                part: 0,
                at: at.plus_micros(i64::from(number) * GOP_S * 1_000_000),
                camera_clock: None,
                media_90k,
                policy: Policy::Full,
                params: Arc::clone(&self.params),
            }));
            let frames = &self.frames[gop * GOP_FRAMES..(gop + 1) * GOP_FRAMES];
            for (frame, index) in frames.iter().zip(0..) {
                items.push(TailItem::Unit(AccessUnit { pts_90k: index * FRAME_90K as i32, ..frame.clone() }));
            }
            items.push(TailItem::End { duration_90k: FRAME_90K * GOP_FRAMES as u32 });
        }
        items
    }
}

/// The NAL units between start codes.
fn nals(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<_> =
        bytes.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    starts.push(bytes.len());
    starts
        .windows(2)
        .map(|pair| {
            let nal = &bytes[pair[0] + 3..pair[1]];
            let end = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            &nal[..end]
        })
        .collect()
}
