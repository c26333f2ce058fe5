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
        key: frame.is_random_access_point() && has_random_access_slice(codec, frame.data()),
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

/// Whether one of the NAL units is a slice that decoding can start at. An access unit of nothing but SEI or delimiters
/// is one for retina, because no slice in it says otherwise.
fn has_random_access_slice(codec: Codec, mut data: &[u8]) -> bool {
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else { return false };
        let Some((nal, rest)) = rest.split_at_checked(length) else { return false };
        let random_access = nal.first().is_some_and(|header| match codec {
            Codec::H264 => header & 0x1F == 5,
            Codec::H265 => (16..=23).contains(&((header >> 1) & 0x3F)),
        });
        if random_access {
            return true;
        }
        data = rest;
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
    fn only_a_slice_makes_a_key_frame() {
        let (sei, idr, slice): (&[u8], &[u8], &[u8]) = (&[0x06, 5], &[0x65, 1, 2], &[0x41, 1]);
        assert!(has_random_access_slice(Codec::H264, &unit(&[sei, idr])));
        assert!(!has_random_access_slice(Codec::H264, &unit(&[sei])));
        assert!(!has_random_access_slice(Codec::H264, &unit(&[sei, slice])));
        let (delimiter, cra, trail): (&[u8], &[u8], &[u8]) = (&[35 << 1, 1], &[21 << 1, 1], &[1 << 1, 1]);
        assert!(has_random_access_slice(Codec::H265, &unit(&[delimiter, cra])));
        assert!(!has_random_access_slice(Codec::H265, &unit(&[delimiter, trail])));
        assert!(!has_random_access_slice(Codec::H264, &[0, 0, 0, 9, 0x65]), "a torn length");
        assert!(!has_random_access_slice(Codec::H264, &[0, 0]));
    }
}
