//! What questions to the store are answered with.

use std::{cmp::Reverse, sync::Arc};

use sightline_model::{
    TimeRange, Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, GopStart, Policy, RunId, StreamKey, micros_to_ticks},
};

use crate::{
    format::{block::Entry, payload::kept},
    index::Place,
    tail::chunk::Piece,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    /// In a segment: its last record there begins at `offset` and is `bytes` long.
    Segment { place: Place, offset: u64, bytes: u32 },
    /// In the tail ring, not yet in the index.
    Tail,
}

impl Location {
    /// The least is taken when it lies in two places: the disk before the ring, a later segment before an earlier one.
    pub(crate) fn preference(self) -> (bool, Reverse<u64>) {
        match self {
            Self::Segment { place, .. } => (false, Reverse(place.id)),
            Self::Tail => (true, Reverse(0)),
        }
    }
}

/// One GOP, or one part of a very long one, as the index knows it. [`crate::Footage::read`] turns it into media.
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
    /// Whether it belongs together with the part before it.
    pub(crate) joined: bool,
    /// Parts that were put together in it, itself included.
    pub(crate) pieces: u16,
    /// Whether they lie in more than one place.
    pub(crate) spread: bool,
}

impl GopEntry {
    pub(crate) fn on_disk(key: StreamKey, place: Place, entry: &Entry) -> Self {
        Self {
            key,
            start: entry.start,
            end: entry.end(),
            duration_90k: entry.duration_90k,
            run: entry.run,
            number: entry.number,
            part: entry.part,
            policy: entry.policy,
            units: entry.units,
            bytes: u64::from(entry.bytes),
            location: Location::Segment { place, offset: entry.offset, bytes: entry.record_bytes },
            joined: entry.joined,
            pieces: entry.pieces,
            spread: false,
        }
    }

    pub(crate) fn in_tail(key: StreamKey, piece: &Piece) -> Self {
        let gop = &piece.gop;
        let units = kept(gop);
        Self {
            key,
            start: gop.start.at,
            end: gop.end(),
            duration_90k: gop.duration_90k,
            run: gop.start.run,
            number: gop.start.number,
            part: gop.start.part,
            policy: gop.start.policy,
            units: u32::try_from(units.len()).unwrap_or(u32::MAX),
            bytes: units.iter().map(|unit| unit.data.len() as u64).sum(),
            location: Location::Tail,
            joined: piece.joined,
            pieces: 1,
            spread: false,
        }
    }

    /// What tells one GOP of a stream from every other, and orders them: by start, then by run.
    pub(crate) fn identity(&self) -> (Timestamp, RunId, u32, u16) {
        (self.start, self.run, self.number, self.part)
    }

    pub(crate) fn is(&self, start: &GopStart) -> bool {
        self.identity() == (start.at, start.run, start.number, start.part)
    }

    fn goes_on_in(&self, next: &Self) -> bool {
        next.joined && (next.run, next.number) == (self.run, self.number)
    }

    /// The part behind its last.
    fn next_part(&self) -> u32 {
        u32::from(self.part) + u32::from(self.pieces)
    }

    /// Whether all of `next`, which begins no earlier, is in this one: a GOP may stand in the ring and in the index, or
    /// twice on disk after a failed sync.
    pub(crate) fn holds(&self, next: &Self) -> bool {
        let twice = next.identity() == self.identity() && next.pieces <= self.pieces;
        twice || (self.goes_on_in(next) && next.part >= self.part && next.next_part() <= self.next_part())
    }

    /// Takes in `next` if it goes on where this ends.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        // Where the two overlap, what is counted twice is sorted out when it is read.
        let goes_on = self.goes_on_in(next)
            && u32::from(next.part) <= self.next_part()
            && next.next_part() > self.next_part();
        if goes_on {
            self.pieces = u16::try_from(next.next_part() - u32::from(self.part)).unwrap_or(u16::MAX);
            self.spread = true;
            self.end = next.end;
            self.duration_90k = micros_to_ticks(self.end.micros_since(self.start))
                .try_into()
                .unwrap_or(self.duration_90k.saturating_add(next.duration_90k));
            self.units = self.units.saturating_add(next.units);
            self.bytes = self.bytes.saturating_add(next.bytes);
        }
        goes_on
    }

    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// Which way to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards now.
    Forward,
    /// Towards the past.
    Backward,
}

/// What stands in a range, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FootageItem {
    /// Footage.
    Gop(GopEntry),
    /// Missing footage, with the reason.
    Gap(Gap),
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
