//! GOPs as policies see them: whole, whatever the pieces they were written in.

use std::collections::HashMap;

use sightline_model::{
    Timestamp,
    media::{Policy, RunId},
};

use crate::format::{
    block::Entry,
    payload::UNIT_ROW_BYTES,
    record::{RECORD_HEADER_BYTES, TAG_BYTES},
};

/// The last GOP of a stream in a segment may go on in the next one: so long it is taken to last at least.
pub(crate) const REACH_US: i64 = 60_000_000;
/// What part of a GOP its key frame is, for estimates: a quarter, where a tenth is usual.
const KEY_SHARE: u64 = 4;

/// What tells a GOP of a stream from the others.
pub(crate) type GopName = (RunId, u32);

/// A GOP, all its parts in one segment together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WholeGop {
    pub(crate) name: GopName,
    pub(crate) from: Timestamp,
    /// Its end, with reserve when it may go on in another segment.
    pub(crate) to: Timestamp,
    /// What it takes in the segment.
    pub(crate) bytes: u64,
    /// About what it would take with its key frame alone.
    pub(crate) thin_bytes: u64,
    /// Whether frames would go if it was thinned.
    pub(crate) full: bool,
}

/// Puts the entries of a stream's block together.
pub(crate) fn whole_gops(entries: &[Entry]) -> Vec<WholeGop> {
    let mut places: HashMap<GopName, usize> = HashMap::new();
    let mut gops: Vec<WholeGop> = Vec::new();
    for entry in entries {
        let one = WholeGop::of(entry);
        let at = *places.entry(one.name).or_insert(gops.len());
        match gops.get_mut(at) {
            Some(gop) => gop.add(&one),
            None => gops.push(one),
        }
    }
    if let Some(last) = gops.last_mut() {
        last.to = last.to.plus_micros(REACH_US);
    }
    gops
}

impl WholeGop {
    fn of(entry: &Entry) -> Self {
        let heads = u64::from(entry.pieces) * (RECORD_HEADER_BYTES + TAG_BYTES);
        let bytes = heads + u64::from(entry.units) * UNIT_ROW_BYTES + u64::from(entry.bytes);
        let frames = if entry.part == 0 { 1 } else { 0 };
        let full = entry.policy == Policy::Full && entry.units > frames;
        let key = if entry.part == 0 { UNIT_ROW_BYTES + u64::from(entry.bytes) / KEY_SHARE } else { 0 };
        Self {
            name: (entry.run, entry.number),
            from: entry.start,
            to: entry.end(),
            bytes,
            thin_bytes: if full { heads + key } else { bytes },
            full,
        }
    }

    fn add(&mut self, part: &Self) {
        self.from = self.from.min(part.from);
        self.to = self.to.max(part.to);
        self.bytes += part.bytes;
        self.thin_bytes += part.thin_bytes;
        self.full |= part.full;
    }
}
