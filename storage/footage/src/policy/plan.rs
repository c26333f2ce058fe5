//! What is to be done, in which order, and why.

use serde::{Deserialize, Serialize};
use sightline_model::{TimeRange, Timestamp, media::StreamKey};

use super::stock::OwnerId;
use crate::crypt::CameraHour;

/// A stretch of footage in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cut {
    /// The stream; `None` for every stream of the segment.
    pub stream: Option<StreamKey>,
    /// GOPs that begin in it are meant.
    pub range: TimeRange,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Take the local copy of a segment away; the tier has it.
    Evict {
        /// The segment.
        segment: u64,
    },
    /// Take a segment away, everywhere.
    Delete {
        /// The segment.
        segment: u64,
    },
    /// Write a segment again, without what goes.
    Rewrite {
        /// The segment.
        segment: u64,
        /// GOPs that go.
        drop: Vec<Cut>,
        /// GOPs of which only the key frame stays.
        thin: Vec<Cut>,
        /// What is held: GOPs that reach into it stay as they are, whatever `drop` and `thin` say.
        keep: Vec<Cut>,
    },
    /// Make a day's footage unreadable in every copy, held camera-hours excepted.
    DestroyKeys {
        /// Days since 1970, UTC.
        day: u32,
        /// Camera-hours whose keys stay.
        keep: Vec<CameraHour>,
    },
    /// Stop recording a class to a disk.
    Shed {
        /// The disk.
        disk: u16,
        /// The class.
        class: u8,
    },
    /// Record a class to a disk again.
    Resume {
        /// The disk.
        disk: u16,
        /// The class.
        class: u8,
    },
    /// Copy a segment to the tier.
    Upload {
        /// The segment.
        segment: u64,
    },
}

impl Action {
    /// Whether footage is lost by it.
    #[must_use]
    pub fn destroys(&self) -> bool {
        matches!(self, Self::Delete { .. } | Self::Rewrite { .. } | Self::DestroyKeys { .. })
    }

    /// What it is called in tables and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Evict { .. } => "evict",
            Self::Delete { .. } => "delete",
            Self::Rewrite { .. } => "rewrite",
            Self::DestroyKeys { .. } => "destroy keys",
            Self::Shed { .. } => "shed",
            Self::Resume { .. } => "resume",
            Self::Upload { .. } => "upload",
        }
    }
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// Older than its class's maximum.
    PastMaximum {
        /// The class.
        class: u8,
    },
    /// The class takes more than its quota.
    ClassQuota {
        /// The class.
        class: u8,
    },
    /// The owner's cameras take more than their quota.
    OwnerQuota {
        /// The owner.
        owner: OwnerId,
    },
    /// Too little is free on the disk.
    DiskFull {
        /// The disk.
        disk: u16,
    },
    /// There is enough free on the disk again.
    DiskFree {
        /// The disk.
        disk: u16,
    },
    /// Old enough to be thinned.
    PastFull {
        /// The class.
        class: u8,
    },
    /// Every class's footage of the day is past its maximum.
    DayOver,
    /// Old enough for the tier.
    TierAge,
}

/// One thing to do, why, and what it gives back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The disk on which it gives space back.
    pub on_disk: Option<u16>,
    /// Bytes that it gives back there; about, where a segment is written again.
    pub frees_bytes: u64,
    /// Bytes of footage that are lost by it.
    pub loses_bytes: u64,
}

/// Why nothing is destroyed although it seems due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum Refusal {
    /// The clock is far ahead of everything known.
    #[error(
        "the clock says {now}, but the last sign of life is of {last}: check the clock; if it is right, record for a \
         while, or raise footage.policies.ahead_max"
    )]
    ClockAhead {
        /// What the clock says.
        now: Timestamp,
        /// The newest footage, or the last time the store was known to be alive.
        last: Timestamp,
    },
    /// The clock is behind most footage.
    #[error(
        "the clock says {now}, but {segments} of {all} segments hold footage from later, up to {newest}: set the clock"
    )]
    ClockBehind {
        /// What the clock says.
        now: Timestamp,
        /// Segments from the future.
        segments: usize,
        /// All segments.
        all: usize,
        /// The latest.
        newest: Timestamp,
    },
    /// The plan goes too far.
    #[error(
        "the plan would destroy {percent}% of all footage ({lost_bytes} bytes), more than {bound_percent}% at once: look \
         at the clock and the classes; if it is meant, set footage.policies.max_step_percent to 100"
    )]
    TooMuch {
        /// What would be destroyed.
        lost_bytes: u64,
        /// The same as a part of what is stored, rounded up.
        percent: u64,
        /// The bound.
        bound_percent: u64,
    },
}

/// What somebody should know of, though nothing is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// Segments of a class that is not configured.
    #[error("{segments} segments have class {class}, which is not configured: they stay until it is")]
    UnknownClass {
        /// The class.
        class: u8,
        /// How many.
        segments: usize,
    },
    /// Segments from the future.
    #[error(
        "{segments} segments hold footage from the future, up to {newest}: they stay until they are old enough"
    )]
    Future {
        /// How many.
        segments: usize,
        /// The latest.
        newest: Timestamp,
    },
    /// A class stays above its quota.
    #[error(
        "class {class} stays {over_bytes} bytes above its quota: what is left is held, too young, or too scattered \
         to be worth a rewrite"
    )]
    ClassOver {
        /// The class.
        class: u8,
        /// By how much.
        over_bytes: u64,
    },
    /// An owner stays above its quota.
    #[error(
        "owner {owner} stays {over_bytes} bytes above its quota: what is left is held, too young, or too scattered \
         to be worth a rewrite"
    )]
    OwnerOver {
        /// The owner.
        owner: OwnerId,
        /// By how much.
        over_bytes: u64,
    },
    /// A disk stays short of free space.
    #[error("disk {disk} stays {short_bytes} bytes short: nothing is left on it that may go")]
    DiskShort {
        /// The disk.
        disk: u16,
        /// By how much.
        short_bytes: u64,
    },
}

/// What is to be done, in order. Made by [`super::choose`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The time it was made for.
    pub at: Timestamp,
    /// Why nothing is destroyed, if that is so.
    pub refusal: Option<Refusal>,
    /// What to do, first things first.
    pub steps: Vec<Step>,
    /// What else there is to know.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes that it gives back on the node's disks.
    #[must_use]
    pub fn frees_bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.frees_bytes).sum()
    }

    /// Bytes of footage that are lost by it.
    #[must_use]
    pub fn loses_bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.loses_bytes).sum()
    }
}
