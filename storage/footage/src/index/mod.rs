//! The derived index: which stream has what in which segment. Anything here can be thrown away and made again from the
//! segments.
//!
//! Sealed segments: the directory of their footer is held in memory, blocks are read when needed. Open segments: the
//! block itself is held in memory. No lock here is ever held over I/O.

pub(crate) mod builder;
mod segment;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
};

use sightline_model::{TimeRange, Timestamp, media::StreamKey};

use crate::format::{
    block::Block,
    footer::{DirectoryRow, Section, Summary},
};
use builder::{Added, Footer};
pub use segment::SegmentInfo;
pub(crate) use segment::{Files, NO_DISK, Place, Segment};

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

/// Everything about one stream.
#[derive(Debug, Default)]
pub(crate) struct StreamIndex {
    /// In the order of segment ids, which is the order of writing.
    pub(crate) parts: Vec<StreamPart>,
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

/// See the module's words.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    pub(crate) streams: HashMap<StreamKey, StreamIndex>,
}

impl Index {
    /// Adds a sealed segment; segments come in the order of their ids.
    pub(crate) fn add_sealed(&mut self, segment: Segment, rows: &[DirectoryRow]) {
        let place = segment.place();
        self.segments.insert(place.id, Arc::new(segment));
        for row in rows {
            let stream = self.streams.entry(row.key).or_default();
            stream.note(&row.summary);
            let source = Source::Footer(row.block);
            stream.parts.push(StreamPart { segment: place, summary: row.summary, source });
        }
    }

    /// Adds a sealed segment that was found later than those written after it, unless it is known.
    pub(crate) fn adopt(&mut self, segment: Segment, rows: &[DirectoryRow]) {
        let place = segment.place();
        if self.segments.contains_key(&place.id) {
            return;
        }
        self.segments.insert(place.id, Arc::new(segment));
        for row in rows {
            let stream = self.streams.entry(row.key).or_default();
            let newest = stream.parts.last().is_none_or(|last| last.segment < place);
            let known = (stream.last_gop_end, stream.known_until);
            stream.note(&row.summary);
            if !newest {
                (stream.last_gop_end, stream.known_until) = known;
            }
            let part = stream.part_mut(place);
            part.summary = row.summary;
            part.source = Source::Footer(row.block);
        }
    }

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
        segment.sealed_at.store(footer.trailer.sealed_at.0, Ordering::Release);
        segment.sealed.store(true, Ordering::Release);
    }

    pub(crate) fn known_until(&self, key: StreamKey) -> Option<Timestamp> {
        self.streams.get(&key)?.known_until
    }

    /// What a stream has in the segments whose summary passes `wanted`.
    pub(crate) fn parts(&self, key: StreamKey, wanted: impl Fn(&Summary) -> bool) -> Vec<StreamPart> {
        let parts = self.streams.get(&key).map(|stream| stream.parts.as_slice()).unwrap_or_default();
        parts.iter().filter(|part| wanted(&part.summary)).cloned().collect()
    }

    /// All segments, for people.
    pub(crate) fn list(&self) -> Vec<SegmentInfo> {
        let mut hulls: HashMap<u64, (u64, Option<TimeRange>)> = HashMap::new();
        for part in self.streams.values().flat_map(|stream| &stream.parts) {
            let (streams, range) = hulls.entry(part.segment.id).or_default();
            *streams += 1;
            if let Some((from, to)) = part.summary.footage {
                let (from, to) = range.map_or((from, to), |had| (had.from.min(from), had.to.max(to)));
                *range = TimeRange::new(from, to);
            }
        }
        let info = |segment: &Arc<Segment>| {
            let (streams, range) = hulls.remove(&segment.id()).unwrap_or_default();
            SegmentInfo {
                id: segment.id(),
                disk: segment.place().disk,
                class: segment.header.class,
                lane: segment.header.lane,
                node: segment.header.node.clone(),
                created: segment.header.created,
                sealed: segment.is_sealed(),
                at: segment.whereabouts(),
                bytes: segment.bytes.load(Ordering::Acquire),
                gops: segment.gops.load(Ordering::Relaxed),
                streams,
                range,
            }
        };
        self.segments.values().map(info).collect()
    }
}
