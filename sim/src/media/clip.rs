//! The clips that ship with the simulator, and clips of one's own.

use std::sync::{Arc, OnceLock};

use sightline_model::media::Codec;

use super::Reel;
use crate::Error;

/// Frames a second of the clips that ship with the simulator.
const FRAMES_PER_S: u32 = 10;

/// What a simulated camera shows, in a loop.
#[derive(Debug, Clone)]
pub enum Clip {
    /// A street, 768x576, H.264 High, 10 frames/s, 2 s between key frames, 79.5 s.
    StreetH264,
    /// The same, H.265 Main, 30 s.
    StreetH265,
    /// The same, 384x288, H.264 High, 79.5 s: a sub-stream.
    StreetSubH264,
    /// The same, 384x288, H.265 Main, 20 s: a sub-stream.
    StreetSubH265,
    /// A clip of one's own.
    Own(Arc<Reel>),
}

impl Clip {
    /// A clip of one's own, from an Annex B stream with parameter sets before its first key frame.
    ///
    /// # Errors
    /// When the stream has no parameter sets, does not begin with a key frame, or the rate is 0.
    pub fn from_annexb(codec: Codec, frames_per_s: u32, stream: &[u8]) -> Result<Self, Error> {
        Reel::from_annexb(codec, frames_per_s, stream).map(|reel| Self::Own(Arc::new(reel)))
    }

    /// The clip with the same coding and another picture size, when there is one.
    #[must_use]
    pub fn alternate(&self) -> Option<Self> {
        match self {
            Self::StreetH264 => Some(Self::StreetSubH264),
            Self::StreetSubH264 => Some(Self::StreetH264),
            Self::StreetH265 => Some(Self::StreetSubH265),
            Self::StreetSubH265 => Some(Self::StreetH265),
            Self::Own(_) => None,
        }
    }

    /// The clip as packets. Made once per process and shared.
    ///
    /// # Errors
    /// When the embedded clip is damaged.
    pub fn reel(&self) -> Result<Arc<Reel>, Error> {
        static REELS: [OnceLock<Arc<Reel>>; 4] = [const { OnceLock::new() }; 4];
        let [h264, h265, sub_h264, sub_h265] = &REELS;
        let (cell, codec, stream): (_, _, &[u8]) = match self {
            Self::StreetH264 => (h264, Codec::H264, include_bytes!("../../media/street.h264")),
            Self::StreetH265 => (h265, Codec::H265, include_bytes!("../../media/street.h265")),
            Self::StreetSubH264 => (sub_h264, Codec::H264, include_bytes!("../../media/street-sub.h264")),
            Self::StreetSubH265 => (sub_h265, Codec::H265, include_bytes!("../../media/street-sub.h265")),
            Self::Own(reel) => return Ok(reel.clone()),
        };
        if let Some(reel) = cell.get() {
            return Ok(reel.clone());
        }
        let reel = Arc::new(Reel::from_annexb(codec, FRAMES_PER_S, stream)?);
        Ok(cell.get_or_init(|| reel).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_has_the_frames_and_key_frames_that_its_notice_says() {
        for (clip, frames, sets) in [
            (Clip::StreetH264, 795, 2),
            (Clip::StreetSubH264, 795, 2),
            (Clip::StreetH265, 300, 3),
            (Clip::StreetSubH265, 200, 3),
        ] {
            let reel = clip.reel().unwrap();
            assert_eq!(reel.units().len(), frames, "{clip:?}");
            assert_eq!(reel.parameter_sets().len(), sets, "{clip:?}");
            for (number, unit) in reel.units().iter().enumerate() {
                assert_eq!(unit.key(), number % 20 == 0, "{clip:?} frame {number}");
            }
            let other = clip.alternate().unwrap();
            assert_eq!(other.reel().unwrap().codec(), reel.codec());
            assert_ne!(other.reel().unwrap().parameter_sets(), reel.parameter_sets());
        }
    }

    #[test]
    fn a_stream_without_parameter_sets_is_refused() {
        let error = Clip::from_annexb(Codec::H264, 10, &[0, 0, 1, 0x65, 0x88, 0x80]).unwrap_err();
        assert!(error.to_string().contains("parameter sets"), "{error}");
        assert!(Clip::from_annexb(Codec::H264, 0, include_bytes!("../../media/street-sub.h264")).is_err());
    }
}
