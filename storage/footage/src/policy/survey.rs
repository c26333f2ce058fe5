//! Looks at an open store and makes the stock that plans are made from.
//!
//! What is read from disk: blocks of streams that a hold reaches into, and, once for each segment, all blocks when the
//! quota of an owner or thinning asks what is in it. Everything else comes from memory.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
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
    catalogue::{Place as Kept, SealedSegment},
    format::{
        block::Block,
        footer::{DirectoryRow, Hull},
        header::SegmentHeader,
    },
    index::{Place, Segment, SegmentInfo, Source, StreamPart},
    query::{Miss, Query},
    recovery::load,
    shared::Shared,
};

/// How far behind a stream's last GOP a hold may begin and still reach it.
const HOLD_REACH_US: i64 = 60_000_000;

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
        let segments = snapshot(shared)?;
        self.known.retain(|id, _| segments.contains_key(id));
        self.unthinnable.retain(|id| segments.contains_key(id));
        let mut stock = Stock::default();
        for segment in segments.values() {
            // What is in it is known only by reading it in the tier: as long as a hold may reach it, it stays as a whole.
            let far = segment.kept == Kept::Tier;
            if far
                && segment
                    .footage
                    .is_some_and(|(from, to)| asked.holds.reach(from, to.plus_micros(HOLD_REACH_US)))
            {
                continue;
            }
            stock.segments.push(self.segment(shared, asked, segment)?);
        }
        stock.disks = disks(shared, asked, &stock.segments);
        Ok(stock)
    }

    fn segment(&mut self, shared: &Shared, asked: &Asked<'_>, seen: &Seen) -> Result<SegmentStock, Error> {
        let bytes = seen.bytes;
        let (from, to) = seen.footage.unwrap_or((seen.created, seen.created));
        let range = TimeRange { from, to: to.max(from.plus_micros(1)) };
        let mut stock = SegmentStock {
            id: seen.place.id,
            disk: u16::from(seen.place.disk),
            class: seen.class,
            sealed: seen.sealed,
            bytes,
            place: match seen.kept {
                Kept::Local => super::Place::Local,
                Kept::Both => super::Place::Both,
                Kept::Tier => super::Place::Tier,
            },
            range,
            stretches: Vec::new(),
        };
        let class = asked.policies.class(stock.class);
        let thin_due = class.and_then(|class| class.full).is_some_and(|full| range.to + full <= asked.now);
        let held = asked.holds.reach(range.from, range.to.plus_micros(HOLD_REACH_US));
        let coarse = seen.footage.map(|(from, to)| Stretch::coarse(from, to, bytes));
        let closer = stock.sealed && seen.kept != Kept::Tier && (asked.streams || thin_due || held);
        if !closer || !self.look_closer(shared, asked, thin_due, &mut stock)? {
            stock.stretches = coarse.into_iter().collect();
            return Ok(stock);
        }
        // Blocks know payloads; a segment also has headers of gaps, padding and a footer.
        stock.bytes = bytes.max(stock.stretches.iter().map(|stretch| stretch.bytes).sum());
        Ok(stock)
    }

    /// What is in a segment, stream by stream, and GOP by GOP where a hold reaches. `false`: nobody needs to know.
    fn look_closer(
        &mut self,
        shared: &Shared,
        asked: &Asked<'_>,
        thin_due: bool,
        stock: &mut SegmentStock,
    ) -> Result<bool, Error> {
        let Some((segment, parts)) = parts_of(shared, stock.id)? else { return Ok(false) };
        let holds = |part: &&Part| {
            part.footage().is_some_and(|(from, to)| {
                asked.holds.touch(part.key.camera, from, to.plus_micros(HOLD_REACH_US))
            })
        };
        let held: Vec<&Part> = parts.iter().filter(holds).collect();
        if held.is_empty() && !asked.streams && !thin_due {
            return Ok(false);
        }
        let known = self.known(shared, &segment, &parts)?;
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
        Ok(true)
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
        let query = Query { shared, key: self.key, io: true };
        query.block_of(self.part.segment, &self.part.source).map_err(|miss| match miss {
            Miss::Error(error) => error,
            Miss::Io => Error::Stopped,
        })
    }
}

/// A segment, as far as a plan must know it before it looks closer.
#[derive(Debug, Clone, Copy)]
struct Seen {
    place: Place,
    kept: Kept,
    class: u8,
    sealed: bool,
    bytes: u64,
    created: Timestamp,
    footage: Hull,
}

/// All segments: those of the index, and those of the catalogue.
fn snapshot(shared: &Shared) -> Result<BTreeMap<u64, Seen>, Error> {
    // The index first: a segment on its way from there to the catalogue is seen at least once.
    let mut seen: BTreeMap<u64, Seen> = shared.index.read().list().into_iter().map(of_index).collect();
    for segment in shared.catalogue.segments(None, usize::MAX)? {
        let place = Place { id: segment.id, disk: segment.disk };
        let SealedSegment { class, bytes, created, footage, .. } = segment;
        let kept = segment.place;
        seen.insert(segment.id, Seen { place, kept, class, sealed: true, bytes, created, footage });
    }
    Ok(seen)
}

fn of_index(info: SegmentInfo) -> (u64, Seen) {
    let SegmentInfo { id, disk, class, sealed, bytes, created, range, .. } = info;
    let footage = range.map(|range| (range.from, range.to));
    let place = Place { id, disk };
    (id, Seen { place, kept: Kept::Local, class, sealed, bytes, created, footage })
}

/// Bytes of all segments on each disk.
pub(crate) fn used_bytes(shared: &Shared) -> Result<BTreeMap<u8, u64>, Error> {
    let mut used = BTreeMap::new();
    for seen in snapshot(shared)?.values().filter(|seen| seen.kept != Kept::Tier) {
        *used.entry(seen.place.disk).or_default() += seen.bytes;
    }
    Ok(used)
}

/// Where a segment is that is still there.
pub(crate) fn place_of(shared: &Shared, id: u64) -> Result<Option<(Place, Kept)>, Error> {
    if let Some(segment) = shared.index.read().segments.get(&id) {
        return Ok(Some((segment.place(), Kept::Local)));
    }
    let found = shared.catalogue.segments(id.checked_sub(1), 1)?;
    let found = found.first().filter(|segment| segment.id == id);
    Ok(found.map(|segment| (Place { id, disk: segment.disk }, segment.place)))
}

/// A segment and what is in it, by its footer or, while it has none, by the index; `None` when it is not there any more.
pub(crate) fn parts_of(shared: &Shared, id: u64) -> Result<Option<(Segment, Vec<Part>)>, Error> {
    let Some((place, _)) = place_of(shared, id)? else { return Ok(None) };
    let room = shared.rooms().get(usize::from(place.disk)).filter(|room| !room.has_left());
    let Some(room) = room else { return Ok(None) };
    let Ok(opened) = load(&*room.disk, id) else { return Ok(None) };
    let Ok((_, rows)) = opened.footer else { return Ok(Some(open_parts(shared, place, opened.header))) };
    let part = |row: DirectoryRow| Part {
        key: row.key,
        part: StreamPart { segment: place, summary: row.summary, source: Source::Footer(row.block) },
    };
    let segment = Segment::sealed(opened.header, place.disk, opened.bytes);
    Ok(Some((segment, rows.into_iter().map(part).collect())))
}

fn open_parts(shared: &Shared, place: Place, header: SegmentHeader) -> (Segment, Vec<Part>) {
    let index = shared.index.read();
    let bytes = index.segments.get(&place.id).map_or(0, |segment| segment.bytes.load(Ordering::Acquire));
    let mut parts = Vec::new();
    for (key, stream) in &index.streams {
        let found = stream.parts.iter().find(|part| part.segment == place);
        parts.extend(found.map(|part| Part { key: *key, part: part.clone() }));
    }
    (Segment::open(header, place.disk, bytes), parts)
}

fn disks(shared: &Shared, asked: &Asked<'_>, segments: &[SegmentStock]) -> Vec<DiskStock> {
    let tails = shared.registry.all();
    let disk = |room: &Arc<crate::room::Room>| {
        // Looked at now: the last look may be old.
        let _ = room.has_space(0);
        let (id, free_bytes) = (u16::from(room.no), room.free_bytes());
        let used: u64 = segments
            .iter()
            .filter(|segment| segment.disk == id && segment.place != super::Place::Tier)
            .map(|segment| segment.bytes)
            .sum();
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
