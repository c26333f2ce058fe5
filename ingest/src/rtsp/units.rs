//! retina's frames, parameters and sender reports to ours.

use std::time::SystemTime;

use bytes::Bytes;
use retina::{
    client::Demuxed,
    codec::{ParametersRef, VideoFrame, VideoParameters},
    rtcp::ReceivedCompoundPacket,
};
use sightline_model::{
    Timestamp,
    media::{Codec, ParameterSets},
};

use crate::{Intake, Unit};

/// What a decoder needs for the video stream at `index`, if it is known by now.
pub(super) fn params(frames: &Demuxed, index: usize, codec: Codec) -> Option<ParameterSets> {
    match frames.streams().get(index)?.parameters()? {
        ParametersRef::Video(video) => convert(video, codec),
        _ => None,
    }
}

fn convert(video: &VideoParameters, codec: Codec) -> Option<ParameterSets> {
    let (width, height) = video.pixel_dimensions();
    Some(ParameterSets {
        codec,
        width: u16::try_from(width).ok()?,
        height: u16::try_from(height).ok()?,
        rfc6381: video.rfc6381_codec().to_owned(),
        decoder_config: Bytes::copy_from_slice(video.extra_data()),
    })
}

/// Passes a frame on. retina has read both clocks when the first packet came in, so none is read here.
pub(super) fn pass(frame: VideoFrame, codec: Codec, intake: &mut Intake) {
    let unit = Unit {
        rtp: rtp_bits(frame.timestamp().timestamp()),
        received: frame.start_ctx().received(),
        wall: Timestamp::from_system(SystemTime::from(frame.start_ctx().received_wall())),
        // Not retina's word for it: it takes an H.265 CRA picture for an ordinary one, and cameras with open GOPs send
        // nothing else after the first IDR.
        key: starts_decoding(codec, frame.data()),
        lost: u32::from(frame.loss()),
    };
    // A vector of exact capacity: taking it over copies nothing.
    intake.unit(unit, || Bytes::from(frame.into_data()));
}

/// Passes the NTP and RTP times of a sender report on.
pub(super) fn sender_report(packet: &ReceivedCompoundPacket, intake: &mut Intake) {
    let received = packet.ctx().received();
    let wall = Timestamp::from_system(SystemTime::from(packet.ctx().received_wall()));
    for part in packet.pkts() {
        if let Ok(Some(report)) = part.as_sender_report() {
            intake.sender_report(report.ntp_timestamp().0, report.rtp_timestamp(), received, wall);
        }
    }
}

/// The 32 bits that the camera sent.
fn rtp_bits(timestamp: i64) -> u32 {
    u32::try_from(timestamp & i64::from(u32::MAX)).unwrap_or_default()
}

/// Whether decoding can start at an access unit: its first slice says so. retina has a flag for this too, but in
/// 0.4.21 CRA and BLA pictures (H.265) do not set it, and an access unit of nothing but SEI does.
fn starts_decoding(codec: Codec, mut data: &[u8]) -> bool {
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else { return false };
        let Some((nal, rest)) = rest.split_at_checked(length) else { return false };
        let header = nal.first().copied().unwrap_or_default();
        match (codec, header & 0x1F, (header >> 1) & 0x3F) {
            // Slices: 5 is of an IDR picture (ITU-T H.264 table 7-1).
            (Codec::H264, kind @ 1..=5, _) => return kind == 5,
            // Slices: 16 to 21 are of BLA, IDR and CRA pictures (ITU-T H.265 table 7-1).
            (Codec::H265, _, kind @ 0..=31) => return (16..=21).contains(&kind),
            _ => data = rest,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter()
            .flat_map(|nal| {
                let length = u32::try_from(nal.len()).unwrap().to_be_bytes();
                length.into_iter().chain(nal.iter().copied())
            })
            .collect()
    }

    #[test]
    fn the_first_slice_makes_the_key_frame() {
        let (sei, idr, slice): (&[u8], &[u8], &[u8]) = (&[0x06, 5], &[0x65, 1, 2], &[0x41, 1]);
        assert!(starts_decoding(Codec::H264, &unit(&[sei, idr])));
        assert!(!starts_decoding(Codec::H264, &unit(&[sei])));
        assert!(!starts_decoding(Codec::H264, &unit(&[sei, slice])));
        let (delimiter, cra, trail): (&[u8], &[u8], &[u8]) = (&[35 << 1, 1], &[21 << 1, 1], &[1 << 1, 1]);
        assert!(starts_decoding(Codec::H265, &unit(&[delimiter, cra])));
        assert!(!starts_decoding(Codec::H265, &unit(&[delimiter, trail])));
        for kind in 16..=21 {
            assert!(starts_decoding(Codec::H265, &unit(&[&[kind << 1, 1]])), "{kind}");
        }
        assert!(!starts_decoding(Codec::H264, &[0, 0, 0, 9, 0x65]), "a torn length");
        assert!(!starts_decoding(Codec::H264, &[0, 0]));
    }
}
