//! The derived index: which stream has what in which segment. Anything here can be thrown away and made again from the
//! segments.
//!
//! Sealed segments: their rows are in the catalogue, their blocks in their footers; what was looked up lately is cached
//! ([`rows`]). In memory are, for each stream, what must be known to ask the catalogue; the blocks of open segments; and the
//! rows of segments that were sealed and have not come to the catalogue yet. No lock here is ever held over I/O.

pub(crate) mod builder;
mod list;
pub(crate) mod rows;
mod segment;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
};

use sightline_model::{Timestamp, media::StreamKey};

use crate::{
    catalogue::{Part, Sealed, StreamTotal},
    format::{
        block::Block,
        footer::{Section, Summary},
    },
};
use builder::{Added, Footer};
pub use segment::SegmentInfo;
pub(crate) use segment::{Files, NO_DISK, Place, Segment, is_missing};

/// Where a stream's block of one segment is.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In memory; shared with queries, copied when it grows under one.
    Memory(Arc<Block>),
    /// In the footer.
    Footer(Section),
}

/// What a stream has in one segment.
#[derive(Debug, Clone)]
pub(crate) struct StreamPart {
    pub(crate) segment: Place,
    pub(crate) summary: Summary,
    pub(crate) source: Source,
}

/// What has to be known of a stream's rows to ask the catalogue for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Grows with every change of the rows.
    pub(crate) epoch: u64,
    pub(crate) rows: u64,
    /// Rows that are not found by their start.
    pub(crate) far: u64,
    /// No row ends later.
    pub(crate) until: Timestamp,
    /// No near row is longer, in microseconds.
    pub(crate) longest_us: i64,
}

impl Stored {
    fn add(&mut self, part: &Part) {
        let (from, to) = part.clamped().hull();
        self.epoch += 1;
        self.until = if self.rows == 0 { to } else { self.until.max(to) };
        self.rows += 1;
        if part.is_far() {
            self.far += 1;
        } else {
            self.longest_us = self.longest_us.max(to.micros_since(from));
        }
    }

    fn set(&mut self, total: Option<&StreamTotal>) {
        *self = Self {
            epoch: self.epoch + 1,
            rows: total.map_or(0, |total| total.parts),
            far: total.map_or(0, |total| total.far),
            until: total.map_or(Timestamp(0), |total| total.until),
            longest_us: total.map_or(0, |total| total.longest_us),
        };
    }
}

/// Everything about one stream.
#[derive(Debug, Default)]
pub(crate) struct StreamIndex {
    /// Its parts that the catalogue does not have, in the order of segment ids, which is the order of writing.
    pub(crate) parts: Vec<StreamPart>,
    pub(crate) stored: Stored,
    /// Earliest start of footage.
    pub(crate) first: Option<Timestamp>,
    /// End of the GOP that was written last.
    pub(crate) last_gop_end: Option<Timestamp>,
    /// End of the GOP or gap that was written last.
    pub(crate) known_until: Option<Timestamp>,
}

impl StreamIndex {
    fn note(&mut self, summary: &Summary) {
        let first = summary.footage.map(|hull| hull.0);
        self.first = self.first.into_iter().chain(first).min();
        self.last_gop_end = summary.last_gop_end.or(self.last_gop_end);
        self.known_until = summary.known_until.or(self.known_until);
    }

    fn part_mut(&mut self, segment: Place) -> &mut StreamPart {
        let at = match self.parts.binary_search_by_key(&segment, |part| part.segment) {
            Ok(at) => at,
            Err(at) => {
                let source = Source::Memory(Arc::default());
                self.parts.insert(at, StreamPart { segment, summary: Summary::default(), source });
                at
            }
        };
        // `at` was found or inserted just now.
        #[expect(clippy::indexing_slicing)]
        &mut self.parts[at]
    }
}

/// What the index knows of one stream at one moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) parts: Vec<StreamPart>,
    pub(crate) stored: Stored,
    pub(crate) first: Option<Timestamp>,
    pub(crate) known_until: Option<Timestamp>,
}

/// See the module's words.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Those that the catalogue does not have.
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    pub(crate) streams: HashMap<StreamKey, StreamIndex>,
    /// How many the catalogue has.
    pub(crate) stored_segments: u64,
}

impl Index {
    /// Adds a segment that has no footer (yet).
    pub(crate) fn add_open(&mut self, segment: Segment) -> Arc<Segment> {
        let segment = Arc::new(segment);
        self.segments.insert(segment.id(), Arc::clone(&segment));
        segment
    }

    /// Makes records of an open segment findable.
    pub(crate) fn publish(&mut self, segment: u64, added: impl IntoIterator<Item = (StreamKey, Added)>) {
        let Some(segment) = self.segments.get(&segment).cloned() else { return };
        let mut gops = 0;
        for (key, added) in added {
            let stream = self.streams.entry(key).or_default();
            let part = stream.part_mut(segment.place());
            part.summary.add(&added);
            if let Source::Memory(block) = &mut part.source {
                Arc::make_mut(block).add(&added);
            }
            let mut one = Summary::default();
            one.add(&added);
            stream.note(&one);
            gops += u64::from(one.gops);
        }
        segment.gops.fetch_add(gops, Ordering::Relaxed);
    }

    /// The segment now has this footer: its blocks need no memory any more.
    pub(crate) fn seal(&mut self, segment: &Segment, footer: &Footer, bytes: u64) {
        for row in &footer.rows {
            if let Some(stream) = self.streams.get_mut(&row.key) {
                let part = stream.part_mut(segment.place());
                part.summary = row.summary;
                part.source = Source::Footer(row.block);
            }
        }
        segment.bytes.store(bytes, Ordering::Release);
        segment.sealed.store(true, Ordering::Release);
    }

    /// These segments are in the catalogue now: nothing of them needs memory any more.
    pub(crate) fn filed(&mut self, sealed: &[Sealed]) {
        for Sealed { segment, parts } in sealed {
            if self.segments.remove(&segment.id).is_none() {
                continue;
            }
            self.stored_segments += 1;
            for (key, part) in parts {
                let stream = self.streams.entry(*key).or_default();
                stream.parts.retain(|part| part.segment.id != segment.id);
                // Together they are most of an idle store's memory.
                stream.parts.shrink_to_fit();
                stream.stored.add(part);
            }
        }
    }

    /// Takes over what the catalogue says, at the start and after segments went from it. `gone` are no longer there.
    pub(crate) fn restore(&mut self, totals: &[StreamTotal], stored_segments: u64, gone: &[u64]) {
        self.stored_segments = stored_segments;
        self.segments.retain(|id, _| !gone.contains(id));
        let totals: HashMap<StreamKey, &StreamTotal> =
            totals.iter().map(|total| (total.key, total)).collect();
        for key in totals.keys() {
            self.streams.entry(*key).or_default();
        }
        for (key, stream) in &mut self.streams {
            let total = totals.get(key).copied();
            stream.parts.retain(|part| !gone.contains(&part.segment.id));
            stream.stored.set(total);
            let first = stream.parts.iter().filter_map(|part| part.summary.footage).map(|hull| hull.0);
            stream.first = first.chain(total.and_then(|total| total.first)).min();
            // What was written since is newer than what the catalogue has.
            stream.last_gop_end = stream.last_gop_end.or(total.and_then(|total| total.last_gop_end));
            stream.known_until = stream.known_until.or(total.and_then(|total| total.known_until));
        }
    }

    pub(crate) fn known_until(&self, key: StreamKey) -> Option<Timestamp> {
        self.streams.get(&key)?.known_until
    }

    /// What is known of a stream, and its parts whose summary passes `wanted`.
    pub(crate) fn view(&self, key: StreamKey, wanted: impl Fn(&Summary) -> bool) -> View {
        let Some(stream) = self.streams.get(&key) else { return View::default() };
        View {
            parts: stream.parts.iter().filter(|part| wanted(&part.summary)).cloned().collect(),
            stored: stream.stored,
            first: stream.first,
            known_until: stream.known_until,
        }
    }
}
