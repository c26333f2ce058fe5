//! Looks at an open store and makes the stock that plans are made from.
//!
//! What is read from disk: blocks of streams that a hold reaches into, and, once for each segment, all blocks when the
//! quota of an owner or thinning asks what is in it. Everything else comes from memory.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use sightline_model::{TimeRange, Timestamp, media::StreamKey};

use super::{
    DiskStock, Policies, SegmentStock, Stock, Stretch,
    hold::Holds,
    whole::{WholeGop, whole_gops},
};
use crate::{
    Error,
    format::block::Block,
    index::{Segment, StreamPart},
    query::{Miss, Query},
    shared::Shared,
};

/// What a stream has in a segment, in numbers.
type Known = Arc<[(StreamKey, Stretch)]>;

/// See the module's words. Remembers what it read of sealed segments, which do not change.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    known: HashMap<u64, Known>,
    /// Segments in which nothing can be thinned although it is kept in full: their keys are gone.
    pub(crate) unthinnable: HashSet<u64>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) policies: &'a Policies,
    pub(crate) holds: &'a Holds,
    /// Whether quotas of owners make single streams matter.
    pub(crate) streams: bool,
    pub(crate) keep_free_percent: u64,
    pub(crate) now: Timestamp,
}

impl Survey {
    /// The segments and disks of an open store.
    ///
    /// # Errors
    /// When a block that is needed cannot be read.
    pub(crate) fn stock(&mut self, shared: &Shared, asked: &Asked<'_>) -> Result<Stock, Error> {
        let (segments, mut parts) = snapshot(shared);
        self.known.retain(|id, _| parts.contains_key(id));
        self.unthinnable.retain(|id| parts.contains_key(id));
        let mut stock = Stock::default();
        for segment in &segments {
            let parts = parts.remove(&segment.id()).unwrap_or_default();
            stock.segments.push(self.segment(shared, asked, segment, &parts)?);
        }
        stock.disks = disks(shared, asked, &stock.segments);
        Ok(stock)
    }

    fn segment(
        &mut self,
        shared: &Shared,
        asked: &Asked<'_>,
        segment: &Segment,
        parts: &[Part],
    ) -> Result<SegmentStock, Error> {
        let bytes = segment.bytes.load(Ordering::Acquire);
        let range = hull(parts)
            .unwrap_or(TimeRange { from: segment.header.created, to: segment.header.created.plus_micros(1) });
        let mut stock = SegmentStock {
            id: segment.id(),
            disk: u16::from(segment.place().disk),
            class: segment.header.class,
            sealed: segment.is_sealed(),
            bytes,
            place: super::Place::Local,
            range,
            stretches: Vec::new(),
        };
        let class = asked.policies.class(stock.class);
        let thin_due = class.and_then(|class| class.full).is_some_and(|full| range.to + full <= asked.now);
        let holds = |part: &&Part| {
            part.footage().is_some_and(|(from, to)| {
                asked.holds.touch(part.key.camera, from, to.plus_micros(60_000_000))
            })
        };
        let held: Vec<&Part> = parts.iter().filter(holds).collect();
        if !stock.sealed || !(asked.streams || thin_due || !held.is_empty()) {
            stock.stretches =
                footage(parts).map(|(from, to)| Stretch::coarse(from, to, bytes)).into_iter().collect();
            return Ok(stock);
        }
        let known = self.known(shared, segment, parts)?;
        let mut others: Option<Stretch> = None;
        for (key, stretch) in known.iter() {
            match held.iter().find(|part| part.key == *key) {
                Some(part) => stock.stretches.extend(
                    whole_gops(&part.block(shared)?.entries).iter().map(|gop| Stretch::of_gop(*key, gop)),
                ),
                None if asked.streams => stock.stretches.push(*stretch),
                None => {
                    others = Some(others.map_or(Stretch { key: None, ..*stretch }, |all| all.with(stretch)))
                }
            }
        }
        stock.stretches.extend(others);
        if self.unthinnable.contains(&stock.id) {
            stock.stretches.iter_mut().for_each(Stretch::is_thin);
        }
        // Blocks know payloads; a segment also has headers of gaps, padding and a footer.
        stock.bytes = bytes.max(stock.stretches.iter().map(|stretch| stretch.bytes).sum());
        Ok(stock)
    }

    fn known(&mut self, shared: &Shared, segment: &Segment, parts: &[Part]) -> Result<Known, Error> {
        if let Some(known) = self.known.get(&segment.id()) {
            return Ok(Arc::clone(known));
        }
        let mut known = Vec::with_capacity(parts.len());
        for part in parts {
            let gops = whole_gops(&part.block(shared)?.entries);
            let stretches = gops.iter().map(|gop| Stretch::of_gop(part.key, gop));
            known.extend(stretches.reduce(|all, next| all.with(&next)).map(|stretch| (part.key, stretch)));
        }
        let known: Known = known.into();
        self.known.insert(segment.id(), Arc::clone(&known));
        Ok(known)
    }
}

impl Stretch {
    /// Everything of a segment in one, when nobody asks for more.
    fn coarse(from: Timestamp, to: Timestamp, bytes: u64) -> Self {
        Self { key: None, from, to, bytes, thin_bytes: bytes, full: false }
    }

    fn of_gop(key: StreamKey, gop: &WholeGop) -> Self {
        let WholeGop { from, to, bytes, thin_bytes, full, .. } = *gop;
        Self { key: Some(key), from, to, bytes, thin_bytes, full }
    }

    fn with(mut self, other: &Self) -> Self {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.bytes += other.bytes;
        self.thin_bytes += other.thin_bytes;
        self.full |= other.full;
        self
    }

    fn is_thin(&mut self) {
        self.full = false;
        self.thin_bytes = self.bytes;
    }
}

/// What a stream has in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) key: StreamKey,
    part: StreamPart,
}

impl Part {
    fn footage(&self) -> Option<(Timestamp, Timestamp)> {
        self.part.summary.footage
    }

    /// The stream's block; read when it is not in memory.
    pub(crate) fn block(&self, shared: &Shared) -> Result<Arc<Block>, Error> {
        Query { shared, key: self.key, io: true }.block(&self.part).map_err(|miss| match miss {
            Miss::Error(error) => error,
            Miss::Io => Error::Stopped,
        })
    }
}

/// All segments, and what is in each.
fn snapshot(shared: &Shared) -> (Vec<Arc<Segment>>, HashMap<u64, Vec<Part>>) {
    let index = shared.index.read();
    let mut parts: HashMap<u64, Vec<Part>> = HashMap::new();
    for (key, stream) in &index.streams {
        for part in &stream.parts {
            parts.entry(part.segment.id).or_default().push(Part { key: *key, part: part.clone() });
        }
    }
    for id in index.segments.keys() {
        parts.entry(*id).or_default();
    }
    (index.segments.values().cloned().collect(), parts)
}

/// What is in one segment, and the segment itself if it is there.
pub(crate) fn parts_of(shared: &Shared, id: u64) -> Option<(Arc<Segment>, Vec<Part>)> {
    let index = shared.index.read();
    let segment = Arc::clone(index.segments.get(&id)?);
    let part = |key: &StreamKey, part: Option<&StreamPart>| Some(Part { key: *key, part: part?.clone() });
    let parts = index
        .streams
        .iter()
        .filter_map(|(key, stream)| part(key, stream.parts.iter().find(|part| part.segment.id == id)));
    Some((segment, parts.collect()))
}

fn footage(parts: &[Part]) -> Option<(Timestamp, Timestamp)> {
    parts.iter().filter_map(Part::footage).reduce(|all, next| (all.0.min(next.0), all.1.max(next.1)))
}

/// From the first to the last thing in a segment.
fn hull(parts: &[Part]) -> Option<TimeRange> {
    let hulls = parts.iter().flat_map(|part| [part.part.summary.footage, part.part.summary.missing]);
    let (from, to) = hulls.flatten().reduce(|all, next| (all.0.min(next.0), all.1.max(next.1)))?;
    Some(TimeRange { from, to: to.max(from.plus_micros(1)) })
}

fn disks(shared: &Shared, asked: &Asked<'_>, segments: &[SegmentStock]) -> Vec<DiskStock> {
    let tails = shared.registry.all();
    let disk = |room: &Arc<crate::room::Room>| {
        // Looked at now: the last look may be old.
        let _ = room.has_space(0);
        let (id, free_bytes) = (u16::from(room.no), room.free_bytes());
        let used: u64 =
            segments.iter().filter(|segment| segment.disk == id).map(|segment| segment.bytes).sum();
        let total_bytes = free_bytes.saturating_add(used);
        let stop_bytes = shared.config.min_free_bytes;
        let percent = u128::from(total_bytes) * u128::from(asked.keep_free_percent) / 100;
        let recorded = tails.iter().filter(|tail| tail.room() == room.no && tail.ring.lock().recorded());
        let recorded: BTreeSet<u8> = recorded.map(|tail| tail.class()).collect();
        DiskStock {
            id,
            total_bytes,
            free_bytes,
            keep_free_bytes: stop_bytes.saturating_add(u64::try_from(percent).unwrap_or(u64::MAX)),
            stop_bytes,
            recorded,
            shed: room.shed(),
        }
    };
    shared.rooms().iter().filter(|room| !room.has_left()).map(disk).collect()
}
