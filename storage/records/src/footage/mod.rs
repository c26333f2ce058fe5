//! The footage catalogue: which stream has what in which sealed segment, one row for each stream of a segment.
//!
//! It is derived: the footers of the segments say the same, and losing rows costs a rebuild and no footage. So rows may
//! come later than the segment is sealed, many segments in one transaction.
//!
//! A part is *near* when its hull of time is at most [`NEAR_US`] long: it is found by its start, no earlier than the longest
//! near part of the stream before the time in question. The few that are *far* (a clock that jumped inside of a segment) are
//! looked at whenever the stream is.
//!
//! Invariants: the sums in `footage_streams` are those over its rows of `footage_parts`; every row's key stands in the
//! `footage_keys` of its segment; times lie within ±2^61 µs, so that sums and differences of two cannot overflow.

mod find;
mod insert;
mod keys;
mod remove;
mod segments;
#[cfg(test)]
mod tests;

use sightline_model::{Timestamp, media::StreamKey};

pub use find::{PartPlace, Reader};
pub use segments::Known;

/// The longest hull of a part that is found by its start: 2^35 µs, 9 hours and a half.
pub const NEAR_US: i64 = 1 << 35;
/// Times beyond this (year 75,000) are stored as this.
const TIME_LIMIT_US: i64 = 1 << 61;

/// A node's number in this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeNo(pub(crate) i64);

/// A stream's number in this database; one stream has one for each node that recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamNo(pub i64);

/// First and last instant of something.
pub type Hull = (Timestamp, Timestamp);

/// Where a sealed segment can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Place {
    /// On the node's disk.
    #[default]
    Local,
    /// There and in the tier.
    Both,
    /// In the tier alone.
    Tier,
}

impl Place {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Local => 0,
            Self::Both => 1,
            Self::Tier => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        [Self::Local, Self::Both, Self::Tier].into_iter().find(|place| place.code() == code)
    }
}

/// A sealed segment as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number on its node.
    pub id: u64,
    /// Which of the node's disks it lies on.
    pub disk: u8,
    /// Retention class.
    pub class: u8,
    /// Lane it was written in.
    pub lane: u8,
    /// Where it can be read.
    pub place: Place,
    /// Size of the file.
    pub bytes: u64,
    /// Where in the file the records end and the footer begins.
    pub records_end: u64,
    /// GOPs in it.
    pub gops: u64,
    /// Gap records in it.
    pub gaps: u64,
    /// Streams in it.
    pub streams: u64,
    /// When it was begun.
    pub created: Timestamp,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// From the first to the last footage in it.
    pub footage: Option<Hull>,
    /// Merkle root over its records.
    pub merkle_root: [u8; 32],
}

/// What a segment holds of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    /// GOPs.
    pub gops: u32,
    /// Gap records.
    pub gaps: u32,
    /// Bytes that its GOPs take.
    pub bytes: u64,
    /// From the earliest start to the latest end of GOPs.
    pub footage: Option<Hull>,
    /// The same of gaps.
    pub missing: Option<Hull>,
    /// End of the GOP that was written last.
    pub last_gop_end: Option<Timestamp>,
    /// End of the GOP or gap that was written last.
    pub known_until: Option<Timestamp>,
    /// Where in the segment the stream's index block is.
    pub block_offset: u64,
    /// Its length in bytes.
    pub block_bytes: u32,
    /// Its checksum.
    pub block_crc: u32,
}

impl Part {
    /// First and last instant of footage and gaps together.
    #[must_use]
    pub fn hull(&self) -> Hull {
        let both = self.footage.into_iter().chain(self.missing);
        let hull = both.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let none = self.known_until.unwrap_or(Timestamp(0));
        hull.unwrap_or((none, none))
    }

    /// The same with every time in the range that the database can hold.
    #[must_use]
    pub fn clamped(self) -> Self {
        let hull = |hull: Hull| (clamp(hull.0), clamp(hull.1));
        Self {
            footage: self.footage.map(hull),
            missing: self.missing.map(hull),
            last_gop_end: self.last_gop_end.map(clamp),
            known_until: self.known_until.map(clamp),
            ..self
        }
    }

    /// Whether it covers too much time to be found by its start.
    #[must_use]
    pub fn is_far(&self) -> bool {
        let (from, to) = self.clamped().hull();
        to.0 - from.0 > NEAR_US
    }
}

fn clamp(at: Timestamp) -> Timestamp {
    Timestamp(at.0.clamp(-TIME_LIMIT_US, TIME_LIMIT_US))
}

/// A sealed segment with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The segment.
    pub segment: Segment,
    /// What it holds of each stream; a stream stands there once.
    pub parts: Vec<(StreamKey, Part)>,
}

/// The sums over a stream's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its number.
    pub no: StreamNo,
    /// The stream.
    pub key: StreamKey,
    /// Rows.
    pub parts: u64,
    /// Rows that are far.
    pub far: u64,
    /// GOPs.
    pub gops: u64,
    /// Gap records.
    pub gaps: u64,
    /// Bytes of its GOPs.
    pub bytes: u64,
    /// No row ends later. May be later than the end of the last row.
    pub until: Timestamp,
    /// No near row is longer, in microseconds.
    pub longest_us: i64,
    /// Earliest start of footage.
    pub first: Option<Timestamp>,
    /// End of the last GOP of the newest segment that has GOPs of it.
    pub last_gop_end: Option<Timestamp>,
    /// End of the last GOP or gap in the newest segment.
    pub known_until: Option<Timestamp>,
}

/// The sums over the segments of one retention class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassTotal {
    /// The class.
    pub class: u8,
    /// Segments.
    pub segments: u64,
    /// Bytes of their files, wherever they lie.
    pub bytes: u64,
    /// Bytes of those that take space on the node's disks.
    pub local_bytes: u64,
    /// GOPs in them.
    pub gops: u64,
}
