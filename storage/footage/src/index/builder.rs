//! Collects what a segment holds while it is written or scanned, and turns it into the segment's footer.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sightline_model::{
    Timestamp,
    gap::Gap,
    media::{ParameterSets, StreamKey},
};

use crate::format::{
    align,
    block::{Block, Entry},
    footer::{DirectoryRow, Section, Summary, Trailer, encode_directory, widen},
    merkle::{Hash, Merkle},
};

/// A GOP or gap as it goes into an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Gop(Entry),
    Gap(Gap),
}

impl Summary {
    pub(crate) fn add(&mut self, added: &Added) {
        match added {
            Added::Gop(entry) => {
                // A piece is part of the GOP before it; if that stands in another segment, it is one there.
                self.gops += u32::from(!entry.joined);
                self.bytes = self.bytes.saturating_add(align(u64::from(entry.record_bytes)));
                self.footage = widen(self.footage, entry.start, entry.end());
                self.last_gop_end = Some(entry.end());
                self.known_until = Some(entry.end());
            }
            Added::Gap(gap) => {
                self.gaps += 1;
                self.missing = widen(self.missing, gap.from, gap.to);
                self.known_until = Some(gap.to);
            }
        }
    }
}

impl Block {
    pub(crate) fn add(&mut self, added: &Added) {
        match added {
            Added::Gop(entry) => self.push(*entry),
            Added::Gap(gap) => self.gaps.push(*gap),
        }
    }
}

/// The parameter sets of one segment, and where the record of each stands in units of [`crate::format::ALIGN`].
pub(crate) type ParamsTable = HashMap<Arc<ParameterSets>, u32>;

/// Everything the footer of a segment needs.
#[derive(Debug, Default)]
pub(crate) struct SegmentBuilder {
    pub(crate) streams: BTreeMap<StreamKey, (Summary, Block)>,
    pub(crate) params: ParamsTable,
    merkle: Merkle,
    records: u32,
    gops: u32,
}

/// An encoded footer, to be written where the records end.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: Vec<DirectoryRow>,
    pub(crate) trailer: Trailer,
}

impl SegmentBuilder {
    /// Number of the next record.
    pub(crate) fn next_seq(&self) -> u32 {
        self.records
    }

    pub(crate) fn gops(&self) -> u32 {
        self.gops
    }

    /// The record that the next piece of this stream may go on from.
    pub(crate) fn last(&self, key: StreamKey) -> Option<&Entry> {
        self.streams.get(&key).and_then(|(_, block)| block.entries.last())
    }

    /// Counts a record in; every record goes through here once, in order.
    pub(crate) fn record(&mut self, leaf: Hash) {
        self.merkle.push(leaf);
        self.records += 1;
    }

    pub(crate) fn add(&mut self, key: StreamKey, added: &Added) {
        let (summary, block) = self.streams.entry(key).or_default();
        summary.add(added);
        block.add(added);
        self.gops += u32::from(matches!(added, Added::Gop(entry) if !entry.joined));
    }

    pub(crate) fn merkle_root(&self) -> Hash {
        self.merkle.root()
    }

    /// The footer of segment `segment`, whose records end at `records_end` (aligned).
    pub(crate) fn footer(&self, segment: u64, records_end: u64, sealed_at: Timestamp) -> Footer {
        let mut bytes = Vec::new();
        let mut rows = Vec::with_capacity(self.streams.len());
        for (key, (summary, block)) in &self.streams {
            let start = bytes.len();
            block.encode(&mut bytes);
            let block = section(&bytes, start, records_end);
            rows.push(DirectoryRow { key: *key, summary: *summary, block });
        }
        let start = bytes.len();
        encode_directory(&rows, &mut bytes);
        let directory = section(&bytes, start, records_end);
        let padded = align(bytes.len() as u64);
        bytes.resize(usize::try_from(padded).unwrap_or(bytes.len()), 0);
        let trailer = Trailer {
            segment,
            records_end,
            directory,
            records: self.records,
            gops: self.gops,
            merkle_root: self.merkle.root(),
            sealed_at,
        };
        trailer.encode(&mut bytes);
        Footer { bytes, rows, trailer }
    }
}

/// What `bytes` holds from `start` on, as a section of a file in which `bytes` begins at `base`.
fn section(bytes: &[u8], start: usize, base: u64) -> Section {
    Section::of(bytes.get(start..).unwrap_or_default(), base + start as u64)
}
