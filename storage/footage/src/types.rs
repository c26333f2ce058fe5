//! What questions to the store are answered with.

use sightline_model::{
    TimeRange, Timestamp,
    gap::Gap,
    media::{Policy, RunId, StreamKey},
};

use std::sync::Arc;

use sightline_model::{
    gap::GapReason,
    media::{AccessUnit, GopStart},
};

/// What of a stream is kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Every GOP goes to disk.
    Recorded,
    /// Only the ring: for streams that are pulled while somebody watches.
    LiveOnly,
}

/// One step of a stream, as a live reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveItem {
    /// A GOP, or a further part of a long one, begins.
    Begin(Arc<GopStart>),
    /// The next access unit of it.
    Unit(AccessUnit),
    /// It is complete.
    End {
        /// Length until the next GOP or part begins, in 1/90,000 s.
        duration_90k: u32,
    },
    /// From here on there is no footage, until the next `Begin`.
    Absent {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: GapReason,
    },
    /// The reader was too slow and lost items. It goes on at a key frame: the next item is the `Begin` of a part 0 (or
    /// `Absent`, when the stream has stopped).
    Lagged {
        /// Items lost.
        missed: u64,
    },
}

/// Where a GOP lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Location {
    /// In the tail ring, not yet in the index.
    Tail,
    /// In a segment.
    Segment { id: u64, offset: u64 },
}

/// One GOP, or one part of a long one, as the index knows it. [`crate::Footage::read`] turns it into media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GopEntry {
    /// The stream.
    pub key: StreamKey,
    /// Receiver wall clock of the first access unit.
    pub start: Timestamp,
    /// Receiver wall clock at which it ends.
    pub end: Timestamp,
    /// Its length in 1/90,000 s.
    pub duration_90k: u32,
    /// The run it belongs to.
    pub run: RunId,
    /// Number of the GOP in its run.
    pub number: u32,
    /// 0 for the part with the key frame.
    pub part: u16,
    /// What was kept of it.
    pub policy: Policy,
    /// Access units kept.
    pub units: u32,
    /// Bytes of media kept.
    pub bytes: u64,
    pub(crate) location: Location,
}

/// A stretch of unbroken footage kept in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From when to when.
    pub range: TimeRange,
    /// What was kept.
    pub policy: Policy,
}

/// What there is of a stream in a range: `spans` and `gaps`, each in time order, tile it from the first footage to now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// Footage.
    pub spans: Vec<Span>,
    /// Missing footage, with the reason.
    pub gaps: Vec<Gap>,
}

/// How far each stage has come, in GOPs (parts counted) of recorded streams since the store was opened.
/// `indexed <= synced <= appended <= tail_end`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// Findable by queries on disk.
    pub indexed: u64,
    /// Safe against a crash.
    pub synced: u64,
    /// Handed to the operating system.
    pub appended: u64,
    /// Complete in the tails. The distance to `appended` is what a full disk would cost.
    pub tail_end: u64,
}
