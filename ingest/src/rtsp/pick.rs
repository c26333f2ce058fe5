//! Which of the streams that a camera describes is pulled.

use retina::client::Stream;
use sightline_model::{gap::GapReason, media::Codec};

use crate::Failure;

/// The first video stream in a codec that is understood. Audio, metadata and further video are not set up.
pub(super) fn video(streams: &[Stream]) -> Result<(usize, Codec), Failure> {
    choose(streams.iter().map(|stream| (stream.media(), stream.encoding_name())))
}

fn choose<'a>(offers: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(usize, Codec), Failure> {
    let mut others = Vec::new();
    for (index, (media, encoding)) in offers.enumerate() {
        match (media, encoding) {
            ("video", "h264") => return Ok((index, Codec::H264)),
            ("video", "h265") => return Ok((index, Codec::H265)),
            _ => others.push(format!("{media}/{encoding}")),
        }
    }
    let offered = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
    Err(Failure::new(
        GapReason::BadStream,
        format!("the camera offers {offered}, and H.264 or H.265 is needed"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_metadata_and_foreign_codecs_are_passed_over() {
        let camera = [
            ("application", "vnd.onvif.metadata"),
            ("audio", "mpeg4-generic"),
            ("video", "jpeg"),
            ("video", "h265"),
            ("video", "h264"),
        ];
        assert_eq!(choose(camera.into_iter()), Ok((3, Codec::H265)));
        let failure = choose(camera.into_iter().take(3)).unwrap_err();
        assert_eq!(failure.reason, GapReason::BadStream);
        assert!(
            failure.detail.contains("video/jpeg") && failure.detail.contains("H.264 or H.265"),
            "{failure}"
        );
        assert!(choose([].into_iter()).unwrap_err().detail.contains("offers nothing"));
    }
}
