//! A catalogue in memory.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use sightline_model::{Timestamp, media::StreamKey};
use sightline_records::footage::StreamNo;

use super::{Catalogue, ClassTotal, Hull, Known, Part, PartPlace, Place, Sealed, SealedSegment, StreamTotal};
use crate::Error;

/// Rows in memory, gone with the value: for tests, tools and stores that are opened without records.
#[derive(Debug, Default)]
pub struct MemoryCatalogue {
    rows: RwLock<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    segments: BTreeMap<u64, Sealed>,
    streams: BTreeMap<StreamKey, Parts>,
}

/// Parts by start and segment.
type ByStart = BTreeMap<(Timestamp, u64), Part>;

#[derive(Debug, Default)]
struct Parts {
    near: ByStart,
    far: ByStart,
}

impl Rows {
    fn remove(&mut self, id: u64) {
        let Some(sealed) = self.segments.remove(&id) else { return };
        for (key, part) in sealed.parts {
            let Some(parts) = self.streams.get_mut(&key) else { continue };
            let part = part.clamped();
            let at = (part.hull().0, id);
            if part.is_far() { &mut parts.far } else { &mut parts.near }.remove(&at);
            if parts.near.is_empty() && parts.far.is_empty() {
                self.streams.remove(&key);
            }
        }
    }

    fn insert(&mut self, sealed: &Sealed) {
        let id = sealed.segment.id;
        let contents =
            |segment: &SealedSegment| (segment.disk, segment.bytes, segment.sealed_at, segment.merkle_root);
        if self.segments.get(&id).is_some_and(|had| contents(&had.segment) == contents(&sealed.segment)) {
            return;
        }
        self.remove(id);
        for (key, part) in &sealed.parts {
            let parts = self.streams.entry(*key).or_default();
            let part = part.clamped();
            if part.is_far() { &mut parts.far } else { &mut parts.near }.insert((part.hull().0, id), part);
        }
        self.segments.insert(id, sealed.clone());
    }

    fn place(&self, (at, part): (&(Timestamp, u64), &Part)) -> PartPlace {
        let (start, segment) = *at;
        let known = self.segments.get(&segment).map(|sealed| &sealed.segment);
        PartPlace {
            segment,
            disk: known.map_or(0, |segment| segment.disk),
            place: known.map_or(Place::Local, |segment| segment.place),
            start,
            order: segment.cast_signed(),
            part: *part,
        }
    }

    fn total(&self, key: StreamKey, parts: &Parts) -> StreamTotal {
        let all = || parts.near.iter().chain(&parts.far);
        let newest = |of: fn(&Part) -> Option<Timestamp>| {
            all().filter_map(|((_, id), part)| Some((*id, of(part)?))).max().map(|(_, at)| at)
        };
        let length = |part: &Part| part.hull().1.0 - part.hull().0.0;
        StreamTotal {
            no: StreamNo(0),
            key,
            parts: all().count() as u64,
            far: parts.far.len() as u64,
            gops: all().map(|(_, part)| u64::from(part.gops)).sum(),
            gaps: all().map(|(_, part)| u64::from(part.gaps)).sum(),
            bytes: all().map(|(_, part)| part.bytes).sum(),
            until: all().map(|(_, part)| part.hull().1).max().unwrap_or_default(),
            longest_us: parts.near.values().map(length).max().unwrap_or_default(),
            first: all().filter_map(|(_, part)| part.footage).map(|hull| hull.0).min(),
            last_gop_end: newest(|part| part.last_gop_end),
            known_until: newest(|part| part.known_until),
        }
    }
}

impl MemoryCatalogue {
    /// What `find` makes of a stream's parts.
    fn parts(&self, key: StreamKey, find: impl FnOnce(&Rows, &Parts) -> Vec<PartPlace>) -> Vec<PartPlace> {
        let rows = self.rows.read();
        rows.streams.get(&key).map(|parts| find(&rows, parts)).unwrap_or_default()
    }
}

impl Catalogue for MemoryCatalogue {
    fn known(&self) -> Result<Vec<Known>, Error> {
        let known = |Sealed { segment, .. }: &Sealed| Known {
            id: segment.id,
            disk: segment.disk,
            place: segment.place,
            bytes: segment.bytes,
        };
        Ok(self.rows.read().segments.values().map(known).collect())
    }

    fn segments(&self, after: Option<u64>, limit: usize) -> Result<Vec<SealedSegment>, Error> {
        let rows = self.rows.read();
        let from = after.map_or(0, |after| after.saturating_add(1));
        Ok(rows.segments.range(from..).take(limit).map(|(_, sealed)| sealed.segment.clone()).collect())
    }

    fn streams(&self) -> Result<Vec<StreamTotal>, Error> {
        let rows = self.rows.read();
        Ok(rows.streams.iter().map(|(key, parts)| rows.total(*key, parts)).collect())
    }

    fn classes(&self) -> Result<Vec<ClassTotal>, Error> {
        let mut totals: BTreeMap<u8, ClassTotal> = BTreeMap::new();
        for Sealed { segment, .. } in self.rows.read().segments.values() {
            let total = totals.entry(segment.class).or_default();
            total.class = segment.class;
            total.segments += 1;
            total.bytes += segment.bytes;
            total.local_bytes += if segment.place == Place::Tier { 0 } else { segment.bytes };
            total.gops += segment.gops;
        }
        Ok(totals.into_values().collect())
    }

    fn insert(&self, sealed: &[Sealed]) -> Result<(), Error> {
        let mut rows = self.rows.write();
        sealed.iter().for_each(|sealed| rows.insert(sealed));
        Ok(())
    }

    fn remove(&self, ids: &[u64]) -> Result<(), Error> {
        let mut rows = self.rows.write();
        ids.iter().for_each(|id| rows.remove(*id));
        Ok(())
    }

    fn clear(&self) -> Result<(), Error> {
        *self.rows.write() = Rows::default();
        Ok(())
    }

    fn set_place(&self, ids: &[u64], place: Place) -> Result<(), Error> {
        let mut rows = self.rows.write();
        for id in ids {
            if let Some(sealed) = rows.segments.get_mut(id) {
                sealed.segment.place = place;
            }
        }
        Ok(())
    }

    fn near(
        &self,
        key: StreamKey,
        (from, to): Hull,
        after: Option<&PartPlace>,
        limit: usize,
    ) -> Result<Vec<PartPlace>, Error> {
        let begin = after.map_or((from, 0), |after| (after.start, after.segment.saturating_add(1)));
        if begin >= (to, 0) {
            return Ok(Vec::new());
        }
        Ok(self.parts(key, |rows, parts| {
            parts.near.range(begin..(to, 0)).take(limit).map(|row| rows.place(row)).collect()
        }))
    }

    fn before(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        Ok(self.parts(key, |rows, parts| {
            parts.near.range(..=(at, u64::MAX)).rev().take(limit).map(|row| rows.place(row)).collect()
        }))
    }

    fn after(&self, key: StreamKey, at: Timestamp, limit: usize) -> Result<Vec<PartPlace>, Error> {
        let behind = (std::ops::Bound::Excluded((at, u64::MAX)), std::ops::Bound::Unbounded);
        Ok(self.parts(key, |rows, parts| {
            parts.near.range(behind).take(limit).map(|row| rows.place(row)).collect()
        }))
    }

    fn far(&self, key: StreamKey) -> Result<Vec<PartPlace>, Error> {
        Ok(self.parts(key, |rows, parts| parts.far.iter().map(|row| rows.place(row)).collect()))
    }
}
