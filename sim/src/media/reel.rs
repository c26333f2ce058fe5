//! A clip as RTP packets, ready to be copied out: the work of packetising is done once, sending only stamps headers.
//!
//! Each packet lies in the form that RTSP interleaving wants; a UDP sender skips the first four bytes.
//!
//! | bytes | what | stamped when sent |
//! |---|---|---|
//! | 0 | `$` | |
//! | 1 | channel | yes |
//! | 2-3 | length of the rest, big-endian | |
//! | 4-15 | RTP header (RFC 3550 section 5.1) | sequence, timestamp, SSRC |
//! | 16- | payload | |

use std::ops::Range;

use sightline_model::media::{Codec, VIDEO_CLOCK_HZ};

use super::annexb;
use crate::{
    Error,
    rtp::{self, INTERLEAVED_BYTES, RTP_HEADER_BYTES},
};

/// A clip as RTP packets.
pub struct Reel {
    codec: Codec,
    frame_ticks: u32,
    units: Vec<Unit>,
    parameter_sets: Vec<Vec<u8>>,
}

/// One picture as RTP packets.
pub struct Unit {
    key: bool,
    wire: Vec<u8>,
    packets: Vec<Range<usize>>,
}

impl Reel {
    pub(crate) fn from_annexb(codec: Codec, frames_per_s: u32, stream: &[u8]) -> Result<Self, Error> {
        let frame_ticks = VIDEO_CLOCK_HZ
            .checked_div(frames_per_s)
            .filter(|ticks| *ticks > 0)
            .ok_or(Error::Clip { problem: "its frame rate is not between 1 and 90,000" })?;
        let pictures = annexb::pictures(codec, stream);
        let first = pictures.first().filter(|picture| picture.key);
        let first = first.ok_or(Error::Clip { problem: "it does not begin with a key frame" })?;
        let is_set = |nal: &&&[u8]| annexb::is_parameter_set(codec, nal);
        let parameter_sets: Vec<Vec<u8>> = first.nals.iter().filter(is_set).map(|nal| nal.to_vec()).collect();
        if parameter_sets.is_empty() {
            return Err(Error::Clip { problem: "it has no parameter sets before its first key frame" });
        }
        let units = pictures.iter().map(|picture| Unit::new(codec, picture)).collect();
        Ok(Self { codec, frame_ticks, units, parameter_sets })
    }

    /// The coding.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Length of one frame in 1/90,000 s.
    #[must_use]
    pub fn frame_ticks(&self) -> u32 {
        self.frame_ticks
    }

    /// The pictures, in order; never empty.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The picture shown as the `frame`th since the loop began.
    #[must_use]
    pub fn unit(&self, frame: u64) -> Option<&Unit> {
        let index = frame.checked_rem(u64::try_from(self.units.len()).ok()?)?;
        self.units.get(usize::try_from(index).ok()?)
    }

    /// The first parameter sets, in stream order (H.264: SPS, PPS; H.265: VPS, SPS, PPS).
    #[must_use]
    pub fn parameter_sets(&self) -> &[Vec<u8>] {
        &self.parameter_sets
    }
}

impl std::fmt::Debug for Reel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reel({:?}, {} frames of {} ticks)", self.codec, self.units.len(), self.frame_ticks)
    }
}

impl Unit {
    fn new(codec: Codec, picture: &annexb::Picture<'_>) -> Self {
        let payloads = rtp::packetise(codec, &picture.nals, rtp::MAX_PAYLOAD_BYTES);
        let last = payloads.len().saturating_sub(1);
        let mut wire = Vec::with_capacity(payloads.iter().map(|p| p.len() + rtp::OVERHEAD_BYTES).sum());
        let mut packets = Vec::with_capacity(payloads.len());
        for (number, payload) in payloads.iter().enumerate() {
            let start = wire.len();
            rtp::append_packet(&mut wire, payload, number == last);
            packets.push(start..wire.len());
        }
        Self { key: picture.key, wire, packets }
    }

    /// Whether decoding can start here.
    #[must_use]
    pub fn key(&self) -> bool {
        self.key
    }

    /// All packets behind each other.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Where each packet lies in [`Unit::wire`].
    #[must_use]
    pub fn packets(&self) -> &[Range<usize>] {
        &self.packets
    }

    /// Bytes of RTP payload, as sender reports count them.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.wire.len() - self.packets.len() * (INTERLEAVED_BYTES + RTP_HEADER_BYTES)
    }
}
