//! Media units: what a camera's stream consists of, from the access unit to the GOP.
//!
//! Access units hold NAL units, each behind a 4-byte big-endian length (the form of ISO/IEC 14496-15 samples), with
//! every byte as the camera sent it: signatures in SEI units stay valid.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{CameraId, Timestamp};

/// Ticks a second of RTP video clocks (RFC 6184 section 8.2.1, RFC 7798 section 7.1).
pub const VIDEO_CLOCK_HZ: u32 = 90_000;

/// Video coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// ITU-T H.264 (AVC).
    H264,
    /// ITU-T H.265 (HEVC).
    H265,
}

/// Which of a camera's streams.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Default,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// The full picture.
    #[default]
    Main,
    /// The small picture, pulled only while somebody watches.
    Sub,
}

impl StreamKind {
    /// `main` or `sub`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl FromStr for StreamKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "main" => Ok(Self::Main),
            "sub" => Ok(Self::Sub),
            other => Err(format!("{other:?} is not a stream: use main or sub")),
        }
    }
}

/// One stream of one camera: what a tail, a run and an index are keyed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
}

impl StreamKey {
    /// The main stream of `camera`.
    #[must_use]
    pub fn main(camera: CameraId) -> Self {
        Self { camera, stream: StreamKind::Main }
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.camera, self.stream.as_str())
    }
}

/// What is kept of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Every frame.
    #[default]
    Full,
    /// Only the first frame of each GOP.
    Keyframes,
}

impl Policy {
    /// `full` or `keyframes`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Keyframes => "keyframes",
        }
    }
}

impl FromStr for Policy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Self::Full),
            "keyframes" => Ok(Self::Keyframes),
            other => Err(format!("{other:?} is not a recording policy: use full or keyframes")),
        }
    }
}

/// What a decoder needs before the first frame.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ParameterSets {
    /// The coding.
    pub codec: Codec,
    /// Picture width in pixels.
    pub width: u16,
    /// Picture height in pixels.
    pub height: u16,
    /// Codec string of RFC 6381, as browsers take it (`avc1.64001E`, `hvc1.1.6.L90.90`).
    pub rfc6381: String,
    /// The `AVCDecoderConfigurationRecord` or `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15), as in `avcC`/`hvcC`.
    pub decoder_config: Bytes,
}

impl fmt::Debug for ParameterSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{} ({} bytes)", self.rfc6381, self.width, self.height, self.decoder_config.len())
    }
}

/// An unbroken stretch of one stream with one clock; numbered by the receiver's clock at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// What the camera's own clock said, by RTCP sender reports (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraClock {
    /// Camera clock minus receiver clock at the GOP's first frame, in microseconds.
    pub offset_us: i64,
    /// How far the offset may be wrong, in microseconds.
    pub uncertainty_us: u32,
}

/// One coded picture (RFC 6184's access unit) of a GOP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// Presentation time after the GOP's first access unit, in 1/90,000 s. Negative for leading pictures.
    pub pts_90k: i32,
    /// Whether decoding can start here (IDR, or an H.265 random access picture).
    pub key: bool,
    /// NAL units in decoding order, each behind a 4-byte big-endian length.
    pub data: Bytes,
}

/// What is known when a GOP (or a further part of a long one) begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GopStart {
    /// The run it belongs to.
    pub run: RunId,
    /// Number of the GOP in its run, from 0.
    pub number: u32,
    /// 0 for the part with the key frame; long GOPs are committed in further parts, 1, 2 and so on.
    pub part: u16,
    /// Receiver wall clock of the first access unit of this part: the index key.
    pub at: Timestamp,
    /// The camera's clock, when it has told one.
    pub camera_clock: Option<CameraClock>,
    /// Media clock of the first access unit of this part, unwrapped, in 1/90,000 s.
    pub media_90k: i64,
    /// What is kept of it.
    pub policy: Policy,
    /// What a decoder needs for it.
    pub params: Arc<ParameterSets>,
}

/// A whole GOP or part of one, as it is stored and read back: the unit of commit, index, loss and deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gop {
    /// What was known at its beginning.
    pub start: GopStart,
    /// Length until the next GOP or part begins, in 1/90,000 s.
    pub duration_90k: u32,
    /// The kept access units, in decoding order.
    pub units: Vec<AccessUnit>,
}

impl Gop {
    /// Receiver wall clock at which the GOP ends.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start.at.plus_micros(ticks_to_micros(i64::from(self.duration_90k)))
    }

    /// Bytes of media.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.units.iter().map(|unit| unit.data.len()).sum()
    }
}

/// 1/90,000 s to microseconds, rounded down.
#[must_use]
pub const fn ticks_to_micros(ticks_90k: i64) -> i64 {
    ticks_90k.saturating_mul(100).div_euclid(9)
}

/// Microseconds to 1/90,000 s, rounded down.
#[must_use]
pub const fn micros_to_ticks(micros: i64) -> i64 {
    micros.saturating_mul(9).div_euclid(100)
}
