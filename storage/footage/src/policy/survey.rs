//! Looks at an open store and makes the stock that plans are made from.
//!
//! Segments come from the catalogue. What is read from disk: blocks of streams that a hold reaches into, and, once for each
//! segment, its directory or all its blocks when the quota of an owner or thinning asks what is in it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use sightline_model::{
    TimeRange, Timestamp,
    media::{StreamKey, StreamKind},
};

use super::{
    DiskStock, Place, Policies, SegmentStock, Stock, Stretch,
    hold::Holds,
    whole::{REACH_US, WholeGop, whole_gops},
};
use crate::{
    Error,
    catalogue::{NEAR_US, Place as Kept, SealedSegment},
    format::{block::Block, footer::DirectoryRow},
    index::{Place as FilePlace, Source},
    query::{Miss, Query},
    recovery::{HeaderProblem, load},
    shared::Shared,
};

/// Segments asked of the catalogue at once.
const PAGE: usize = 4096;

/// What a stream has in a segment, in numbers.
type Known = Arc<[Stretch]>;

/// Streams that are held, by segment.
type Held = HashMap<u64, BTreeSet<StreamKey>>;

/// See the module's words. Remembers what it read of sealed segments, which do not change.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// With whether it is exact as to what can be thinned.
    known: HashMap<u64, (bool, Known)>,
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
    /// When the catalogue, or a block that is needed, cannot be read.
    pub(crate) fn stock(&mut self, shared: &Shared, asked: &Asked<'_>) -> Result<Stock, Error> {
        let held = held(shared, asked.holds)?;
        // The index first: a segment on its way from there to the catalogue is seen at least once.
        let mut stock = Stock { segments: unfiled(shared), ..Stock::default() };
        let mut after = None;
        loop {
            let page = shared.catalogue.segments(after, PAGE)?;
            // What lies on a disk that is not there stays, whatever becomes of it.
            let is_there = |segment: &&SealedSegment| {
                let room = shared.rooms().get(usize::from(segment.disk));
                segment.place == Kept::Tier || room.is_some_and(|room| !room.has_left())
            };
            for segment in page.iter().filter(is_there) {
                let held = held.get(&segment.id);
                if segment.place == Kept::Tier && held.is_some() {
                    // What is in it is known only by reading it there: as long as a hold reaches it, it stays as a whole.
                    continue;
                }
                stock.segments.retain(|open| open.id != segment.id);
                stock.segments.push(self.segment(shared, asked, segment, held)?);
            }
            after = page.last().map(|segment| segment.id);
            if page.len() < PAGE {
                break;
            }
        }
        let there: HashSet<u64> = stock.segments.iter().map(|segment| segment.id).collect();
        self.known.retain(|id, _| there.contains(id));
        self.unthinnable.retain(|id| there.contains(id));
        stock.disks = disks(shared, asked, &stock.segments);
        Ok(stock)
    }

    fn segment(
        &mut self,
        shared: &Shared,
        asked: &Asked<'_>,
        segment: &SealedSegment,
        held: Option<&BTreeSet<StreamKey>>,
    ) -> Result<SegmentStock, Error> {
        let mut stock = described(segment);
        let class = asked.policies.class(stock.class);
        let full = class.and_then(|class| class.full);
        let thin_due = stock.place.is_local() && full.is_some_and(|full| stock.range.to + full <= asked.now);
        let closer = asked.streams || thin_due || held.is_some();
        if !closer || stock.place == Place::Tier {
            let coarse = |(from, to)| Stretch::coarse(from, to, segment.bytes);
            stock.stretches = segment.footage.map(coarse).into_iter().collect();
            return Ok(stock);
        }
        let place = FilePlace { id: segment.id, disk: segment.disk };
        let known = self.known(shared, place, thin_due)?;
        let held_rows = match held {
            Some(_) => directory(shared, place)?,
            None => Vec::new(),
        };
        let mut others: Option<Stretch> = None;
        for stretch in known.iter() {
            let is_held = |key: &StreamKey| held.is_some_and(|held| held.contains(key));
            match stretch.key.filter(is_held) {
                Some(key) => {
                    let rows = held_rows.iter().filter(|row| row.key == key);
                    for row in rows {
                        let gops = whole_gops(&block(shared, place, row)?.entries);
                        stock.stretches.extend(gops.iter().map(|gop| Stretch::of_gop(key, gop)));
                    }
                }
                None if asked.streams => stock.stretches.push(*stretch),
                None => {
                    others = Some(others.map_or(Stretch { key: None, ..*stretch }, |all| all.with(stretch)))
                }
            }
        }
        stock.stretches.extend(others);
        if !thin_due || self.unthinnable.contains(&stock.id) {
            stock.stretches.iter_mut().for_each(Stretch::is_thin);
        }
        // Blocks know payloads; a segment also has headers of gaps, padding and a footer.
        stock.bytes = segment.bytes.max(stock.stretches.iter().map(|stretch| stretch.bytes).sum());
        Ok(stock)
    }

    /// What each stream has in a segment; exact as to what can be thinned when `blocks` is asked for.
    fn known(&mut self, shared: &Shared, place: FilePlace, blocks: bool) -> Result<Known, Error> {
        if let Some((exact, known)) = self.known.get(&place.id)
            && (*exact || !blocks)
        {
            return Ok(Arc::clone(known));
        }
        let rows = directory(shared, place)?;
        let mut known = Vec::with_capacity(rows.len());
        for row in &rows {
            if blocks {
                let gops = whole_gops(&block(shared, place, row)?.entries);
                let stretches = gops.iter().map(|gop| Stretch::of_gop(row.key, gop));
                known.extend(stretches.reduce(|all, next| all.with(&next)));
            } else if let Some((from, to)) = row.summary.footage {
                known.push(Stretch { key: Some(row.key), ..Stretch::coarse(from, to, row.summary.bytes) });
            }
        }
        let known: Known = known.into();
        self.known.insert(place.id, (blocks, Arc::clone(&known)));
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

/// The streams of which anything is held, by the segments that have it.
fn held(shared: &Shared, holds: &Holds) -> Result<Held, Error> {
    let mut held = Held::new();
    for camera in holds.cameras() {
        for stream in [StreamKind::Main, StreamKind::Sub] {
            let key = StreamKey { camera, stream };
            for range in holds.of(camera) {
                // A GOP that began in the segment before may reach into it.
                let from = range.from.plus_micros(-REACH_US);
                let starts = (from.plus_micros(-NEAR_US), range.to);
                let near = shared.catalogue.near(key, starts, None, usize::MAX)?;
                let touching = near
                    .iter()
                    .chain(&shared.catalogue.far(key)?)
                    .filter(|found| {
                        found.part.footage.is_some_and(|hull| hull.0 < range.to && hull.1 >= from)
                    })
                    .map(|found| found.segment)
                    .collect::<Vec<_>>();
                for segment in touching {
                    held.entry(segment).or_default().insert(key);
                }
            }
        }
    }
    Ok(held)
}

/// Segments that are open, or on their way to the catalogue: nothing happens to them.
fn unfiled(shared: &Shared) -> Vec<SegmentStock> {
    let stock = |info: &crate::SegmentInfo| {
        let empty = TimeRange { from: info.created, to: info.created.plus_micros(1) };
        let range = info.range.unwrap_or(empty);
        SegmentStock {
            id: info.id,
            disk: u16::from(info.disk),
            class: info.class,
            sealed: false,
            bytes: info.bytes,
            place: Place::Local,
            range,
            stretches: info
                .range
                .map(|range| Stretch::coarse(range.from, range.to, info.bytes))
                .into_iter()
                .collect(),
        }
    };
    shared.index.read().list().iter().map(stock).collect()
}

/// A segment, but for what is in it.
fn described(segment: &SealedSegment) -> SegmentStock {
    // One without footage holds gaps of the time it was written in.
    let (from, to) = segment.footage.unwrap_or((segment.created, segment.sealed_at));
    SegmentStock {
        id: segment.id,
        disk: u16::from(segment.disk),
        class: segment.class,
        sealed: true,
        bytes: segment.bytes,
        place: match segment.place {
            Kept::Local => Place::Local,
            Kept::Both => Place::Both,
            Kept::Tier => Place::Tier,
        },
        range: TimeRange { from, to: to.max(from.plus_micros(1)) },
        stretches: Vec::new(),
    }
}

/// Where a sealed segment is that is still there.
pub(crate) fn place_of(shared: &Shared, id: u64) -> Result<Option<(FilePlace, Kept)>, Error> {
    let found = shared.catalogue.segments(id.checked_sub(1), 1)?;
    let found = found.first().filter(|segment| segment.id == id);
    Ok(found.map(|segment| (FilePlace { id, disk: segment.disk }, segment.place)))
}

/// What the footer of a segment says of its streams.
pub(crate) fn directory(shared: &Shared, place: FilePlace) -> Result<Vec<DirectoryRow>, Error> {
    let path = || shared.files.path(place);
    let damaged = |what: &str| shared.files.damaged(place, 0, what);
    let room = shared.rooms().get(usize::from(place.disk)).ok_or_else(|| damaged("its disk is not there"))?;
    match load(&*room.disk, place.id) {
        Ok(opened) => opened.footer.map(|(_, rows)| rows).map_err(damaged),
        Err(HeaderProblem::Version(found)) => {
            Err(Error::Version { path: path(), found, supported: crate::format::VERSION })
        }
        Err(HeaderProblem::Unreadable(what)) => Err(damaged(&what)),
    }
}

/// A stream's block of a segment.
pub(crate) fn block(shared: &Shared, place: FilePlace, row: &DirectoryRow) -> Result<Arc<Block>, Error> {
    let query = Query { shared, key: row.key, io: true };
    query.block_of(place, &Source::Footer(row.block)).map_err(|miss| match miss {
        Miss::Error(error) => error,
        Miss::Io => Error::Stopped,
    })
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
