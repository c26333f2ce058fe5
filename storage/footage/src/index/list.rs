//! Lists of segments, for people.

use std::{collections::HashMap, sync::atomic::Ordering};

use sightline_model::TimeRange;

use super::{Index, SegmentInfo};
use crate::catalogue::{Place as Kept, SealedSegment};

impl Index {
    /// The segments that the catalogue does not have.
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
        let info = |segment: &std::sync::Arc<super::Segment>| {
            let (streams, range) = hulls.remove(&segment.id()).unwrap_or_default();
            SegmentInfo {
                id: segment.id(),
                disk: segment.place().disk,
                class: segment.header.class,
                lane: segment.header.lane,
                node: segment.header.node.clone(),
                created: segment.header.created,
                sealed: segment.is_sealed(),
                place: Kept::Local,
                bytes: segment.bytes.load(Ordering::Acquire),
                gops: segment.gops.load(Ordering::Relaxed),
                streams,
                range,
            }
        };
        self.segments.values().map(info).collect()
    }
}

impl SegmentInfo {
    /// A segment of the catalogue of the node `node`.
    pub(crate) fn of(segment: &SealedSegment, node: &str) -> Self {
        Self {
            id: segment.id,
            disk: segment.disk,
            class: segment.class,
            lane: segment.lane,
            node: node.to_owned(),
            created: segment.created,
            sealed: true,
            place: segment.place,
            bytes: segment.bytes,
            gops: segment.gops,
            streams: segment.streams,
            range: segment.footage.and_then(|(from, to)| TimeRange::new(from, to)),
        }
    }
}
