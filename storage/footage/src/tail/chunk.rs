//! What a ring consists of, and what it hands on.

use std::sync::Arc;

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, Gop, GopStart},
};

/// What a chunk holds.
#[derive(Debug)]
pub(super) enum Body {
    Gop { start: Arc<GopStart>, piece: Piece },
    Absent { since: Timestamp, reason: GapReason },
    Gap(Gap),
}

/// A GOP, a told absence, or a gap, and the number of its first item.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) first_item: u64,
    pub(super) bytes: usize,
    pub(super) body: Body,
}

impl Chunk {
    pub(super) fn items(&self) -> u64 {
        match &self.body {
            Body::Gop { piece, .. } => piece.gop.units.len() as u64 + 2,
            Body::Absent { .. } => 1,
            Body::Gap(_) => 0,
        }
    }

    /// The first instant it speaks of.
    pub(super) fn from(&self) -> Option<Timestamp> {
        match &self.body {
            Body::Gop { piece, .. } => Some(piece.gop.start.at),
            Body::Gap(gap) => Some(gap.from),
            Body::Absent { .. } => None,
        }
    }
}

/// The GOP or part that is coming in.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) first_item: u64,
    pub(super) start: Arc<GopStart>,
    pub(super) units: Vec<AccessUnit>,
    pub(super) bytes: usize,
    /// Presentation time, in the source's counting, at which this part begins.
    pub(super) base_90k: i64,
    pub(super) joined: bool,
    /// Length and bytes of the parts that this one is joined to.
    pub(super) before_90k: i64,
    pub(super) before_bytes: usize,
}

/// A GOP or part.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) gop: Arc<Gop>,
    /// Whether it belongs together with the part before.
    pub(crate) joined: bool,
}

/// What the disk has to write.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Gop(Piece),
    Gap(Gap),
}

impl Work {
    /// Where it ends.
    pub(crate) fn end(&self) -> Timestamp {
        match self {
            Self::Gop(piece) => piece.gop.end(),
            Self::Gap(gap) => gap.to,
        }
    }
}

/// What a push did that others have to know.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Bytes of GOPs that became complete, for streams that are recorded.
    pub(crate) ready_bytes: usize,
    /// GOPs that became complete, for streams that are recorded.
    pub(crate) completed: u64,
    /// GOPs that fell off the ring before the disk could take them.
    pub(crate) dropped: u64,
    /// Whether the stream has to be put on the disk writer's list.
    pub(crate) enlist: bool,
}
