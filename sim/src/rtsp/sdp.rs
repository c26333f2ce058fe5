//! Session descriptions (RFC 4566) with the parameters of RFC 6184 section 8 and RFC 7798 section 7.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sightline_model::media::{Codec, VIDEO_CLOCK_HZ};

use crate::{media::Reel, rtp::PAYLOAD_TYPE};

/// The control attribute of the only track, relative to the content base.
pub(crate) const TRACK: &str = "trackID=0";

/// Describes a stream that this server at `address` sends.
pub(crate) fn describe(reel: &Reel, address: IpAddr, session: u64) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let any = if address.is_ipv4() { "0.0.0.0" } else { "::" };
    let codec = match reel.codec() {
        Codec::H264 => "H264",
        Codec::H265 => "H265",
    };
    let rate = f64::from(VIDEO_CLOCK_HZ) / f64::from(reel.frame_ticks());
    let lines = [
        "v=0".to_owned(),
        format!("o=- {session} 1 IN {family} {address}"),
        "s=Simulated camera".to_owned(),
        format!("c=IN {family} {any}"),
        "t=0 0".to_owned(),
        "a=control:*".to_owned(),
        "a=range:npt=now-".to_owned(),
        format!("m=video 0 RTP/AVP {PAYLOAD_TYPE}"),
        format!("a=rtpmap:{PAYLOAD_TYPE} {codec}/{VIDEO_CLOCK_HZ}"),
        format!("a=fmtp:{PAYLOAD_TYPE} {}", format_parameters(reel)),
        format!("a=framerate:{rate}"),
        format!("a=control:{TRACK}"),
    ];
    lines.join("\r\n") + "\r\n"
}

fn format_parameters(reel: &Reel) -> String {
    let sets = reel.parameter_sets();
    match reel.codec() {
        Codec::H264 => {
            let profile = sets.first().and_then(|sps| sps.get(1..4)).unwrap_or_default();
            let profile: String = profile.iter().map(|byte| format!("{byte:02X}")).collect();
            let sets: Vec<String> = sets.iter().map(|set| BASE64.encode(set)).collect();
            format!("packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={}", sets.join(","))
        }
        Codec::H265 => {
            let names = ["sprop-vps", "sprop-sps", "sprop-pps"];
            let sets = names.iter().zip(sets).map(|(name, set)| format!("{name}={}", BASE64.encode(set)));
            sets.collect::<Vec<_>>().join(";")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clip;

    #[test]
    fn each_coding_is_described_with_its_parameter_sets() {
        let address = "127.0.0.1".parse().unwrap();
        let h264 = describe(&Clip::StreetH264.reel().unwrap(), address, 5);
        assert!(h264.contains("a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QA"), "{h264}");
        assert!(h264.contains("a=framerate:10\r\n"), "{h264}");
        let h265 = describe(&Clip::StreetH265.reel().unwrap(), address, 5);
        let fields = ["a=rtpmap:96 H265/90000", "sprop-vps=QAE", ";sprop-sps=QgE", ";sprop-pps=RAH"];
        assert!(fields.iter().all(|field| h265.contains(field)), "{h265}");
    }
}
