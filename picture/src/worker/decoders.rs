//! Which decoder: hardware where the registry has it, libav's otherwise and as its understudy.
//!
//! Two software decoders of the registry are never taken: `openh264dec` gives nothing for a key frame with B-frames in
//! its parameters, `libde265dec` takes twice as long as libav (both seen with GStreamer 1.22).

use std::fmt;

use gstreamer::{self as gst, prelude::*};
use sightline_model::media::Codec;

use super::{
    decoder::{Decoder, NoPicture},
    say,
};
use crate::wire::Failure;

/// A candidate is dropped after this many key frames in a row that another one could decode and it could not.
const PATIENCE: u32 = 3;

/// Why there is no decoded picture.
#[derive(Debug)]
pub(super) enum NotDecoded {
    Failed(Failure),
    /// The named decoder does not come to an end.
    Hung(String),
}

/// One element that could decode.
struct Candidate {
    factory: String,
    built: Option<Decoder>,
    outdone: u32,
}

/// The candidates of each coding, best first.
pub(super) struct Decoders {
    h264: Vec<Candidate>,
    h265: Vec<Candidate>,
}

impl Decoders {
    /// What GStreamer's registry has.
    pub(super) fn of_this_machine() -> Self {
        Self::named(&factories(Codec::H264), &factories(Codec::H265))
    }

    fn named(h264: &[String], h265: &[String]) -> Self {
        let candidates = |names: &[String]| {
            let candidate =
                |factory: &String| Candidate { factory: factory.clone(), built: None, outdone: 0 };
            names.iter().map(candidate).collect()
        };
        Self { h264: candidates(h264), h265: candidates(h265) }
    }

    /// The first picture that a candidate makes of the key frame.
    pub(super) fn decode(
        &mut self,
        codec: Codec,
        config: &[u8],
        unit: &[u8],
    ) -> Result<gst::Sample, NotDecoded> {
        let candidates = match codec {
            Codec::H264 => &mut self.h264,
            Codec::H265 => &mut self.h265,
        };
        let mut failure = Failure::NoDecoder(codec);
        let mut tried = 0;
        let mut picture = None;
        for candidate in candidates.iter_mut() {
            match candidate.decode(codec, config, unit) {
                Ok(sample) => {
                    candidate.outdone = 0;
                    picture = Some(sample);
                    break;
                }
                Err(NoPicture::TooLarge(side)) => return Err(NotDecoded::Failed(Failure::TooLarge(side))),
                Err(NoPicture::Hung) => return Err(NotDecoded::Hung(candidate.factory.clone())),
                Err(NoPicture::Undecodable(reason) | NoPicture::Broken(reason)) => {
                    failure = Failure::Undecodable(reason);
                    tried += 1;
                }
            }
        }
        let picture = picture.ok_or(NotDecoded::Failed(failure))?;
        drop_outdone(candidates, tried);
        Ok(picture)
    }
}

/// The first `tried` candidates were outdone by the next one.
fn drop_outdone(candidates: &mut Vec<Candidate>, tried: usize) {
    if tried == 0 {
        return;
    }
    for candidate in candidates.iter_mut().take(tried) {
        candidate.outdone += 1;
        if candidate.outdone == PATIENCE {
            say(&format!("{} fails where others decode; it is not used any more", candidate.factory));
        }
    }
    candidates.retain(|candidate| candidate.outdone < PATIENCE);
}

impl Candidate {
    fn decode(&mut self, codec: Codec, config: &[u8], unit: &[u8]) -> Result<gst::Sample, NoPicture> {
        let decoder = match self.built.take() {
            Some(decoder) => decoder,
            None => Decoder::new(codec, &self.factory)
                .map_err(|error| NoPicture::Broken(format!("{} cannot be used: {error}", self.factory)))?,
        };
        let outcome = decoder.decode(config, unit);
        match outcome {
            Ok(_) => self.built = Some(decoder),
            // Dropping it would wait for it: the process is about to end.
            Err(NoPicture::Hung) => std::mem::forget(decoder),
            // A pipeline that failed is not used again: its source keeps the caps that were never sent.
            Err(_) => {}
        }
        outcome
    }
}

impl fmt::Display for Decoders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |candidates: &[Candidate]| {
            let names: Vec<_> = candidates.iter().map(|candidate| candidate.factory.as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(",") }
        };
        write!(f, "h264:{} h265:{}", names(&self.h264), names(&self.h265))
    }
}

/// Hardware decoders by rank, then libav's.
fn factories(codec: Codec) -> Vec<String> {
    let (kind, software) = match codec {
        Codec::H264 => ("video/x-h264", "avdec_h264"),
        Codec::H265 => ("video/x-h265", "avdec_h265"),
    };
    let coded = gst::Caps::new_empty_simple(kind);
    let mut hardware: Vec<_> = gst::ElementFactory::factories_with_type(
        gst::ElementFactoryType::DECODER | gst::ElementFactoryType::MEDIA_VIDEO,
        gst::Rank::MARGINAL,
    )
    .into_iter()
    .filter(|factory| factory.klass().contains("Hardware") && factory.can_sink_any_caps(&coded))
    .collect();
    hardware.sort_by_key(|factory| std::cmp::Reverse(factory.rank()));
    let software = gst::ElementFactory::find(software).map(|_| software.to_owned());
    hardware.into_iter().map(|factory| factory.name().to_string()).chain(software).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn fixture(file: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file)).unwrap()
    }

    /// `identity` stands for hardware that takes the bytes and gives no picture.
    #[test]
    fn the_understudy_steps_in_and_a_failing_star_is_dropped() {
        gst::init().unwrap();
        let (config, unit) = (fixture("bframes-h264.config"), fixture("bframes-h264.unit"));
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut decoders = Decoders::named(&names(&["identity", "no-such-element", "avdec_h264"]), &[]);
        for _ in 0..PATIENCE {
            assert_eq!(decoders.to_string(), "h264:identity,no-such-element,avdec_h264 h265:none");
            decoders.decode(Codec::H264, &config, &unit).unwrap();
        }
        assert_eq!(decoders.to_string(), "h264:avdec_h264 h265:none");
        decoders.decode(Codec::H264, &config, &unit).unwrap();
        let without = decoders.decode(Codec::H265, &config, &unit).unwrap_err();
        assert!(matches!(without, NotDecoded::Failed(Failure::NoDecoder(Codec::H265))), "{without:?}");
    }

    #[test]
    fn a_key_frame_that_nobody_decodes_drops_nobody() {
        gst::init().unwrap();
        let config = fixture("bframes-h264.config");
        let mut decoders = Decoders::of_this_machine();
        let before = decoders.to_string();
        for _ in 0..2 * PATIENCE {
            let error = decoders.decode(Codec::H264, &config, &[0, 0, 0, 2, 0x65, 0x88]).unwrap_err();
            assert!(matches!(error, NotDecoded::Failed(Failure::Undecodable(_))), "{error:?}");
        }
        assert_eq!(decoders.to_string(), before);
        decoders.decode(Codec::H264, &config, &fixture("bframes-h264.unit")).unwrap();
    }
}
