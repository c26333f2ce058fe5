//! What live readers and queries get out of a ring.

use std::sync::Arc;

use sightline_model::{
    Timestamp,
    gap::{Gap, GapReason},
    media::{AccessUnit, Gop, GopStart, Policy},
};

use super::{
    chunk::{Body, Chunk, Piece},
    ring::Ring,
};
use crate::types::LiveItem;

/// Where a live reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// At the newest key frame, as soon as there is one.
    Newest,
    /// Before the item of this number.
    At(u64),
}

/// What the ring knows beyond the index, for queries.
#[derive(Debug, Default)]
pub(crate) struct TailView {
    /// Complete GOPs that the index does not have yet.
    pub(crate) gops: Vec<Piece>,
    /// Gap records that the index does not have yet, and the gap that is open now.
    pub(crate) gaps: Vec<Gap>,
    /// Start and policy of the GOP that is coming in.
    pub(crate) open: Option<(Timestamp, Policy)>,
}

impl Ring {
    /// Number of the first item that is still here.
    fn first_item(&self) -> u64 {
        let open = self.open.as_ref().map_or(self.next_item, |open| open.first_item);
        self.chunks.front().map_or(open, |chunk| chunk.first_item)
    }

    /// The item at which a reader that wants the newest picture begins.
    fn newest(&self) -> Option<u64> {
        if let Some(open) = self.open.as_ref().filter(|open| open.start.part == 0) {
            return Some(open.first_item);
        }
        if self.open.is_none()
            && let Some(Chunk { first_item, body: Body::Absent { .. }, .. }) = self.chunks.back()
        {
            return Some(*first_item);
        }
        self.newest_key.and_then(|no| self.chunk(no)).map(|chunk| chunk.first_item)
    }

    /// The item at `position`, which moves on; `None` when it is yet to come.
    pub(crate) fn pull(&self, position: &mut Position) -> Option<LiveItem> {
        let at = match *position {
            Position::At(at) => at,
            Position::Newest => self.newest()?,
        };
        if at < self.first_item() {
            let resume = self.newest();
            *position = Position::Newest;
            return Some(LiveItem::Lagged { missed: resume.unwrap_or(self.next_item).saturating_sub(at) });
        }
        let item = self.item(at)?;
        *position = Position::At(at + 1);
        Some(item)
    }

    fn item(&self, at: u64) -> Option<LiveItem> {
        if let Some(open) = self.open.as_ref().filter(|open| open.first_item <= at) {
            return nth(&open.start, &open.units, at - open.first_item);
        }
        let after = self.chunks.partition_point(|chunk| chunk.first_item <= at);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        let index = at - chunk.first_item;
        match &chunk.body {
            Body::Gop { start, piece: Piece { gop, .. } } => nth(start, &gop.units, index).or_else(|| {
                (index == gop.units.len() as u64 + 1)
                    .then_some(LiveItem::End { duration_90k: gop.duration_90k })
            }),
            Body::Absent { since, reason } => {
                (index == 0).then_some(LiveItem::Absent { since: *since, reason: *reason })
            }
            Body::Gap(_) => None,
        }
    }

    /// What queries have to add to the index.
    pub(crate) fn view(&self, now: Timestamp) -> TailView {
        let mut view = TailView::default();
        let unreleased = if self.recorded { self.released } else { 0 };
        let skip = usize::try_from(unreleased.saturating_sub(self.first_no)).unwrap_or(usize::MAX);
        for chunk in self.chunks.iter().skip(skip) {
            match &chunk.body {
                Body::Gop { piece, .. } if !piece.gop.units.is_empty() => view.gops.push(piece.clone()),
                Body::Gap(gap) => view.gaps.push(*gap),
                Body::Gop { .. } | Body::Absent { .. } => {}
            }
        }
        view.open = self.open.as_ref().map(|open| (open.start.at, open.start.policy));
        view.gaps.extend(self.tracker.open(now));
        if self.recorded && self.first_no > self.released {
            let first = self.chunks.iter().find_map(Chunk::from).or(view.open.map(|open| open.0));
            let to = first.unwrap_or(now);
            let from = self.released_end.or(self.lost_from);
            let lost = from.filter(|from| *from < to);
            view.gaps.extend(lost.map(|from| Gap { from, to, reason: GapReason::DiskOverload }));
        }
        view
    }

    /// The newest complete GOP that begins with a key frame.
    pub(crate) fn newest_key(&self) -> Option<Arc<Gop>> {
        match &self.chunk(self.newest_key?)?.body {
            Body::Gop { piece, .. } => Some(Arc::clone(&piece.gop)),
            Body::Absent { .. } | Body::Gap(_) => None,
        }
    }

    /// A complete GOP that is still here, wherever the disk stands.
    pub(crate) fn find(&self, found: impl Fn(&GopStart) -> bool) -> Option<Arc<Gop>> {
        self.chunks.iter().rev().find_map(|chunk| match &chunk.body {
            Body::Gop { piece, .. } if found(&piece.gop.start) => Some(Arc::clone(&piece.gop)),
            _ => None,
        })
    }

    /// Bytes held, the open GOP included.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes + self.open.as_ref().map_or(0, |open| open.bytes)
    }
}

/// Item `index` of a GOP, as far as it has come.
fn nth(start: &Arc<GopStart>, units: &[AccessUnit], index: u64) -> Option<LiveItem> {
    match index.checked_sub(1) {
        None => Some(LiveItem::Begin(Arc::clone(start))),
        Some(unit) => units.get(usize::try_from(unit).ok()?).cloned().map(LiveItem::Unit),
    }
}
