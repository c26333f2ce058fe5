//! What there is: the picture that plans are made from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use sightline_model::{CameraId, RegionId, TimeRange, Timestamp, media::StreamKey};

use crate::crypt::CameraHour;

const HOUR_US: i64 = 3_600_000_000;

/// Whose quota a camera's footage counts against: a region of the registry. What it means is the caller's business.
pub type OwnerId = RegionId;

/// Where a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On a disk of this node.
    Local,
    /// On a disk, and verified in the tier.
    Both,
    /// In the tier alone.
    Tier,
}

impl Place {
    /// Whether a disk of this node has a copy.
    #[must_use]
    pub fn is_local(self) -> bool {
        matches!(self, Self::Local | Self::Both)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Local => "local",
            Self::Both => "both",
            Self::Tier => "tier",
        })
    }
}

/// Footage of a segment that stays or goes as one.
///
/// Which is as fine as it has to be: where a hold reaches into a stream's part of a segment, one stretch a GOP, so that
/// exactly what is held stays; otherwise one a stream; and one for all streams together where neither a hold nor the
/// quota of an owner asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The stream; `None` for all streams of the segment that have no stretch of their own.
    pub key: Option<StreamKey>,
    /// Start of its first GOP.
    pub from: Timestamp,
    /// Latest end of its GOPs.
    pub to: Timestamp,
    /// What it takes in the segment.
    pub bytes: u64,
    /// About what it would take with key frames alone. The same as `bytes` when nothing of it is `full`.
    pub thin_bytes: u64,
    /// Whether any of it is kept with every frame.
    pub full: bool,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentStock {
    /// Its number.
    pub id: u64,
    /// The disk it lies or lay on.
    pub disk: u16,
    /// Its retention class.
    pub class: u8,
    /// Whether it is complete. What is not is left alone.
    pub sealed: bool,
    /// Its size, at least that of all its stretches.
    pub bytes: u64,
    /// Where it is.
    pub place: Place,
    /// From the first to the last thing in it, gaps included; its age is that of the end.
    pub range: TimeRange,
    /// What is in it.
    pub stretches: Vec<Stretch>,
}

/// One disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskStock {
    /// Its number on the node.
    pub id: u16,
    /// Its size.
    pub total_bytes: u64,
    /// What is free now.
    pub free_bytes: u64,
    /// What must stay free: below it, footage goes before its maximum, and recording is given up class by class.
    pub keep_free_bytes: u64,
    /// Below it nothing at all is written.
    pub stop_bytes: u64,
    /// Classes that are recorded to it, or would be if they were not given up.
    pub recorded: BTreeSet<u8>,
    /// Classes that are given up now.
    pub shed: BTreeSet<u8>,
}

/// A day whose data keys there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDay {
    /// Days since 1970, UTC.
    pub day: u32,
    /// The camera-hours that still have a key.
    pub hours: BTreeSet<CameraHour>,
}

impl KeyDay {
    /// From when to when the day lasts.
    #[must_use]
    pub fn range(&self) -> TimeRange {
        let from = Timestamp(i64::from(self.day) * 24 * HOUR_US);
        TimeRange { from, to: from.plus_micros(24 * HOUR_US) }
    }
}

/// Everything that plans are made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// All segments of the node.
    pub segments: Vec<SegmentStock>,
    /// Its disks. A disk that is missing is left out, and what lies on it stays.
    pub disks: Vec<DiskStock>,
    /// Whose quota each camera counts against; cameras without an owner have no quota.
    pub owners: BTreeMap<CameraId, OwnerId>,
    /// Days that have keys. Days that are not old enough to end may be left out.
    pub keys: Vec<KeyDay>,
    /// When the store was last known to be alive by a clock that was trusted, footage apart.
    pub seen: Option<Timestamp>,
}
